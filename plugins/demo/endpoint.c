// SPDX-License-Identifier: Apache-2.0
/* The page's server; see endpoint.h. A request is read until its empty line and its answer written in
 * one go: the page is smaller than any socket's buffer. */
#include "demo/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/settings.h"

enum { MAX_CONNECTIONS = 8, REQUEST_BYTES = 4096, PAGE_BYTES = 4096 };

typedef struct connection {
    endpoint *owner;
    int fd; /* -1: free */
    tw_watch *watch;
    size_t size;
    char request[REQUEST_BYTES];
} connection;

struct endpoint {
    const tw_host *host;
    int fd;
    tw_watch *watch;
    endpoint_page page;
    void *self;
    connection connections[MAX_CONNECTIONS];
};

static void end_connection(connection *c)
{
    if (c->fd < 0)
        return;
    c->owner->host->watch_end(c->watch);
    close(c->fd);
    c->fd = -1;
}

static void answer(connection *c)
{
    char page[PAGE_BYTES], text[PAGE_BYTES + 256];
    size_t size = c->owner->page(c->owner->self, page, sizeof page);
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%.*s",
                     size, (int)size, page);

    (void)!send(c->fd, text, (size_t)n, MSG_NOSIGNAL);
}

static void on_request(void *arg, int fd, int events)
{
    connection *c = arg;
    ssize_t n = recv(fd, c->request + c->size, sizeof c->request - 1 - c->size, 0);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        c->size += (size_t)n;
        c->request[c->size] = '\0';
        if (!strstr(c->request, "\r\n\r\n") && c->size < sizeof c->request - 1)
            return;
        answer(c);
    }
    end_connection(c);
}

static connection *free_connection(endpoint *e)
{
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        if (e->connections[i].fd < 0)
            return &e->connections[i];
    }
    return NULL;
}

static void on_caller(void *arg, int fd, int events)
{
    endpoint *e = arg;
    connection *c = free_connection(e);
    int caller = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (caller < 0)
        return;
    if (!c) {
        close(caller);
        return;
    }
    c->fd = caller;
    c->size = 0;
    c->watch = e->host->watch_fd(e->host, caller, TW_WATCH_READ, on_request, c);
}

static bool listen_on(endpoint *e, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    e->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return e->fd >= 0 &&
           setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(e->fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           listen(e->fd, MAX_CONNECTIONS) == 0;
}

endpoint *endpoint_new(const tw_host *h, uint16_t port, endpoint_page page, void *self,
                       tw_refusal *refusal)
{
    endpoint *e = shared_alloc(sizeof *e);

    *e = (endpoint){.host = h, .fd = -1, .page = page, .self = self};
    for (size_t i = 0; i < MAX_CONNECTIONS; i++)
        e->connections[i] = (connection){.owner = e, .fd = -1};
    if (listen_on(e, port)) {
        e->watch = h->watch_fd(h, e->fd, TW_WATCH_READ, on_caller, e);
        return e;
    }
    settings_refuse(refusal, "127.0.0.1:%d: %s", (int)port, strerror(errno));
    endpoint_free(e);
    return NULL;
}

uint16_t endpoint_port(const endpoint *e)
{
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;

    getsockname(e->fd, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

void endpoint_free(endpoint *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < MAX_CONNECTIONS; i++)
        end_connection(&e->connections[i]);
    if (e->watch)
        e->host->watch_end(e->watch);
    if (e->fd >= 0)
        close(e->fd);
    free(e);
}

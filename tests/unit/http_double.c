// SPDX-License-Identifier: Apache-2.0
/* The receiver; see http_double.h. One connection after the other, closed after its
 * answer; those that hang are kept open until the end. */
#include "http_double.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_REQUESTS 64
#define MAX_SIZE (1u << 20)

typedef struct request {
    char *text; /* head, with two NULs after each line, then the body */
    char *head_end, *body;
    char target[256];
    bool get;
} request;

struct http_double {
    int listener, stop_fd;
    char url[64];
    const char *const *answers;
    size_t answer_count;
    pthread_t thread;
    pthread_mutex_t lock;
    request requests[MAX_REQUESTS]; /* under lock until counted, then constant */
    size_t count;                   /* under lock */
    const char *fault;              /* under lock */
    int hung[MAX_REQUESTS];
    size_t hung_count;
};

static const char *header(const request *r, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = r->text; line < r->head_end; line += strlen(line) + 2) {
        if (strncasecmp(line, name, n) == 0 && line[n] == ':')
            return line + n + 1 + strspn(line + n + 1, " ");
    }
    return NULL;
}

static bool readable(http_double *d, int fd)
{
    struct pollfd ready[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = d->stop_fd, .events = POLLIN}};
    return poll(ready, 2, 5000) > 0 && !ready[1].revents;
}

/* Splits the head into lines; false when it is no proper one. */
static bool split_head(request *r, char *end)
{
    r->head_end = end;
    r->body = end + 4;
    end[2] = '\0';
    for (char *p = r->text; (p = strstr(p, "\r\n")); p += 2)
        p[0] = p[1] = '\0';
    r->get = strncmp(r->text, "GET /", 5) == 0;
    if (!r->get && strncmp(r->text, "POST /", 6) != 0)
        return false;
    char *target = strchr(r->text, '/'), *space = strchr(target, ' ');
    if (!space || strcmp(space, " HTTP/1.1") != 0)
        return false;
    snprintf(r->target, sizeof r->target, "%.*s", (int)(space - target), target);
    return true;
}

/* The whole request, or what is wrong with it. */
static const char *take(http_double *d, int fd, request *r)
{
    size_t size = 0, wanted = 0;

    r->text = tw_alloc(MAX_SIZE + 1);
    while (size < MAX_SIZE) {
        if (!readable(d, fd))
            return "a request that does not end";
        ssize_t n = read(fd, r->text + size, MAX_SIZE - size);
        if (n <= 0)
            return "a request that breaks off";
        size += (size_t)n;
        if (!r->body) {
            char *end = strstr(r->text, "\r\n\r\n");
            if (!end)
                continue;
            if (!split_head(r, end))
                return "no GET or POST of HTTP/1.1";
            const char *length = header(r, "content-length");
            if (!header(r, "host") ||
                (!r->get && (!length || !header(r, "content-type"))))
                return "a header is missing";
            wanted =
                (size_t)(r->body - r->text) + (length ? strtoul(length, NULL, 10) : 0);
        }
        if (size >= wanted)
            break;
    }
    return size == wanted ? NULL : "more bytes than Content-Length says";
}

static void answer(http_double *d, int fd, const char *text)
{
    if (strcmp(text, HTTP_HANG) == 0) {
        d->hung[d->hung_count++] = fd;
        return;
    }
    if (strcmp(text, HTTP_CLOSE) != 0)
        send(fd, text, strlen(text), MSG_NOSIGNAL);
    close(fd);
}

static void serve(http_double *d, int fd)
{
    request r = {0};
    const char *fault = take(d, fd, &r);

    if (fault || d->count == MAX_REQUESTS) {
        tw_free(r.text);
        pthread_mutex_lock(&d->lock);
        d->fault = fault ? fault : "too many requests";
        pthread_mutex_unlock(&d->lock);
        answer(d, fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    pthread_mutex_lock(&d->lock);
    size_t number = d->count;
    d->requests[d->count++] = r;
    pthread_mutex_unlock(&d->lock);
    answer(d, fd, d->answers[number < d->answer_count ? number : d->answer_count - 1]);
}

static void *serve_until_stopped(void *arg)
{
    http_double *d = arg;

    for (;;) {
        struct pollfd ready[2] = {{.fd = d->listener, .events = POLLIN},
                                  {.fd = d->stop_fd, .events = POLLIN}};
        poll(ready, 2, -1);
        if (ready[1].revents)
            return NULL;
        int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(d, fd);
    }
}

http_double *http_double_new(const char *const *answers, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    http_double *d = tw_alloc(sizeof *d);

    d->answers = answers;
    d->answer_count = count;
    d->stop_fd = eventfd(0, EFD_CLOEXEC);
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(d->listener, (struct sockaddr *)&at, size) < 0 ||
        listen(d->listener, 64) < 0 ||
        getsockname(d->listener, (struct sockaddr *)&at, &size) < 0)
        abort();
    snprintf(d->url, sizeof d->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    pthread_mutex_init(&d->lock, NULL);
    if (pthread_create(&d->thread, NULL, serve_until_stopped, d) != 0)
        abort();
    return d;
}

void http_double_free(http_double *d)
{
    uint64_t one = 1;

    if (write(d->stop_fd, &one, sizeof one) < 0)
        abort();
    pthread_join(d->thread, NULL);
    for (size_t i = 0; i < d->hung_count; i++)
        close(d->hung[i]);
    for (size_t i = 0; i < d->count; i++)
        tw_free(d->requests[i].text);
    close(d->listener);
    close(d->stop_fd);
    pthread_mutex_destroy(&d->lock);
    tw_free(d);
}

const char *http_double_url(const http_double *d)
{
    return d->url;
}

size_t http_double_count(http_double *d)
{
    pthread_mutex_lock(&d->lock);
    size_t count = d->count;
    pthread_mutex_unlock(&d->lock);
    return count;
}

const char *http_double_target(http_double *d, size_t i)
{
    return i < http_double_count(d) ? d->requests[i].target : "";
}

const char *http_double_header(http_double *d, size_t i, const char *name)
{
    return i < http_double_count(d) ? header(&d->requests[i], name) : NULL;
}

const char *http_double_body(http_double *d, size_t i)
{
    return i < http_double_count(d) ? d->requests[i].body : "";
}

const char *http_double_fault(http_double *d)
{
    pthread_mutex_lock(&d->lock);
    const char *fault = d->fault;
    pthread_mutex_unlock(&d->lock);
    return fault;
}

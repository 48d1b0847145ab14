// SPDX-License-Identifier: Apache-2.0
/* libmicrohttpd inside the shore's loop: its epoll descriptor is watched, its time-outs are a timer,
 * and it has no thread of its own. Owns the listening socket and every connection. Invariant: after
 * each run of the server the timer stands at what it asked for, so no connection waits unseen. */
#include "control/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/answer.h"
#include "control/callers.h"

#define MAX_BODY_BYTES (1 << 20)
#define MAX_CONNECTIONS 64u
#define SPARE_CONNECTIONS 16u /* cut, but not yet closed */
#define IDLE_SECONDS 15u
#define CONNECTION_BYTES ((size_t)32 * 1024)
#define RUNS_AT_ONCE 16

struct tw_control {
    tw_control_options options; /* with texts of its own */
    char *host, *token;
    uint16_t port;
    struct MHD_Daemon *server;
    tw_watch *ready, *timer;
    tw_callers callers;
};

/* One request while its body arrives. */
typedef struct request {
    tw_buf body;
} request;

/* ---- answering --------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void count_answer(tw_control *c, int status)
{
    char code[16];

    snprintf(code, sizeof code, "%d", status);
    const char *labels[] = {"code", code, NULL};
    tw_count(tw_stats_counter(c->options.stats, "control_requests_total",
                              "Requests to the control address, by status.", labels),
             1);
}

/* Takes the text. */
static enum MHD_Result send_answer(tw_control *c, struct MHD_Connection *connection,
                                   tw_told told)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(told.size, told.text, MHD_RESPMEM_MUST_COPY);

    tw_free(told.text);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, told.content_type);
    MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (told.allow)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, told.allow);
    if (told.status == 401)
        MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    count_answer(c, told.status);
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)told.status, r);
    MHD_destroy_response(r);
    return rc;
}

static tw_told refuse_size(void)
{
    return tw_control_refuse(413, "a body of at most %d bytes is taken", MAX_BODY_BYTES);
}

/* Whether the client has announced more than is taken; a wrong number is the server's business. */
static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length && strtoull(length, NULL, 10) > MAX_BODY_BYTES;
}

static enum MHD_Result begin(tw_control *c, struct MHD_Connection *connection,
                             void **request_slot)
{
    request *r = tw_alloc(sizeof *r);

    tw_buf_init(&r->body, MAX_BODY_BYTES);
    *request_slot = r;
    if (announces_too_much(connection))
        return send_answer(c, connection, refuse_size());
    return MHD_YES;
}

/* Called by the server: once with the headers, once for each part of the body, once at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *data,
                                  size_t *data_size, void **request_slot)
{
    tw_control *c = arg;
    request *r = *request_slot;

    (void)version;
    if (!r)
        return begin(c, connection, request_slot);
    if (*data_size) {
        /* Nothing can be answered in the middle of a body: what came too much is let go. */
        tw_buf_add(&r->body, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    if (r->body.failed)
        return send_answer(c, connection, refuse_size());
    tw_ask ask = {.method = method,
                  .path = path,
                  .authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
                  .host = header(connection, MHD_HTTP_HEADER_HOST),
                  .origin = header(connection, MHD_HTTP_HEADER_ORIGIN),
                  .body = r->body.data,
                  .body_size = r->body.len};
    return send_answer(c, connection, tw_control_answer(&c->options, &ask));
}

static tw_caller *caller_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

static void on_connection(void *arg, struct MHD_Connection *connection,
                          void **caller_slot, enum MHD_ConnectionNotificationCode what)
{
    tw_control *c = arg;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        tw_callers_left(&c->callers, *caller_slot);
        *caller_slot = NULL;
        return;
    }
    tw_caller *caller;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    if (tw_callers_came(&c->callers, fd, &caller))
        tw_count(tw_stats_counter(c->options.stats, "control_connections_cut_total",
                                  "Connections to the control address that were cut "
                                  "because too many were open.",
                                  NULL),
                 1);
    *caller_slot = caller;
}

static void on_request_over(void *arg, struct MHD_Connection *connection,
                            void **request_slot, enum MHD_RequestTerminationCode why)
{
    request *r = *request_slot;

    (void)why;
    tw_callers_served(&((tw_control *)arg)->callers, caller_of(connection));
    if (r)
        tw_buf_done(&r->body);
    tw_free(r);
    *request_slot = NULL;
}

/* ---- the server in the loop -------------------------------------------------------- */

static void run_server(tw_control *c)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    enum MHD_Result waits = MHD_NO;

    for (int i = 0; i < RUNS_AT_ONCE; i++) {
        MHD_run(c->server);
        waits = MHD_get_timeout(c->server, &wait_ms);
        if (waits != MHD_YES || wait_ms > 0)
            break;
    }
    if (waits != MHD_YES || wait_ms > IDLE_SECONDS * 1000)
        wait_ms = IDLE_SECONDS * 1000;
    tw_watch_timer_again(c->timer, (int64_t)wait_ms, 0);
}

static void on_ready(void *arg, int fd, int events)
{
    (void)fd, (void)events;
    run_server(arg);
}

static void on_due(void *arg)
{
    run_server(arg);
}

static void on_complaint(void *arg, const char *format, va_list ap)
{
    char text[512];

    (void)arg;
    vsnprintf(text, sizeof text, format, ap);
    text[strcspn(text, "\r\n")] = '\0';
    tw_log_debug("control", text, NULL);
}

/* ---- life -------------------------------------------------------------------------- */

typedef union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} address;

static socklen_t read_address(const char *host, uint16_t port, address *out)
{
    *out = (address){0};
    if (inet_pton(AF_INET, host, &out->four.sin_addr) == 1) {
        out->four.sin_family = AF_INET;
        out->four.sin_port = htons(port);
        return sizeof out->four;
    }
    if (inet_pton(AF_INET6, host, &out->six.sin6_addr) == 1) {
        out->six.sin6_family = AF_INET6;
        out->six.sin6_port = htons(port);
        return sizeof out->six;
    }
    return 0;
}

static int listen_on(tw_control *c, uint16_t port, tw_err *err)
{
    address at;
    socklen_t size = read_address(c->host, port, &at);
    int on = 1, fd = -1;

    if (!size)
        return tw_err_set(err, TW_EINVAL, "control: '%s' is not an address", c->host);
    fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, &at.any, size) < 0 || listen(fd, (int)MAX_CONNECTIONS) < 0 ||
        getsockname(fd, &at.any, &size) < 0)
        goto fail;
    c->port = ntohs(at.any.sa_family == AF_INET ? at.four.sin_port : at.six.sin6_port);
    return fd;

fail:
    tw_err_set(err, TW_EIO, "control: cannot listen on %s port %u: %s%s", c->host,
               (unsigned)port, strerror(errno),
               errno == EADDRINUSE ? "; does another tidewatch run? `control.listen` of "
                                     "the configuration sets another address"
                                   : "");
    if (fd >= 0)
        close(fd);
    return TW_EIO;
}

static int start_server(tw_control *c, int fd, tw_err *err)
{
    c->server = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, c,
        MHD_OPTION_EXTERNAL_LOGGER, on_complaint, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_request_over, c, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, c, MHD_OPTION_CONNECTION_LIMIT,
        MAX_CONNECTIONS + SPARE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_END);
    if (!c->server) {
        close(fd);
        return tw_err_set(err, TW_EIO, "control: the HTTP server does not start");
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(c->server, MHD_DAEMON_INFO_EPOLL_FD);
    c->ready = tw_loop_fd(c->options.loop, info->epoll_fd, 1, on_ready, c);
    c->timer = tw_loop_timer(c->options.loop, IDLE_SECONDS * 1000, 0, on_due, c);
    if (!c->ready || !c->timer)
        return tw_err_set(err, TW_EIO, "control: the loop takes no more watches");
    return TW_OK;
}

tw_control *tw_control_start(const tw_control_options *options, tw_err *err)
{
    tw_control *c = tw_alloc(sizeof *c);

    c->options = *options;
    c->callers.most = MAX_CONNECTIONS;
    c->host = tw_strdup(options->host);
    c->token = tw_strdup(options->token);
    c->options.host = c->host;
    c->options.token = c->token;
    int fd = listen_on(c, options->port, err);
    if (fd < 0 || start_server(c, fd, err) < 0)
        goto fail;
    return c;

fail:
    tw_control_stop(c);
    return NULL;
}

void tw_control_stop(tw_control *c)
{
    if (!c)
        return;
    tw_watch_end(c->ready);
    tw_watch_end(c->timer);
    if (c->server)
        MHD_stop_daemon(c->server);
    tw_free(c->host);
    tw_free(c->token);
    tw_free(c);
}

uint16_t tw_control_port(const tw_control *c)
{
    return c->port;
}

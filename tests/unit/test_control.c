// SPDX-License-Identifier: Apache-2.0
/* Tests of control: real requests over a socket of 127.0.0.1, client and server on one thread. */
#include "control/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

/* A running control and what it was told. */
typedef struct house {
    tw_loop *loop;
    tw_stats *stats;
    tw_control *control;
    bool ready;
    int acts, gauged;
    char body[64]; /* of the last act */
    tw_buf reply;  /* all bytes of the last answer */
} house;

static json_t *not_ready(void *self)
{
    house *h = self;
    return h->ready ? NULL : json_pack("[s]", "kafka: no broker");
}

static json_t *show_status(void *self)
{
    (void)self;
    return json_pack("{s:i}", "lanes", 2);
}

static tw_control_reply act_reload(void *self, json_t *body)
{
    house *h = self;
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    h->acts++;
    snprintf(h->body, sizeof h->body, "%.60s", text ? text : "none");
    free(text);
    return (tw_control_reply){h->acts == 1 ? 200 : 422,
                              json_pack("{s:i}", "act", h->acts)};
}

static void before_metrics(void *self)
{
    house *h = self;
    h->gauged++;
}

static const tw_view views[] = {{"status", show_status}, {0}};
static const tw_verb verbs[] = {{"/-/reload", act_reload}, {0}};

static void open_house(house *h, const char *host, const char *token)
{
    tw_err err = {0};

    *h = (house){.ready = true, .loop = tw_loop_new(&err), .stats = tw_stats_new()};
    tw_control_options options = {.loop = h->loop,
                                  .host = host,
                                  .token = token,
                                  .stats = h->stats,
                                  .not_ready = not_ready,
                                  .before_metrics = before_metrics,
                                  .views = views,
                                  .verbs = verbs,
                                  .self = h};
    h->control = tw_control_start(&options, &err);
    if (!h->control)
        fail_msg("%s", err.text);
    tw_buf_init(&h->reply, 8 << 20);
}

static void close_house(house *h)
{
    tw_control_stop(h->control);
    tw_loop_free(h->loop);
    tw_stats_free(h->stats);
    tw_buf_done(&h->reply);
}

static int dial(const house *h)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(tw_control_port(h->control)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void send_all(house *h, int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            n -= (size_t)sent;
        } else if (errno == EAGAIN) {
            tw_loop_turn(h->loop, true);
        } else {
            return; /* the server has heard enough */
        }
    }
}

/* Reads until the server closes. */
static void receive(house *h, int fd)
{
    char part[4096];
    ssize_t n;

    tw_buf_reset(&h->reply);
    for (;;) {
        n = recv(fd, part, sizeof part, MSG_DONTWAIT);
        if (n > 0)
            tw_buf_add(&h->reply, part, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            tw_loop_turn(h->loop, true);
        else
            break;
    }
    close(fd);
}

static const char *ask_bytes(house *h, const char *bytes, size_t n)
{
    int fd = dial(h);

    send_all(h, fd, bytes, n);
    receive(h, fd);
    return h->reply.data;
}

/* "GET /metrics", further header lines each ended by \r\n, and a body. */
static const char *ask(house *h, const char *what, const char *headers, const char *body)
{
    char *text =
        tw_asprintf("%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: "
                    "close\r\nContent-Length: %zu\r\n%s\r\n%s",
                    what, tw_control_port(h->control), strlen(body), headers, body);
    const char *reply = ask_bytes(h, text, strlen(text));

    tw_free(text);
    return reply;
}

static void assert_status(const char *reply, int status)
{
    char wanted[32];

    snprintf(wanted, sizeof wanted, "HTTP/1.1 %d ", status);
    if (strncmp(reply, wanted, strlen(wanted)) != 0)
        fail_msg("wanted %d, got: %s", status, reply);
}

static void assert_has(const char *reply, const char *part)
{
    if (!strstr(reply, part))
        fail_msg("no '%s' in: %s", part, reply);
}

static void health_is_told_while_the_process_lives(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    h.ready = false;
    const char *reply = ask(&h, "GET /-/healthy", "", "");
    assert_status(reply, 200);
    assert_has(reply, "\"healthy\": true");
    assert_has(reply, "Content-Type: application/json\r\n");
    close_house(&h);
}

static void readiness_has_reasons(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    assert_status(ask(&h, "GET /-/ready", "", ""), 200);
    h.ready = false;
    const char *reply = ask(&h, "GET /-/ready?verbose=1", "", "");
    assert_status(reply, 503);
    assert_has(reply, "kafka: no broker");
    close_house(&h);
}

static void metrics_are_prometheus_text_and_up_to_date(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    ask(&h, "GET /nothing", "", "");
    const char *reply = ask(&h, "GET /metrics", "", "");
    assert_status(reply, 200);
    assert_has(reply, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    assert_has(reply, "tidewatch_control_requests_total{code=\"404\"} 1\n");
    assert_int_equal(h.gauged, 1);
    close_house(&h);
}

static void a_view_is_json_under_its_name(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "GET /api/v1/status", "", "");
    assert_status(reply, 200);
    assert_has(reply, "\"lanes\": 2");
    close_house(&h);
}

static void head_has_the_headers_alone(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "HEAD /api/v1/status", "", "");
    assert_status(reply, 200);
    assert_has(reply, "Content-Length: 17\r\n");
    assert_null(strstr(reply, "lanes"));
    close_house(&h);
}

static void a_verb_acts_and_tells_its_status(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "POST /-/reload", "", "");
    assert_status(reply, 200);
    assert_has(reply, "\"act\": 1");
    assert_string_equal(h.body, "none");
    assert_status(ask(&h, "PUT /-/reload", "", "{\"dry\": true}"), 422);
    assert_string_equal(h.body, "{\"dry\":true}");
    close_house(&h);
}

static void a_broken_body_does_not_act(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "POST /-/reload", "", "{\"dry\": ");
    assert_status(reply, 400);
    assert_has(reply, "the body is not JSON: ");
    assert_int_equal(h.acts, 0);
    close_house(&h);
}

static void a_wrong_path_is_answered_with_the_nearest(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "GET /-/helthy", "", "");
    assert_status(reply, 404);
    assert_has(reply, "nothing is at /-/helthy (did you mean /-/healthy?)");
    assert_has(reply, "\"/api/v1/status\"");
    reply = ask(&h, "GET /\xff\xfe", "", "");
    assert_status(reply, 404);
    close_house(&h);
}

static void a_wrong_method_is_answered_with_the_right_one(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    const char *reply = ask(&h, "GET /-/reload", "", "");
    assert_status(reply, 405);
    assert_has(reply, "Allow: POST, PUT\r\n");
    assert_has(reply, "/-/reload does not take GET; use POST, PUT");
    reply = ask(&h, "DELETE /metrics", "", "");
    assert_status(reply, 405);
    assert_has(reply, "Allow: GET, HEAD\r\n");
    assert_int_equal(h.acts, 0);
    close_house(&h);
}

static void with_a_token_only_probes_go_without(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", "sesame");
    const char *reply = ask(&h, "GET /metrics", "", "");
    assert_status(reply, 401);
    assert_has(reply, "WWW-Authenticate: Bearer\r\n");
    assert_has(reply, "this engine asks for a token");
    static const char *const wrong[] = {
        "Bearer sesam", "Bearer sesame2", "Bearer ", "Bearer sesamf",
        "Basic sesame", "Bearer Sesame",  "sesame",  "Bearer sesamesesame"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[100];
        snprintf(line, sizeof line, "Authorization: %s\r\n", wrong[i]);
        assert_status(ask(&h, "POST /-/reload", line, ""), 401);
        assert_status(ask(&h, "GET /nothing", line, ""), 401);
    }
    assert_int_equal(h.acts, 0);
    assert_status(ask(&h, "GET /-/healthy", "", ""), 200);
    assert_status(ask(&h, "GET /-/ready", "", ""), 200);
    assert_status(ask(&h, "POST /-/reload", "Authorization: Bearer sesame\r\n", ""), 200);
    assert_status(ask(&h, "GET /metrics", "authorization: bearer  sesame\r\n", ""), 200);
    close_house(&h);
}

static void a_web_page_cannot_reach_the_engine(void **state)
{
    (void)state;
    static const char rebound[] =
        "POST /-/reload HTTP/1.1\r\nHost: evil.example:9464\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n";
    house h;
    open_house(&h, "127.0.0.1", NULL);
    assert_status(ask(&h, "POST /-/reload", "Origin: http://evil.example\r\n", ""), 403);
    assert_status(ask(&h, "POST /-/reload", "Origin: null\r\n", ""), 403);
    assert_status(ask_bytes(&h, rebound, sizeof rebound - 1), 403);
    assert_int_equal(h.acts, 0);
    char *own =
        tw_asprintf("Origin: http://127.0.0.1:%u\r\n", tw_control_port(h.control));
    assert_status(ask(&h, "POST /-/reload", own, ""), 200);
    tw_free(own);
    close_house(&h);
}

static void a_large_body_is_refused(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    size_t n = (1 << 20) + 1;
    char *body = tw_alloc(n + 1);
    memset(body, ' ', n);
    const char *reply = ask(&h, "POST /-/reload", "", body);
    assert_status(reply, 413);
    assert_has(reply, "a body of at most 1048576 bytes is taken");
    body[n - 1] = '\0';
    body[0] = '1';
    assert_status(ask(&h, "POST /-/reload", "", body), 200);
    assert_int_equal(h.acts, 1);
    tw_free(body);
    close_house(&h);
}

static void a_large_body_in_chunks_is_refused(void **state)
{
    (void)state;
    static const char head[] =
        "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: "
        "close\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n";
    house h;
    open_house(&h, "127.0.0.1", NULL);
    size_t n = 0x200000;
    char *chunk = tw_alloc(n);
    int fd = dial(&h);
    memset(chunk, ' ', n);
    send_all(&h, fd, head, sizeof head - 1);
    send_all(&h, fd, chunk, n);
    send_all(&h, fd, "\r\n0\r\n\r\n", 7);
    receive(&h, fd);
    assert_status(h.reply.data, 413);
    assert_int_equal(h.acts, 0);
    tw_free(chunk);
    close_house(&h);
}

static void what_is_no_http_is_let_go(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\r\n\r\n\r\n\r\n", "GET\r\n\r\n",
                                        "\x16\x03\x01\x02",
                                        "POST /-/reload HTTP/1.1\r\nHost: localhost\r\n"
                                        "Content-Length: -1\r\n\r\n",
                                        "GET / HTTP/1.1\r\nHost"};
    int fds[sizeof wrong / sizeof *wrong];
    house h;
    open_house(&h, "127.0.0.1", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fds[i] = dial(&h);
        send_all(&h, fds[i], wrong[i], strlen(wrong[i]));
        shutdown(fds[i], SHUT_WR);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        receive(&h, fds[i]); /* some only when they have been idle for too long */
    assert_int_equal(h.acts, 0);
    assert_status(ask(&h, "GET /-/healthy", "", ""), 200);
    close_house(&h);
}

static void one_connection_carries_many_requests(void **state)
{
    (void)state;
    static const char two[] =
        "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    house h;
    open_house(&h, "127.0.0.1", NULL);
    ask_bytes(&h, two, sizeof two - 1);
    assert_has(h.reply.data, "healthy");
    assert_has(h.reply.data, "\"ready\": true");
    close_house(&h);
}

static void a_stop_ends_open_connections(void **state)
{
    (void)state;
    house h;
    open_house(&h, "127.0.0.1", NULL);
    int fd = dial(&h);
    send_all(&h, fd, "GET / HTTP/1.1\r\n", 16);
    tw_loop_turn(h.loop, true);
    close_house(&h);
    char byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

/* More than the server takes, each with half a request. */
static void silent_connections_keep_nobody_out(void **state)
{
    (void)state;
    int silent[200];
    house h;
    open_house(&h, "127.0.0.1", NULL);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        silent[i] = dial(&h);
        send_all(&h, silent[i], "GET /metrics HTTP/1.1\r\nX: ", 26);
        tw_loop_turn(h.loop, false);
    }
    alarm(10); /* below the time after which silent ones are let go anyway */
    assert_has(ask(&h, "GET /-/healthy", "", ""), "\"healthy\": true");
    alarm(0);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        close(silent[i]);
    assert_has(ask(&h, "GET /metrics", "", ""),
               "tidewatch_control_connections_cut_total 1");
    close_house(&h);
}

static void a_taken_port_is_named(void **state)
{
    (void)state;
    tw_err err = {0};
    char wanted[200];
    house h;
    open_house(&h, "127.0.0.1", NULL);
    tw_control_options again = {.loop = h.loop,
                                .host = "127.0.0.1",
                                .port = tw_control_port(h.control),
                                .stats = h.stats};
    assert_null(tw_control_start(&again, &err));
    snprintf(wanted, sizeof wanted,
             "control: cannot listen on 127.0.0.1 port %u: Address already in use; "
             "does another tidewatch run? `control.listen` of the configuration sets "
             "another address",
             tw_control_port(h.control));
    assert_string_equal(err.text, wanted);
    close_house(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_told_while_the_process_lives),
        cmocka_unit_test(readiness_has_reasons),
        cmocka_unit_test(metrics_are_prometheus_text_and_up_to_date),
        cmocka_unit_test(a_view_is_json_under_its_name),
        cmocka_unit_test(head_has_the_headers_alone),
        cmocka_unit_test(a_verb_acts_and_tells_its_status),
        cmocka_unit_test(a_broken_body_does_not_act),
        cmocka_unit_test(a_wrong_path_is_answered_with_the_nearest),
        cmocka_unit_test(a_wrong_method_is_answered_with_the_right_one),
        cmocka_unit_test(with_a_token_only_probes_go_without),
        cmocka_unit_test(a_web_page_cannot_reach_the_engine),
        cmocka_unit_test(a_large_body_is_refused),
        cmocka_unit_test(a_large_body_in_chunks_is_refused),
        cmocka_unit_test(what_is_no_http_is_let_go),
        cmocka_unit_test(one_connection_carries_many_requests),
        cmocka_unit_test(a_stop_ends_open_connections),
        cmocka_unit_test(silent_connections_keep_nobody_out),
        cmocka_unit_test(a_taken_port_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What the tests of plugins/alertmanager stand on: an instance, two strict receivers, and
 * virtual time: resends happen when `pass` says so. */
#ifndef TW_TEST_ALERTMANAGER_BENCH_H
#define TW_TEST_ALERTMANAGER_BENCH_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_host.h"
#include "http_double.h"

#define NOW 1732182010000 /* 2024-11-21T09:40:10Z; the fake alert began ten seconds ago */
#define LOOK_MS 15000     /* a quarter of the resend */
#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 4\r\n\r\nwhy?"

typedef struct bench {
    fake_host host;
    http_double *receivers[2];
    const tw_sink_type *type;
    void *sink;
    tw_record records[300];
    const tw_record *list[300];
    tw_delivery delivery;
} bench;

/* ---- virtual time: a timer of the sink's own is due when a test says so ---- */

#define LONG_MS 1000 /* what is shorter is curl's, and real */

static struct {
    void (*due)(void *arg);
    void *arg;
    int64_t every_ms;
    tw_watch *(*real)(const tw_host *, int64_t, int64_t, void (*)(void *), void *);
} look;

static inline tw_watch *watch_timer(const tw_host *h, int64_t after_ms, int64_t repeat_ms,
                                    void (*due)(void *arg), void *arg)
{
    if (repeat_ms < LONG_MS)
        return look.real(h, after_ms, repeat_ms, due, arg);
    look.due = due;
    look.arg = arg;
    look.every_ms = repeat_ms;
    return look.real(h, 3600000, 0, due, arg);
}

static inline size_t requests(bench *b, int receiver)
{
    return http_double_count(b->receivers[receiver]);
}

/* Turns the loop until so many requests came. */
static inline void await_requests(bench *b, int receiver, size_t count)
{
    int64_t until_ms = tw_mono_ms() + 5000;

    while (requests(b, receiver) < count && tw_mono_ms() < until_ms)
        tw_loop_turn(b->host.loop, false);
    assert_int_equal(requests(b, receiver), count);
}

static inline void await_metric(bench *b, const char *name, int64_t count)
{
    int64_t until_ms = tw_mono_ms() + 5000;

    while (fake_host_metric(&b->host, name) < count && tw_mono_ms() < until_ms)
        tw_loop_turn(b->host.loop, false);
    assert_int_equal(fake_host_metric(&b->host, name), count);
}

/* Turns the loop until so many alerts were taken. */
static inline void await_sent(bench *b, int64_t count)
{
    await_metric(b, "alerts_sent_total", count);
}

static inline void pass(bench *b, int64_t ms)
{
    for (int64_t end_ms = b->host.now_ms + ms; b->host.now_ms < end_ms;) {
        b->host.now_ms += look.every_ms;
        look.due(look.arg);
    }
}

/* ---- the bench ---- */

static inline void start(bench *b, const char *settings)
{
    char why[512] = "";

    fake_host_init(&b->host, "alertmanager", "team", settings);
    b->host.now_ms = NOW;
    look.real = b->host.host.watch_timer;
    b->host.host.watch_timer = watch_timer;
    b->type = fake_host_sink_type(&b->host, "alertmanager");
    b->sink = fake_host_sink(&b->host, b->type, why, sizeof why);
    if (!b->sink)
        fail_msg("%s", why);
}

static inline void setup2(bench *b, const char *const *first, size_t first_count,
                          const char *second, const char *more_settings)
{
    static const char *seconds[1];
    static char settings[1024];

    memset(b, 0, sizeof *b);
    seconds[0] = second;
    b->receivers[0] = http_double_new(first, first_count);
    b->receivers[1] = http_double_new(seconds, 1);
    snprintf(settings, sizeof settings, "{\"urls\": [\"%s/am/\"%s%s%s]%s}",
             http_double_url(b->receivers[0]), second ? ", \"" : "",
             second ? http_double_url(b->receivers[1]) : "", second ? "\"" : "",
             more_settings);
    start(b, settings);
}

static inline void setup(bench *b, const char *answer, const char *more_settings)
{
    static const char *answers[1];
    answers[0] = answer;
    setup2(b, answers, 1, NULL, more_settings);
}

static inline void teardown(bench *b)
{
    fake_host_end_sink(&b->host, b->type, b->sink);
    for (int i = 0; i < 2; i++) {
        assert_null(http_double_fault(b->receivers[i]));
        http_double_free(b->receivers[i]);
    }
    fake_host_done(&b->host);
}

static inline void begin(bench *b, const tw_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        b->records[i] = records[i];
        b->list[i] = &b->records[i];
    }
    b->delivery = (tw_delivery){
        .size = sizeof b->delivery, .records = b->list, .count = count, .attempt = 1};
    b->type->deliver(b->sink, &b->delivery);
}

static inline const fake_answer *deliver(bench *b, const tw_record *records, size_t count)
{
    size_t before = b->host.answer_count;

    begin(b, records, count);
    if (!fake_host_wait(&b->host, before + 1))
        fail_msg("no answer");
    return &b->host.answers[before];
}

static inline const fake_answer *deliver_one(bench *b, const char *incident,
                                             bool resolved, const char *level)
{
    tw_record r = fake_alert("id", incident, resolved, level);
    return deliver(b, &r, 1);
}

static inline json_t *body(bench *b, int receiver, size_t i)
{
    json_t *array = json_loads(http_double_body(b->receivers[receiver], i), 0, NULL);
    assert_true(json_is_array(array));
    return array;
}

static inline const char *text(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* A member of the only alert of a request. */
static inline void assert_alert(bench *b, size_t i, const char *name,
                                const char *expected)
{
    json_t *array = body(b, 0, i);
    assert_int_equal(json_array_size(array), 1);
    assert_string_equal(text(json_array_get(array, 0), name), expected);
    json_decref(array);
}

static inline void assert_label(bench *b, size_t i, const char *name,
                                const char *expected)
{
    json_t *array = body(b, 0, i);
    assert_int_equal(json_array_size(array), 1);
    assert_string_equal(text(json_object_get(json_array_get(array, 0), "labels"), name),
                        expected);
    json_decref(array);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* One target or query of the plugin `prometheus` against an HTTP double, for its tests: what comes is
 * polled from its feed as a lane does it, and kept as events. Included by test files only. */
#ifndef TW_TEST_POLLER_FIXTURE_H
#define TW_TEST_POLLER_FIXTURE_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_host.h"
#include "http_double.h"

#include "prometheus/schedule.c"

#define PATIENCE_MS 5000
#define NOW_MS INT64_C(1750000000000)
#define PAGE(type, body)                                                                 \
    "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body
#define TEXT(body) PAGE("text/plain; version=0.0.4", body)
#define OPENMETRICS(body) PAGE("application/openmetrics-text; version=1.0.0", body)
#define JSON(body) PAGE("application/json", body)

typedef struct bench {
    fake_host host;
    http_double *server;
    const tw_source_type *type;
    void *source;
    char settings[1024];
    const char *answers[8];
    json_t *events; /* of all polls so far */
    int64_t times[64];
    size_t frames;
    bool often; /* a busy machine may break off a request at its timeout */
} bench;

static inline void start(bench *b, int64_t now_ms)
{
    tw_refusal refusal = {.size = sizeof refusal};
    const char *topic = "metrics";

    fake_host_init(&b->host, "prometheus", "metrics", b->settings);
    b->host.now_ms = now_ms;
    b->type = fake_host_source_type(&b->host, "prometheus");
    b->source = b->type->open(&b->host.host, &topic, 1, &refusal);
    if (!b->source || b->type->start(b->source, &refusal) < 0)
        fail_msg("%s", refusal.text);
}

/* One target, or one query called `q`, at the double, which answers so; polled each minute, and for the
 * first time at once. more: `, "a": 1`. */
static inline void setup(bench *b, const char *answer, bool query, const char *more)
{
    char what[128] = "query q";

    *b = (bench){.answers = {answer}, .events = json_array()};
    b->server = http_double_new(b->answers, 1);
    snprintf(b->settings, sizeof b->settings,
             query ? "{\"server\": \"%s/\", \"queries\": {\"q\": \"sum(a+b) > 1\"}, "
                     "\"interval\": \"1m\"%s}"
                   : "{\"targets\": [\"%s/metrics?a=1\"], \"interval\": \"1m\"%s}",
             http_double_url(b->server), more);
    if (!query)
        snprintf(what, sizeof what, "%s/metrics?a=1", http_double_url(b->server));
    start(b, schedule_next_ms(NOW_MS, 60000, schedule_offset_ms(what, 60000)) - 1);
}

/* One target that is polled every so often, in real time. */
static inline void setup_often(bench *b, int interval_ms)
{
    b->events = json_array();
    b->often = true;
    size_t count = 0;
    while (b->answers[count])
        count++;
    b->server = http_double_new(b->answers, count);
    snprintf(b->settings, sizeof b->settings,
             "{\"targets\": [{\"url\": \"%s\"}], \"interval\": \"%dms\"}",
             http_double_url(b->server), interval_ms);
    start(b, 0);
}

/* As a lane does it. */
static inline void poll_feed(bench *b)
{
    tw_frame frames[4];
    int n;

    while ((n = b->type->poll(b->host.feeds[0], frames, 4)) > 0) {
        for (int i = 0; i < n; i++) {
            json_t *list = json_loadb(frames[i].data, frames[i].size, 0, NULL);
            assert_true(json_is_array(list));
            json_array_extend(b->events, list);
            json_decref(list);
            assert_int_equal(frames[i].offset, b->frames);
            if (b->frames < sizeof b->times / sizeof *b->times)
                b->times[b->frames] = frames[i].time_ms;
            b->frames++;
        }
        b->type->release(b->host.feeds[0], frames, n);
    }
}

static inline void teardown(bench *b)
{
    b->type->stop(b->source);
    assert_true(b->host.stopped);
    poll_feed(b);
    b->type->close(b->source);
    if (!b->often)
        assert_null(http_double_fault(b->server));
    http_double_free(b->server);
    fake_host_done(&b->host);
    json_decref(b->events);
}

static inline void on_nothing(void *arg)
{
    (void)arg;
}

static inline void turn_until(bench *b, bool (*met)(bench *b, size_t n), size_t n)
{
    int64_t until_ms = tw_mono_ms() + PATIENCE_MS;
    tw_watch *tick = tw_loop_timer(b->host.loop, 5, 5, on_nothing, NULL);

    while (!met(b, n)) {
        if (tw_mono_ms() > until_ms)
            fail_msg("waited in vain; logged: %s", b->host.logged);
        tw_loop_turn(b->host.loop, true);
    }
    tw_watch_end(tick);
}

static inline bool has_events(bench *b, size_t n)
{
    poll_feed(b);
    return json_array_size(b->events) >= n;
}

static inline bool has_polled(bench *b, size_t n)
{
    return fake_host_metric(&b->host, "polls_total") >= (int64_t)n;
}

static inline bool has_skipped(bench *b, size_t n)
{
    return fake_host_metric(&b->host, "polls_skipped_total") >= (int64_t)n;
}

/* The i-th event of this name. */
static inline const json_t *event(const bench *b, const char *name, size_t i)
{
    for (size_t k = 0; k < json_array_size(b->events); k++) {
        const json_t *e = json_array_get(b->events, k);
        if (strcmp(json_string_value(json_object_get(e, "name")), name) == 0 && i-- == 0)
            return e;
    }
    fail_msg("no event %s", name);
    return NULL;
}

static inline const char *text(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));
    return value ? value : "(none)";
}

static inline double number(const json_t *o, const char *name)
{
    return json_number_value(json_object_get(o, name));
}

static inline const char *instance_of(const bench *b)
{
    return http_double_url(b->server) + strlen("http://");
}

/* The error of the first `up`; nothing of the page may have become an event. */
static inline void fails(const char *answer, bool query, const char *more,
                         const char *expected)
{
    bench b;
    setup(&b, answer, query, more);
    turn_until(&b, has_events, 3);
    const json_t *up = event(&b, "up", 0);
    assert_true(number(up, "value") == 0);
    if (!strstr(text(up, "error"), expected))
        fail_msg("\"%s\" does not say \"%s\"", text(up, "error"), expected);
    if (query)
        assert_string_equal(text(up, "query"), "q");
    assert_string_equal(text(up, "instance"), instance_of(&b));
    assert_true(number(event(&b, "scrape_samples_scraped", 0), "value") == 0);
    for (size_t i = 0; i < 3; i++)
        assert_null(json_object_get(json_array_get(b.events, i), "only_on_the_page"));
    assert_int_equal(fake_host_metric(&b.host, "targets_up"), 0);
    assert_true(fake_host_metric(&b.host, "polls_failed_total") >= 1);
    assert_non_null(strstr(b.host.trouble, "cannot be polled"));
    teardown(&b);
}

#endif

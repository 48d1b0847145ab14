// SPDX-License-Identifier: Apache-2.0
/* What the tests of the decoder share: a stream, a plan and a decoder. Frames are handed over in
 * blocks of exactly their size, so that the address sanitizer sees a read behind their end, and
 * are overwritten before anything is looked at: only copies are. */
#ifndef TW_TESTS_DECODE_FIXTURE_H
#define TW_TESTS_DECODE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decode/decode.h"

#define ARRIVAL INT64_C(1732182000000)

static const char *const paths[] = {"time",        "a",         "b",         "labels",
                                    "labels.zone", "tags[1]",   "tags[0].k", "message",
                                    "labels",      "[\"x.y\"]", "deep.er.k", "[\"\"]"};
enum {
    TIME,
    A,
    B,
    LABELS,
    ZONE,
    TAG1,
    TAG0K,
    MESSAGE,
    LABELS_AGAIN,
    XY,
    DEEPER,
    NO_NAME,
    PATHS
};

typedef struct fixture {
    tw_streams *streams;
    tw_stream *stream;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    tw_decode_origin origin;
    uint32_t slots[PATHS];
    tw_err err;
    /* what the last frame gave */
    int rc;
    char *frame; /* overwritten; kept so that a pointer into it reads what is not there */
    uint32_t count;
    tw_event *events[64]; /* copies */
    void (*during)(struct fixture *x, const tw_event *ev);
} fixture;

static inline void keep(void *self, const tw_event *ev)
{
    fixture *x = self;
    if (x->during) {
        x->during(x, ev);
    }
    assert_true(x->count < 64);
    x->events[x->count++] = tw_event_copy_into(ev, malloc(tw_event_copy_size(ev)));
}

static inline void forget(fixture *x)
{
    while (x->count > 0) {
        free(x->events[--x->count]);
    }
    free(x->frame);
    x->frame = NULL;
}

/* Decodes n bytes; the frame is gone when this returns, only the copies are left. */
static inline int decode_bytes(fixture *x, const char *data, size_t n)
{
    tw_event_port port = {.event = keep, .self = x};
    char *frame = malloc(n ? n : 1);
    forget(x);
    if (n > 0) {
        memcpy(frame, data, n);
    }
    x->err.text[0] = '\0';
    x->rc =
        tw_decode(x->decoder, x->plan, x->stream, frame, n, &x->origin, &port, &x->err);
    assert_int_equal(x->rc < 0 ? x->err.code : 0, x->rc < 0 ? x->rc : 0);
    memset(frame, '#', n);
    x->frame = frame;
    return x->rc;
}

static inline int decode(fixture *x, const char *text)
{
    return decode_bytes(x, text, strlen(text));
}

static inline void limit(fixture *x, tw_decode_limits limits)
{
    tw_decoder_free(x->decoder);
    x->decoder = tw_decoder_new(&limits);
    assert_non_null(x->decoder);
}

static inline int make(void **state)
{
    fixture *x = calloc(1, sizeof *x);
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    x->streams = tw_streams_new();
    tw_streams_add(x->streams, "other");
    x->stream = tw_streams_add(x->streams, "requests");
    for (int n = 0; n < PATHS; n++) {
        x->slots[n] = (uint32_t)tw_fields_slot(x->stream->fields, paths[n], NULL);
    }
    x->projection = tw_projection_new(x->stream->fields, x->slots, PATHS);
    x->plan = tw_decode_plan_new(x->stream, x->projection, x->slots[TIME]);
    x->stream->time_path = tw_strdup("time");
    x->origin = (tw_decode_origin){.partition = 3,
                                   .offset = 77,
                                   .time_ms = TW_TIME_NONE,
                                   .arrival_ms = ARRIVAL,
                                   .seq = 5};
    limit(x, limits);
    *state = x;
    return 0;
}

static inline int unmake(void **state)
{
    fixture *x = *state;
    forget(x);
    tw_decoder_free(x->decoder);
    tw_decode_plan_free(x->plan);
    tw_projection_free(x->projection);
    tw_streams_free(x->streams);
    free(x);
    return 0;
}

static inline tw_value value(fixture *x, int path)
{
    assert_int_equal(x->rc, 1);
    return tw_event_slot(x->events[0], x->slots[path]);
}

static inline void assert_text(tw_value v, tw_type type, const char *s)
{
    assert_int_equal(v.type, type);
    assert_int_equal(v.len, strlen(s));
    assert_memory_equal(v.s, s, v.len);
}

static inline tw_value decode_a(fixture *x, const char *json)
{
    tw_buf text;
    tw_buf_init(&text, 1 << 20);
    tw_buf_printf(&text, "{\"z\":0,\"a\":%s,\"y\":1}", json);
    if (decode_bytes(x, text.data, text.len) != 1) {
        fail_msg("%s: %s", json, x->err.text);
    }
    tw_buf_done(&text);
    return value(x, A);
}

static inline void refuse(fixture *x, const char *text, const char *why)
{
    if (decode(x, text) >= 0) {
        fail_msg("accepted: %s", text);
    }
    if (!strstr(x->err.text, why)) {
        fail_msg("%s: %s", text, x->err.text);
    }
}

/* The value is refused, wanted or not. */
static inline void refuse_value(fixture *x, const char *json)
{
    char text[256];
    static const char *const around[] = {"{\"a\":%s}", "{\"zz\":%s}", "{\"zz\":[%s]}",
                                         "{\"a\":[1,%s]}", "{\"z\":{\"a\":%s}}"};
    for (size_t n = 0; n < sizeof around / sizeof around[0]; n++) {
        char *hole = strstr(around[n], "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - around[n]), around[n], json,
                 hole + 2);
        refuse(x, text, "not JSON");
        /* What has some bytes behind it is read in larger pieces. */
        snprintf(text, sizeof text, "[%.*s%s%s,{\"more\":\"that is long enough\"}]",
                 (int)(hole - around[n]), around[n], json, hole + 2);
        refuse(x, text, "not JSON");
    }
}

#define with_decoder(test) cmocka_unit_test_setup_teardown(test, make, unmake)

#endif

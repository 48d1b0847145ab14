// SPDX-License-Identifier: Apache-2.0
/* A rule file's script and events decoded for it. */
#ifndef TW_TESTS_SCRIPT_BENCH_H
#define TW_TESTS_SCRIPT_BENCH_H

#include "base/clock.h"
#include "decode/decode.h"
#include "rules_fixture.h"

typedef struct bench {
    rules_fixture *x;
    tw_script *script;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    tw_stream *stream;
} bench;

/* Loads a file with one input `ev` whose functions are 0, 1, ... and makes its script. */
static inline bench start(void **state, const char *text)
{
    bench b = {.x = *state};
    tw_err err;
    uint32_t count;

    load_rules(b.x, text);
    assert_string_equal(first_finding(b.x), "");
    b.stream = tw_streams_find(b.x->options.streams, "events");
    uint32_t *slots = tw_rule_files_slots(b.x->set, b.stream, &count);
    b.projection = tw_projection_new(b.stream->fields, slots, count);
    tw_free(slots);
    b.plan = tw_decode_plan_new(b.stream, b.projection, TW_SLOT_TIME);
    b.decoder = tw_decoder_new(&(tw_decode_limits)TW_DECODE_LIMITS_DEFAULT);
    b.script = tw_rule_script_new(b.x->set, 0, 1, &err);
    if (!b.script)
        fail_msg("%s", err.text);
    return b;
}

static inline void stop(bench *b)
{
    tw_rule_script_free(b->script);
    tw_decoder_free(b->decoder);
    tw_decode_plan_free(b->plan);
    tw_projection_free(b->projection);
}

static inline void with_event(bench *b, const char *json,
                              void (*f)(void *, const tw_event *), void *self)
{
    char padded[4096] = "";
    tw_err err;
    tw_decode_origin origin = {.partition = 3,
                               .offset = 77,
                               .time_ms = TW_TIME_NONE,
                               .arrival_ms = 1700000000000};
    tw_event_port port = {f, self};

    snprintf(padded, sizeof padded, "%s", json);
    if (tw_decode(b->decoder, b->plan, b->stream, padded, strlen(json), &origin, &port,
                  &err) != 1)
        fail_msg("%s", err.text);
}

#endif

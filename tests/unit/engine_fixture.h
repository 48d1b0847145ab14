// SPDX-License-Identifier: Apache-2.0
/* An engine that runs the rules of a rules_fixture on a virtual clock: by hand, lane by lane (engine_desk), or as a
 * replay whose notifications are counted (replay_desk). */
#ifndef TW_TESTS_ENGINE_FIXTURE_H
#define TW_TESTS_ENGINE_FIXTURE_H

#include "base/mem.h"
#include "engine.h"
#include "replay.h"
#include "rules_fixture.h"

#define T INT64_C(1732182000000)

typedef struct engine_desk {
    tw_engine *engine;
    tw_clock clock;
    tw_stats *stats;
} engine_desk;

static inline void engine_switch(engine_desk *d, const rules_fixture *x)
{
    tw_switch_report report;
    tw_err err = {0};

    assert_int_equal(
        tw_engine_switch(d->engine, &(tw_switch){.files = x->set}, &report, &err), TW_OK);
}

static inline void engine_load(engine_desk *d, rules_fixture *x, const char *text)
{
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
    engine_switch(d, x);
}

static inline void engine_start(engine_desk *d, const rules_fixture *x,
                                tw_engine_options options)
{
    tw_err err = {0};

    d->stats = tw_stats_new();
    options.clock = &d->clock;
    options.streams = x->options.streams;
    options.stats = d->stats;
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    d->engine = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(d->engine, &err), TW_OK);
}

static inline void ignore_signal(void *self, const tw_signal *s)
{
    (void)self, (void)s;
}

/* On the real clock and on lanes of its own, one unless the options say more; without rules yet. */
static inline void engine_open_lanes(engine_desk *d, const rules_fixture *x,
                                     tw_engine_options options)
{
    *d = (engine_desk){0};
    tw_clock_init_real(&d->clock);
    if (!options.lanes)
        options.lanes = 1;
    if (!options.ports.signal)
        options.ports.signal = ignore_signal;
    engine_start(d, x, options);
}

/* From T on, with the rules of the text; what they signal goes to `signal`. */
static inline void engine_open(engine_desk *d, rules_fixture *x, const char *text,
                               void (*signal)(void *self, const tw_signal *s), void *self)
{
    *d = (engine_desk){0};
    tw_clock_init_virtual(&d->clock, T);
    engine_start(d, x, (tw_engine_options){.ports = {.signal = signal, .self = self}});
    engine_load(d, x, text);
}

static inline void engine_close(engine_desk *d)
{
    tw_engine_stop(d->engine);
    tw_engine_free(d->engine);
    tw_stats_free(d->stats);
    tw_rule_watchdog_stop();
}

typedef struct replay_desk {
    tw_replay *replay;
    uint32_t fired; /* notifications that say so */
} replay_desk;

static inline void on_replayed(void *self, int64_t at_ms, const json_t *object)
{
    replay_desk *d = self;
    const char *status = json_string_value(json_object_get(object, "status"));

    (void)at_ms;
    d->fired += status && strcmp(status, "firing") == 0;
}

/* With the rules that are loaded; on no lanes of its own, or on so many. */
static inline void replay_open(replay_desk *d, const rules_fixture *x, uint32_t lanes)
{
    tw_replay_options options = {.files = x->set,
                                 .streams = x->options.streams,
                                 .lanes = lanes,
                                 .until_ms = TW_TIME_NONE,
                                 .output = on_replayed,
                                 .output_self = d};
    tw_err err = {0};

    *d = (replay_desk){0};
    d->replay = tw_replay_new(&options, NULL, &err);
    assert_non_null(d->replay);
}

static inline void replay_put(replay_desk *d, int64_t at_ms, const char *stream,
                              const char *json)
{
    tw_err err = {0};

    assert_int_equal(tw_replay_move(d->replay, at_ms, &err), TW_OK);
    assert_int_equal(
        tw_replay_event(d->replay, stream, 0, json, strlen(json), TW_TIME_NONE, &err),
        TW_OK);
}

static inline void replay_save(replay_desk *d, tw_buf *out)
{
    tw_err err = {0};

    tw_buf_init(out, 1 << 20);
    assert_int_equal(tw_engine_save(tw_replay_engine(d->replay), out, &err), TW_OK);
}

static inline int replay_load(replay_desk *d, const void *bytes, size_t size, tw_err *err)
{
    return tw_engine_load(tw_replay_engine(d->replay), bytes, size, err);
}

#endif

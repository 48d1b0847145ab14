// SPDX-License-Identifier: Apache-2.0
/* The replay driven by calls instead of lines, as the tests beside the rules do it; see replay.h. */
#include "replay_impl.h"
#include "base/mem.h"
#include "rule/tests.h"

#define MAX_STATE_BYTES ((size_t)1 << 32)

/* The engine may be another one after a restart. */
static json_t *read_context(void *self, const tw_context_query *query)
{
    const tw_replay *r = self;
    return tw_context_read(tw_engine_context(r->engine), query);
}

static void note_alert(void *self, const tw_context_alert *alert)
{
    const tw_replay *r = self;
    tw_context_note_alert(tw_engine_context(r->engine), alert);
}

void tw_replay_add_streams_of_changes(tw_replay *r)
{
    for (size_t i = 0; r->options.any_stream && tw_streams_of_changes[i]; i++)
        tw_streams_add(r->options.streams, tw_streams_of_changes[i]);
}

tw_context_port tw_replay_context_port(tw_replay *r)
{
    return (tw_context_port){read_context, note_alert, r};
}

int tw_replay_open_engine(tw_replay *r, tw_err *err)
{
    tw_engine_options options = r->engine_options;

    options.tables =
        tw_table_view_ref(r->options.table_view); /* the engine's from now on */
    r->engine = tw_engine_new(&options);
    int rc = tw_engine_start(r->engine, err);
    if (rc == TW_OK) /* lanes run in steps only: nobody reads a clock that moves */
        tw_engine_pause(r->engine);
    return rc;
}

bool tw_replay_rule_idle(void *self, const char *rule)
{
    const tw_replay *r = self;

    return tw_app_order_idle(r->order, rule);
}

void tw_replay_settle(tw_replay *r)
{
    const tw_ruleset *set = tw_engine_rules(r->engine);
    tw_rule_time *times = tw_calloc(set->rule_count + 1, sizeof *times);

    for (uint32_t i = 0; i < set->rule_count; i++) {
        times[i].idle =
            tw_engine_rule_idle(r->engine, i); /* first: the clock is told before */
        times[i].waited_ms = tw_engine_rule_waited(r->engine, i);
        times[i].clock_ms = tw_engine_rule_clock(r->engine, i);
    }
    tw_engine_collect(r->engine);
    tw_app_order_advance(r->order, times);
    tw_free(times);
}

int tw_replay_move(tw_replay *r, int64_t at_ms, tw_err *err)
{
    int64_t now_ms = tw_clock_now_ms(&r->clock);

    if (r->started && at_ms < now_ms)
        return tw_err_set(err, TW_EINVAL, "the clock would go back by %lld ms",
                          (long long)(now_ms - at_ms));
    bool passes = !r->started || at_ms > now_ms;
    r->started = true;
    tw_clock_set(&r->clock, at_ms);
    if (passes) {
        tw_engine_step(r->engine, NULL, 0, 0, NULL);
        tw_replay_settle(r);
    }
    return TW_OK;
}

static tw_stream *find_stream(tw_replay *r, const char *name, tw_err *err)
{
    tw_stream *stream = tw_streams_find(r->options.streams, name);

    if (!stream && r->options.any_stream)
        stream = tw_streams_add(r->options.streams, name);
    if (!stream)
        tw_err_set(err, TW_ENOTFOUND, "stream '%s' is not in the configuration", name);
    return stream;
}

int tw_replay_event(tw_replay *r, const char *stream_name, int32_t partition,
                    const char *json, size_t size, int64_t stamp_ms, tw_err *err)
{
    const tw_stream *stream = find_stream(r, stream_name, err);

    if (!stream)
        return TW_ENOTFOUND;
    tw_frame frame = {.data = json,
                      .size = size,
                      .time_ms = stamp_ms,
                      .offset = tw_replay_next_offset(r, stream, partition)};
    tw_engine_step(r->engine, stream, 0, partition, &frame);
    tw_replay_settle(r);
    return TW_OK;
}

static tw_rule *find_rule(void *self, const char *name)
{
    const tw_replay *r = self;
    const tw_ruleset *set = tw_engine_rules(r->engine);
    int64_t number = tw_ruleset_find(set, name);

    return number < 0 ? NULL : set->rules[number];
}

static tw_rule *find_heir(void *self, const char *name)
{
    const tw_replay *r = self;
    const tw_ruleset *set = tw_engine_rules(r->engine);

    for (uint32_t i = 0; i < set->rule_count; i++)
        if (tw_rule_was(set->rules[i], name))
            return set->rules[i];
    return NULL;
}

static int reload_incidents(tw_replay *r, const tw_buf *state, tw_err *err)
{
    tw_incidents_free(r->incidents);
    r->incidents = tw_incidents_new(&r->incidents_options);
    tw_app_order_serve(r->order, r->incidents);
    return tw_incidents_load(r->incidents, state->data, state->len,
                             (tw_rule_finder){find_rule, r, find_heir},
                             tw_clock_now_ms(&r->clock), err);
}

/* What rules say that depend on each other waits outside of both. */
static void forget_order(tw_replay *r)
{
    tw_app_order_free(r->order);
    r->order = tw_app_order_new(r->incidents);
}

static int reload_engine(tw_replay *r, tw_rule_files *files, const tw_buf *state,
                         tw_err *err)
{
    tw_engine_stop(r->engine);
    tw_engine_free(r->engine);
    tw_rule_files_drop_idle(files);
    int rc = tw_replay_open_engine(r, err);
    if (rc == TW_OK)
        rc = tw_replay_switch(r, files, err);
    return rc == TW_OK ? tw_engine_load(r->engine, state->data, state->len, err) : rc;
}

int tw_replay_restart(tw_replay *r, tw_err *err)
{
    tw_rule_files *files = tw_rule_files_ref(tw_engine_rules(r->engine)->files);
    tw_buf lanes, incidents, waiting;

    tw_buf_init(&lanes, MAX_STATE_BYTES);
    tw_buf_init(&incidents, MAX_STATE_BYTES);
    tw_buf_init(&waiting, MAX_STATE_BYTES);
    tw_engine_collect(r->engine);
    tw_incidents_save(r->incidents, &incidents);
    tw_app_order_save(r->order, &waiting);
    int rc = tw_engine_save(r->engine, &lanes, err);
    if (rc == TW_OK) {
        forget_order(r);
        rc = reload_engine(r, files, &lanes, err);
        if (rc == TW_OK)
            rc = reload_incidents(r, &incidents, err);
        if (rc == TW_OK)
            rc = tw_app_order_load(r->order, waiting.data, waiting.len,
                                   (tw_rule_finder){find_rule, r, find_heir}, err);
        tw_replay_settle(r);
    }
    tw_buf_done(&waiting);
    tw_buf_done(&incidents);
    tw_buf_done(&lanes);
    tw_rule_files_unref(files);
    return rc;
}

int tw_replay_assign(tw_replay *r, const char *stream_name, int32_t partition,
                     bool assigned, tw_err *err)
{
    const tw_stream *stream = find_stream(r, stream_name, err);

    if (!stream)
        return TW_ENOTFOUND;
    tw_engine_partition(r->engine, stream, 0, partition, assigned);
    tw_replay_settle(r);
    return TW_OK;
}

// SPDX-License-Identifier: Apache-2.0
/* A detector on the bench: rules built by hand, events with two fields, virtual time, and what
 * it tells written down a line each:
 *
 *     "1000 a level ok>crit 3"      at, key, kind, from>to, first value ("-" when it has none)
 *
 * Used by the tests of core/detect; each test program includes it once. */
#ifndef TW_TEST_DETECTING_H
#define TW_TEST_DETECTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/detector.h"

enum { SLOT_VALUE = TW_SLOT_FIRST_FIELD, SLOT_KIND, SLOT_END };

typedef struct desk {
    tw_rule *rule;
    tw_detector *det;
    tw_counter late, evicted;
    tw_gauge keys;
    char lines[200][120];
    uint32_t line_count, line_read;
    tw_signal last;
    int64_t clock_ms;
    int64_t offset;
    bool (*predicate)(const tw_result *r, int fn);
    void (*on_event)(tw_handler_host *host, const tw_event *ev, const char *input);
    void (*on_timer)(tw_handler_host *host, const char *name);
    tw_script script;
} desk;

/* ---- the script ---- */

static inline desk *desk_of(tw_script *s)
{
    return (desk *)(void *)((char *)s - offsetof(desk, script));
}

static inline int desk_test_event(tw_script *s, int fn, const tw_event *ev, bool *out)
{
    (void)s, (void)fn, (void)ev;
    *out = true;
    return 0;
}

/* fn 1: twice the value; nothing for an event without one. */
static inline int desk_map_event(tw_script *s, int fn, const tw_event *ev, double *out,
                                 bool *out_has)
{
    (void)s, (void)fn;
    *out_has = tw_value_number(tw_event_slot(ev, SLOT_VALUE), out);
    *out *= 2;
    return 0;
}

static inline int desk_test_result(tw_script *s, int fn, const tw_result *r, bool *out)
{
    *out = desk_of(s)->predicate(r, fn);
    return 0;
}

static inline int desk_handle_event(tw_script *s, int fn, const tw_event *ev,
                                    const char *input, tw_handler_host *host)
{
    (void)fn;
    desk_of(s)->on_event(host, ev, input);
    return 0;
}

static inline int desk_handle_timer(tw_script *s, int fn, const char *timer,
                                    tw_handler_host *host)
{
    (void)fn;
    desk_of(s)->on_timer(host, timer);
    return 0;
}

static const struct tw_script_class desk_script = {
    .test_event = desk_test_event,
    .map_event = desk_map_event,
    .test_result = desk_test_result,
    .handle_event = desk_handle_event,
    .handle_timer = desk_handle_timer,
};

/* ---- what it tells ---- */

static inline void desk_signal(void *self, const tw_signal *s)
{
    static const char *const kinds[] = {"level", "occurred", "resolve", "pending"};
    desk *d = self;
    char value[40] = "-";

    assert_true(d->line_count < 200);
    if (s->result.count > 0 && s->result.has[0]) {
        value[tw_double_format(value, s->result.values[0])] = '\0';
    }
    snprintf(d->lines[d->line_count++], sizeof d->lines[0], "%lld %.*s %s %s>%s %s%s%s",
             (long long)s->at_ms, (int)s->key.len, (const char *)s->key.data,
             kinds[s->kind], tw_level_name(s->from), tw_level_name(s->level), value,
             s->reason ? " " : "", s->reason ? s->reason : "");
    d->last = *s;
}

static inline void expect_line(desk *d, const char *line)
{
    if (d->line_read >= d->line_count) {
        fail_msg("nothing told, expected \"%s\"", line);
    }
    assert_string_equal(d->lines[d->line_read++], line);
}

static inline void expect_nothing(desk *d)
{
    if (d->line_read < d->line_count) {
        fail_msg("told \"%s\"", d->lines[d->line_read]);
    }
}

/* ---- rules ---- */

static inline tw_rule *desk_rule(void)
{
    tw_rule *r = tw_rule_new();

    r->name = tw_strdup("team/rule");
    r->file = tw_strdup("rule.lua");
    r->version = tw_strdup("1");
    r->input_count = 2;
    r->inputs = tw_calloc(2, sizeof *r->inputs);
    r->inputs[0].name = tw_strdup("a");
    r->inputs[1].name = tw_strdup("b");
    r->inputs[0].where_fn = r->inputs[1].where_fn = TW_NO_FN;
    r->forget_ms = 3600000;
    return r;
}

static inline uint32_t add_agg(tw_rule *r, tw_agg_kind kind, uint32_t input)
{
    tw_level_plan *p = &r->level;

    p->aggs = tw_realloc(p->aggs, (p->agg_count + 1) * sizeof *p->aggs);
    p->aggs[p->agg_count] = (tw_aggregate){.kind = kind, .input = input, .fn = TW_NO_FN};
    if (kind != TW_AGG_COUNT && kind != TW_AGG_RATE_EVENTS && kind != TW_AGG_ELAPSED) {
        p->aggs[p->agg_count].has_field = true;
        p->aggs[p->agg_count].slot = SLOT_VALUE;
    }
    return p->agg_count++;
}

/* Narrows the newest aggregate to events of a kind. */
static inline void narrow(tw_rule *r, int64_t kind)
{
    tw_value v = tw_value_int(kind);
    tw_match m = {.op = TW_MATCH_EQ, .slot = SLOT_KIND, .value_count = 1, .values = &v};
    tw_match_table *t = tw_match_table_new();

    assert_int_equal(tw_match_table_add(t, &m, NULL), 0);
    r->level.aggs[r->level.agg_count - 1].match = t;
}

static inline tw_expr *add_value(tw_rule *r, const char *name, const tw_expr_node *nodes,
                                 uint32_t count)
{
    tw_level_plan *p = &r->level;

    p->values = tw_realloc(p->values, (p->value_count + 1) * sizeof *p->values);
    p->value_names = tw_realloc(p->value_names, (p->value_count + 1) * sizeof(char *));
    p->value_names[p->value_count] = tw_strdup(name);
    tw_expr *e = &p->values[p->value_count++];
    e->nodes = tw_calloc(count, sizeof *nodes);
    memcpy(e->nodes, nodes, count * sizeof *nodes);
    e->count = count;
    return e;
}

static inline void value_is_agg(tw_rule *r, uint32_t agg)
{
    add_value(r, "value", &(tw_expr_node){.op = TW_EXPR_AGG, .agg = agg}, 1);
}

/* One aggregate of input a. */
static inline tw_rule *simple_rule(tw_agg_kind kind, tw_window_kind window,
                                   int64_t over_ms, int64_t every_ms)
{
    tw_rule *r = desk_rule();

    value_is_agg(r, add_agg(r, kind, 0));
    r->level.window.kind = window;
    r->level.window.over_ms = over_ms;
    r->level.window.every_ms = every_ms;
    return r;
}

static inline tw_level_spec *level_of(tw_rule *r, tw_level lv)
{
    r->level.levels[lv].used = true;
    return &r->level.levels[lv];
}

static inline void at_least(tw_rule *r, tw_level lv, double v)
{
    level_of(r, lv)->at_least = (tw_bound){true, v};
}

static inline void below(tw_rule *r, tw_level lv, double v)
{
    level_of(r, lv)->below = (tw_bound){true, v};
}

/* ---- the desk ---- */

static inline tw_detect_env desk_env(desk *d)
{
    return (tw_detect_env){.script = &d->script,
                           .out = {desk_signal, d},
                           .late = &d->late,
                           .evicted = &d->evicted,
                           .keys = &d->keys};
}

/* Takes the rule. */
static inline desk *desk_new(tw_rule *rule)
{
    desk *d = tw_alloc(sizeof *d);
    tw_err err = {0};

    d->rule = rule;
    d->script.cls = &desk_script;
    d->clock_ms = TW_TIME_NONE;
    tw_detect_env env = desk_env(d);
    d->det = tw_detector_class_of(rule)->new (rule, &env, &err);
    if (!d->det) {
        fail_msg("%s", err.text);
    }
    return d;
}

static inline void desk_free(desk *d)
{
    d->det->cls->free(d->det);
    tw_rule_unref(d->rule);
    tw_free(d);
}

/* What the edit from old to fresh does; takes both rules. */
static inline tw_edit desk_edit(tw_rule *fresh, tw_rule *old)
{
    tw_edit edit;

    snprintf(fresh->hash, sizeof fresh->hash, "newer");
    tw_rule_fate(fresh, old, &edit);
    tw_rule_unref(fresh);
    tw_rule_unref(old);
    return edit;
}

static inline tw_fate desk_fate(tw_rule *fresh, tw_rule *old)
{
    return desk_edit(fresh, old).fate;
}

/* A newer version of the rule takes over. */
static inline void desk_reload(desk *d, tw_rule *rule)
{
    tw_detect_env env = desk_env(d);
    tw_detector *fresh = tw_detector_class_of(rule)->new (rule, &env, NULL);

    assert_non_null(fresh);
    fresh->cls->adopt(fresh, d->det, d->clock_ms);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    d->det->cls->free(d->det);
    tw_rule_unref(d->rule);
    d->rule = rule;
    d->det = fresh;
}

/* What it knows goes through bytes into a new one. */
static inline void desk_restart(desk *d, const tw_detect_env *env)
{
    tw_detector *fresh = tw_detector_class_of(d->rule)->new (d->rule, env, NULL);
    tw_buf bytes;
    tw_err err = {0};

    tw_buf_init(&bytes, 64 << 20);
    d->det->cls->save(d->det, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    if (fresh->cls->load(fresh, &in, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_ptr_equal(in.at, in.end);
    d->det->cls->free(d->det);
    d->det = fresh;
    tw_buf_done(&bytes);
}

static inline void through_bytes(desk *d)
{
    tw_detect_env env = desk_env(d);

    desk_restart(d, &env);
}

/* As that, and no part of the bytes is taken for the whole. */
static inline void through_whole_bytes(desk *d)
{
    tw_detect_env env = desk_env(d);
    tw_buf bytes;
    tw_err err = {0};

    tw_buf_init(&bytes, 1 << 20);
    d->det->cls->save(d->det, &bytes);
    for (size_t cut = 0; cut < bytes.len; cut += 3) {
        tw_state_in in = tw_state_in_of(bytes.data, cut);
        tw_detector *broken = tw_detector_class_of(d->rule)->new (d->rule, &env, NULL);
        assert_int_equal(broken->cls->load(broken, &in, &err), TW_EPARSE);
        broken->cls->free(broken);
    }
    tw_buf_done(&bytes);
    desk_restart(d, &env);
}

static inline void advance(desk *d, int64_t clock_ms)
{
    d->clock_ms = clock_ms;
    d->det->cls->advance(d->det, clock_ms);
    assert_true(d->det->cls->next_deadline(d->det) >= clock_ms);
}

/* An event that does not move the clock. kind < 0: without one. */
static inline void event_only(desk *d, int64_t at_ms, const char *key, uint32_t input,
                              tw_value value, int kind)
{
    tw_value slots[SLOT_END] = {0};
    uint32_t wanted[] = {SLOT_VALUE, SLOT_KIND};
    tw_projection p = {.slot_count = SLOT_END, .count = 2, .slots = wanted};
    tw_event ev = {.time_ms = at_ms,
                   .arrival_ms = at_ms,
                   .offset = d->offset++,
                   .raw = "{}",
                   .raw_len = 2,
                   .projection = &p,
                   .slots = slots};
    tw_key k = tw_key_from_bytes((const uint8_t *)key, (uint32_t)strlen(key));

    slots[SLOT_VALUE] = value;
    slots[SLOT_KIND] = kind < 0 ? tw_value_absent() : tw_value_int(kind);
    d->det->cls->event(d->det, &k, input, &ev, at_ms, d->clock_ms);
}

/* An event of input a that moves the clock to its time first. */
static inline void event_at(desk *d, int64_t at_ms, const char *key, double value)
{
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    event_only(d, at_ms, key, 0, tw_value_double(value), -1);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* Sequences on the bench (detecting.h): rules built by hand of steps over the inputs a b c x, events by
 * one letter each, and for each match that is told when, from when, and how often each step stands:
 *
 *     "10 k a1 b2"      at, key, steps with their count; " timed out" behind it
 */
#ifndef TW_TEST_SEQS_H
#define TW_TEST_SEQS_H

#include "detecting.h"
#include "flow/plan_seq.h"

enum { A, B, C, X, INPUTS };
#define IN(input) (UINT64_C(1) << (input))

typedef struct seqs {
    desk *d;
    char told[100][80];
    uint32_t told_count, told_read;
    bool (*where)(const tw_rule *rule, const tw_event *ev, const tw_role_view *m);
} seqs;

static seqs the; /* of the test that runs */

static inline tw_rule *seq_rule(void)
{
    static const char *const names[] = {"a", "b", "c", "x"};
    tw_rule *r = tw_rule_new();

    r->name = tw_strdup("team/rule");
    r->file = tw_strdup("rule.lua");
    r->version = tw_strdup("1");
    r->input_count = INPUTS;
    r->inputs = tw_calloc(INPUTS, sizeof *r->inputs);
    for (int i = 0; i < INPUTS; i++) {
        r->inputs[i].name = tw_strdup(names[i]);
        r->inputs[i].where_fn = TW_NO_FN;
    }
    r->kept = tw_calloc(1, sizeof *r->kept);
    r->kept[0] = tw_strdup("v");
    r->kept_count = 1;
    r->kept_slots = tw_calloc(INPUTS, sizeof *r->kept_slots);
    for (int i = 0; i < INPUTS; i++)
        r->kept_slots[i] = SLOT_VALUE;
    tw_seq_plan_new(r)->within_ms = 100;
    return r;
}

static inline tw_seq_plan *plan_of(tw_rule *r)
{
    return r->detail;
}

static inline tw_seq_step *add_step(tw_rule *r, tw_seq_kind kind, uint64_t inputs)
{
    tw_seq_step *s = &plan_of(r)->steps[plan_of(r)->step_count++];

    *s = (tw_seq_step){.kind = kind,
                       .inputs = inputs,
                       .where_fn = TW_NO_FN,
                       .role = r->role_count,
                       .min = 1,
                       .max = 1,
                       .within_ms = TW_SEQ_UNBOUND};
    return s;
}

/* One that comes `min` times, to `max`. */
static inline tw_seq_step *step_times(tw_rule *r, int input, uint32_t min, uint32_t max)
{
    tw_seq_step *s = add_step(r, TW_SEQ_EVENT, IN(input));

    s->min = min;
    s->max = max;
    r->roles = tw_realloc(r->roles, (r->role_count + 1) * sizeof *r->roles);
    r->roles[r->role_count++] =
        (tw_role){.name = tw_strdup(r->inputs[input].name), .is_list = max > 1};
    return s;
}

static inline tw_seq_step *step(tw_rule *r, int input)
{
    return step_times(r, input, 1, 1);
}

static inline tw_rule *of_steps(const char *letters)
{
    tw_rule *r = seq_rule();

    for (; *letters; letters++)
        step(r, (int)(strchr("abcx", *letters) - "abcx"));
    return r;
}

static inline tw_seq_step *guard(tw_rule *r, int input)
{
    return add_step(r, TW_SEQ_GUARD, IN(input));
}

static inline void wait_for(tw_rule *r, int input, int64_t lasting_ms)
{
    tw_seq_plan *p = plan_of(r);

    add_step(r, TW_SEQ_WAIT, IN(input))->lasting_ms = lasting_ms;
    for (uint32_t n = p->step_count - 1; n > 0; n--) {
        p->steps[n - 1].before_wait = true;
        if (!p->steps[n - 1].optional)
            break;
    }
}

static inline int seqs_test_events(tw_script *s, int fn, const tw_arg *args,
                                   uint32_t count, bool *out)
{
    (void)s, (void)fn;
    assert_int_equal(count, 2);
    *out = the.where(the.d->rule, args[0].ev, args[1].roles);
    return 0;
}

static const struct tw_script_class seqs_script = {.test_events = seqs_test_events};

static inline void seqs_signal(void *self, const tw_signal *s)
{
    (void)self;
    assert_true(the.told_count < 100);
    char *line = the.told[the.told_count++];
    size_t used = (size_t)snprintf(line, 80, "%lld %.*s", (long long)s->at_ms,
                                   (int)s->key.len, (const char *)s->key.data);

    for (uint32_t r = 0; r < s->rule->role_count; r++)
        if (s->roles[r].count > 0)
            used += (size_t)snprintf(line + used, 80 - used, " %s%u",
                                     s->rule->roles[r].name, s->roles[r].count);
    if (s->rule->fact_count > 0 && s->facts[0].b)
        snprintf(line + used, 80 - used, " timed out");
    the.d->last = *s;
}

static inline tw_detector *seqs_detector(desk *d, tw_rule *rule)
{
    tw_detect_env env = desk_env(d);

    env.out.signal = seqs_signal;
    return tw_detector_class_of(rule)->new (rule, &env, NULL);
}

/* Takes the rule. */
static inline void begin(tw_rule *rule)
{
    the = (seqs){.d = tw_alloc(sizeof *the.d)};
    the.d->rule = rule;
    the.d->script.cls = &seqs_script;
    the.d->clock_ms = 0;
    the.d->det = seqs_detector(the.d, rule);
}

static inline void end(void)
{
    if (the.told_read < the.told_count)
        fail_msg("told \"%s\"", the.told[the.told_read]);
    desk_free(the.d);
}

/* An event of key k that does not move the clock of the rule. */
static inline void at_value(int64_t at_ms, int input, double value)
{
    event_only(the.d, at_ms, "k", (uint32_t)input, tw_value_double(value), -1);
}

static inline void at(int64_t at_ms, int input)
{
    at_value(at_ms, input, 0);
}

/* One each millisecond, from at_ms on: "aab". Another letter passes by. */
static inline void feed(int64_t at_ms, const char *letters)
{
    for (; *letters; letters++, at_ms++) {
        const char *found = strchr("abcx", *letters);
        if (found)
            at(at_ms, (int)(found - "abcx"));
    }
}

static inline void clock_to(int64_t clock_ms)
{
    advance(the.d, clock_ms);
}

static inline void expect(const char *line)
{
    if (the.told_read >= the.told_count)
        fail_msg("nothing told, expected \"%s\"", line);
    assert_string_equal(the.told[the.told_read++], line);
}

static inline void expect_none(void)
{
    if (the.told_read < the.told_count)
        fail_msg("told \"%s\"", the.told[the.told_read]);
}

/* How many keys have an open match. */
static inline uint64_t open_keys(void)
{
    return the.d->det->cls->key_count(the.d->det);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* Storm control: of what a rule tells, only so much in a time; a summary stands for the rest until all of that is
 * over. Shore thread only. Owns the storms; the incidents one stands for are borrowed and leave before they are freed.
 *
 *     max = 2, each | an opening         first             per             per        x: the end of one that
 *                                          | | | | |        |  | |  |       |  x   x     S stands for
 *     told                                 1 2    S         U  7 8         U       R
 *                                              |--| settle
 *                                              9 opened: S says 3, at U 4, and R is its end
 *
 * A storm goes on while each `per` has more than `max`; the summary lasts as long as what it stands for.
 *
 * Invariant: a storm exists while a period of it runs or it stands for somebody. */
#include "alert/storm_impl.h"

#include <string.h>

#include "base/mem.h"

#define MOST_SETTLE_MS 10000

void tw_storm_free(void *p)
{
    tw_storm *s = p;

    tw_wait_done(&s->due);
    tw_rule_unref(s->rule);
    json_decref(s->labels);
    json_decref(s->names);
    tw_free(s->told_as);
    tw_free(s->route);
    tw_free(s->id);
    tw_free(s);
}

const char *tw_storm_name(const tw_storm *s)
{
    return s->id;
}

/* ---- telling ----------------------------------------------------------------------- */

static void tell(tw_storm *s, int64_t at_ms)
{
    tw_note_send(s->in, tw_storm_note(s, at_ms, false, NULL));
    s->said = s->came;
    s->told_ms = at_ms;
    s->told_level = s->level;
    s->tell_ms = TW_WAIT_NEVER;
}

/* The first telling of a storm waits a little for company, and so does each that tells of a rise or of twice as many:
 * of any number there are few, and the first does not say "1 more" of nine. */
static void want_to_tell(tw_storm *s, int64_t at_ms)
{
    int64_t settle_ms = s->rule->incident.storm.per_ms / 6;
    int64_t since_ms = s->said == 0 ? at_ms : s->told_ms;

    if (s->tell_ms != TW_WAIT_NEVER ||
        (s->said > 0 && s->came < 2 * s->said && s->level <= s->told_level))
        return;
    since_ms += settle_ms < MOST_SETTLE_MS ? settle_ms : MOST_SETTLE_MS;
    s->tell_ms = since_ms > at_ms ? since_ms : at_ms;
}

static void set_due(tw_storm *s)
{
    tw_wait_set(&s->due, s->tell_ms < s->period_ms ? s->tell_ms : s->period_ms);
}

static void drop(tw_storm *s)
{
    tw_map_remove(s->in->storms, s->id);
}

/* It may be gone afterwards. */
static void on_period_over(tw_storm *s, int64_t at_ms)
{
    const tw_storm_plan *plan = &s->rule->incident.storm;
    bool goes_on = plan->set && s->open > 0 && s->count > plan->max;

    if (s->said > 0 && s->came > s->said)
        tell(s, at_ms);
    s->count = 0;
    s->period_ms = goes_on ? at_ms + plan->per_ms : TW_WAIT_NEVER;
    if (!goes_on && s->open == 0)
        drop(s);
    else
        set_due(s);
}

static void on_due(void *self, int64_t at_ms)
{
    tw_storm *s = self;

    if (s->tell_ms <= at_ms)
        tell(s, at_ms);
    if (s->period_ms <= at_ms)
        on_period_over(s, at_ms);
    else
        set_due(s);
}

/* ---- whom it stands for ------------------------------------------------------------ */

void tw_storm_link(tw_storm *s, tw_incident *inc)
{
    inc->storm = s;
    inc->storm_before = s->newest;
    if (s->newest)
        s->newest->storm_next = inc;
    else
        s->oldest = inc;
    s->newest = inc;
    s->open++;
}

static void take_out(tw_incident *inc)
{
    tw_storm *s = inc->storm;

    if (inc->storm_before)
        inc->storm_before->storm_next = inc->storm_next;
    else
        s->oldest = inc->storm_next;
    if (inc->storm_next)
        inc->storm_next->storm_before = inc->storm_before;
    else
        s->newest = inc->storm_before;
    inc->storm = NULL;
    inc->storm_next = inc->storm_before = NULL;
    s->open--;
}

/* The last that it stood for is over; it may be gone afterwards. */
static void end_summary(tw_storm *s, int64_t at_ms, const char *reason)
{
    if (s->told_ms != TW_TIME_NONE && !s->rule->incident.keeps_resolve)
        tw_note_send(s->in, tw_storm_note(s, at_ms, true, reason));
    s->all = s->came = s->said = 0;
    s->level = s->told_level = TW_LEVEL_OK;
    s->opened_ms = s->told_ms = TW_TIME_NONE;
    s->tell_ms = TW_WAIT_NEVER;
    json_array_clear(s->names);
    if (s->period_ms == TW_WAIT_NEVER)
        drop(s);
    else
        set_due(s);
}

void tw_storm_leave(tw_incident *inc, int64_t at_ms, const char *reason)
{
    tw_storm *s = inc->storm;

    if (!s)
        return;
    tw_wait_catch_up(&s->due, at_ms); /* it stands for somebody, and stays */
    take_out(inc);
    if (s->open == 0)
        end_summary(s, at_ms, reason);
}

void tw_storm_stand_for(tw_storm *s, tw_incident *inc, int64_t at_ms)
{
    if (s->rule->incident.storm.drop)
        return;
    if (inc->storm != s) {
        tw_storm_leave(inc, at_ms, NULL);
        tw_storm_link(s, inc);
        if (s->all++ == 0)
            s->opened_ms = at_ms;
        tw_storm_note_name(s, inc);
    }
    s->came++;
    s->level = inc->level > s->level ? inc->level : s->level;
    want_to_tell(s, at_ms);
    set_due(s);
}

/* ---- beyond max -------------------------------------------------------------------- */

tw_storm *tw_storm_new(tw_incidents *in, tw_rule *rule, json_t *labels, char *id)
{
    tw_storm *s = tw_alloc(sizeof *s);

    *s = (tw_storm){.in = in,
                    .id = id,
                    .rule = tw_rule_ref(rule),
                    .labels = labels,
                    .names = json_array(),
                    .opened_ms = TW_TIME_NONE,
                    .told_ms = TW_TIME_NONE,
                    .period_ms = TW_WAIT_NEVER,
                    .tell_ms = TW_WAIT_NEVER};
    tw_wait_init(&s->due, tw_courses_get(in->courses, rule->name), TW_WAIT_STORM, s->id,
                 on_due, s);
    tw_map_put(in->storms, id, s);
    return s;
}

/* The storm for these labels, as it is at that time; a period begins when none runs. */
static tw_storm *running(tw_incidents *in, tw_rule *rule, const tw_notification *n)
{
    const tw_storm_plan *plan = &rule->incident.storm;
    json_t *labels = tw_note_label_values(n->labels, plan->by, plan->by_count);
    char *id = tw_note_name(rule, "storm", labels, plan->by, plan->by_count);
    tw_storm *s;

    while ((s = tw_map_get(in->storms, id)) && s->due.at_ms < n->at_ms) {
        int64_t due_ms = s->due.at_ms;
        tw_wait_set(&s->due, TW_WAIT_NEVER);
        on_due(s, due_ms);
    }
    if (s) {
        json_decref(labels);
        tw_free(id);
    } else {
        s = tw_storm_new(in, rule, labels, id);
        s->route = tw_strdup(n->route);
    }
    if (s->rule != rule) {
        tw_rule_unref(s->rule);
        s->rule = tw_rule_ref(rule);
    }
    if (s->period_ms == TW_WAIT_NEVER) {
        s->count = 0;
        s->came = s->said = 0;
        s->period_ms = n->at_ms + plan->per_ms;
        set_due(s);
    }
    return s;
}

tw_storm *tw_storm_takes(tw_incidents *in, tw_rule *rule, const tw_notification *n,
                         tw_telling what)
{
    const tw_storm_plan *plan = &rule->incident.storm;

    if (!plan->set || what == TW_TELL_FALL || what == TW_TELL_FLAPS)
        return NULL;
    tw_storm *s = running(in, rule, n);
    if (++s->count <= plan->max)
        return NULL;
    tw_count(in->stormed, 1);
    return s;
}

void tw_storms_at_once(tw_incidents *in, int64_t at_ms)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        tw_storm *s = value;
        if (s->tell_ms == TW_WAIT_NEVER)
            continue;
        tell(s, at_ms > s->opened_ms ? at_ms : s->opened_ms);
        set_due(s);
    }
}

/* ---- rules that go ----------------------------------------------------------------- */

void tw_storm_rule_gone(tw_incidents *in, const char *rule)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        tw_storm *s = value;
        if (s->open == 0 && strcmp(s->rule->name, rule) == 0)
            drop(s);
    }
}

void tw_storm_rule_edited(tw_incidents *in, tw_rule *now)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        tw_storm *s = value;
        if (s->rule == now || strcmp(s->rule->name, now->name) != 0)
            continue;
        tw_rule_unref(s->rule);
        s->rule = tw_rule_ref(now);
    }
}

void tw_storm_rule_moved(tw_incidents *in, const char *old, tw_rule *now)
{
    tw_course *course = tw_courses_get(in->courses, now->name);
    const char *id;
    void *value;

    tw_storm_rule_gone(in, old);
    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        tw_storm *s = value;
        if (strcmp(s->rule->name, old) != 0)
            continue;
        tw_wait_move(&s->due, course);
        s->told_as = s->told_as ? s->told_as : tw_strdup(old);
        tw_rule_unref(s->rule);
        s->rule = tw_rule_ref(now);
    }
}

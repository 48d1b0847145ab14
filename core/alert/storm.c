// SPDX-License-Identifier: Apache-2.0
/* Storm control: of what a rule tells, only so much in a time; a summary stands for the rest.
 * Shore thread only.
 *
 *     max = 2, each | an opening         first            per             per
 *                                          | | | | |       |  | |          |
 *     told                                 1 2 S           U  7 8          R
 *                                              stands for   (two, singly)  no more than max
 *                                              1, at U: 3                  in that per: resolved
 *
 * Invariant: a storm exists while a period of it runs. */
#include <string.h>

#include "alert/state_impl.h"
#include "base/mem.h"

typedef struct storm {
    tw_incidents *in;
    char *id, *route;
    tw_rule *rule;
    json_t *labels;
    uint32_t count;    /* in this period */
    uint64_t rest;     /* that it stands for since it began */
    tw_level level;    /* the highest of those */
    int64_t opened_ms; /* of the summary; TW_TIME_NONE: there is none */
    tw_wait due;       /* end of the period */
} storm;

void tw_storm_free(void *p)
{
    storm *s = p;

    tw_wait_done(&s->due);
    tw_rule_unref(s->rule);
    json_decref(s->labels);
    tw_free(s->route);
    tw_free(s->id);
    tw_free(s);
}

static void tell(storm *s, int64_t at_ms, bool resolved, const char *reason)
{
    tw_notification *n =
        tw_note_new(s->in, s->rule, s->id, s->opened_ms, at_ms, resolved);

    n->level = s->level;
    tw_note_identify(n, s->level, true);
    n->storm = true;
    n->stands_for = s->rest;
    n->route = tw_strdup(s->route);
    n->title = tw_asprintf("%llu more of %s", (unsigned long long)s->rest, s->rule->name);
    n->body = tw_strdup("");
    n->labels = json_incref(s->labels);
    n->reason = tw_strdup(reason);
    tw_note_send(s->in, n);
}

static void on_period_over(void *self, int64_t at_ms)
{
    storm *s = self;
    const tw_storm_plan *plan = &s->rule->incident.storm;
    bool goes_on = s->opened_ms != TW_TIME_NONE && s->count > plan->max;

    if (goes_on) {
        tell(s, at_ms, false, NULL);
        s->count = 0;
        tw_wait_set(&s->due, at_ms + plan->per_ms);
        return;
    }
    if (s->opened_ms != TW_TIME_NONE)
        tell(s, at_ms, true, NULL);
    tw_map_remove(s->in->storms, s->id);
}

static storm *make(tw_incidents *in, tw_rule *rule, json_t *labels, char *id)
{
    storm *s = tw_alloc(sizeof *s);

    *s = (storm){.in = in,
                 .id = id,
                 .rule = tw_rule_ref(rule),
                 .labels = labels,
                 .opened_ms = TW_TIME_NONE};
    tw_wait_init(&s->due, tw_courses_get(in->courses, rule->name), TW_WAIT_STORM, s->id,
                 on_period_over, s);
    tw_map_put(in->storms, id, s);
    return s;
}

/* The storm that runs for these labels at that time; a period begins when none does. */
static storm *running(tw_incidents *in, tw_rule *rule, const tw_notification *n)
{
    const tw_storm_plan *plan = &rule->incident.storm;
    json_t *labels = tw_note_label_values(n->labels, plan->by, plan->by_count);
    char *id = tw_note_name(rule, "storm", labels, plan->by, plan->by_count);
    storm *s;

    while ((s = tw_map_get(in->storms, id)) && s->due.at_ms < n->at_ms) {
        int64_t over_ms = s->due.at_ms;
        tw_wait_set(&s->due, TW_WAIT_NEVER);
        on_period_over(s, over_ms);
    }
    if (s) {
        json_decref(labels);
        tw_free(id);
    } else {
        s = make(in, rule, labels, id);
        s->route = tw_strdup(n->route);
        tw_wait_set(&s->due, n->at_ms + plan->per_ms);
    }
    if (s->rule != rule) {
        tw_rule_unref(s->rule);
        s->rule = tw_rule_ref(rule);
    }
    return s;
}

bool tw_storm_takes(tw_incidents *in, tw_rule *rule, const tw_notification *n,
                    tw_telling what)
{
    const tw_storm_plan *plan = &rule->incident.storm;

    if (!plan->set || what == TW_TELL_FALL || what == TW_TELL_FLAPS)
        return false;
    storm *s = running(in, rule, n);
    if (++s->count <= plan->max)
        return false;
    tw_count(in->stormed, 1);
    s->rest++;
    s->level = n->level > s->level ? n->level : s->level;
    if (!plan->drop && s->opened_ms == TW_TIME_NONE) {
        s->opened_ms = n->at_ms;
        tell(s, n->at_ms, false, NULL);
    }
    return true;
}

void tw_storm_rule_gone(tw_incidents *in, const tw_rule *rule, const char *reason,
                        int64_t at_ms)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        storm *s = value;
        if (strcmp(s->rule->name, rule->name) != 0)
            continue;
        if (s->opened_ms != TW_TIME_NONE)
            tell(s, at_ms > s->opened_ms ? at_ms : s->opened_ms, true, reason);
        tw_map_remove(in->storms, id);
    }
}

/* ---- state ------------------------------------------------------------------------- */

void tw_storm_save(const tw_incidents *in, tw_buf *out)
{
    const char *id;
    void *value;

    tw_state_put_u64(out, tw_map_count(in->storms));
    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);) {
        const storm *s = value;
        tw_stage_put_text(out, s->id);
        tw_stage_put_text(out, s->rule->name);
        tw_stage_put_json(out, s->labels);
        tw_stage_put_text(out, s->route);
        tw_state_put_u64(out, s->count);
        tw_state_put_u64(out, s->rest);
        tw_state_put_u64(out, s->level);
        tw_state_put_i64(out, s->opened_ms);
        tw_state_put_i64(out, s->due.at_ms);
    }
}

static bool load_one(tw_stage_in *from)
{
    tw_rule *rule = NULL;
    json_t *labels = NULL;
    char *id = NULL;
    int64_t due_ms = TW_WAIT_NEVER;

    if (!tw_stage_take_text(from, &id) || !id ||
        tw_map_get(from->incidents->storms, id) || !tw_stage_take_rule(from, &rule) ||
        !tw_stage_take_json(from, &labels)) {
        tw_free(id);
        return false;
    }
    storm *s = make(from->incidents, rule, labels, id);
    bool good =
        tw_stage_take_text(from, &s->route) && tw_state_take_u32(&from->in, &s->count) &&
        tw_state_take_u64(&from->in, &s->rest) && tw_stage_take_level(from, &s->level) &&
        tw_state_take_i64(&from->in, &s->opened_ms) &&
        tw_state_take_i64(&from->in, &due_ms);
    tw_wait_set(&s->due, good ? due_ms : TW_WAIT_NEVER);
    return good && s->route;
}

bool tw_storm_load(tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++)
        good = load_one(from);
    return good;
}

// SPDX-License-Identifier: Apache-2.0
/* Alerts that are decided too late to be worth a page, because the engine is behind: they
 * become records, and one notice a rule says so. When the rule's time has come within
 * `max_age` of now the notice ends, and what still fires is told. Shore thread only.
 *
 * Invariant: a course has a `behind` while its notice is out. */
#include "alert/state_impl.h"
#include "base/mem.h"

typedef struct behind {
    tw_rule *rule;
    char *id, *route;
    int64_t opened_ms;
    uint64_t count; /* records it stands for */
    tw_level level; /* the highest of them */
} behind;

void tw_aged_free(tw_course *course)
{
    behind *b = course->behind;

    if (!b)
        return;
    tw_rule_unref(b->rule);
    tw_free(b->id);
    tw_free(b->route);
    tw_free(b);
    course->behind = NULL;
}

static void tell(tw_incidents *in, const behind *b, int64_t at_ms, bool resolved,
                 const char *reason)
{
    tw_notification *n = tw_note_new(in, b->rule, b->id, b->opened_ms, at_ms, resolved);

    n->level = b->level;
    tw_note_identify(n, b->level, false);
    n->route = tw_strdup(b->route);
    n->stands_for = b->count;
    n->title = resolved
                   ? tw_asprintf("%s has caught up; %llu alerts were too old to tell",
                                 b->rule->name, (unsigned long long)b->count)
                   : tw_asprintf("%s is catching up; alerts older than its max_age "
                                 "are recorded, not told",
                                 b->rule->name);
    n->body = tw_strdup("");
    n->labels = json_object();
    n->reason = tw_strdup(reason ? reason : "catching up");
    tw_note_send(in, n);
}

bool tw_aged_takes(tw_incident *inc, int64_t at_ms)
{
    tw_incidents *in = inc->in;
    tw_course *course = inc->course;
    int64_t max_ms = inc->rule->incident.max_age_ms;

    if (max_ms == 0 || !in->options.now ||
        tw_clock_now_ms(in->options.now) - at_ms <= max_ms)
        return false;
    tw_count(in->aged, 1);
    tw_incident_report(inc, "recorded", "older than max_age", at_ms);
    behind *b = course->behind;
    if (b) {
        b->count++;
        b->level = inc->level > b->level ? inc->level : b->level;
        return true;
    }
    b = course->behind = tw_alloc(sizeof *b);
    *b = (behind){.rule = tw_rule_ref(inc->rule),
                  .id = tw_asprintf("%s/catching-up", inc->rule->name),
                  .route = tw_strdup(inc->route ? inc->route : ""),
                  .opened_ms = at_ms,
                  .count = 1,
                  .level = inc->level};
    tell(in, b, at_ms, false, NULL);
    return true;
}

/* Each telling may end nothing, so the list stays as it is. */
static void tell_what_fires(tw_course *course, int64_t at_ms)
{
    for (tw_incident *inc = course->first; inc; inc = inc->next) {
        if (!inc->aged)
            continue;
        inc->aged = false;
        inc->told = TW_LEVEL_OK;
        tw_wait_by(&inc->tell, at_ms);
    }
}

static void caught_up(tw_incidents *in, tw_course *course, int64_t at_ms,
                      const char *reason)
{
    tell(in, course->behind, at_ms, true, reason);
    tw_aged_free(course);
    tell_what_fires(course, at_ms);
}

void tw_aged_advance(tw_incidents *in, tw_rule_clock clock, void *self)
{
    const char *rule;
    void *value;

    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &value);) {
        tw_course *course = value;
        const behind *b = course->behind;
        if (!b)
            continue;
        int64_t clock_ms = clock(self, rule);
        if (clock_ms != TW_TIME_NONE && in->options.now &&
            tw_clock_now_ms(in->options.now) - clock_ms <= b->rule->incident.max_age_ms)
            caught_up(in, course, clock_ms > b->opened_ms ? clock_ms : b->opened_ms,
                      NULL);
    }
}

void tw_aged_rule_gone(tw_incidents *in, tw_course *course, const char *reason,
                       int64_t at_ms)
{
    const behind *b = course->behind;

    if (b)
        caught_up(in, course, at_ms > b->opened_ms ? at_ms : b->opened_ms, reason);
}

/* ---- state ------------------------------------------------------------------------- */

static size_t count_behind(const tw_incidents *in)
{
    const char *rule;
    void *value;
    size_t count = 0;

    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &value);)
        count += ((tw_course *)value)->behind != NULL;
    return count;
}

void tw_aged_save(const tw_incidents *in, tw_buf *out)
{
    const char *rule;
    void *value;

    tw_state_put_u64(out, count_behind(in));
    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &value);) {
        const behind *b = ((tw_course *)value)->behind;
        if (!b)
            continue;
        tw_stage_put_text(out, b->rule->name);
        tw_stage_put_text(out, b->id);
        tw_stage_put_text(out, b->route);
        tw_state_put_i64(out, b->opened_ms);
        tw_state_put_u64(out, b->count);
        tw_state_put_u64(out, b->level);
    }
}

bool tw_aged_load(tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        tw_rule *rule;
        if (!tw_stage_take_rule(from, &rule))
            return false;
        tw_course *course = tw_courses_get(from->incidents->courses, rule->name);
        tw_aged_free(course);
        behind *b = course->behind = tw_alloc(sizeof *b);
        b->rule = tw_rule_ref(rule);
        good = tw_stage_take_text(from, &b->id) && tw_stage_take_text(from, &b->route) &&
               tw_state_take_i64(&from->in, &b->opened_ms) &&
               tw_state_take_u64(&from->in, &b->count) &&
               tw_stage_take_level(from, &b->level) && b->id && b->route;
    }
    return good;
}

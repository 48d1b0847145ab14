// SPDX-License-Identifier: Apache-2.0
/* Alerts that are decided too late to be worth a page, because the engine is behind: they become records, and
 * one notice a rule stands for them. A rule has caught up when its time has come within `max_age` of now, and when
 * nothing is left to read, however old the last of it was. Then what still fires is told, and the notice ends and
 * says how many have ended unsaid. Who has caught up within a moment gives no notice, unless something did.
 * Shore thread only.
 *
 * Invariant: a course has a `behind` while some of its incidents may be `aged`; count - aged ones have ended. */
#include <string.h>

#include "alert/state_impl.h"
#include "base/mem.h"

#define NOTICE_AFTER_MS 3000

typedef struct behind {
    tw_rule *rule;
    char *id, *route;
    int64_t opened_ms;
    int64_t since_ms; /* of the day */
    bool told;        /* the notice */
    uint64_t count;   /* incidents that became records, and were not told otherwise */
    tw_level level;   /* the highest of them */
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

static uint64_t count_aged(const tw_course *course)
{
    uint64_t count = 0;

    for (const tw_incident *inc = course->first; inc; inc = inc->next)
        count += inc->aged;
    return count;
}

static char *title_behind(const behind *b)
{
    return tw_asprintf("%s is catching up; alerts older than its max_age wait, and are "
                       "told if they still fire then",
                       b->rule->name);
}

static char *title_caught_up(const behind *b, uint64_t ended, uint64_t fire)
{
    char ends[64] = "", fires[64] = "";

    if (ended > 0)
        snprintf(ends, sizeof ends, "%llu alert%s ended before that and %s not told",
                 (unsigned long long)ended, ended == 1 ? "" : "s",
                 ended == 1 ? "was" : "were");
    if (fire > 0)
        snprintf(fires, sizeof fires, "%s%llu still fire%s", ended > 0 ? ", " : "",
                 (unsigned long long)fire, fire == 1 ? "s" : "");
    if (ended == 0 && fire == 0)
        snprintf(ends, sizeof ends, "nothing was left out");
    return tw_asprintf("%s has caught up; %s%s", b->rule->name, ends, fires);
}

/* Takes the title. */
static void tell(tw_incidents *in, const behind *b, char *title, uint64_t count,
                 int64_t at_ms, bool resolved, const char *reason)
{
    tw_notification *n = tw_note_new(in, b->rule, b->id, b->opened_ms, at_ms, resolved);

    n->level = b->level;
    tw_note_identify(n, b->level, false);
    n->route = tw_strdup(b->route);
    n->stands_for = count;
    n->title = title;
    n->body = tw_strdup("");
    n->labels = json_object();
    n->reason = tw_strdup(reason ? reason : "catching up");
    tw_note_send(in, n);
}

static void tell_behind(tw_incidents *in, behind *b)
{
    b->told = true;
    tell(in, b, title_behind(b), b->count, b->opened_ms, false, NULL);
}

static bool is_idle(const tw_incidents *in, const tw_rule *rule)
{
    const tw_rule_clock_port *port = &in->options.clock;

    return port->idle && port->idle(port->self, rule->name);
}

static behind *get_behind(tw_incident *inc, int64_t at_ms, int64_t now_ms)
{
    tw_course *course = inc->course;

    if (course->behind)
        return course->behind;
    behind *b = course->behind = tw_alloc(sizeof *b);
    *b = (behind){.rule = tw_rule_ref(inc->rule),
                  .id = tw_asprintf("%s/catching-up", inc->rule->name),
                  .route = tw_strdup(inc->route ? inc->route : ""),
                  .opened_ms = at_ms,
                  .since_ms = now_ms};
    return b;
}

/* What counts seconds up to the alert has gone on counting when that is told. */
static void keep_words(tw_incident *inc)
{
    const tw_incidents *in = inc->in;

    if (in->raised != inc || in->raised_by->rule->elapsed_fact == 0 ||
        !in->raised_by->facts)
        return;
    tw_signal_free(inc->aged_by);
    inc->aged_by = tw_signal_copy(in->raised_by);
}

static void say_anew(tw_incident *inc, int64_t at_ms)
{
    const tw_signal *by = inc->aged_by;
    const tw_rule *rule = by->rule;
    tw_value *facts = tw_calloc(rule->fact_count, sizeof *facts);
    tw_value *elapsed = &facts[rule->elapsed_fact - 1];
    tw_signal s = *by;
    tw_signal_view v;

    memcpy(facts, by->facts, rule->fact_count * sizeof *facts);
    if (elapsed->type == TW_DOUBLE && at_ms > by->at_ms)
        elapsed->d += (double)((at_ms - by->at_ms) / 1000);
    s.facts = facts;
    tw_signal_view_init(&v, inc->in, &s);
    tw_signal_view_enrich(&v);
    tw_incident_render(inc, &v);
    tw_signal_view_done(&v);
    tw_free(facts);
}

static void forget_words(tw_incident *inc)
{
    tw_signal_free(inc->aged_by);
    inc->aged_by = NULL;
}

void tw_aged_known(tw_incident *inc)
{
    behind *b = inc->course->behind;

    if (b && inc->aged)
        b->count--;
    inc->aged = false;
    forget_words(inc);
}

bool tw_aged_takes(tw_incident *inc, int64_t at_ms)
{
    tw_incidents *in = inc->in;
    int64_t max_ms = inc->rule->incident.max_age_ms;
    int64_t now_ms = in->options.now ? tw_clock_now_ms(in->options.now) : at_ms;

    if (max_ms == 0 || now_ms - at_ms <= max_ms || is_idle(in, inc->rule)) {
        tw_aged_known(inc);
        return false;
    }
    tw_count(in->aged, 1);
    tw_incident_report(inc, "recorded", "older than max_age", at_ms);
    behind *b = get_behind(inc, at_ms, now_ms);
    b->count += !inc->aged;
    b->level = inc->level > b->level ? inc->level : b->level;
    keep_words(inc);
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
        if (inc->aged_by)
            say_anew(inc, at_ms);
        forget_words(inc);
        tw_wait_by(&inc->tell, at_ms);
    }
}

static void caught_up(tw_incidents *in, tw_course *course, int64_t at_ms,
                      const char *reason)
{
    behind *b = course->behind;
    uint64_t fire = count_aged(course), ended = b->count - fire;

    if (at_ms < b->opened_ms)
        at_ms = b->opened_ms;
    if (!b->told && ended > 0)
        tell_behind(in, b);
    if (b->told)
        tell(in, b, title_caught_up(b, ended, fire), ended, at_ms, true, reason);
    tw_aged_free(course);
    tell_what_fires(course, at_ms);
}

static bool is_behind(const tw_incidents *in, const behind *b, int64_t clock_ms,
                      int64_t now_ms)
{
    if (clock_ms == TW_TIME_NONE)
        return true;
    return now_ms - clock_ms > b->rule->incident.max_age_ms && !is_idle(in, b->rule);
}

void tw_aged_advance(tw_incidents *in, tw_rule_clock clock, void *self, bool last)
{
    const char *rule;
    void *value;

    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &value);) {
        tw_course *course = value;
        behind *b = course->behind;
        if (!b)
            continue;
        int64_t clock_ms = clock(self, rule);
        int64_t now_ms = tw_clock_now_ms(in->options.now);
        if (!is_behind(in, b, clock_ms, now_ms))
            caught_up(in, course, clock_ms, NULL);
        else if (!b->told && (last || now_ms - b->since_ms >= NOTICE_AFTER_MS))
            tell_behind(in, b);
    }
}

void tw_aged_rule_gone(tw_incidents *in, tw_course *course, const char *reason,
                       int64_t at_ms)
{
    if (course->behind)
        caught_up(in, course, at_ms, reason);
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
        tw_state_put_i64(out, b->since_ms);
        tw_state_put_u64(out, b->told);
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
               tw_state_take_i64(&from->in, &b->since_ms) &&
               tw_stage_take_bool(from, &b->told) &&
               tw_state_take_u64(&from->in, &b->count) &&
               tw_stage_take_level(from, &b->level) && b->id && b->route;
    }
    return good;
}

// SPDX-License-Identifier: Apache-2.0
/* Why an incident is not told: something greater explains it (inhibited), somebody asked for
 * quiet (silenced), or nobody is there (outside `active`). Marks never touch its level. They
 * are looked at when there may be something to tell; what ends a mark makes its incidents due.
 * Shore thread only. */
#include <string.h>

#include "alert/peers.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

const char *tw_incident_label(const tw_incident *inc, const char *name)
{
    const char *text = json_string_value(json_object_get(inc->labels, name));

    if (!text && strcmp(name, "severity") == 0)
        return tw_level_name(inc->level);
    if (!text && strcmp(name, "rule") == 0)
        return inc->rule->name;
    return text;
}

/* ---- inhibition -------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* Whether this is one the inhibitor means, wherever its level stands. */
static bool fits(const tw_inhibitor *by, const tw_incident *inc, const tw_incident *other)
{
    if (inc == other || (by->rule && strcmp(by->rule, other->rule->name) != 0))
        return false;
    for (uint32_t i = 0; i < by->match_count; i++) {
        if (!is_same(tw_incident_label(other, by->match[i].name), by->match[i].value))
            return false;
    }
    for (uint32_t i = 0; i < by->equal_count; i++) {
        if (!is_same(tw_incident_label(inc, by->equal[i]),
                     tw_incident_label(other, by->equal[i])))
            return false;
    }
    return other->level != TW_LEVEL_OK && other->level >= by->level;
}

static bool fits_any(const tw_incident *inc, const tw_incident *other)
{
    const tw_incident_plan *plan = &inc->rule->incident;

    for (uint32_t i = 0; i < plan->inhibitor_count; i++) {
        if (fits(&plan->inhibitors[i], inc, other))
            return true;
    }
    return false;
}

/* Of two that inhibit one another, the one that opened first is told. */
static bool inhibits(const tw_incident *other, const tw_incident *inc)
{
    if (!fits_any(other, inc))
        return true;
    return other->opened_ms != inc->opened_ms ? other->opened_ms < inc->opened_ms
                                              : strcmp(other->id, inc->id) < 0;
}

static const tw_incident *any_of_course(const tw_course *course, const tw_inhibitor *by,
                                        const tw_incident *inc)
{
    for (const tw_incident *o = course ? course->first : NULL; o; o = o->next) {
        if (fits(by, inc, o) && inhibits(o, inc))
            return o;
    }
    return NULL;
}

static const tw_incident *any_of_bucket(const tw_bucket *bucket, const tw_inhibitor *by,
                                        const tw_incident *inc)
{
    for (uint32_t i = 0; bucket && i < bucket->count; i++) {
        if (fits(by, inc, bucket->items[i]) && inhibits(bucket->items[i], inc))
            return bucket->items[i];
    }
    return NULL;
}

static const tw_incident *inhibited_by(const tw_incident *inc, const tw_inhibitor *by)
{
    const tw_incidents *in = inc->in;
    const char *rule;
    void *course;

    if (tw_peers_knows(by))
        return any_of_bucket(tw_peers_of(inc, by), by, inc);
    if (by->rule)
        return any_of_course(tw_map_get(in->courses, by->rule), by, inc);
    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &course);) {
        const tw_incident *found = any_of_course(course, by, inc);
        if (found)
            return found;
    }
    return NULL;
}

const char *tw_marks_inhibitor_of(const tw_incident *inc)
{
    const tw_incident_plan *plan = &inc->rule->incident;

    for (uint32_t i = 0; i < plan->inhibitor_count; i++) {
        const tw_incident *found = inhibited_by(inc, &plan->inhibitors[i]);
        if (found)
            return found->id;
    }
    return NULL;
}

/* Whether this was one the inhibitor means, at whatever level. Another one has no business here: its rule's time may be
 * far behind. */
static bool meant(const tw_inhibitor *by, const tw_incident *inc,
                  const tw_incident *other)
{
    if (by->rule && strcmp(by->rule, other->rule->name) != 0)
        return false;
    for (uint32_t i = 0; i < by->match_count; i++) {
        const tw_label_is *is = &by->match[i];
        if (strcmp(is->name, "severity") != 0 &&
            !is_same(tw_incident_label(other, is->name), is->value))
            return false;
    }
    for (uint32_t i = 0; i < by->equal_count; i++) {
        const char *name = by->equal[i];
        if (strcmp(name, "severity") != 0 &&
            !is_same(tw_incident_label(inc, name), tw_incident_label(other, name)))
            return false;
    }
    return true;
}

static bool meant_any(const tw_incident *inc, const tw_incident *other)
{
    const tw_incident_plan *plan = &inc->rule->incident;

    for (uint32_t i = 0; i < plan->inhibitor_count; i++) {
        if (meant(&plan->inhibitors[i], inc, other))
            return true;
    }
    return false;
}

/* What it held back is looked at again behind everything else that happens at this instant:
 * the inhibited may end at the same time, and then nothing is told. */
void tw_marks_inhibitor_changed(const tw_incident *inhibitor, tw_level before,
                                int64_t at_ms)
{
    const char *id;
    void *value;

    tw_peers_look_again(inhibitor, before, at_ms);
    if (inhibitor->in->held_by_any == 0)
        return;
    for (size_t i = 0; tw_map_next(inhibitor->in->by_id, &i, &id, &value);) {
        tw_incident *inc = value;
        if (inc->held_by_any && meant_any(inc, inhibitor))
            tw_wait_by(&inc->tell, at_ms);
    }
}

/* ---- active ------------------------------------------------------------------------ */

static bool is_day(uint32_t days, int64_t local_ms)
{
    int64_t day = local_ms >= 0 ? local_ms / DAY_MS : (local_ms - DAY_MS + 1) / DAY_MS;
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */

    return days >> weekday & 1;
}

/* Hours that pass midnight belong to the day they begin on. */
static bool is_active(const tw_active_plan *plan, int64_t at_ms)
{
    int64_t local_ms = at_ms + tw_zone_offset_ms(plan->zone, at_ms);
    int64_t of_day_ms = ((local_ms % DAY_MS) + DAY_MS) % DAY_MS;

    if (plan->from_ms < plan->to_ms)
        return is_day(plan->days, local_ms) && of_day_ms >= plan->from_ms &&
               of_day_ms < plan->to_ms;
    return (is_day(plan->days, local_ms) && of_day_ms >= plan->from_ms) ||
           (is_day(plan->days, local_ms - DAY_MS) && of_day_ms < plan->to_ms);
}

/* The next time at which it may change. */
static int64_t active_change(const tw_active_plan *plan, int64_t at_ms)
{
    int64_t from_ms =
        tw_zone_next_daily(plan->zone, TW_ALL_DAYS, plan->from_ms, at_ms + 1);
    int64_t to_ms = tw_zone_next_daily(plan->zone, TW_ALL_DAYS, plan->to_ms, at_ms + 1);

    return from_ms < to_ms ? from_ms : to_ms;
}

/* ---- all marks --------------------------------------------------------------------- */

typedef struct mark_words {
    const char *begins, *ends, *reason;
} mark_words;

static void set_mark(tw_incident *inc, unsigned mark, bool on, mark_words words,
                     int64_t at_ms)
{
    bool was = inc->marks & mark;

    if (was == on)
        return;
    inc->marks = on ? inc->marks | mark : inc->marks & ~mark;
    if (mark == TW_MARK_INHIBITED && on)
        tw_peers_hold_back(inc);
    else if (mark == TW_MARK_INHIBITED)
        tw_peers_let_go(inc);
    tw_incident_report(inc, on ? words.begins : words.ends, words.reason, at_ms);
}

void tw_marks_drop(tw_incident *inc)
{
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_let_go(inc);
}

void tw_marks_update(tw_incident *inc, int64_t at_ms)
{
    const tw_active_plan *active = &inc->rule->incident.active;
    bool was_quiet = inc->marks & (TW_MARK_SILENCED | TW_MARK_INACTIVE);

    inc->muted_until_ms = TW_WAIT_NEVER;
    set_mark(inc, TW_MARK_INHIBITED, tw_marks_inhibitor_of(inc) != NULL,
             (mark_words){"inhibited", "uninhibited", NULL}, at_ms);
    const char *silence = tw_quiet_silence_of(inc, at_ms, &inc->muted_until_ms);
    set_mark(inc, TW_MARK_SILENCED, silence != NULL,
             (mark_words){"silenced", "unsilenced", silence}, at_ms);
    if (active->set) {
        int64_t change_ms = active_change(active, at_ms);
        if (change_ms < inc->muted_until_ms)
            inc->muted_until_ms = change_ms;
        set_mark(inc, TW_MARK_INACTIVE, !is_active(active, at_ms),
                 (mark_words){"inactive", "active", NULL}, at_ms);
    }
    if (was_quiet && !(inc->marks & (TW_MARK_SILENCED | TW_MARK_INACTIVE)))
        inc->again = inc->announced && !(inc->marks & TW_MARK_ACKNOWLEDGED);
}

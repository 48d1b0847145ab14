// SPDX-License-Identifier: Apache-2.0
/* Whether there is something to tell of an incident: what it is, held against what was told.
 * Called whenever either may have changed; telling twice is impossible, since the first time
 * changes what was told. Shore thread only.
 *
 *     since_ms, want_ms         since_ms + wait
 *       |--------- inhibitors ------|--- group.wait (counts from want_ms, too) ---> told
 *                    appear             want_ms: begins anew when one that held it back ends
 */
#include "alert/incident_impl.h"
#include "base/mem.h"

/* ---- what is there to tell --------------------------------------------------------- */

static bool remind_is_due(const tw_incident *inc, int64_t at_ms)
{
    return inc->remind_ms <= at_ms && !(inc->marks & TW_MARK_ACKNOWLEDGED);
}

static tw_telling telling(const tw_incident *inc, int64_t at_ms)
{
    tw_notify_mode mode = inc->rule->incident.notify;
    bool flaps = inc->marks & TW_MARK_FLAPPING;

    if (inc->told == TW_LEVEL_OK)
        return TW_TELL_OPEN;
    if (inc->again)
        return TW_TELL_AGAIN;
    if (flaps && !inc->flap_told)
        return TW_TELL_FLAPS;
    if (mode != TW_NOTIFY_FIRST && inc->level > (flaps ? inc->peak : inc->told))
        return TW_TELL_RISE;
    if (mode == TW_NOTIFY_CHANGES && inc->level < inc->told && !flaps)
        return TW_TELL_FALL;
    return remind_is_due(inc, at_ms) ? TW_TELL_REMIND : TW_TELL_NOTHING;
}

/* ---- when ---------------------------------------------------------------------------- */

static bool is_wanted(const tw_incident *inc)
{
    return inc->want_ms != TW_TIME_NONE && !tw_incident_is_muted(inc);
}

/* The wait for an inhibitor is served in full, also when one has come and gone within it: a zone that fails in fits
 * pages for none of its hosts in between. */
static int64_t wait_is_over_ms(const tw_incident *inc)
{
    return inc->since_ms == TW_TIME_NONE
               ? inc->want_ms
               : inc->since_ms + inc->rule->incident.inhibit_wait_ms;
}

static void set_due(tw_incident *inc)
{
    int64_t at_ms = is_wanted(inc) ? wait_is_over_ms(inc) : inc->remind_ms;

    tw_wait_set(&inc->tell, inc->muted_until_ms < at_ms ? inc->muted_until_ms : at_ms);
}

/* A reminder that nobody may hear is left out, and the next one comes in its turn. */
static void skip_reminder(tw_incident *inc, int64_t at_ms)
{
    int64_t every_ms = inc->rule->incident.remind_ms;

    if (inc->remind_ms <= at_ms && every_ms > 0)
        inc->remind_ms += ((at_ms - inc->remind_ms) / every_ms + 1) * every_ms;
    else if (inc->remind_ms <= at_ms)
        inc->remind_ms = TW_WAIT_NEVER;
}

void tw_tell_done(tw_incident *inc, int64_t at_ms, bool announced)
{
    int64_t remind_ms = inc->rule->incident.remind_ms;

    bool keeps =
        inc->rule->incident.notify != TW_NOTIFY_CHANGES && inc->told > inc->level;

    inc->told = keeps ? inc->told : inc->level;
    inc->peak = inc->level > inc->peak ? inc->level : inc->peak;
    inc->announced = inc->announced || announced;
    inc->flap_told = inc->marks & TW_MARK_FLAPPING;
    inc->again = false;
    tw_group_queue(inc, false);
    inc->want_ms = inc->since_ms = TW_TIME_NONE;
    inc->remind_ms = remind_ms > 0 && !inc->rule->incident.group.set ? at_ms + remind_ms
                                                                     : TW_WAIT_NEVER;
    set_due(inc);
}

static void send(tw_incident *inc, tw_telling what, int64_t at_ms)
{
    tw_incidents *in = inc->in;

    if (what == TW_TELL_RISE)
        inc->marks &= ~(unsigned)TW_MARK_ACKNOWLEDGED;
    inc->aged = tw_aged_takes(inc, at_ms);
    if (inc->aged) {
        tw_tell_done(inc, at_ms, false);
        return;
    }
    if (inc->rule->incident.group.set) {
        tw_group_take(inc, what, at_ms);
        inc->want_ms = TW_TIME_NONE;
        set_due(inc);
        return;
    }
    tw_notification *n = tw_note_of(inc, at_ms, false, NULL, what);
    tw_storm *storm = tw_storm_takes(in, inc->rule, n, what);
    if (storm)
        tw_storm_stand_for(storm, inc, at_ms);
    tw_tell_done(inc, at_ms, !storm);
    if (storm)
        tw_notification_unref(n);
    else
        tw_note_send(in, n);
}

/* Since when there is this to tell. */
static void note_want(tw_incident *inc, tw_telling what, int64_t at_ms)
{
    if (what == TW_TELL_NOTHING || inc->marks & TW_MARK_INHIBITED)
        inc->want_ms = TW_TIME_NONE;
    else if (inc->want_ms == TW_TIME_NONE)
        inc->want_ms = at_ms;
    if (what == TW_TELL_NOTHING && !inc->queued)
        inc->since_ms = TW_TIME_NONE;
    else if (inc->since_ms == TW_TIME_NONE && what != TW_TELL_REMIND)
        inc->since_ms = at_ms;
}

/* until_ms: whoever had time to inhibit it up to here has appeared. */
static void decide(tw_incident *inc, int64_t at_ms, int64_t until_ms)
{
    tw_marks_update(inc, at_ms);
    tw_telling what = inc->queued ? TW_TELL_NOTHING : telling(inc, at_ms);
    note_want(inc, what, at_ms);
    if (what == TW_TELL_NOTHING || tw_incident_is_muted(inc)) {
        if (inc->queued && tw_incident_is_muted(inc))
            tw_group_leave(inc, at_ms, false);
        skip_reminder(inc, at_ms);
        set_due(inc);
        return;
    }
    if (inc->rule->incident.inhibitor_count > 0 && what != TW_TELL_REMIND &&
        wait_is_over_ms(inc) > until_ms)
        set_due(inc);
    else
        send(inc, what, at_ms);
}

void tw_tell(tw_incident *inc, int64_t at_ms)
{
    decide(inc, at_ms, at_ms - 1);
}

void tw_tell_due(void *self, int64_t at_ms)
{
    decide(self, at_ms, at_ms);
}

void tw_tell_at_once(tw_incident *inc, int64_t at_ms)
{
    if (inc->want_ms != TW_TIME_NONE && !inc->queued)
        decide(inc, at_ms, INT64_MAX);
}

/* ---- the end ------------------------------------------------------------------------- */

void tw_tell_end(tw_incident *inc, int64_t at_ms, const char *reason)
{
    if (inc->group) {
        tw_group_leave(inc, at_ms, true);
        return;
    }
    if (!inc->announced || inc->rule->incident.keeps_resolve)
        return;
    tw_note_send(inc->in, tw_note_of(inc, at_ms, true, reason, TW_TELL_NOTHING));
}

// SPDX-License-Identifier: Apache-2.0
/* Session windows of a level operator: `gap`, `max`. One lane's thread.
 *
 *      start            stop      end = the earlier of stop + gap and start + max
 *        x   x  xx   x   x.........|  judged here, once
 *        |<---- max ------------------->|
 *
 * Every event of the key belongs to a session, whatever the aggregates take of it. One exactly at the end
 * still does. While a session runs, what is read is the one that was judged last. */
#include "detect/level_impl.h"

static level_session *session_of(const level *d, level_key *key)
{
    return level_part(key, d->layout.session);
}

void level_session_init(const level *d, level_key *key)
{
    *session_of(d, key) = (level_session){.start_ms = TW_TIME_NONE,
                                          .ended_ms = TW_TIME_NONE,
                                          .judged_start_ms = TW_TIME_NONE,
                                          .judged_stop_ms = TW_TIME_NONE,
                                          .prev_ms = 0};
}

bool level_session_runs(const level *d, level_key *key)
{
    return d->layout.session && session_of(d, key)->start_ms != TW_TIME_NONE;
}

int64_t level_session_end(const level *d, level_key *key)
{
    const level_session *s = session_of(d, key);
    const tw_window *plan = &d->plan->window;
    int64_t end_ms = s->stop_ms + plan->gap_ms;

    if (!level_session_runs(d, key)) {
        return INT64_MAX;
    }
    return plan->max_ms > 0 && s->start_ms + plan->max_ms < end_ms
               ? s->start_ms + plan->max_ms
               : end_ms;
}

/* The session it belongs to is over. key NULL: the first event of a key. */
bool level_session_is_late(const level *d, level_key *key, int64_t time_ms,
                           int64_t now_ms)
{
    const tw_window *plan = &d->plan->window;
    const level_session *s = key ? session_of(d, key) : NULL;
    bool runs = s && s->start_ms != TW_TIME_NONE;

    if (time_ms + plan->gap_ms < (runs ? s->start_ms : now_ms)) {
        return true;
    }
    if (!s || (runs && time_ms >= s->start_ms)) {
        return false;
    }
    if (s->ended_ms != TW_TIME_NONE && time_ms <= s->ended_ms) {
        return true;
    }
    return runs && plan->max_ms > 0 && time_ms + plan->max_ms < now_ms;
}

bool level_session_take(level *d, level_key *key, int64_t time_ms)
{
    level_session *s = session_of(d, key);
    bool begins = s->start_ms == TW_TIME_NONE;

    if (begins) {
        s->start_ms = s->stop_ms = time_ms;
    }
    s->start_ms = time_ms < s->start_ms ? time_ms : s->start_ms;
    s->stop_ms = time_ms > s->stop_ms ? time_ms : s->stop_ms;
    return begins;
}

bool level_session_turn(level *d, level_key *key, int64_t at_ms)
{
    level_session *s = session_of(d, key);
    int64_t end_ms = level_session_end(d, key);

    if (end_ms > at_ms) {
        return false;
    }
    s->prev_ms =
        s->judged_start_ms == TW_TIME_NONE ? 0 : s->judged_stop_ms - s->judged_start_ms;
    s->judged_start_ms = s->start_ms;
    s->judged_stop_ms = s->stop_ms;
    s->ended_ms = end_ms;
    s->start_ms = TW_TIME_NONE;
    tw_window_end_session(&d->windows, &key->window);
    return true;
}

void level_session_span(const level *d, level_key *key, int64_t *out_start_ms,
                        int64_t *out_stop_ms)
{
    *out_start_ms = session_of(d, key)->judged_start_ms;
    *out_stop_ms = session_of(d, key)->judged_stop_ms;
}

void level_session_read(level *d, level_key *key)
{
    const level_session *s = session_of(d, key);

    d->windows.session_ms =
        s->judged_start_ms == TW_TIME_NONE ? 0 : s->judged_stop_ms - s->judged_start_ms;
    d->windows.prev_session_ms = s->prev_ms;
}

void level_session_save(const level *d, level_key *key, tw_buf *out)
{
    const level_session *s = session_of(d, key);

    tw_state_put_i64(out, s->start_ms);
    tw_state_put_i64(out, s->stop_ms);
    tw_state_put_i64(out, s->judged_start_ms);
    tw_state_put_i64(out, s->judged_stop_ms);
    tw_state_put_i64(out, s->prev_ms);
    tw_state_put_i64(out, s->ended_ms);
}

bool level_session_load(level *d, level_key *key, tw_state_in *in)
{
    level_session *s = session_of(d, key);

    return tw_state_take_i64(in, &s->start_ms) && tw_state_take_i64(in, &s->stop_ms) &&
           tw_state_take_i64(in, &s->judged_start_ms) &&
           tw_state_take_i64(in, &s->judged_stop_ms) &&
           tw_state_take_i64(in, &s->prev_ms) && tw_state_take_i64(in, &s->ended_ms);
}

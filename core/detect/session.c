// SPDX-License-Identifier: Apache-2.0
/* The session operator: events in, deadlines in order. One lane's thread; owns the keys and the slab
 * their blocks come from.
 *
 * A session ends when the clock has passed its end, so an event at that very instant still belongs to it.
 * When nothing that is still to come could have belonged to the last session of a key, the key is gone.
 *
 * Invariant: a key's timer is armed not later than the end of its session or its going. */
#include "detect/session.h"

#include "detect/session_impl.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static session_key *key_at(const session *d, uint32_t number)
{
    return tw_keyed_at(d->keys, number);
}

/* ---- life -------------------------------------------------------------------------- */

static void session_free(tw_detector *base)
{
    session *d = (session *)base;

    if (!d) {
        return;
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    tw_aggs_done(&d->aggs);
    tw_slab_free(d->slab);
    session_free_scratch(d);
    tw_rule_unref(d->rule);
    tw_free(d);
}

static tw_detector *session_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    session *d = tw_alloc(sizeof *d);
    uint32_t bytes = sizeof(session_key);

    d->base.cls = &tw_session_class;
    d->rule = tw_rule_ref(rule);
    d->plan = rule->detail;
    d->env = *env;
    d->slab = tw_slab_new();
    d->clock_ms = TW_TIME_NONE;
    if (tw_aggs_init(&d->aggs, rule, err) < 0) {
        session_free(&d->base);
        return NULL;
    }
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        d->acc_at[n] = bytes;
        bytes += (uint32_t)sizeof(tw_acc);
    }
    session_make_scratch(d);
    d->keys = tw_keyed_new(session_entry_bytes(d));
    d->timers = tw_timers_new(d->keys, offsetof(session_key, timer));
    return &d->base;
}

void session_show_count(session *d)
{
    if (d->env.keys) {
        tw_gauge_set(d->env.keys, tw_keyed_count(d->keys));
    }
}

uint32_t session_key_add(session *d, const tw_key *key, int64_t time_ms)
{
    uint32_t number = tw_keyed_add(d->keys, key);
    session_key *k = key_at(d, number);

    tw_timer_init(&k->timer);
    k->newest_ms = time_ms;
    k->ended_ms = k->open_until_ms = INT64_MIN;
    session_show_count(d);
    return number;
}

static void drop_split(session *d, session_key *k)
{
    tw_carried_give(d->slab, k->split);
    k->split = NULL;
}

static void clear_accs(session *d, session_key *k)
{
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        tw_agg_clear(&d->aggs, d->slab, n, session_acc(d, k, n));
        *session_acc(d, k, n) = (tw_acc){0};
    }
}

static void key_remove(session *d, uint32_t number)
{
    session_key *k = key_at(d, number);

    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    clear_accs(d, k);
    drop_split(d, k);
    tw_kept_give(&k->first, d->slab);
    tw_kept_give(&k->newest, d->slab);
    tw_keyed_remove(d->keys, number);
    session_show_count(d);
}

/* ---- begin and end ----------------------------------------------------------------- */

static int64_t end_of(const session *d, const session_key *k)
{
    int64_t by_gap = k->stop_ms + d->plan->gap_ms;
    int64_t by_max = d->plan->max_ms > 0 ? k->start_ms + d->plan->max_ms : INT64_MAX;

    return by_gap < by_max ? by_gap : by_max;
}

int64_t session_next(const session *d, const session_key *k)
{
    /* One gap after its end no session can begin with what belonged to the last; yet one that begins then
     * with an event a gap old could take one that is another gap older. */
    return k->open ? end_of(d, k) : k->ended_ms + 2 * d->plan->gap_ms;
}

static void begin_session(session *d, session_key *k, int64_t time_ms)
{
    k->open = true;
    k->told = false;
    k->start_ms = k->stop_ms = time_ms;
    k->count = 0;
    clear_accs(d, k);
    drop_split(d, k);
    tw_kept_give(&k->first, d->slab);
    tw_kept_give(&k->newest, d->slab);
}

static void end_session(session *d, uint32_t number, int64_t at_ms, int64_t ended_ms,
                        const char *closed)
{
    session_key *k = key_at(d, number);

    if (d->plan->emit == TW_SESSION_CLOSE && !k->told && session_holds(d, k)) {
        session_tell(d, number, at_ms, closed);
    }
    k->open = false;
    k->ended_ms = ended_ms;
    clear_accs(d, k);
    drop_split(d, k);
}

/* ---- the clock acts ---------------------------------------------------------------- */

/* The end of the session, or of the key (false). */
static bool act(session *d, uint32_t number)
{
    session_key *k = key_at(d, number);
    int64_t due_ms = session_next(d, k);

    d->seq = 0;
    tw_keyed_mark(d->keys, number);
    if (!k->open) {
        key_remove(d, number);
        return false;
    }
    end_session(d, number, later(due_ms, d->clock_ms), due_ms,
                due_ms == k->stop_ms + d->plan->gap_ms ? "gap" : "max");
    return true;
}

static bool act_before(session *d, uint32_t number, int64_t before_ms)
{
    while (session_next(d, key_at(d, number)) < before_ms) {
        if (!act(d, number)) {
            return false;
        }
    }
    return true;
}

static void session_advance(tw_detector *base, int64_t clock_ms)
{
    session *d = (session *)base;
    int64_t due_ms;
    uint32_t number;

    while ((number = tw_timers_pop(d->timers, clock_ms, &due_ms)) != TW_KEYED_NONE) {
        if (session_next(d, key_at(d, number)) <= due_ms && !act(d, number)) {
            continue;
        }
        tw_timers_set(d->timers, number, session_next(d, key_at(d, number)));
    }
    d->clock_ms = later(d->clock_ms, clock_ms);
}

static int64_t session_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const session *)base)->timers);
}

/* ---- events ------------------------------------------------------------------------ */

static tw_value split_value(const session *d, uint32_t input, const tw_event *ev)
{
    return d->plan->split_slots
               ? tw_name_cut(tw_event_slot(ev, d->plan->split_slots[input]))
               : tw_value_absent();
}

static bool splits(const session_key *k, tw_value split)
{
    return k->open && k->split && split.type != TW_ABSENT &&
           !tw_value_equal(k->split->values[0], split);
}

/* The session it belongs to is over. k NULL: the key is new. */
static bool is_late(const session *d, const session_key *k, tw_value split,
                    int64_t time_ms, int64_t now_ms)
{
    int64_t max_ms = d->plan->max_ms;

    if (time_ms + d->plan->gap_ms < (k && k->open ? k->start_ms : now_ms)) {
        return true;
    }
    if (!k) {
        return false;
    }
    if (!k->open) {
        return time_ms <= k->ended_ms;
    }
    if (time_ms < k->start_ms &&
        (time_ms <= k->ended_ms || (max_ms > 0 && time_ms + max_ms < now_ms))) {
        return true;
    }
    return time_ms < k->stop_ms && splits(k, split);
}

static void make_place(session *d, int64_t now_ms)
{
    while (tw_keyed_count(d->keys) > 0 && tw_keyed_count(d->keys) >= d->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(d->keys, offsetof(session_key, newest_ms));
        d->seq = 0;
        session_tell_gone(d, oldest, now_ms, "evicted");
        key_remove(d, oldest);
        if (d->env.evicted) {
            tw_count_own(d->env.evicted, 1);
        }
    }
}

static void measure(session *d, session_key *k, uint32_t input, const tw_event *ev,
                    int64_t time_ms)
{
    tw_sample sample;

    k->count++;
    if (d->aggs.count == 0) {
        return;
    }
    tw_aggs_sample(&d->aggs, d->env.script, input, ev, &sample);
    for (uint64_t rest = sample.taken; rest != 0; rest &= rest - 1) {
        uint32_t n = (uint32_t)__builtin_ctzll(rest);
        tw_agg_arg arg = tw_agg_arg_of(&d->aggs, n, &sample);
        tw_agg_add(&d->aggs, d->slab, n, session_acc(d, k, n), &arg, time_ms);
    }
}

/* The event is one of the open session. */
static void join_session(session *d, session_key *k, uint32_t input, const tw_event *ev,
                         tw_value split, int64_t time_ms)
{
    if (!k->first.is_there || time_ms < k->start_ms) {
        tw_kept_put(&k->first, d->slab, d->rule, input, ev, time_ms);
    }
    if (!k->newest.is_there || time_ms >= k->stop_ms) {
        tw_kept_put(&k->newest, d->slab, d->rule, input, ev, time_ms);
    }
    k->start_ms = time_ms < k->start_ms ? time_ms : k->start_ms;
    k->stop_ms = later(k->stop_ms, time_ms);
    k->newest_ms = later(k->newest_ms, time_ms);
    if (!k->split && split.type != TW_ABSENT) {
        k->split = tw_carried_put_values(d->slab, NULL, &split, 1);
    }
    measure(d, k, input, ev, time_ms);
}

static void take_event(session *d, uint32_t number, uint32_t input, const tw_event *ev,
                       int64_t time_ms, int64_t now_ms)
{
    session_key *k = key_at(d, number);
    tw_value split = split_value(d, input, ev);

    d->seq = ev->seq;
    if (splits(k, split)) {
        end_session(d, number, now_ms, k->stop_ms, "split");
    }
    if (!k->open) {
        begin_session(d, k, time_ms);
    }
    join_session(d, k, input, ev, split, time_ms);
    if (d->plan->emit == TW_SESSION_FIRST && !k->told && session_holds(d, k)) {
        session_tell(d, number, now_ms, NULL);
    }
}

static void session_event(tw_detector *base, const tw_key *key, uint32_t input,
                          const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    session *d = (session *)base;
    int64_t now_ms = later(time_ms, clock_ms);
    uint32_t number = tw_keyed_find(d->keys, key);

    d->clock_ms = later(d->clock_ms, clock_ms);
    if (number != TW_KEYED_NONE && !act_before(d, number, now_ms)) {
        number = TW_KEYED_NONE;
    }
    session_key *k = number != TW_KEYED_NONE ? key_at(d, number) : NULL;
    if (is_late(d, k, split_value(d, input, ev), time_ms, now_ms)) {
        if (d->env.late) {
            tw_count_own(d->env.late, 1);
        }
    } else {
        if (!k) {
            make_place(d, now_ms);
            number = session_key_add(d, key, time_ms);
            k = key_at(d, number);
        }
        tw_keyed_touch(d->keys, number);
        tw_keyed_mark(d->keys, number);
        take_event(d, number, input, ev, time_ms, now_ms);
    }
    if (k && session_next(d, k) < k->timer.deadline_ms) {
        tw_timers_set(d->timers, number, session_next(d, k));
    }
}

static uint64_t session_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const session *)base)->keys);
}

const tw_detector_class tw_session_class = {
    .name = "session",
    .new = session_new,
    .free = session_free,
    .event = session_event,
    .advance = session_advance,
    .next_deadline = session_next_deadline,
    .fate = session_fate,
    .adopt = session_adopt,
    .save = session_save,
    .load = session_load,
    .key_count = session_key_count,
};

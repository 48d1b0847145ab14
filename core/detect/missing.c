// SPDX-License-Identifier: Apache-2.0
/* The missing operator: events in, deadlines in order. One lane's thread; owns the keys and the slab
 * their blocks come from.
 *
 * A key is missing when nothing was heard of it from `base_ms` to its deadline. What counts as heard is an
 * event of it, the moment it came onto the list, and the moment the source came back.
 *
 * Before the rule has a clock, because nothing ever came, keys of a table wait by the wall; the first
 * event starts their time anew, since it may be an old one. Time begins with what the streams have come to then, and
 * not with an event of this lane, so that it begins at once on all lanes.
 *
 * Invariant: a key's timer is armed not later than what the key waits for. It may be early: an event only
 * puts its deadline off, and that is not worth moving the timer. */
#include "detect/missing.h"

#include "base/duration.h"
#include "detect/missing_impl.h"

/* ---- life -------------------------------------------------------------------------- */

static tw_detector *missing_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    missing *d = tw_alloc(sizeof *d);
    tw_key none = tw_key_from_bytes((const uint8_t *)"", 0);

    (void)err;
    d->base.cls = &tw_missing_class;
    d->rule = tw_rule_ref(rule);
    d->plan = rule->detail;
    d->env = *env;
    d->slab = tw_slab_new();
    d->keys = tw_keyed_new(sizeof(missing_key));
    d->timers = tw_timers_new(d->keys, offsetof(missing_key, timer));
    d->clock_ms = d->wait_ms = TW_TIME_NONE;
    d->source_ms = INT64_MIN;
    d->is_source_owner =
        env->lane_count <= 1 || none.group % env->lane_count == env->lane;
    d->fields =
        tw_calloc(rule->carried_count + rule->carried_first_count + 1, sizeof *d->fields);
    return &d->base;
}

static void missing_free(tw_detector *base)
{
    missing *d = (missing *)base;

    if (!d) {
        return;
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    tw_slab_free(d->slab);
    tw_expected_unref(d->expected);
    tw_free(d->fields);
    tw_rule_unref(d->rule);
    tw_free(d);
}

static void show_count(missing *d)
{
    if (d->env.keys) {
        tw_gauge_set(d->env.keys, tw_keyed_count(d->keys));
    }
}

uint32_t missing_key_add(missing *d, const tw_key *key)
{
    uint32_t number = tw_keyed_add(d->keys, key);
    missing_key *k = tw_keyed_at(d->keys, number);

    tw_timer_init(&k->timer);
    k->base_ms = k->newest_ms = TW_TIME_NONE;
    show_count(d);
    return number;
}

void missing_key_remove(missing *d, uint32_t number)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    tw_kept_give(&k->kept, d->slab);
    tw_keyed_remove(d->keys, number);
    show_count(d);
}

/* ---- what a key waits for ---------------------------------------------------------- */

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* When a key that was heard at base_ms, and not since, is missing. With `by`: base lies before one deadline
 * and so has met it; the one behind that counts. */
static int64_t deadline_from(const missing *d, const missing_key *k, int64_t base_ms)
{
    const tw_missing_plan *p = d->plan;

    if (p->is_daily) {
        int64_t met_ms =
            tw_zone_next_daily(p->zone, p->days, p->daytime_ms, base_ms - p->grace_ms);
        return plus(tw_zone_next_daily(p->zone, p->days, p->daytime_ms, met_ms + 1),
                    p->grace_ms);
    }
    int64_t every_ms = p->has_every_slot ? k->every_ms : p->every_ms;
    return every_ms <= 0 ? INT64_MAX : plus(base_ms, plus(every_ms, p->grace_ms));
}

static int64_t leave_from(const missing *d, const missing_key *k)
{
    return k->flags & KEY_LISTED ? INT64_MAX : plus(k->base_ms, d->plan->learn_ms);
}

static int64_t key_next(const missing *d, const missing_key *k)
{
    if (k->base_ms == TW_TIME_NONE) {
        return TW_TIMER_OFF;
    }
    if (k->flags & KEY_STOPPED) {
        return k->flags & KEY_LISTED ? TW_TIMER_OFF
                                     : plus(k->newest_ms, d->rule->forget_ms);
    }
    int64_t leave_ms = leave_from(d, k);
    if (k->flags & KEY_MISSING) {
        return leave_ms;
    }
    int64_t deadline_ms = deadline_from(d, k, k->base_ms);
    return deadline_ms < leave_ms ? deadline_ms : leave_ms;
}

void missing_key_arm(missing *d, uint32_t number)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    if (d->plan->is_daily && k->timer.deadline_ms != TW_TIMER_OFF) {
        return; /* early is fine, and the calendar is not for every event */
    }
    int64_t next_ms = key_next(d, k);
    if (next_ms < k->timer.deadline_ms) {
        tw_timers_set(d->timers, number, next_ms);
    }
}

/* ---- the clock acts ---------------------------------------------------------------- */

/* While the source is silent nothing is told of keys. They look again after as long as they would be given
 * if it came back at once, which is never too late. */
static void park(missing *d, uint32_t number, int64_t at_ms)
{
    int64_t again_ms = deadline_from(d, tw_keyed_at(d->keys, number), at_ms);

    tw_timers_set(d->timers, number,
                  again_ms == INT64_MAX ? plus(at_ms, d->plan->learn_ms) : again_ms);
}

/* The timer of a key has gone off at at_ms. False: the key is gone. */
static bool key_act(missing *d, uint32_t number, int64_t at_ms)
{
    missing_key *k = tw_keyed_at(d->keys, number);
    int64_t since_ms;

    tw_keyed_mark(d->keys, number);
    for (int64_t next_ms; (next_ms = key_next(d, k)) <= at_ms;) {
        if (k->flags & KEY_STOPPED) {
            missing_key_remove(d, number);
            return false;
        }
        if (!missing_source_alive(d, at_ms, &since_ms)) {
            park(d, number, at_ms);
            return true;
        }
        if (since_ms > k->base_ms) {
            k->base_ms = since_ms; /* it was silent as the source was */
            continue;
        }
        if (leave_from(d, k) <= at_ms) {
            missing_tell_heard(d, number, missing_later(at_ms, d->clock_ms), "forgotten");
            missing_key_remove(d, number);
            return false;
        }
        missing_tell_silent(d, number, missing_later(at_ms, d->clock_ms));
    }
    tw_timers_set(d->timers, number, key_next(d, k));
    return true;
}

static bool act_before(missing *d, uint32_t number, int64_t before_ms)
{
    const missing_key *k = tw_keyed_at(d->keys, number);

    while (k->timer.deadline_ms < before_ms) {
        if (!key_act(d, number, k->timer.deadline_ms)) {
            return false;
        }
    }
    return true;
}

static void act_keys(missing *d, int64_t before_ms)
{
    int64_t due_ms;

    for (;;) {
        uint32_t number = tw_timers_pop(d->timers, before_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            return;
        }
        key_act(d, number, due_ms);
    }
}

/* Everything due before a time, keys and source in the order of their times. */
static void act_until(missing *d, int64_t until_ms)
{
    for (;;) {
        int64_t source_ms = missing_source_next(d);
        if (source_ms >= until_ms) {
            break;
        }
        act_keys(d, source_ms + 1);
        missing_source_advance(d, source_ms + 1);
    }
    act_keys(d, until_ms);
    missing_source_advance(d, until_ms);
}

static void start_keys(missing *d, int64_t time_ms)
{
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        missing_key *k = tw_keyed_at(d->keys, n);
        if (k->base_ms == TW_TIME_NONE) {
            k->base_ms = time_ms;
            missing_key_arm(d, n);
        }
    }
    missing_source_heard(d, time_ms,
                         time_ms); /* the source, too, has its time from now */
}

/* What was found by the wall stands until it is heard; all else starts anew. */
static void end_wait(missing *d)
{
    if (d->wait_ms == TW_TIME_NONE) {
        return;
    }
    d->wait_ms = TW_TIME_NONE;
    d->run_count = 0;
    d->source_ms = INT64_MIN;
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        ((missing_key *)tw_keyed_at(d->keys, n))->base_ms = TW_TIME_NONE;
        tw_timers_set(d->timers, n, TW_TIMER_OFF);
    }
}

void missing_begin(missing *d, int64_t clock_ms, int64_t newest_ms)
{
    if (d->clock_ms != TW_TIME_NONE || clock_ms == TW_TIME_NONE) {
        return;
    }
    end_wait(d);
    d->clock_ms = clock_ms;
    start_keys(d, newest_ms);
}

static void missing_begins(tw_detector *base, int64_t clock_ms, int64_t newest_ms)
{
    missing *d = (missing *)base;

    missing_begin(d, clock_ms, newest_ms);
    missing_source_trust(d, d->clock_ms != TW_TIME_NONE ? newest_ms : d->wait_ms);
}

static void missing_advance(tw_detector *base, int64_t clock_ms)
{
    missing *d = (missing *)base;

    missing_begin(d, clock_ms, clock_ms + d->rule->lateness_ms);
    act_until(d, clock_ms);
    d->clock_ms = missing_later(d->clock_ms, clock_ms);
    missing_source_prune(d, clock_ms);
}

static void missing_wait(tw_detector *base, int64_t now_ms)
{
    missing *d = (missing *)base;

    bool is_heard = d->wait_ms == TW_TIME_NONE && d->run_count > 0; /* time is to begin */
    if (d->clock_ms != TW_TIME_NONE || is_heard) {
        return;
    }
    if (d->wait_ms == TW_TIME_NONE) {
        start_keys(d, now_ms);
    }
    act_until(d, now_ms);
    d->wait_ms = missing_later(d->wait_ms, now_ms);
}

static int64_t missing_next_deadline(const tw_detector *base)
{
    const missing *d = (const missing *)base;

    if (d->clock_ms == TW_TIME_NONE) {
        return INT64_MIN; /* the first clock starts the time of keys that never came */
    }
    int64_t source_ms = missing_source_next(d), key_ms = tw_timers_next(d->timers);
    return source_ms < key_ms ? source_ms : key_ms;
}

/* ---- events ------------------------------------------------------------------------ */

static void make_place(missing *d, int64_t now_ms)
{
    while (tw_keyed_count(d->keys) > 0 && tw_keyed_count(d->keys) >= d->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(d->keys, offsetof(missing_key, newest_ms));
        missing_tell_heard(d, oldest, now_ms, "evicted");
        missing_key_remove(d, oldest);
        if (d->env.evicted) {
            tw_count_own(d->env.evicted, 1);
        }
    }
}

/* Seconds as a number, or a duration; what makes no sense changes nothing. */
static void read_every(const missing *d, missing_key *k, const tw_event *ev)
{
    tw_value v = tw_event_slot(ev, d->plan->every_slot);
    int64_t every_ms = 0;
    double seconds;

    if (tw_value_number(v, &seconds)) {
        every_ms = seconds > 0 && seconds < 1e12 ? (int64_t)(seconds * 1000) : 0;
    } else if (v.type == TW_STRING && tw_duration_parse(v.s, v.len, &every_ms) < 0) {
        every_ms = 0;
    }
    k->every_ms = every_ms > 0 ? every_ms : k->every_ms;
}

static void take_heard(missing *d, uint32_t number, uint32_t input, const tw_event *ev,
                       int64_t time_ms)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    missing_tell_heard(d, number, missing_later(time_ms, d->clock_ms), NULL);
    if (k->flags & (KEY_MISSING | KEY_STOPPED)) {
        tw_timers_set(d->timers, number,
                      TW_TIMER_OFF); /* it waited for something later */
    }
    k->flags &= (uint8_t) ~(KEY_MISSING | KEY_STOPPED);
    k->newest_ms = time_ms;
    k->base_ms = missing_later(k->base_ms, time_ms);
    tw_kept_put(&k->kept, d->slab, d->rule, input, ev, time_ms);
    if (d->plan->has_every_slot) {
        read_every(d, k, ev);
    }
}

static void take_stop(missing *d, uint32_t number, int64_t time_ms)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    missing_tell_heard(d, number, missing_later(time_ms, d->clock_ms), "stopped");
    k->flags = (uint8_t)((k->flags & ~KEY_MISSING) | KEY_STOPPED);
    k->newest_ms = time_ms;
    tw_timers_set(d->timers, number, TW_TIMER_OFF);
}

static void take(missing *d, const tw_key *key, uint32_t input, const tw_event *ev,
                 int64_t time_ms)
{
    bool is_heard = input == d->plan->input;
    uint32_t number = tw_keyed_find(d->keys, key);

    if (number != TW_KEYED_NONE) {
        const missing_key *k = tw_keyed_at(d->keys, number);
        if (k->newest_ms != TW_TIME_NONE && time_ms < k->newest_ms) {
            if (d->env.late) {
                tw_count_own(d->env.late, 1);
            }
            return;
        }
        number = act_before(d, number, missing_later(time_ms, d->clock_ms))
                     ? number
                     : TW_KEYED_NONE;
    }
    if (number == TW_KEYED_NONE) {
        if (!is_heard || d->plan->table) {
            return; /* nobody expects it */
        }
        make_place(d, missing_later(time_ms, d->clock_ms));
        number = missing_key_add(d, key);
    }
    tw_keyed_touch(d->keys, number);
    tw_keyed_mark(d->keys, number);
    if (is_heard) {
        take_heard(d, number, input, ev, time_ms);
    } else {
        take_stop(d, number, time_ms);
    }
    missing_key_arm(d, number);
}

static void missing_event(tw_detector *base, const tw_key *key, uint32_t input,
                          const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    missing *d = (missing *)base;

    if (input != d->plan->input && (int)input != d->plan->stop_input) {
        return; /* an input that only the incident reads */
    }
    if (clock_ms != TW_TIME_NONE) {
        missing_begin(d, clock_ms, clock_ms + d->rule->lateness_ms);
    } else {
        missing_begin(d, time_ms, time_ms);
    }
    d->clock_ms = missing_later(d->clock_ms, clock_ms);
    d->seq = ev->seq;
    take(d, key, input, ev, time_ms);
    d->seq = 0;
}

static void missing_heard(tw_detector *base, int64_t from_ms, int64_t to_ms,
                          int64_t clock_ms)
{
    missing *d = (missing *)base;

    if (d->clock_ms == TW_TIME_NONE) {
        end_wait(d);
    } else {
        d->clock_ms = missing_later(d->clock_ms, clock_ms);
    }
    missing_source_heard(d, from_ms, to_ms);
}

static uint64_t missing_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const missing *)base)->keys);
}

const tw_detector_class tw_missing_class = {
    .name = "missing",
    .new = missing_new,
    .free = missing_free,
    .event = missing_event,
    .advance = missing_advance,
    .next_deadline = missing_next_deadline,
    .wait = missing_wait,
    .begin = missing_begins,
    .heard = missing_heard,
    .expect = missing_expect,
    .fate = missing_fate,
    .adopt = missing_adopt,
    .save = missing_save,
    .load = missing_load,
    .key_count = missing_key_count,
};

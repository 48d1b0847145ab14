// SPDX-License-Identifier: Apache-2.0
/* The sequence operator: the open matches of each key, oldest first, and which of them see an arrival. One
 * lane's thread; owns the keys and the slab their matches come from.
 *
 * A key is there while it has an open match and no longer, so there is nothing to forget: an event
 * that begins nothing costs one look-up.
 *
 * Invariant: a key's timer is armed at the earliest deadline of its matches. */
#include "detect/seq.h"

#include <stddef.h>

#include "detect/seq_impl.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- life -------------------------------------------------------------------------- */

static tw_detector *seq_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    seq *s = tw_alloc(sizeof *s);

    (void)err;
    s->base.cls = &tw_seq_class;
    s->rule = tw_rule_ref(rule);
    s->plan = tw_seq_plan_of(rule);
    s->env = *env;
    s->slab = tw_slab_new();
    s->keys = tw_keyed_new(sizeof(seq_key));
    s->wheel = tw_timers_new(s->keys, offsetof(seq_key, timer));
    s->clock_ms = TW_TIME_NONE;
    seq_layout_fill(&s->layout, rule, s->plan);
    return &s->base;
}

static void seq_free(tw_detector *base)
{
    seq *s = (seq *)base;

    if (!s) {
        return;
    }
    tw_timers_free(s->wheel);
    tw_keyed_free(s->keys);
    tw_slab_free(s->slab);
    tw_rule_unref(s->rule);
    tw_free(s);
}

void seq_show_count(seq *s)
{
    if (s->env.keys) {
        tw_gauge_set(s->env.keys, tw_keyed_count(s->keys));
    }
}

static void count_evicted(seq *s)
{
    if (s->env.evicted) {
        tw_count_own(s->env.evicted, 1);
    }
}

/* Takes the match out of the list and ends it. */
static void drop(seq *s, seq_key *k, seq_match **link)
{
    seq_match *m = *link;

    *link = m->next;
    k->open--;
    seq_match_give(s, m);
}

static void drop_all(seq *s, seq_key *k)
{
    while (k->oldest) {
        drop(s, k, &k->oldest);
    }
}

static void key_remove(seq *s, uint32_t number)
{
    tw_timers_set(s->wheel, number, TW_TIMER_OFF);
    drop_all(s, tw_keyed_at(s->keys, number));
    tw_keyed_remove(s->keys, number);
    seq_show_count(s);
}

static void make_place(seq *s)
{
    while (tw_keyed_count(s->keys) > 0 && tw_keyed_count(s->keys) >= s->rule->max_keys) {
        key_remove(s, tw_keyed_oldest(s->keys, offsetof(seq_key, newest_ms)));
        count_evicted(s);
    }
}

/* ---- the clock acts ---------------------------------------------------------------- */

/* The link to the match with the earliest deadline, of equal ones the oldest. */
static seq_match **first_due(const seq *s, seq_key *k, int64_t *out_ms)
{
    seq_match **found = NULL;

    *out_ms = INT64_MAX;
    for (seq_match **link = &k->oldest; *link; link = &(*link)->next) {
        int64_t at_ms = seq_match_deadline(s, *link);
        if (!found || at_ms < *out_ms) {
            found = link;
            *out_ms = at_ms;
        }
    }
    return found;
}

void seq_rearm(seq *s, uint32_t number)
{
    seq_key *k = tw_keyed_at(s->keys, number);
    int64_t at_ms;

    first_due(s, k, &at_ms);
    if (at_ms != k->timer.deadline_ms) {
        tw_timers_set(s->wheel, number, at_ms);
    }
}

/* Under past_last what began before the end of a match that is told goes with it. */
static void drop_overlapped(seq *s, seq_key *k, uint32_t last_tick)
{
    seq_match **link = &k->oldest;

    while (s->plan->overlap == TW_SEQ_PAST_LAST && *link) {
        if ((int32_t)((*link)->first_tick - last_tick) <= 0) {
            drop(s, k, link);
        } else {
            link = &(*link)->next;
        }
    }
}

static void act(seq *s, uint32_t number, seq_match **link, int64_t due_ms)
{
    seq_key *k = tw_keyed_at(s->keys, number);
    seq_outcome outcome = seq_match_due(s, link);

    if (outcome == SEQ_TAKES) {
        return;
    }
    uint32_t last_tick = (*link)->last_tick;
    if (outcome == SEQ_FULL || s->plan->emit_timeouts) {
        tw_key key = tw_keyed_key(s->keys, number);
        int64_t at_ms = later(due_ms, later(s->clock_ms, k->newest_ms));
        seq_match_tell(s, *link, &key, at_ms, 0, outcome != SEQ_FULL);
    }
    drop(s, k, link);
    if (outcome == SEQ_FULL) {
        drop_overlapped(s, k, last_tick);
    }
}

/* Whatever of the key is due at `until_ms` or before. False: the key is gone. */
static bool act_until(seq *s, uint32_t number, int64_t until_ms)
{
    seq_key *k = tw_keyed_at(s->keys, number);
    int64_t due_ms;

    for (;;) {
        seq_match **link = first_due(s, k, &due_ms);
        if (!link) {
            key_remove(s, number);
            return false;
        }
        if (due_ms > until_ms) {
            return true;
        }
        tw_keyed_mark(s->keys, number);
        act(s, number, link, due_ms);
    }
}

static void seq_advance(tw_detector *base, int64_t clock_ms)
{
    seq *s = (seq *)base;
    int64_t due_ms;

    for (;;) {
        uint32_t number = tw_timers_pop(s->wheel, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            break;
        }
        if (act_until(s, number, due_ms)) {
            seq_rearm(s, number);
        }
    }
    s->clock_ms = later(s->clock_ms, clock_ms);
}

static int64_t seq_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const seq *)base)->wheel);
}

/* ---- events ------------------------------------------------------------------------ */

/* What an arrival did at its key. */
typedef struct offering {
    const tw_key *key;
    seq_arrival arrival;
    bool taken, late;
} offering;

static void tell(seq *s, const offering *o, const seq_match *m)
{
    seq_match_tell(s, m, o->key, later(o->arrival.time_ms, s->clock_ms),
                   o->arrival.ev->seq, false);
}

static void offer_all(seq *s, seq_key *k, offering *o)
{
    seq_match **link = &k->oldest;

    while (*link) {
        seq_outcome outcome = seq_match_offer(s, link, &o->arrival, &o->late);
        o->taken = o->taken || outcome == SEQ_TAKES || outcome == SEQ_FULL;
        if (outcome == SEQ_FULL) {
            tell(s, o, *link);
        }
        if (outcome == SEQ_FULL && s->plan->overlap == TW_SEQ_PAST_LAST) {
            drop_all(s, k);
            return;
        }
        if (outcome == SEQ_FULL || outcome == SEQ_DIES) {
            drop(s, k, link);
        } else {
            link = &(*link)->next;
        }
    }
}

static bool is_first_input(const seq *s, uint32_t input)
{
    uint32_t j = 0;

    while (!(s->plan->steps[j].inputs >> input & 1) && s->plan->steps[j].optional) {
        j++;
    }
    return s->plan->steps[j].inputs >> input & 1;
}

static bool is_taken_before(const seq *s, const tw_event *ev)
{
    return s->has_taken && s->taken.offset == ev->offset &&
           s->taken.partition == ev->partition && s->taken.stream == ev->stream &&
           s->taken.index == ev->index;
}

/* May the arrival begin a match beside those that are open? k: NULL without any. */
static bool may_begin(const seq *s, const seq_key *k, offering *o)
{
    bool beside = s->plan->overlap == TW_SEQ_EVERY;

    if (!is_first_input(s, o->arrival.input) || (o->taken && !beside) ||
        is_taken_before(s, o->arrival.ev)) {
        return false;
    }
    if (!k || !k->oldest || s->plan->overlap == TW_SEQ_PAST_LAST || beside) {
        return true;
    }
    if (s->plan->overlap == TW_SEQ_NEWEST && o->arrival.time_ms < k->oldest->start_ms) {
        o->late = true;
        return false;
    }
    return s->plan->overlap == TW_SEQ_NEWEST;
}

static void remember_taken(seq *s, const tw_event *ev)
{
    s->has_taken = true;
    s->taken = tw_event_origin(ev);
}

static void add_match(seq *s, seq_key *k, seq_match *m)
{
    seq_match **link = &k->oldest;

    while (*link) {
        link = &(*link)->next;
    }
    *link = m;
    k->open++;
    if (k->open > s->plan->max_open) {
        drop(s, k, &k->oldest);
        count_evicted(s);
    }
}

/* number: TW_KEYED_NONE when the key has no open match. */
static void begin(seq *s, uint32_t number, offering *o)
{
    seq_key *k = number == TW_KEYED_NONE ? NULL : tw_keyed_at(s->keys, number);
    seq_match *m = may_begin(s, k, o) ? seq_match_begin(s, &o->arrival) : NULL;

    if (!m) {
        return;
    }
    o->taken = true;
    remember_taken(s, o->arrival.ev);
    if (k && s->plan->overlap == TW_SEQ_NEWEST) {
        drop_all(s, k);
    }
    if (seq_match_is_full(s, m)) {
        tell(s, o, m);
        seq_match_give(s, m);
        return;
    }
    if (!k) {
        make_place(s);
        number = tw_keyed_add(s->keys, o->key);
        k = tw_keyed_at(s->keys, number);
        tw_timer_init(&k->timer);
        k->newest_ms = o->arrival.time_ms;
        k->tick = o->arrival.tick;
        seq_show_count(s);
    }
    add_match(s, k, m);
    seq_rearm(s, number);
}

static void offer_to_key(seq *s, uint32_t number, offering *o)
{
    seq_key *k = tw_keyed_at(s->keys, number);

    tw_keyed_touch(s->keys, number);
    tw_keyed_mark(s->keys, number);
    k->newest_ms = later(k->newest_ms, o->arrival.time_ms);
    o->arrival.tick = ++k->tick;
    offer_all(s, k, o);
    if (o->taken && s->plan->overlap != TW_SEQ_EVERY) {
        remember_taken(s, o->arrival.ev);
    } else {
        begin(s, number, o);
    }
    if (k->open == 0) {
        key_remove(s, number);
    } else {
        seq_rearm(s, number);
    }
}

/* What was due at the key before now_ms. False: the key is gone. */
static bool catch_up(seq *s, uint32_t number, int64_t now_ms)
{
    const seq_key *k = tw_keyed_at(s->keys, number);

    return k->timer.deadline_ms >= now_ms || act_until(s, number, now_ms - 1);
}

static void seq_event(tw_detector *base, const tw_key *key, uint32_t input,
                      const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    seq *s = (seq *)base;
    uint32_t number = tw_keyed_find(s->keys, key);
    int64_t now_ms = later(time_ms, clock_ms);
    offering o = {
        .key = key,
        .arrival = {.ev = ev, .input = input, .time_ms = time_ms, .now_ms = now_ms}};

    s->clock_ms = later(s->clock_ms, clock_ms);
    if (number != TW_KEYED_NONE && !catch_up(s, number, now_ms)) {
        number = TW_KEYED_NONE;
    }
    if (number != TW_KEYED_NONE) {
        offer_to_key(s, number, &o);
    } else {
        begin(s, number, &o);
    }
    if (o.late && !o.taken) {
        tw_count_own(s->env.late, 1);
    }
}

static uint64_t seq_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const seq *)base)->keys);
}

static void seq_count_open(const tw_detector *base, uint64_t *by_step)
{
    const seq *s = (const seq *)base;

    for (uint32_t n = tw_keyed_next(s->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(s->keys, n)) {
        const seq_key *k = tw_keyed_at(s->keys, n);
        for (const seq_match *m = k->oldest; m; m = m->next) {
            by_step[seq_waits_for(s, m)]++;
        }
    }
}

static void seq_tell_adopted(const tw_detector *base, tw_adopted *out)
{
    const tw_adopted *a = &((const seq *)base)->adopted;

    out->kept += a->kept;
    out->migrated += a->migrated;
    out->dropped += a->dropped;
}

const tw_detector_class tw_seq_class = {
    .name = "seq",
    .new = seq_new,
    .free = seq_free,
    .event = seq_event,
    .advance = seq_advance,
    .next_deadline = seq_next_deadline,
    .fate = seq_fate,
    .adopt = seq_adopt,
    .save = seq_save,
    .load = seq_load,
    .key_count = seq_key_count,
    .count_open = seq_count_open,
    .tell_adopted = seq_tell_adopted,
};

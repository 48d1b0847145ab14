// SPDX-License-Identifier: Apache-2.0
/* The join operator: which events wait how long, and when a span ends. One lane's thread; owns the
 * keys and the slab that what waits lies in.
 *
 *     l.time - before       l.time              l.time + after
 *           |-----------------|----------------------|        right events of l lie here
 *
 * Time is the rule's clock alone: an event of a key does not move its key, as the other side may come
 * from a stream that is read more slowly. A left event waits until the clock has passed time + after, a
 * right one until time + before; later none of the other side can come in order. One that comes out of
 * order meets what still waits; it is late when nothing that it could meet does.
 *
 * A key lives while something of it waits, or something it told is open.
 *
 * Invariant: a key's timer is armed not later than the end of its oldest left event's span where that is
 * told, and than the time at which all of one side has waited long enough. */
#include "detect/join.h"

#include "detect/join_impl.h"
#include "detect/occurrence.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- life ---- */

static tw_detector *join_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    join *j = tw_alloc(sizeof *j);
    const tw_join_plan *plan = tw_rule_join(rule);
    int64_t span_ms = plan->before_ms + plan->after_ms;

    (void)err;
    j->base.cls = &tw_join_class;
    j->rule = tw_rule_ref(rule);
    j->plan = plan;
    j->env = *env;
    j->slab = tw_slab_new();
    j->keys = tw_keyed_new(sizeof(join_key));
    j->wheel = tw_timers_new(j->keys, offsetof(join_key, timer));
    j->clock_ms = TW_TIME_NONE;
    j->edited_ms = INT64_MIN;
    j->at_end = plan->tells != TW_JOIN_EACH && plan->tells != TW_JOIN_COMPLETE;
    j->left_ms = plan->need_left > 1 ? span_ms : plan->after_ms;
    j->right_ms = plan->need_left > 1 ? span_ms : plan->before_ms;
    return &j->base;
}

static void join_free(tw_detector *base)
{
    join *j = (join *)base;

    if (!j) {
        return;
    }
    tw_timers_free(j->wheel);
    tw_keyed_free(j->keys);
    tw_slab_free(j->slab);
    tw_rule_unref(j->rule);
    tw_free(j);
}

static void show_count(join *j)
{
    if (j->env.keys) {
        tw_gauge_set(j->env.keys, tw_keyed_count(j->keys));
    }
}

void join_give_left(join *j, tw_kept_item *item)
{
    join_found *found = item->more;

    tw_kept_give(&item->kept, j->slab);
    if (found) {
        tw_kept_give(&found->first, j->slab);
        tw_kept_give(&found->last, j->slab);
        tw_slab_give(j->slab, found, sizeof *found);
    }
    item->more = NULL;
}

/* The first `count` of a side go. */
static void give_front(join *j, tw_kept_ring *side, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        join_give_left(j, tw_kept_ring_at(side, n));
    }
    tw_kept_ring_cut(side, j->slab, 0, count);
}

void join_key_take(join *j, const tw_key *key, int64_t newest_ms, uint32_t *out_number)
{
    *out_number = tw_keyed_add(j->keys, key);
    join_key *k = join_key_at(j, *out_number);
    tw_timer_init(&k->timer);
    k->newest_ms = newest_ms;
    k->open_until_ms = INT64_MIN;
    show_count(j);
}

static void key_remove(join *j, uint32_t number)
{
    join_key *k = join_key_at(j, number);

    tw_timers_set(j->wheel, number, TW_TIMER_OFF);
    give_front(j, &k->left, k->left.count);
    give_front(j, &k->right, k->right.count);
    tw_keyed_remove(j->keys, number);
    show_count(j);
}

/* ---- the clock ---- */

static int64_t newest_of(const tw_kept_ring *side)
{
    return tw_kept_ring_at(side, side->count - 1)->kept.time_ms;
}

/* INT64_MIN: there is nothing to wait for. */
static int64_t key_next(const join *j, const join_key *k)
{
    int64_t next_ms = INT64_MAX;

    if (k->left.count > 0) {
        next_ms = j->at_end ? tw_kept_ring_at(&k->left, 0)->kept.time_ms + j->left_ms
                            : newest_of(&k->left) + j->left_ms;
    }
    if (k->right.count > 0 && newest_of(&k->right) + j->right_ms < next_ms) {
        next_ms = newest_of(&k->right) + j->right_ms;
    }
    return next_ms < INT64_MAX ? next_ms : k->open_until_ms;
}

void join_key_settle(join *j, uint32_t number)
{
    join_key *k = join_key_at(j, number);
    int64_t next_ms = key_next(j, k);
    bool waits = k->left.count > 0 || k->right.count > 0;

    if (!waits && next_ms < later(j->clock_ms, INT64_MIN + 1)) {
        key_remove(j, number);
    } else if (next_ms < k->timer.deadline_ms) {
        tw_timers_set(j->wheel, number, next_ms);
    }
}

/* What has waited long enough and is not told goes. */
static void trim(join *j, join_key *k, int64_t clock_ms)
{
    if (clock_ms == TW_TIME_NONE) {
        return;
    }
    if (k->right.count > 0) {
        give_front(j, &k->right, tw_kept_ring_from(&k->right, clock_ms - j->right_ms));
    }
    if (k->left.count > 0 && !j->at_end) {
        give_front(j, &k->left, tw_kept_ring_from(&k->left, clock_ms - j->left_ms));
    }
}

static void close_until(join *j, uint32_t number, int64_t due_ms)
{
    join_key *k = join_key_at(j, number);
    uint32_t count = tw_kept_ring_after(&k->left, due_ms - j->left_ms);

    for (uint32_t n = 0; n < count; n++) {
        join_close(j, number, tw_kept_ring_at(&k->left, n));
    }
    give_front(j, &k->left, count);
}

static void join_advance(tw_detector *base, int64_t clock_ms)
{
    join *j = (join *)base;
    int64_t due_ms;

    for (;;) {
        uint32_t number = tw_timers_pop(j->wheel, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            break;
        }
        if (j->at_end) {
            close_until(j, number, due_ms);
        }
        trim(j, join_key_at(j, number), clock_ms);
        tw_keyed_mark(j->keys, number);
        j->clock_ms = later(j->clock_ms, due_ms + 1);
        join_key_settle(j, number);
    }
    j->clock_ms = later(j->clock_ms, clock_ms);
}

static int64_t join_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const join *)base)->wheel);
}

/* ---- events ---- */

static void make_place(join *j, int64_t now_ms)
{
    while (tw_keyed_count(j->keys) > 0 && tw_keyed_count(j->keys) >= j->rule->max_keys) {
        uint32_t number = tw_keyed_oldest(j->keys, offsetof(join_key, newest_ms));
        if (join_key_at(j, number)->open_until_ms > now_ms) {
            tw_occurrence gone = {.kind = TW_SIGNAL_RESOLVE,
                                  .key = tw_keyed_key(j->keys, number),
                                  .at_ms = now_ms,
                                  .start_ms = TW_TIME_NONE,
                                  .stop_ms = TW_TIME_NONE,
                                  .reason = "evicted"};
            tw_occurrence_tell(j->rule, &j->env, &gone);
        }
        key_remove(j, number);
        if (j->env.evicted) {
            tw_count_own(j->env.evicted, 1);
        }
    }
}

/* Puts the event on a side. Of a side that is full the oldest goes, and may be this one. Returns its
 * place, or UINT32_MAX. */
static uint32_t put(join *j, tw_kept_ring *side, const join_now *now, tw_kept_item *item)
{
    if (side->count >= j->plan->max) {
        if (j->env.dropped) {
            tw_count_own(j->env.dropped, 1);
        }
        if (now->time_ms < tw_kept_ring_at(side, 0)->kept.time_ms) {
            join_give_left(j, item);
            return UINT32_MAX;
        }
        give_front(j, side, side->count - j->plan->max + 1);
    }
    return tw_kept_ring_add(side, j->slab, item);
}

/* The clock has not passed the time by more than that. */
static bool in_time(const join *j, int64_t time_ms, int64_t wait_ms)
{
    return j->clock_ms == TW_TIME_NONE || time_ms >= j->clock_ms - wait_ms;
}

/* With lateness a left event of the same time has been there before: none that is still to come reaches
 * back to a right one. */
static bool right_waits(const join *j, int64_t time_ms)
{
    const tw_join_plan *plan = j->plan;

    if (j->rule->lateness_ms > 0 && j->right_ms == 0 && plan->left != plan->right) {
        return false;
    }
    return in_time(j, time_ms, j->right_ms);
}

static void take_left(join *j, join_now *now, bool is_right)
{
    join_key *k = join_key_at(j, now->number);
    tw_kept_item item = now->item;

    if (now->done || !in_time(j, now->time_ms, j->left_ms)) {
        return;
    }
    join_now_keep(j, now);
    item = now->item;
    if (is_right) { /* it stands on the other side, too */
        item.kept.fields = NULL;
        tw_kept_copy(&item.kept, j->slab, &now->item.kept);
    }
    now->item.more = NULL;
    if (!is_right) {
        now->item.kept = (tw_kept){0};
    }
    uint32_t place = put(j, &k->left, now, &item);
    if (j->plan->need_left > 1 && place != UINT32_MAX) {
        join_complete_groups(j, now, true, place);
    }
}

static void take_right(join *j, join_now *now)
{
    join_key *k = join_key_at(j, now->number);

    if (!right_waits(j, now->time_ms)) {
        return;
    }
    join_now_keep(j, now);
    tw_kept_item item = {.kept = now->item.kept};
    now->item.kept = (tw_kept){0};
    if (put(j, &k->right, now, &item) != UINT32_MAX && j->plan->need_left > 1) {
        join_complete_groups(j, now, false, 0);
    }
}

static bool is_late(const join *j, bool is_left, bool is_right, int64_t time_ms)
{
    int64_t span_ms = j->plan->before_ms + j->plan->after_ms;
    bool left = is_left && in_time(j, time_ms, j->at_end ? j->left_ms : span_ms);

    return !left && !(is_right && in_time(j, time_ms, span_ms));
}

static void join_event(tw_detector *base, const tw_key *key, uint32_t input,
                       const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    join *j = (join *)base;
    const tw_join_plan *plan = j->plan;
    bool is_left = input == plan->left, is_right = input == plan->right;
    join_now now = {.ev = ev, .input = input, .time_ms = time_ms};

    j->clock_ms = later(j->clock_ms, clock_ms);
    if (!is_left && !is_right) {
        return;
    }
    if (is_late(j, is_left, is_right, time_ms)) {
        tw_count_own(j->env.late, 1);
        return;
    }
    now.number = tw_keyed_find(j->keys, key);
    if (now.number == TW_KEYED_NONE) {
        if (!is_left && !right_waits(j, time_ms)) {
            return;
        }
        make_place(j, later(time_ms, j->clock_ms));
        join_key_take(j, key, time_ms, &now.number);
    }
    join_key *k = join_key_at(j, now.number);
    k->newest_ms = later(k->newest_ms, time_ms);
    tw_keyed_touch(j->keys, now.number);
    tw_keyed_mark(j->keys, now.number);
    trim(j, k, j->clock_ms);
    bool closed = j->at_end && !in_time(j, time_ms, j->left_ms);
    if (is_left && plan->need_left == 1 && !closed) {
        join_meet_rights(j, &now);
    }
    if (is_right && plan->need_left == 1) {
        join_meet_lefts(j, &now);
    }
    if (is_left) {
        take_left(j, &now, is_right);
    }
    if (is_right) {
        take_right(j, &now);
    }
    join_give_left(j, &now.item);
    join_key_settle(j, now.number);
}

static uint64_t join_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const join *)base)->keys);
}

const tw_detector_class tw_join_class = {
    .name = "join",
    .new = join_new,
    .free = join_free,
    .event = join_event,
    .advance = join_advance,
    .next_deadline = join_next_deadline,
    .fate = join_fate,
    .adopt = join_adopt,
    .save = join_save,
    .load = join_load,
    .key_count = join_key_count,
};

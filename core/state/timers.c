// SPDX-License-Identifier: Apache-2.0
/* The timing wheel. One lane's thread; owns the slots and the heap of what is due.
 *
 * Invariant: an armed timer with a deadline before `base` is in the heap; any other is in
 * the slot that (deadline xor base) names: level = highest differing digit of 6 bits, slot
 * = that digit of the deadline. Advancing base into a slot re-hangs what is in it, so the
 * place of a timer can always be computed and need not be stored.
 *
 * A heap item whose timer was moved or cancelled meanwhile stays behind and is recognised
 * by a deadline that is not its timer's any more. */
#include "state/timers.h"

#include <string.h>

#include "base/mem.h"

enum {
    DIGIT_BITS = 6,
    DIGITS = 11,
    SLOTS = 64,
    NONE_LINK = 0,
    DUE_LINK = UINT32_MAX - 1
};

typedef struct due_item {
    uint64_t at;        /* biased deadline */
    uint64_t prefix[2]; /* first key bytes as numbers, to compare without touching keys */
    uint32_t number;
} due_item;

struct tw_timers {
    tw_keyed *keys;
    uint32_t offset;
    uint64_t base;   /* biased; everything before it has been drained */
    uint32_t levels; /* bit l: level l has timers */
    uint64_t occupied[DIGITS];
    uint32_t heads[DIGITS][SLOTS]; /* number + 1; 0 empty */
    due_item *due;                 /* binary heap */
    uint32_t due_count, due_room;
};

static inline tw_timer *timer_at(const tw_timers *t, uint32_t number)
{
    return (tw_timer *)((char *)tw_keyed_at(t->keys, number) + t->offset);
}

/* Signed time as an unsigned number of the same order. */
static inline uint64_t biased(int64_t ms)
{
    return (uint64_t)ms ^ (1ull << 63);
}

static inline int64_t unbiased(uint64_t at)
{
    return (int64_t)(at ^ (1ull << 63));
}

static inline uint32_t level_of(const tw_timers *t, uint64_t at)
{
    uint64_t differing = at ^ t->base;

    return differing == 0 ? 0 : (63u - (uint32_t)__builtin_clzll(differing)) / DIGIT_BITS;
}

static inline uint32_t digit_of(uint64_t at, uint32_t level)
{
    return (uint32_t)(at >> (level * DIGIT_BITS)) & (SLOTS - 1);
}

/* ---- slots ---- */

static void slot_link(tw_timers *t, uint32_t number, tw_timer *timer, uint64_t at)
{
    uint32_t level = level_of(t, at);
    uint32_t slot = digit_of(at, level);
    uint32_t first = t->heads[level][slot];

    timer->prev = NONE_LINK;
    timer->next = first;
    if (first != NONE_LINK) {
        timer_at(t, first - 1)->prev = number + 1;
    }
    t->heads[level][slot] = number + 1;
    t->occupied[level] |= 1ull << slot;
    t->levels |= 1u << level;
}

static void slot_cleared(tw_timers *t, uint32_t level, uint32_t slot)
{
    t->occupied[level] &= ~(1ull << slot);
    if (t->occupied[level] == 0) {
        t->levels &= ~(1u << level);
    }
}

static void slot_unlink(tw_timers *t, tw_timer *timer)
{
    if (timer->next != NONE_LINK) {
        timer_at(t, timer->next - 1)->prev = timer->prev;
    }
    if (timer->prev != NONE_LINK) {
        timer_at(t, timer->prev - 1)->next = timer->next;
        return;
    }
    uint64_t at = biased(timer->deadline_ms);
    uint32_t level = level_of(t, at);
    uint32_t slot = digit_of(at, level);
    t->heads[level][slot] = timer->next;
    if (timer->next == NONE_LINK) {
        slot_cleared(t, level, slot);
    }
}

/* Takes the list of a slot out of the wheel. */
static uint32_t slot_take(tw_timers *t, uint32_t level, uint32_t slot)
{
    uint32_t first = t->heads[level][slot];

    t->heads[level][slot] = NONE_LINK;
    slot_cleared(t, level, slot);
    return first;
}

static void slot_rehang(tw_timers *t, uint32_t level, uint32_t slot)
{
    for (uint32_t link = slot_take(t, level, slot); link != NONE_LINK;) {
        uint32_t number = link - 1;
        tw_timer *timer = timer_at(t, number);
        link = timer->next;
        slot_link(t, number, timer, biased(timer->deadline_ms));
    }
}

/* ---- the heap of what is due ---- */

static due_item item_of(const tw_timers *t, uint32_t number, uint64_t at)
{
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(t->keys, number, &len);
    uint8_t start[16] = {0};
    due_item item = {.at = at, .number = number};

    if (len > 0) {
        memcpy(start, bytes, len < sizeof start ? len : sizeof start);
    }
    for (int n = 0; n < 16; n++) {
        item.prefix[n / 8] = item.prefix[n / 8] << 8 | start[n];
    }
    return item;
}

static bool item_before(const tw_timers *t, const due_item *a, const due_item *b)
{
    if (a->at != b->at) {
        return a->at < b->at;
    }
    if (a->prefix[0] != b->prefix[0]) {
        return a->prefix[0] < b->prefix[0];
    }
    if (a->prefix[1] != b->prefix[1]) {
        return a->prefix[1] < b->prefix[1];
    }
    return tw_keyed_compare(t->keys, a->number, b->number) < 0;
}

static void due_sink(tw_timers *t, uint32_t at, due_item item)
{
    for (uint32_t child; (child = 2 * at + 1) < t->due_count; at = child) {
        if (child + 1 < t->due_count &&
            item_before(t, &t->due[child + 1], &t->due[child])) {
            child++;
        }
        if (!item_before(t, &t->due[child], &item)) {
            break;
        }
        t->due[at] = t->due[child];
    }
    t->due[at] = item;
}

static void due_append(tw_timers *t, due_item item)
{
    if (t->due_count == t->due_room) {
        t->due_room = t->due_room > 0 ? t->due_room * 2 : 16;
        t->due = tw_realloc(t->due, t->due_room * sizeof *t->due);
    }
    t->due[t->due_count++] = item;
}

static void due_push(tw_timers *t, uint32_t number, tw_timer *timer, uint64_t when)
{
    due_item item = item_of(t, number, when);
    uint32_t at = t->due_count;

    timer->prev = DUE_LINK;
    due_append(t, item);
    for (; at > 0 && item_before(t, &item, &t->due[(at - 1) / 2]); at = (at - 1) / 2) {
        t->due[at] = t->due[(at - 1) / 2];
    }
    t->due[at] = item;
}

static void due_drop_first(tw_timers *t)
{
    due_item last = t->due[--t->due_count];

    if (t->due_count > 0) {
        due_sink(t, 0, last);
    }
}

/* The first item whose timer still means it; those in front of it go. */
static bool due_settle(tw_timers *t)
{
    while (t->due_count > 0) {
        const due_item *first = &t->due[0];
        tw_timer *timer = timer_at(t, first->number);
        if (timer->prev == DUE_LINK && biased(timer->deadline_ms) == first->at) {
            return true;
        }
        due_drop_first(t);
    }
    return false;
}

/* ---- the wheel's time ---- */

/* Base has reached a time whose lowest digits may be zero: it stands in new slots of the
 * higher levels, and what hangs there belongs further down now. */
static void wheel_enter(tw_timers *t, uint64_t base)
{
    t->base = base;
    for (uint32_t level = 1; level < DIGITS; level++) {
        if (digit_of(base, level - 1) != 0) {
            break;
        }
        uint32_t slot = digit_of(base, level);
        if (t->occupied[level] >> slot & 1) {
            slot_rehang(t, level, slot);
        }
    }
}

/* A slot of single milliseconds falls due. */
static void wheel_drain(tw_timers *t, uint32_t slot, uint64_t at)
{
    for (uint32_t link = slot_take(t, 0, slot); link != NONE_LINK;) {
        tw_timer *timer = timer_at(t, link - 1);
        uint32_t number = link - 1;
        link = timer->next;
        timer->prev = DUE_LINK;
        due_append(t, item_of(t, number, at));
    }
    for (uint32_t n = t->due_count / 2; n-- > 0;) {
        due_sink(t, n, t->due[n]);
    }
    wheel_enter(t, at + 1);
}

/* Start of the earliest occupied slot. Levels hold later and later times, so it is the
 * lowest slot of the lowest level. */
static uint64_t slot_start(const tw_timers *t, uint32_t *out_level, uint32_t *out_slot)
{
    uint32_t level = (uint32_t)__builtin_ctz(t->levels);
    uint32_t slot = (uint32_t)__builtin_ctzll(t->occupied[level]);
    uint32_t shift = level * DIGIT_BITS;
    uint64_t above = shift + DIGIT_BITS < 64 ? t->base >> (shift + DIGIT_BITS) : 0;

    *out_level = level;
    *out_slot = slot;
    return (above << DIGIT_BITS | slot) << shift;
}

/* Turns until something is due or the time comes; true when something is due. */
static bool wheel_turn(tw_timers *t, uint64_t before)
{
    while (t->levels != 0) {
        uint32_t level, slot;
        uint64_t start = slot_start(t, &level, &slot);
        if (start >= before) {
            /* Just short of the slot, so that it is entered with its re-hanging. */
            uint64_t base = level > 0 && start == before ? start - 1 : before;
            t->base = base > t->base ? base : t->base;
            return false;
        }
        if (level == 0) {
            wheel_drain(t, slot, start);
            return true;
        }
        t->base = start;
        slot_rehang(t, level, slot);
    }
    t->base = before > t->base ? before : t->base;
    return false;
}

/* ---- the public functions ---- */

tw_timers *tw_timers_new(tw_keyed *keys, uint32_t offset)
{
    tw_timers *t = tw_alloc(sizeof *t);

    t->keys = keys;
    t->offset = offset;
    t->base = biased(0);
    return t;
}

void tw_timers_free(tw_timers *t)
{
    if (t) {
        tw_free(t->due);
        tw_free(t);
    }
}

void tw_timers_set(tw_timers *t, uint32_t number, int64_t deadline_ms)
{
    tw_timer *timer = timer_at(t, number);

    if (timer->deadline_ms == deadline_ms) {
        return;
    }
    if (timer->deadline_ms != TW_TIMER_OFF && timer->prev != DUE_LINK) {
        slot_unlink(t, timer);
    }
    timer->deadline_ms = deadline_ms;
    timer->prev = NONE_LINK;
    if (deadline_ms == TW_TIMER_OFF) {
        return;
    }
    uint64_t at = biased(deadline_ms);
    if (at < t->base) {
        due_push(t, number, timer, at);
    } else {
        slot_link(t, number, timer, at);
    }
}

uint32_t tw_timers_pop(tw_timers *t, int64_t before_ms, int64_t *out_deadline_ms)
{
    uint64_t before = biased(before_ms);

    while (due_settle(t) || wheel_turn(t, before)) {
        due_item first = t->due[0];
        if (first.at >= before) {
            return TW_KEYED_NONE;
        }
        due_drop_first(t);
        tw_timer_init(timer_at(t, first.number));
        *out_deadline_ms = unbiased(first.at);
        return first.number;
    }
    return TW_KEYED_NONE;
}

int64_t tw_timers_next(const tw_timers *t)
{
    uint32_t level, slot;

    if (t->due_count > 0) {
        return unbiased(t->due[0].at);
    }
    return t->levels != 0 ? unbiased(slot_start(t, &level, &slot)) : INT64_MAX;
}

// SPDX-License-Identifier: Apache-2.0
/* The timing wheel. One lane's thread; owns the slots and the heap of what is due (due.h).
 *
 * Invariants: an armed timer whose noted_ms is a time has a note of it, in the slot that (time xor
 * base) names: level = highest differing digit of 6 bits, slot = that digit of the time; noted_ms is
 * never later than deadline_ms. One whose noted_ms is DUE has an item in the heap. All other notes and
 * items are stale: their time is not what the timer says. Advancing base into a slot
 * re-files its notes, so the place of a note can always be computed. */
#include "state/timers.h"

#include <string.h>

#include "base/mem.h"
#include "state/due.h"

enum {
    DIGIT_BITS = 6,
    DIGITS = 11,
    SLOTS = 64,
    NOTES = 60,          /* of a chunk: 500 bytes */
    CHUNKS_AT_ONCE = 32, /* after the first few; most rules have few keys */
    NARROW = 5,          /* levels up to here span less than 32 bits of milliseconds */
    STALE_ALLOWED = 1024 /* beyond twice the entries */
};

#define DUE INT64_MIN

/* time: its lower half; the slot knows the rest, or beyond NARROW the timer. */
typedef struct note {
    uint32_t number, time;
} note;

typedef struct chunk {
    struct chunk *next;
    uint32_t count;
    note notes[NOTES];
} chunk;

/* Filled at `last`, taken from `first`. */
typedef struct slot_list {
    chunk *first, *last;
} slot_list;

/* Where sweeping stands. */
typedef struct sweep {
    uint32_t level, slot;
    uint32_t chunks; /* of that slot that are still to be looked at */
} sweep;

struct tw_timers {
    tw_keyed *keys;
    uint32_t offset;
    uint64_t base;   /* biased; everything before it has been drained */
    uint32_t levels; /* bit l: level l has notes */
    uint64_t occupied[DIGITS];
    slot_list slots[DIGITS][SLOTS];
    uint64_t note_count;
    sweep sweep;
    chunk *spare;
    void **blocks; /* of chunks */
    uint32_t block_count;
    tw_due due;
    int64_t next_ms; /* what tw_timers_next says: asked at every event, changed at few */
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

static chunk *chunk_take(tw_timers *t)
{
    if (!t->spare) {
        int count = t->block_count < 5 ? 1 << t->block_count : CHUNKS_AT_ONCE;
        chunk *block = tw_calloc((size_t)count, sizeof *block);
        t->blocks = tw_realloc(t->blocks, (t->block_count + 1) * sizeof *t->blocks);
        t->blocks[t->block_count++] = block;
        for (int n = 0; n < count; n++) {
            block[n].next = t->spare;
            t->spare = &block[n];
        }
    }
    chunk *c = t->spare;
    t->spare = c->next;
    c->next = NULL;
    c->count = 0;
    return c;
}

static void chunk_give(tw_timers *t, chunk *c)
{
    c->next = t->spare;
    t->spare = c;
}

static void slot_note(tw_timers *t, uint32_t number, uint64_t at)
{
    uint32_t level = level_of(t, at);
    uint32_t slot = digit_of(at, level);
    slot_list *list = &t->slots[level][slot];

    if (!list->last || list->last->count == NOTES) {
        chunk *c = chunk_take(t);
        *(list->last ? &list->last->next : &list->first) = c;
        list->last = c;
    }
    list->last->notes[list->last->count++] = (note){number, (uint32_t)at};
    t->note_count++;
    t->occupied[level] |= 1ull << slot;
    t->levels |= 1u << level;
}

/* Takes the list of a slot out of the wheel. */
static chunk *slot_take(tw_timers *t, uint32_t level, uint32_t slot)
{
    chunk *first = t->slots[level][slot].first;

    t->slots[level][slot] = (slot_list){0};
    t->occupied[level] &= ~(1ull << slot);
    if (t->occupied[level] == 0) {
        t->levels &= ~(1u << level);
    }
    return first;
}

/* When the slot begins, given that base is not behind it. */
static uint64_t slot_start(const tw_timers *t, uint32_t level, uint32_t slot)
{
    uint32_t shift = level * DIGIT_BITS;
    uint64_t above = shift + DIGIT_BITS < 64 ? t->base >> (shift + DIGIT_BITS) : 0;

    return (above << DIGIT_BITS | slot) << shift;
}

/* The whole time of a note in a slot. False: its half of the time does not tell, and the timer does
 * not mean it. */
static bool note_time(const tw_timers *t, const note *n, uint32_t level, uint64_t start,
                      uint64_t *out_at)
{
    if (level <= NARROW) {
        *out_at = start + (uint32_t)(n->time - (uint32_t)start);
        return true;
    }
    *out_at = biased(timer_at(t, n->number)->noted_ms);
    return (uint32_t)*out_at == n->time &&
           *out_at >> (level * DIGIT_BITS) == start >> (level * DIGIT_BITS);
}

/* Base stands in this slot: what is in it belongs further down. What comes to single milliseconds
 * will be wanted soon. */
static void slot_refile(tw_timers *t, uint32_t level, uint32_t slot)
{
    uint64_t start = slot_start(t, level, slot), at;

    for (chunk *c = slot_take(t, level, slot), *next; c; c = next) {
        next = c->next;
        t->note_count -= c->count;
        for (uint32_t n = 0; n < c->count; n++) {
            if (level == 1) {
                __builtin_prefetch(timer_at(t, c->notes[n].number));
            }
            if (note_time(t, &c->notes[n], level, start, &at)) {
                slot_note(t, c->notes[n].number, at);
            }
        }
        chunk_give(t, c);
    }
}

/* ---- sweeping ---- */

static void sweep_next_slot(tw_timers *t)
{
    sweep *s = &t->sweep;

    s->slot = (s->slot + 1) % SLOTS;
    if (s->slot == 0) {
        s->level = (s->level + 1) % DIGITS;
    }
    s->chunks = 0;
    for (chunk *c = t->slots[s->level][s->slot].first; c; c = c->next) {
        s->chunks++;
    }
}

/* Looks at the notes of one chunk; those that are meant go behind the last of their slot. */
static void sweep_chunk(tw_timers *t)
{
    sweep *s = &t->sweep;
    slot_list *list = &t->slots[s->level][s->slot];
    uint64_t start = slot_start(t, s->level, s->slot), at;
    chunk *c = list->first;

    s->chunks--;
    list->first = c->next;
    list->last = c->next ? list->last : NULL;
    for (uint32_t n = 0; n < c->count; n++) {
        __builtin_prefetch(timer_at(t, c->notes[n].number));
    }
    t->note_count -= c->count;
    for (uint32_t n = 0; n < c->count; n++) {
        const note *it = &c->notes[n];
        if (note_time(t, it, s->level, start, &at) &&
            biased(timer_at(t, it->number)->noted_ms) == at) {
            slot_note(t, it->number, at);
        }
    }
    chunk_give(t, c);
    if (!list->first) {
        slot_take(t, s->level, s->slot);
        s->chunks = 0;
    }
}

/* A step whenever there are too many notes, so that no single call takes long. */
static void sweep_some(tw_timers *t)
{
    if (t->note_count <= 2ull * tw_keyed_count(t->keys) + STALE_ALLOWED) {
        return;
    }
    for (uint32_t n = 0; n < SLOTS && t->sweep.chunks == 0; n++) {
        sweep_next_slot(t);
    }
    if (t->sweep.chunks > 0 && t->slots[t->sweep.level][t->sweep.slot].first) {
        sweep_chunk(t);
    } else {
        t->sweep.chunks = 0;
    }
}

/* ---- what is due ---- */

/* The first item whose timer still means it; those in front of it go. */
static bool due_settle(tw_timers *t)
{
    while (t->due.count > 0) {
        const tw_due_item *first = &t->due.items[0];
        const tw_timer *timer = timer_at(t, first->number);
        if (timer->noted_ms == DUE && biased(timer->deadline_ms) == first->at) {
            return true;
        }
        tw_due_drop(&t->due);
    }
    return false;
}

/* ---- the wheel's time ---- */

/* Base has reached a time whose lowest digits may be zero: it stands in new slots of the
 * higher levels, and what is noted there belongs further down now. */
static void wheel_enter(tw_timers *t, uint64_t base)
{
    t->base = base;
    for (uint32_t level = 1; level < DIGITS; level++) {
        if (digit_of(base, level - 1) != 0) {
            break;
        }
        uint32_t slot = digit_of(base, level);
        if (t->occupied[level] >> slot & 1) {
            slot_refile(t, level, slot);
        }
    }
}

/* Writes down when the timer has to be looked at. */
static void timer_note(tw_timers *t, uint32_t number, tw_timer *timer)
{
    uint64_t at = biased(timer->deadline_ms);

    if (at < t->base) {
        timer->noted_ms = DUE;
        tw_due_push(&t->due, number, at);
    } else {
        timer->noted_ms = timer->deadline_ms;
        slot_note(t, number, at);
    }
}

/* A note's time has come: its timer is due, or was moved on, or means another note. */
static void note_due(tw_timers *t, uint32_t number, uint64_t at)
{
    tw_timer *timer = timer_at(t, number);

    if (biased(timer->noted_ms) != at) {
        return;
    }
    if (biased(timer->deadline_ms) == at) {
        timer->noted_ms = DUE;
        tw_due_append(&t->due, number, at);
        return;
    }
    timer->noted_ms = TW_TIMER_OFF;
    if (timer->deadline_ms != TW_TIMER_OFF) {
        timer_note(t, number, timer);
    }
}

/* A slot of single milliseconds falls due. */
static void wheel_drain(tw_timers *t, uint32_t slot, uint64_t at)
{
    for (chunk *c = slot_take(t, 0, slot), *next; c; c = next) {
        next = c->next;
        t->note_count -= c->count;
        for (uint32_t n = 0; n < c->count; n++) {
            note_due(t, c->notes[n].number, at);
        }
        chunk_give(t, c);
    }
    tw_due_order(&t->due);
    wheel_enter(t, at + 1);
}

/* Start of the earliest occupied slot. Levels hold later and later times, so it is the
 * lowest slot of the lowest level. */
static uint64_t earliest_slot(const tw_timers *t, uint32_t *out_level, uint32_t *out_slot)
{
    *out_level = (uint32_t)__builtin_ctz(t->levels);
    *out_slot = (uint32_t)__builtin_ctzll(t->occupied[*out_level]);
    return slot_start(t, *out_level, *out_slot);
}

/* Turns until something is due or the time comes; true when something is due. */
static bool wheel_turn(tw_timers *t, uint64_t before)
{
    while (t->levels != 0) {
        uint32_t level, slot;
        uint64_t start = earliest_slot(t, &level, &slot);
        if (start >= before) {
            /* Just short of the slot, so that it is entered with its re-filing. */
            uint64_t base = level > 0 && start == before ? start - 1 : before;
            t->base = base > t->base ? base : t->base;
            return false;
        }
        if (level == 0) {
            wheel_drain(t, slot, start);
            return true;
        }
        t->base = start;
        slot_refile(t, level, slot);
    }
    t->base = before > t->base ? before : t->base;
    return false;
}

static int64_t earliest(const tw_timers *t)
{
    uint32_t level, slot;

    if (t->due.count > 0) {
        return unbiased(t->due.items[0].at);
    }
    return t->levels != 0 ? unbiased(earliest_slot(t, &level, &slot)) : INT64_MAX;
}

/* ---- the public functions ---- */

tw_timers *tw_timers_new(tw_keyed *keys, uint32_t offset)
{
    tw_timers *t = tw_alloc(sizeof *t);

    t->keys = keys;
    t->due.keys = keys;
    t->offset = offset;
    t->base = biased(0);
    t->next_ms = INT64_MAX;
    return t;
}

void tw_timers_free(tw_timers *t)
{
    if (!t) {
        return;
    }
    for (uint32_t n = 0; n < t->block_count; n++) {
        tw_free(t->blocks[n]);
    }
    tw_free(t->blocks);
    tw_due_done(&t->due);
    tw_free(t);
}

void tw_timers_set(tw_timers *t, uint32_t number, int64_t deadline_ms)
{
    tw_timer *timer = timer_at(t, number);

    if (timer->deadline_ms == deadline_ms) {
        return;
    }
    timer->deadline_ms = deadline_ms;
    if (timer->noted_ms == DUE) {
        timer->noted_ms = TW_TIMER_OFF; /* its item is stale from now on */
    }
    if (deadline_ms < timer->noted_ms) {
        timer_note(t, number, timer);
        sweep_some(t);
        t->next_ms = earliest(t);
    }
}

static uint32_t pop(tw_timers *t, int64_t before_ms, int64_t *out_deadline_ms)
{
    uint64_t before = biased(before_ms);

    while (!due_settle(t)) {
        if (!wheel_turn(t, before)) {
            return TW_KEYED_NONE;
        }
    }
    tw_due_item first = t->due.items[0];
    if (first.at >= before) {
        return TW_KEYED_NONE;
    }
    tw_due_drop(&t->due);
    tw_timer_init(timer_at(t, first.number));
    *out_deadline_ms = unbiased(first.at);
    return first.number;
}

uint32_t tw_timers_pop(tw_timers *t, int64_t before_ms, int64_t *out_deadline_ms)
{
    uint32_t number = pop(t, before_ms, out_deadline_ms);

    t->next_ms = earliest(t);
    return number;
}

int64_t tw_timers_next(const tw_timers *t)
{
    return t->next_ms;
}

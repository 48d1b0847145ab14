// SPDX-License-Identifier: Apache-2.0
/* Deadlines of keyed entries, in event-time milliseconds: one timer an entry, embedded in
 * it, with the earliest thing the entry waits for.
 *
 * A hierarchical timing wheel (Varghese and Lauck, 1987) of 11 levels of 64 slots, with the
 * level chosen by the highest digit in which a deadline differs from the wheel's time, and
 * a bitmap a level, so that any 64-bit time has a place and empty time costs nothing
 * however long it is. What falls due in one millisecond leaves in order of key bytes (a small
 * heap), so the outcome is the same on every run.
 *
 * A slot is a list of notes, eight bytes each: number and time. Arming writes a note behind the last
 * one and touches no other entry; moving to a later time or cancelling writes nothing, the note
 * finds out when its time comes. With a million timers that is one cache miss instead of eight. Notes
 * that nobody means any more are swept, some at each arming, before they outnumber the entries.
 *
 * Thread: its lane's. Owns nothing of the table. */
#ifndef TW_STATE_TIMERS_H
#define TW_STATE_TIMERS_H

#include "state/keyed.h"

#define TW_TIMER_OFF INT64_MAX

/* Lives in the entry. Whoever adds the entry calls tw_timer_init on it. */
typedef struct tw_timer {
    int64_t deadline_ms; /* TW_TIMER_OFF: not armed */
    int64_t noted_ms;    /* time of the note that counts; the wheel's own */
} tw_timer;

static inline void tw_timer_init(tw_timer *t)
{
    *t = (tw_timer){.deadline_ms = TW_TIMER_OFF, .noted_ms = TW_TIMER_OFF};
}

typedef struct tw_timers tw_timers;

/* offset: of the tw_timer within the caller's part of an entry. The table is borrowed. */
tw_timers *tw_timers_new(tw_keyed *keys, uint32_t offset);
void tw_timers_free(tw_timers *t);

/* Arms or moves. TW_TIMER_OFF cancels; so must the owner before it removes the entry. O(1). */
void tw_timers_set(tw_timers *t, uint32_t number, int64_t deadline_ms);

/* Takes the next timer with a deadline < before_ms, in order of (deadline, key bytes), and
 * disarms it. Returns its entry's number, or TW_KEYED_NONE. A timer set while others of its
 * own millisecond leave takes its place among those that are left. */
uint32_t tw_timers_pop(tw_timers *t, int64_t before_ms, int64_t *out_deadline_ms);

/* Not later than the earliest deadline; INT64_MAX when there is none. A few instructions. */
int64_t tw_timers_next(const tw_timers *t);

#endif

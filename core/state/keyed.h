// SPDX-License-Identifier: Apache-2.0
/* A keyed table: the state of one operator on one lane. Key bytes lead to an entry of a size
 * the caller chooses, known by a 32-bit number that stays the same while the key lives.
 *
 *     hash -> directory -> segment of slots {hash, number} -> page of entries
 *
 * The index is extendible hashing (Fagin and others, 1979): a full segment splits in two and
 * only the directory doubles, so growing to any size never stops the lane for longer than
 * one segment takes to move (4,096 slots, some 20 us; now and then a chunk of fresh memory,
 * some 100 us). Within a segment: linear probing, backward shift on removal (Knuth 6.4,
 * algorithm R). Short keys live in their entry.
 *
 * What `max_keys` lets go is found as a clock finds a page to give up (Corbato, 1968): a hand
 * goes round over bits that a touch sets and the hand clears, and of the next few that are
 * clear the oldest by its own time goes. A list in exact order would cost two cache misses
 * more at each event and 8 bytes a key, to tell apart keys that are all old. A dirty mark
 * says which entries changed since it was last cleared.
 *
 * Thread: its lane's only. Pointers to entries and key bytes are good until the next
 * tw_keyed_add or tw_keyed_remove; numbers are what one keeps. */
#ifndef TW_STATE_KEYED_H
#define TW_STATE_KEYED_H

#include "flow/key.h"

#define TW_KEYED_NONE UINT32_MAX

typedef struct tw_keyed tw_keyed;

tw_keyed *tw_keyed_new(uint32_t entry_bytes);
void tw_keyed_free(tw_keyed *k);

/* The number of a key's entry, TW_KEYED_NONE when there is none. */
uint32_t tw_keyed_find(const tw_keyed *k, const tw_key *key);
/* Adds a key that is not there; its entry is zeroed, the most recent and dirty. */
uint32_t tw_keyed_add(tw_keyed *k, const tw_key *key);
void tw_keyed_remove(tw_keyed *k, uint32_t number);

void *tw_keyed_at(const tw_keyed *k, uint32_t number);
/* Borrowed bytes, no hash and no group (tw_keyed_key computes them). */
const uint8_t *tw_keyed_bytes(const tw_keyed *k, uint32_t number, uint32_t *out_len);
tw_key tw_keyed_key(const tw_keyed *k, uint32_t number);
/* Order of key bytes, a prefix before what it begins: <0, 0, >0. */
int tw_keyed_compare(const tw_keyed *k, uint32_t a, uint32_t b);

uint32_t tw_keyed_count(const tw_keyed *k);
/* Every entry once, in no order anybody may rely on: NONE starts and ends the walk. The
 * entry just given may be removed. */
uint32_t tw_keyed_next(const tw_keyed *k, uint32_t number);

/* Recency. oldest: of some that were not touched for long, the one whose entry has the least
 * int64_t at time_offset; NONE when the table is empty. */
void tw_keyed_touch(tw_keyed *k, uint32_t number);
uint32_t tw_keyed_oldest(tw_keyed *k, uint32_t time_offset);

/* Dirty marks; the walk is like tw_keyed_next over dirty entries alone. */
void tw_keyed_mark(tw_keyed *k, uint32_t number);
uint32_t tw_keyed_next_dirty(const tw_keyed *k, uint32_t number);
void tw_keyed_clean(tw_keyed *k, uint32_t number);

/* Hints for a batch: some events ahead the slot, a few events ahead the entry, which the table then takes for the one
 * that is looked for next. Harmless for a key that is not there. */
void tw_keyed_prefetch(const tw_keyed *k, uint64_t hash);
void tw_keyed_prefetch_entry(tw_keyed *k, uint64_t hash);
/* What was found by that, when it was the last: an entry, likely the one of the key with this hash. NONE: nothing. */
uint32_t tw_keyed_guess(const tw_keyed *k, uint64_t hash);

/* Resident bytes of index, pages and long keys. */
size_t tw_keyed_memory(const tw_keyed *k);

#endif

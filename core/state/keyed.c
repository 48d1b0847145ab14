// SPDX-License-Identifier: Apache-2.0
/* The keyed table. One lane's thread; owns its index, pages and long keys.
 *
 * Invariant: every live entry has exactly one slot, in the segment its hash's top bits name
 * and reachable from its home position without passing an empty slot. Segment sizes go 16,
 * 32, ... 4096, 6144, then a split into two of 4096 at three quarters of the load: with the
 * size in between, the index of a large table takes 10 to 21 bytes a key. */
#include "state/keyed.h"

#include <string.h>

#include "base/mem.h"
#include "base/same.h"
#include "state/keyed_impl.h"

/* The first page doubles until it is as large as all others. */
static void first_page_grow(tw_keyed *k)
{
    uint32_t entries = k->pages[0] ? k->first_entries * 2 : FIRST_ENTRIES;
    void *block = tw_realloc(NULL, (size_t)entries * k->stride + 64);
    uint8_t *memory = (uint8_t *)(((uintptr_t)block + 63) & ~(uintptr_t)63);

    if (k->pages[0]) {
        memcpy(memory, k->pages[0], (size_t)k->first_entries * k->stride);
    }
    tw_free(k->first_block);
    k->first_block = block;
    k->pages[0] = memory;
    k->first_entries = entries;
}

static void pages_grow(tw_keyed *k)
{
    if (k->page_count > 0 && k->first_entries < PAGE_ENTRIES) {
        first_page_grow(k);
        return;
    }
    if ((k->page_count & (k->page_count - 1)) == 0) {
        uint32_t room = k->page_count > 0 ? k->page_count * 2 : 1;
        k->pages = tw_realloc(k->pages, room * sizeof *k->pages);
        k->marks = tw_realloc(k->marks, room * sizeof *k->marks);
    }
    uint32_t number = k->page_count++;
    k->marks[number] = (page_marks){.dirty = {0}, .touched = {0}};
    k->pages[number] = NULL;
    if (number == 0) {
        first_page_grow(k);
    } else {
        k->pages[number] = tw_blocks_take(&k->blocks, (size_t)PAGE_ENTRIES * k->stride);
    }
}

static uint32_t number_take(tw_keyed *k)
{
    uint32_t number = k->vacant;

    if (number != TW_KEYED_NONE) {
        k->vacant = head_at(k, number)->next_vacant;
        return number;
    }
    if (k->end == (k->page_count > 1 ? k->page_count * PAGE_ENTRIES : k->first_entries) ||
        k->page_count == 0) {
        pages_grow(k);
    }
    return k->end++;
}

static void key_store(tw_keyed *k, head *h, const tw_key *key)
{
    if (key->len <= INLINE_BYTES) {
        h->tag = (uint8_t)key->len;
        if (key->len > 0) {
            memcpy(h->inline_key, key->data, key->len);
        }
        return;
    }
    h->long_tag = 0;
    h->tag = KEY_LONG;
    h->long_len = key->len;
    h->long_key = tw_realloc(NULL, key->len);
    memcpy(h->long_key, key->data, key->len);
    k->long_bytes += key->len + 16;
}

/* ---- the table ---- */

tw_keyed *tw_keyed_new(uint32_t entry_bytes)
{
    tw_keyed *k = tw_alloc(sizeof *k);

    k->stride = (uint32_t)(sizeof(head) + ((entry_bytes + 7) & ~7u));
    k->first_entries = FIRST_ENTRIES;
    k->vacant = TW_KEYED_NONE;
    k->guess = TW_KEYED_NONE;
    k->directory = tw_calloc(1, sizeof *k->directory);
    k->directory[0] = tw_keyed_segment_new(k, SEGMENT_FIRST, 0);
    return k;
}

void tw_keyed_free(tw_keyed *k)
{
    if (!k) {
        return;
    }
    for (uint32_t n = 0; n < k->end; n++) {
        head *h = head_at(k, n);
        if (h->tag == KEY_LONG) {
            tw_free(h->long_key);
        }
    }
    segment *last = NULL;
    for (uint32_t n = 0; n < 1u << k->depth; n++) {
        if (k->directory[n] != last) {
            last = k->directory[n];
            tw_keyed_segment_free(k, last);
        }
    }
    tw_blocks_done(&k->blocks);
    tw_free(k->first_block);
    tw_free(k->directory);
    tw_free(k->pages);
    tw_free(k->marks);
    tw_free(k);
}

static inline bool is_key_of(const tw_keyed *k, uint32_t number, const tw_key *key)
{
    head *h = head_at(k, number);
    uint32_t len;

    __builtin_prefetch((const char *)h + 64,
                       1); /* what the caller reads behind the key */
    const uint8_t *bytes = key_bytes(h, &len);
    return len == key->len && tw_same(bytes, key->data, len);
}

uint32_t tw_keyed_find(const tw_keyed *k, const tw_key *key)
{
    uint32_t hash = index_hash(key->hash);
    const segment *s = segment_of(k, hash);

    if (k->guess_hash == hash && k->guess != TW_KEYED_NONE &&
        is_key_of(k, k->guess, key)) {
        return k->guess;
    }
    for (uint32_t at = home_of(s, hash); s->slots[at].number != TW_KEYED_NONE;
         at = slot_after(s, at)) {
        if (s->slots[at].hash == hash && is_key_of(k, s->slots[at].number, key)) {
            return s->slots[at].number;
        }
    }
    return TW_KEYED_NONE;
}

uint32_t tw_keyed_add(tw_keyed *k, const tw_key *key)
{
    uint32_t number = number_take(k);
    head *h = head_at(k, number);

    memset(h, 0, k->stride);
    key_store(k, h, key);
    tw_keyed_touch(k, number);
    tw_keyed_index_add(k, index_hash(key->hash), number);
    tw_keyed_mark(k, number);
    k->count++;
    return number;
}

void tw_keyed_remove(tw_keyed *k, uint32_t number)
{
    head *h = head_at(k, number);
    tw_key key = tw_keyed_key(k, number);

    tw_keyed_index_remove(k, index_hash(key.hash), number);
    if (h->tag == KEY_LONG) {
        k->long_bytes -= h->long_len + 16;
        tw_free(h->long_key);
    }
    tw_keyed_clean(k, number);
    k->guess = k->guess == number ? TW_KEYED_NONE : k->guess;
    h->tag = KEY_VACANT;
    h->next_vacant = k->vacant;
    k->vacant = number;
    k->count--;
}

void *tw_keyed_at(const tw_keyed *k, uint32_t number)
{
    return head_at(k, number) + 1;
}

const uint8_t *tw_keyed_bytes(const tw_keyed *k, uint32_t number, uint32_t *out_len)
{
    head *h = head_at(k, number);

    if (h->tag == KEY_VACANT) { /* timers may still compare a key that has gone */
        *out_len = 0;
        return h->inline_key;
    }
    return key_bytes(h, out_len);
}

tw_key tw_keyed_key(const tw_keyed *k, uint32_t number)
{
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(k, number, &len);

    return tw_key_from_bytes(bytes, len);
}

int tw_keyed_compare(const tw_keyed *k, uint32_t a, uint32_t b)
{
    uint32_t a_len, b_len;
    const uint8_t *a_bytes = tw_keyed_bytes(k, a, &a_len);
    const uint8_t *b_bytes = tw_keyed_bytes(k, b, &b_len);
    uint32_t least = a_len < b_len ? a_len : b_len;
    int rc = least > 0 ? memcmp(a_bytes, b_bytes, least) : 0;

    return rc != 0 ? rc : (a_len > b_len) - (a_len < b_len);
}

uint32_t tw_keyed_count(const tw_keyed *k)
{
    return k->count;
}

uint32_t tw_keyed_next(const tw_keyed *k, uint32_t number)
{
    for (number++; number < k->end; number++) { /* NONE + 1 is 0 */
        if (head_at(k, number)->tag != KEY_VACANT) {
            return number;
        }
    }
    return TW_KEYED_NONE;
}

/* ---- recency ---- */

void tw_keyed_touch(tw_keyed *k, uint32_t number)
{
    *word_of(k->marks[number >> PAGE_SHIFT].touched, number) |= 1ull << (number % 64);
}

/* The first number from `from` on that was not touched; the marks it passes are cleared.
 * k->end when there is none. */
static uint32_t pass_touched(tw_keyed *k, uint32_t from)
{
    uint32_t number = from;

    while (number < k->end) {
        uint64_t *word = word_of(k->marks[number >> PAGE_SHIFT].touched, number);
        uint64_t here = ~0ull << (number % 64);
        uint64_t rest = ~*word & here;
        if (rest != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            *word &= ~(here & ((1ull << bit) - 1));
            number = (number & ~63u) + bit;
            return number < k->end ? number : k->end;
        }
        *word &= ~here;
        number = (number | 63) + 1;
    }
    return k->end;
}

/* The hand stands at the first that was not touched. The table is not empty. */
static void turn_hand(tw_keyed *k)
{
    for (;;) {
        k->hand = pass_touched(k, k->hand);
        if (k->hand == k->end) {
            k->hand = 0;
        } else if (head_at(k, k->hand)->tag == KEY_VACANT) {
            k->hand++;
        } else {
            return;
        }
    }
}

uint32_t tw_keyed_oldest(tw_keyed *k, uint32_t time_offset)
{
    uint32_t oldest = TW_KEYED_NONE, compared = 0;
    int64_t least = INT64_MAX;

    if (k->count == 0) {
        return TW_KEYED_NONE;
    }
    turn_hand(k);
    uint32_t end = k->end - k->hand < PAGE_ENTRIES ? k->end : k->hand + PAGE_ENTRIES;
    for (uint32_t n = k->hand; n < end && compared < COMPARED; n++) {
        uint64_t touched = *word_of(k->marks[n >> PAGE_SHIFT].touched, n);
        if (touched >> (n % 64) & 1 || head_at(k, n)->tag == KEY_VACANT) {
            continue;
        }
        int64_t time_ms;
        memcpy(&time_ms, (const char *)tw_keyed_at(k, n) + time_offset, sizeof time_ms);
        if (compared++ == 0 || time_ms < least) {
            oldest = n;
            least = time_ms;
        }
    }
    return oldest;
}

/* ---- dirty marks ---- */

void tw_keyed_mark(tw_keyed *k, uint32_t number)
{
    *word_of(k->marks[number >> PAGE_SHIFT].dirty, number) |= 1ull << (number % 64);
}

void tw_keyed_clean(tw_keyed *k, uint32_t number)
{
    *word_of(k->marks[number >> PAGE_SHIFT].dirty, number) &= ~(1ull << (number % 64));
}

uint32_t tw_keyed_next_dirty(const tw_keyed *k, uint32_t number)
{
    number++;
    while (number < k->end) {
        uint64_t rest =
            *word_of(k->marks[number >> PAGE_SHIFT].dirty, number) >> (number % 64);
        if (rest != 0) {
            return number + (uint32_t)__builtin_ctzll(rest);
        }
        number = (number | 63) + 1;
    }
    return TW_KEYED_NONE;
}

/* ---- hints ---- */

void tw_keyed_prefetch(const tw_keyed *k, uint64_t hash)
{
    const segment *s = segment_of(k, index_hash(hash));

    __builtin_prefetch(&s->slots[home_of(s, index_hash(hash))]);
}

void tw_keyed_prefetch_entry(tw_keyed *k, uint64_t hash)
{
    uint32_t h32 = index_hash(hash);
    const segment *s = segment_of(k, h32);

    for (uint32_t at = home_of(s, h32); s->slots[at].number != TW_KEYED_NONE;
         at = slot_after(s, at)) {
        if (s->slots[at].hash == h32) {
            const char *entry = (const char *)head_at(k, s->slots[at].number);
            __builtin_prefetch(entry, 1);
            __builtin_prefetch(entry + 64, 1);
            k->guess = s->slots[at].number;
            k->guess_hash = h32;
            return;
        }
    }
}

uint32_t tw_keyed_guess(const tw_keyed *k, uint64_t hash)
{
    return k->guess_hash == index_hash(hash) ? k->guess : TW_KEYED_NONE;
}

size_t tw_keyed_memory(const tw_keyed *k)
{
    size_t bytes = sizeof *k + (sizeof *k->directory << k->depth) + k->long_bytes;
    segment *last = NULL;

    for (uint32_t n = 0; n < 1u << k->depth; n++) {
        if (k->directory[n] != last) {
            last = k->directory[n];
            bytes += tw_keyed_segment_bytes(last->size);
        }
    }
    for (uint32_t n = 0; n < k->page_count; n++) {
        uint32_t entries = n > 0 ? PAGE_ENTRIES : k->first_entries;
        bytes += sizeof(page_marks) + sizeof *k->pages + (size_t)entries * k->stride;
    }
    return bytes;
}

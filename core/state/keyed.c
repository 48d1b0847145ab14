// SPDX-License-Identifier: Apache-2.0
/* The keyed table. One lane's thread; owns its index, pages and long keys.
 *
 * Invariant: every live entry has exactly one slot, in the segment its hash's top bits name
 * and reachable from its home position without passing an empty slot. Segment sizes go 16,
 * 32, ... 4096, 6144, then a split into two of 4096 at three quarters of the load: with the
 * size in between, the index stays within 10 to 18 bytes a key at any count. */
#include "state/keyed.h"

#include <string.h>

#include "base/mem.h"
#include "state/keyed_impl.h"

static void page_alloc(const tw_keyed *k, page *p, uint32_t entries)
{
    p->block = tw_realloc(NULL, (size_t)entries * k->stride + 64);
    p->memory = (uint8_t *)(((uintptr_t)p->block + 63) & ~(uintptr_t)63);
}

static void pages_grow(tw_keyed *k)
{
    if (k->page_count > 0 && k->first_entries < PAGE_ENTRIES) {
        page old = k->pages[0];
        page_alloc(k, &k->pages[0], k->first_entries * 2);
        memcpy(k->pages[0].memory, old.memory, (size_t)k->first_entries * k->stride);
        tw_free(old.block);
        k->first_entries *= 2;
        return;
    }
    if ((k->page_count & (k->page_count - 1)) == 0) {
        uint32_t room = k->page_count > 0 ? k->page_count * 2 : 1;
        k->pages = tw_realloc(k->pages, room * sizeof *k->pages);
    }
    uint32_t room = k->page_count > 0 ? PAGE_ENTRIES : FIRST_ENTRIES;
    page *p = &k->pages[k->page_count++];
    memset(p->dirty, 0, sizeof p->dirty);
    page_alloc(k, p, room);
}

static uint32_t number_take(tw_keyed *k)
{
    uint32_t number = k->vacant;

    if (number != TW_KEYED_NONE) {
        k->vacant = head_at(k, number)->older;
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

/* ---- recency ---- */

static void recency_push(tw_keyed *k, uint32_t number, head *h)
{
    h->newer = TW_KEYED_NONE;
    h->older = k->newest;
    if (k->newest != TW_KEYED_NONE) {
        head_at(k, k->newest)->newer = number;
    } else {
        k->oldest = number;
    }
    k->newest = number;
}

static void recency_unlink(tw_keyed *k, head *h)
{
    if (h->newer != TW_KEYED_NONE) {
        head_at(k, h->newer)->older = h->older;
    } else {
        k->newest = h->older;
    }
    if (h->older != TW_KEYED_NONE) {
        head_at(k, h->older)->newer = h->newer;
    } else {
        k->oldest = h->newer;
    }
}

/* ---- the table ---- */

tw_keyed *tw_keyed_new(uint32_t entry_bytes)
{
    tw_keyed *k = tw_alloc(sizeof *k);

    k->stride = (uint32_t)(sizeof(head) + ((entry_bytes + 7) & ~7u));
    k->first_entries = FIRST_ENTRIES;
    k->vacant = k->newest = k->oldest = TW_KEYED_NONE;
    k->directory = tw_calloc(1, sizeof *k->directory);
    k->directory[0] = tw_keyed_segment_new(SEGMENT_FIRST, 0);
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
    for (uint32_t n = 0; n < k->page_count; n++) {
        tw_free(k->pages[n].block);
    }
    segment *last = NULL;
    for (uint32_t n = 0; n < 1u << k->depth; n++) {
        if (k->directory[n] != last) {
            last = k->directory[n];
            tw_free(last);
        }
    }
    tw_free(k->directory);
    tw_free(k->pages);
    tw_free(k);
}

uint32_t tw_keyed_find(const tw_keyed *k, const tw_key *key)
{
    uint32_t hash = index_hash(key->hash);
    const segment *s = segment_of(k, hash);

    for (uint32_t at = home_of(s, hash); s->slots[at].number != TW_KEYED_NONE;
         at = slot_after(s, at)) {
        if (s->slots[at].hash != hash) {
            continue;
        }
        uint32_t len;
        uint8_t *bytes = key_bytes(head_at(k, s->slots[at].number), &len);
        if (len == key->len && (len == 0 || memcmp(bytes, key->data, len) == 0)) {
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
    recency_push(k, number, h);
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
    recency_unlink(k, h);
    if (h->tag == KEY_LONG) {
        k->long_bytes -= h->long_len + 16;
        tw_free(h->long_key);
    }
    tw_keyed_clean(k, number);
    h->tag = KEY_VACANT;
    h->older = k->vacant;
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

void tw_keyed_touch(tw_keyed *k, uint32_t number)
{
    if (k->newest != number) {
        head *h = head_at(k, number);
        recency_unlink(k, h);
        recency_push(k, number, h);
    }
}

uint32_t tw_keyed_oldest(const tw_keyed *k)
{
    return k->oldest;
}

uint32_t tw_keyed_newer(const tw_keyed *k, uint32_t number)
{
    return head_at(k, number)->newer;
}

/* ---- dirty marks ---- */

static inline uint64_t *dirty_word(const tw_keyed *k, uint32_t number)
{
    return &k->pages[number >> PAGE_SHIFT].dirty[(number & (PAGE_ENTRIES - 1)) / 64];
}

void tw_keyed_mark(tw_keyed *k, uint32_t number)
{
    *dirty_word(k, number) |= 1ull << (number % 64);
}

void tw_keyed_clean(tw_keyed *k, uint32_t number)
{
    *dirty_word(k, number) &= ~(1ull << (number % 64));
}

uint32_t tw_keyed_next_dirty(const tw_keyed *k, uint32_t number)
{
    number++;
    while (number < k->end) {
        uint64_t rest = *dirty_word(k, number) >> (number % 64);
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

void tw_keyed_prefetch_entry(const tw_keyed *k, uint64_t hash)
{
    uint32_t h32 = index_hash(hash);
    const segment *s = segment_of(k, h32);

    for (uint32_t at = home_of(s, h32); s->slots[at].number != TW_KEYED_NONE;
         at = slot_after(s, at)) {
        if (s->slots[at].hash == h32) {
            const char *entry = (const char *)head_at(k, s->slots[at].number);
            __builtin_prefetch(entry, 1);
            __builtin_prefetch(entry + 64, 1);
            return;
        }
    }
}

size_t tw_keyed_memory(const tw_keyed *k)
{
    size_t bytes = sizeof *k + (sizeof *k->directory << k->depth) + k->long_bytes;
    segment *last = NULL;

    for (uint32_t n = 0; n < 1u << k->depth; n++) {
        if (k->directory[n] != last) {
            last = k->directory[n];
            bytes += sizeof *last + last->size * sizeof last->slots[0];
        }
    }
    for (uint32_t n = 0; n < k->page_count; n++) {
        uint32_t entries = n > 0 ? PAGE_ENTRIES : k->first_entries;
        bytes += sizeof(page) + (size_t)entries * k->stride;
    }
    return bytes;
}

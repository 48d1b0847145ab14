// SPDX-License-Identifier: Apache-2.0
/* The inside of the keyed table, for keyed*.c only. */
#ifndef TW_STATE_KEYED_IMPL_H
#define TW_STATE_KEYED_IMPL_H

#include "state/blocks.h"
#include "state/keyed.h"

enum {
    PAGE_SHIFT = 10,
    PAGE_ENTRIES = 1 << PAGE_SHIFT,
    FIRST_ENTRIES = 8, /* of page 0, which grows by doubling */
    INLINE_BYTES = 23,
    SEGMENT_FIRST = 16,
    SEGMENT_LARGE = 4096,
    SEGMENT_LARGEST = 6144,
    DEPTH_MAX = 18, /* beyond that a segment just grows: 14 bits of hash place the slot */
    MARK_WORDS = PAGE_ENTRIES / 64,
    COMPARED = 16 /* untouched entries that are compared by time */
};

enum { KEY_LONG = 254, KEY_VACANT = 255 };

typedef struct index_slot {
    uint32_t hash;
    uint32_t number; /* TW_KEYED_NONE: empty */
} index_slot;

typedef struct segment {
    uint32_t depth, size, used, most;
    index_slot slots[];
} segment;

/* Before every entry of the caller's. */
typedef struct head {
    union {
        struct {
            uint8_t tag; /* length of an inline key, KEY_LONG or KEY_VACANT */
            uint8_t inline_key[INLINE_BYTES];
        };
        struct {
            uint32_t long_tag;
            uint32_t long_len;
            uint8_t *long_key;
        };
        struct {
            uint32_t vacant_tag;
            uint32_t next_vacant;
        };
    };
} head;
_Static_assert(sizeof(head) == 24, "a key of 23 bytes needs nothing else");

typedef struct page_marks {
    uint64_t dirty[MARK_WORDS];
    uint64_t touched[MARK_WORDS]; /* since the hand came by */
} page_marks;

struct tw_keyed {
    segment **directory;
    uint32_t depth; /* the directory has 1 << depth places */
    uint32_t stride, count;
    uint8_t **pages; /* each aligned to a cache line */
    page_marks *marks;
    void *first_block;                  /* the heap's, page 0 lies in it */
    tw_blocks blocks;                   /* of the other pages, and of large segments */
    uint32_t page_count, first_entries; /* entries that page 0 has room for */
    uint32_t end;                       /* numbers ever given out */
    uint32_t vacant;                    /* first of the chain, NONE */
    uint32_t hand;                      /* where to look for one to let go */
    uint32_t guess_hash, guess;         /* the entry last hinted at; NONE or in use */
    size_t long_bytes;
};

static inline head *head_at(const tw_keyed *k, uint32_t number)
{
    return (head *)(k->pages[number >> PAGE_SHIFT] +
                    (size_t)(number & (PAGE_ENTRIES - 1)) * k->stride);
}

/* The word of a page's marks that has this number's bit. */
static inline uint64_t *word_of(uint64_t *words, uint32_t number)
{
    return &words[(number & (PAGE_ENTRIES - 1)) / 64];
}

static inline uint8_t *key_bytes(head *h, uint32_t *out_len)
{
    if (h->tag == KEY_LONG) {
        *out_len = h->long_len;
        return h->long_key;
    }
    *out_len = h->tag;
    return h->inline_key;
}

/* ---- index ---- */

static inline uint32_t index_hash(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline segment *segment_of(const tw_keyed *k, uint32_t hash)
{
    return k->directory[(uint64_t)hash >> (32 - k->depth)];
}

/* Fibonacci hashing, since the top bits are the same all over a segment; then multiply and
 * shift, since a size need not be a power of two. */
static inline uint32_t home_of(const segment *s, uint32_t hash)
{
    return (uint32_t)(((uint64_t)(hash * 2654435769u) * s->size) >> 32);
}

static inline uint32_t slot_after(const segment *s, uint32_t at)
{
    return at + 1 == s->size ? 0 : at + 1;
}

/* keyed_index.c */
segment *tw_keyed_segment_new(tw_keyed *k, uint32_t size, uint32_t depth);
size_t tw_keyed_segment_bytes(uint32_t size);
void tw_keyed_segment_free(tw_keyed *k, segment *s);
void tw_keyed_index_add(tw_keyed *k, uint32_t hash, uint32_t number);
void tw_keyed_index_remove(tw_keyed *k, uint32_t hash, uint32_t number);

#endif

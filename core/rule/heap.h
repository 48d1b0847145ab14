// SPDX-License-Identifier: Apache-2.0
/* The private memory of one Lua state: a region of address space of its own, handed out
 * in 16-byte classes up to 512 bytes and in powers of two above, under a quota, and
 * dropped as a whole. Nothing of it comes from or returns to malloc, so a state may be
 * given up at any instruction. Not thread-safe. */
#ifndef TW_RULE_HEAP_H
#define TW_RULE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TW_HEAP_SMALL = 512, /* largest size that has a class */
    TW_HEAP_CLASSES = TW_HEAP_SMALL / 16,
    TW_HEAP_UNIT_BITS = 10, /* smallest power-of-two block: 1 KiB */
    TW_HEAP_ORDERS = 13     /* 1 KiB to 4 MiB, the largest block there is */
};

typedef struct tw_heap {
    size_t used, limit, peak;     /* bytes handed out, rounded up to 16 */
    void *small[TW_HEAP_CLASSES]; /* free lists, linked through the first word */
    char *fresh[TW_HEAP_CLASSES]; /* the part of the newest run never handed out */
    char *fresh_end[TW_HEAP_CLASSES];
    uint32_t runs[TW_HEAP_CLASSES];
    struct tw_heap_block *large[TW_HEAP_ORDERS];
    char *base;         /* of the units */
    uint8_t *map;       /* per unit: order of a free block that begins here, or 0 */
    size_t units, wild; /* wild: first unit never handed out */
    void *region;
    size_t region_bytes;
} tw_heap;

/* Address space for twice the quota (fragmentation); pages come when touched. TW_EIO. */
int tw_heap_init(tw_heap *h, size_t limit_bytes);
void tw_heap_done(tw_heap *h); /* unmaps; a zeroed heap is fine */

/* NULL when the quota or the region is exhausted or size is above 4 MiB. */
void *tw_heap_take(tw_heap *h, size_t size);
void tw_heap_give(tw_heap *h, void *p, size_t size); /* size as taken */
/* Like realloc with the old size known; on failure p stays valid. Shrinking ignores the
 * quota. */
void *tw_heap_resize(tw_heap *h, void *p, size_t old_size, size_t new_size);

#endif

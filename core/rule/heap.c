// SPDX-License-Identifier: Apache-2.0
/* Two allocators over one region: free lists by class for small blocks, a buddy system
 * for the rest. Small runs are cut from buddy blocks and stay with their class. Blocks
 * carry no header: Lua always tells the size it had. Invariant: a unit's map byte is
 * non-zero only while a free block begins there. Buddy system: Knuth, TAOCP volume 1,
 * section 2.5. */
#include "rule/heap.h"

#include <string.h>
#include <sys/mman.h>

#include "base/err.h"

typedef struct tw_heap_block {
    struct tw_heap_block *next, **back;
} tw_heap_block;

static const size_t top_units = (size_t)1 << (TW_HEAP_ORDERS - 1);

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static size_t class_of(size_t size)
{
    return (size + 15) / 16 - 1;
}

static int order_of(size_t size)
{
    int bits = 64 - __builtin_clzl(size - 1);
    return bits <= TW_HEAP_UNIT_BITS ? 0 : bits - TW_HEAP_UNIT_BITS;
}

int tw_heap_init(tw_heap *h, size_t limit_bytes)
{
    *h = (tw_heap){.limit = limit_bytes};
    h->units = (limit_bytes * 2 >> TW_HEAP_UNIT_BITS) + 2 * top_units - 1;
    h->units -= h->units % top_units;
    size_t map_bytes = (h->units + 4095) & ~(size_t)4095;
    h->region_bytes = map_bytes + (h->units << TW_HEAP_UNIT_BITS);
    h->region = mmap(NULL, h->region_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (h->region == MAP_FAILED) {
        *h = (tw_heap){.limit = 0};
        return TW_EIO;
    }
    h->map = h->region;
    h->base = (char *)h->region + map_bytes;
    return TW_OK;
}

void tw_heap_done(tw_heap *h)
{
    if (h->region != NULL)
        munmap(h->region, h->region_bytes);
    *h = (tw_heap){.limit = 0};
}

static size_t unit_of(const tw_heap *h, const void *p)
{
    return (size_t)((const char *)p - h->base) >> TW_HEAP_UNIT_BITS;
}

static tw_heap_block *block_at(const tw_heap *h, size_t unit)
{
    return (tw_heap_block *)(void *)(h->base + (unit << TW_HEAP_UNIT_BITS));
}

static void link_free(tw_heap *h, size_t unit, int order)
{
    tw_heap_block *b = block_at(h, unit);
    b->next = h->large[order];
    b->back = &h->large[order];
    if (b->next != NULL)
        b->next->back = &b->next;
    h->large[order] = b;
    h->map[unit] = (uint8_t)(order + 1);
}

static void unlink_free(tw_heap *h, size_t unit)
{
    tw_heap_block *b = block_at(h, unit);
    *b->back = b->next;
    if (b->next != NULL)
        b->next->back = b->back;
    h->map[unit] = 0;
}

static void give_large(tw_heap *h, void *p, int order)
{
    size_t unit = unit_of(h, p);
    for (; order < TW_HEAP_ORDERS - 1; order++) {
        size_t buddy = unit ^ ((size_t)1 << order);
        if (buddy >= h->wild || h->map[buddy] != order + 1)
            break;
        unlink_free(h, buddy);
        unit &= buddy;
    }
    link_free(h, unit, order);
}

/* From the part never used; what alignment skips becomes free blocks. */
static void *take_wild(tw_heap *h, int order)
{
    size_t need = (size_t)1 << order;
    size_t start = (h->wild + need - 1) & ~(need - 1);
    if (start + need > h->units)
        return NULL;
    while (h->wild < start) {
        int skipped = __builtin_ctzl(h->wild);
        size_t unit = h->wild;
        h->wild += (size_t)1 << skipped;
        link_free(h, unit, skipped);
    }
    h->wild = start + need;
    return block_at(h, start);
}

static void *take_large(tw_heap *h, int order)
{
    int k = order;
    while (k < TW_HEAP_ORDERS && h->large[k] == NULL)
        k++;
    if (k == TW_HEAP_ORDERS)
        return take_wild(h, order);

    tw_heap_block *b = h->large[k];
    size_t unit = unit_of(h, b);
    unlink_free(h, unit);
    while (k > order) {
        k--;
        link_free(h, unit + ((size_t)1 << k), k);
    }
    return b;
}

/* Runs are short while a class is rare, so that a small rule stays small. */
static int new_run(tw_heap *h, size_t class)
{
    int order = h->runs[class] < 4 ? 0 : h->runs[class] < 16 ? 2 : 4;
    char *run = take_large(h, order);
    if (run == NULL)
        return TW_EFULL;
    h->runs[class]++;
    h->fresh[class] = run;
    h->fresh_end[class] = run + ((size_t)1 << (order + TW_HEAP_UNIT_BITS));
    return TW_OK;
}

static void *take_small(tw_heap *h, size_t class)
{
    void *p = h->small[class];
    if (p != NULL) {
        memcpy(&h->small[class], p, sizeof(void *));
        return p;
    }
    size_t size = (class + 1) * 16;
    if ((size_t)(h->fresh_end[class] - h->fresh[class]) < size && new_run(h, class) != 0)
        return NULL;
    p = h->fresh[class];
    h->fresh[class] += size;
    return p;
}

static void *take_any(tw_heap *h, size_t size)
{
    if (size <= TW_HEAP_SMALL)
        return take_small(h, class_of(size));
    int order = order_of(size);
    return order < TW_HEAP_ORDERS ? take_large(h, order) : NULL;
}

static void note_used(tw_heap *h, size_t added, size_t removed)
{
    h->used += added;
    h->used -= removed;
    if (h->used > h->peak)
        h->peak = h->used;
}

void *tw_heap_take(tw_heap *h, size_t size)
{
    size_t need = rounded(size);
    if (size == 0 || size > h->limit || h->used + need > h->limit)
        return NULL;
    void *p = take_any(h, size);
    if (p != NULL)
        note_used(h, need, 0);
    return p;
}

static void give_any(tw_heap *h, void *p, size_t size)
{
    if (size > TW_HEAP_SMALL) {
        give_large(h, p, order_of(size));
        return;
    }
    size_t class = class_of(size);
    memcpy(p, &h->small[class], sizeof(void *));
    h->small[class] = p;
}

void tw_heap_give(tw_heap *h, void *p, size_t size)
{
    if (p == NULL || size == 0)
        return;
    give_any(h, p, size);
    note_used(h, 0, rounded(size));
}

/* A large block that stays large shrinks where it is, so that this cannot fail. */
static void shrink_large(tw_heap *h, void *p, int old_order, int new_order)
{
    while (old_order > new_order) {
        old_order--;
        link_free(h, unit_of(h, p) + ((size_t)1 << old_order), old_order);
    }
}

void *tw_heap_resize(tw_heap *h, void *p, size_t old_size, size_t new_size)
{
    size_t had = rounded(old_size), need = rounded(new_size);
    if (new_size > old_size && (new_size > h->limit || h->used - had + need > h->limit))
        return NULL;

    bool was_small = old_size <= TW_HEAP_SMALL, is_small = new_size <= TW_HEAP_SMALL;
    bool stays = was_small ? is_small && had == need : false;
    if (!was_small && !is_small && order_of(new_size) <= order_of(old_size)) {
        shrink_large(h, p, order_of(old_size), order_of(new_size));
        stays = true;
    }
    if (!stays) {
        void *q = take_any(h, new_size);
        if (q == NULL)
            return NULL;
        memcpy(q, p, old_size < new_size ? old_size : new_size);
        give_any(h, p, old_size);
        p = q;
    }
    note_used(h, need, had);
    return p;
}

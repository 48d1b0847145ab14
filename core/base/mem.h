// SPDX-License-Identifier: Apache-2.0
/* Memory: small allocations that abort on exhaustion, an arena for things that die
 * together, and a slab pool for objects of one size on the hot path. Whatever an outsider
 * can size goes through tw_buf (buf.h), which has a cap and an error. */
#ifndef TW_BASE_MEM_H
#define TW_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *tw_alloc(size_t size);                /* zeroed; aborts when there is no memory */
void *tw_calloc(size_t count, size_t size); /* zeroed, overflow checked */
void *tw_realloc(void *p, size_t size);     /* aborts; size 0 frees and returns NULL */
void tw_free(void *p);                      /* NULL is fine */
char *tw_strdup(const char *s);             /* NULL gives NULL */
char *tw_strndup(const char *s, size_t n);  /* always terminated */
char *tw_asprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Number of tw_alloc/tw_calloc/tw_realloc calls of this thread; the bench's allocation
 * gate. */
uint64_t tw_mem_allocations(void);

/* Bump allocator. Not thread-safe. reset keeps the largest block for the next round. */
typedef struct tw_arena {
    struct tw_arena_block *first, *current;
    size_t block_size;
} tw_arena;

void tw_arena_init(tw_arena *a, size_t block_size);
void tw_arena_done(tw_arena *a);
void tw_arena_reset(tw_arena *a);
void *tw_arena_alloc(tw_arena *a, size_t size); /* 16-byte aligned, not zeroed */
char *tw_arena_strndup(tw_arena *a, const char *s, size_t n);

/* Free lists by size class (64 B steps up to 4 KiB, beyond that the heap); one thread. */
typedef struct tw_slab tw_slab;
tw_slab *tw_slab_new(void);
void tw_slab_free(tw_slab *slab); /* frees every block, also those still lent */
void *tw_slab_take(tw_slab *slab, size_t size);
void tw_slab_give(tw_slab *slab, void *p, size_t size); /* size as taken */

#endif

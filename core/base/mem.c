// SPDX-License-Identifier: Apache-2.0
/* Allocation in three shapes. The heap functions may be called from any thread; an arena
 * or a slab belongs to one thread. Invariant: none of these returns NULL for want of
 * memory; the process says so and aborts, because a half-made engine must not go on
 * judging events. */
#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define TW_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TW_ASAN 1
#endif
#endif
#if defined(TW_ASAN)
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define poison(p, n) ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

enum {
    SLAB_STEP = 64,
    SLAB_LARGEST = 4096,
    SLAB_CLASSES = SLAB_LARGEST / SLAB_STEP,
    SLAB_CHUNK = 32 * 1024
};

static _Thread_local uint64_t allocations;

static void *must(void *p, size_t size)
{
    if (p)
        return p;
    fprintf(stderr, "tidewatch: out of memory (%zu bytes wanted)\n", size);
    abort();
}

void *tw_alloc(size_t size)
{
    return tw_calloc(1, size);
}

void *tw_calloc(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        must(NULL, SIZE_MAX);
    allocations++;
    return must(calloc(1, total ? total : 1), total);
}

void *tw_realloc(void *p, size_t size)
{
    if (size == 0) {
        free(p);
        return NULL;
    }
    allocations++;
    return must(realloc(p, size), size);
}

void tw_free(void *p)
{
    free(p);
}

char *tw_strdup(const char *s)
{
    return s ? tw_strndup(s, strlen(s)) : NULL;
}

char *tw_strndup(const char *s, size_t n)
{
    char *copy = tw_realloc(NULL, n + 1);
    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *tw_asprintf(const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    allocations++;
    return must(n < 0 ? NULL : text, strlen(format));
}

uint64_t tw_mem_allocations(void)
{
    return allocations;
}

/* ---- arena: blocks in a list, the current one is filled from the front ---- */

typedef struct tw_arena_block {
    struct tw_arena_block *next;
    size_t used, size;
    alignas(16) char data[];
} arena_block;

void tw_arena_init(tw_arena *a, size_t block_size)
{
    *a = (tw_arena){.block_size = block_size ? block_size : 4096};
}

void tw_arena_done(tw_arena *a)
{
    arena_block *next;
    for (arena_block *b = a->first; b; b = next) {
        next = b->next;
        tw_free(b);
    }
    a->first = a->current = NULL;
}

void tw_arena_reset(tw_arena *a)
{
    arena_block *largest = NULL, *next;
    for (arena_block *b = a->first; b; b = b->next)
        if (!largest || b->size > largest->size)
            largest = b;
    for (arena_block *b = a->first; b; b = next) {
        next = b->next;
        if (b != largest)
            tw_free(b);
    }
    a->first = a->current = largest;
    if (!largest)
        return;
    largest->next = NULL;
    largest->used = 0;
    poison(largest->data, largest->size);
}

static arena_block *arena_grow(tw_arena *a, size_t size)
{
    size_t room = size > a->block_size ? size : a->block_size;
    arena_block *b = tw_realloc(NULL, sizeof *b + room);
    *b = (arena_block){.size = room};
    poison(b->data, room);
    if (a->current)
        a->current->next = b;
    else
        a->first = b;
    a->current = b;
    return b;
}

void *tw_arena_alloc(tw_arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        must(NULL, size);
    size_t rounded = (size + 15) & ~(size_t)15;
    arena_block *b = a->current;
    if (!b || b->size - b->used < rounded)
        b = arena_grow(a, rounded);
    char *p = b->data + b->used;
    b->used += rounded;
    unpoison(p, size);
    return p;
}

char *tw_arena_strndup(tw_arena *a, const char *s, size_t n)
{
    char *copy = tw_arena_alloc(a, n + 1);
    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

/* ---- slab: chunks are cut into blocks of one class; what comes back waits in a list  */

typedef struct slab_block {
    struct slab_block *next;
} slab_block;

typedef struct slab_chunk {
    struct slab_chunk *next;
    alignas(16) char data[];
} slab_chunk;

/* What is larger than the largest class, linked so that tw_slab_free finds it. */
typedef struct slab_large {
    struct slab_large *prev, *next;
    alignas(16) char data[];
} slab_large;

struct tw_slab {
    slab_block *free[SLAB_CLASSES];
    char *fresh[SLAB_CLASSES]; /* the uncut rest of each class's newest chunk */
    size_t fresh_bytes[SLAB_CLASSES];
    slab_chunk *chunks;
    slab_large *large;
};

tw_slab *tw_slab_new(void)
{
    return tw_alloc(sizeof(tw_slab));
}

void tw_slab_free(tw_slab *slab)
{
    if (!slab)
        return;
    slab_chunk *next_chunk;
    for (slab_chunk *c = slab->chunks; c; c = next_chunk) {
        next_chunk = c->next;
        tw_free(c);
    }
    slab_large *next_large;
    for (slab_large *l = slab->large; l; l = next_large) {
        next_large = l->next;
        tw_free(l);
    }
    tw_free(slab);
}

static void *take_large(tw_slab *slab, size_t size)
{
    if (size > SIZE_MAX / 2)
        must(NULL, size);
    slab_large *l = tw_realloc(NULL, sizeof *l + size);
    l->prev = NULL;
    l->next = slab->large;
    if (l->next)
        l->next->prev = l;
    slab->large = l;
    return l->data;
}

static void give_large(tw_slab *slab, void *p)
{
    slab_large *l = (slab_large *)(void *)((char *)p - offsetof(slab_large, data));
    if (l->prev)
        l->prev->next = l->next;
    else
        slab->large = l->next;
    if (l->next)
        l->next->prev = l->prev;
    tw_free(l);
}

static void *cut_block(tw_slab *slab, size_t class)
{
    size_t size = (class + 1) * SLAB_STEP;
    if (slab->fresh_bytes[class] < size) {
        slab_chunk *c = tw_realloc(NULL, sizeof *c + SLAB_CHUNK);
        c->next = slab->chunks;
        slab->chunks = c;
        slab->fresh[class] = c->data;
        slab->fresh_bytes[class] = SLAB_CHUNK;
        poison(c->data, SLAB_CHUNK);
    }
    char *p = slab->fresh[class];
    slab->fresh[class] += size;
    slab->fresh_bytes[class] -= size;
    return p;
}

void *tw_slab_take(tw_slab *slab, size_t size)
{
    if (size > SLAB_LARGEST)
        return take_large(slab, size);
    size_t class = size ? (size - 1) / SLAB_STEP : 0;
    slab_block *b = slab->free[class];
    void *p = b;
    if (b) {
        unpoison(b, sizeof *b);
        slab->free[class] = b->next;
        poison(b, sizeof *b);
    } else {
        p = cut_block(slab, class);
    }
    unpoison(p, size);
    return p;
}

void tw_slab_give(tw_slab *slab, void *p, size_t size)
{
    if (!p)
        return;
    if (size > SLAB_LARGEST) {
        give_large(slab, p);
        return;
    }
    size_t class = size ? (size - 1) / SLAB_STEP : 0;
    slab_block *b = p;
    unpoison(b, sizeof *b);
    b->next = slab->free[class];
    slab->free[class] = b;
    poison(b, (class + 1) * SLAB_STEP);
}

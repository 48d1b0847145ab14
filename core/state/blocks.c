// SPDX-License-Identifier: Apache-2.0
/* Blocks from the heap or from chunks; see blocks.h. Invariant: a block that is given back
 * is handed out again only for a request of the same size. */
#include "state/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

enum {
    LINE = 64,
    CHUNK = 2 << 20,
    HEAP_BYTES = CHUNK /* taken before the first chunk */
};

/* What tw_blocks_done gives back, a list. */
typedef struct tw_chunk {
    struct tw_chunk *next;
    void *memory;
    size_t bytes; /* mapped; 0: from the heap */
} tw_chunk;

static char *aligned(void *p, size_t to)
{
    return (char *)(((uintptr_t)p + to - 1) & ~(uintptr_t)(to - 1));
}

static tw_chunk *chunk_add(tw_blocks *b)
{
    tw_chunk *c = tw_alloc(sizeof *c);

    c->next = b->chunks;
    b->chunks = c;
    return c;
}

static char *heap_block(tw_blocks *b, size_t bytes)
{
    tw_chunk *c = chunk_add(b);

    c->memory = tw_realloc(NULL, bytes + LINE);
    return aligned(c->memory, LINE);
}

/* Mapped larger than needed, so that 2 MiB of it are aligned to 2 MiB; the rest is never
 * touched and costs nothing but addresses. */
static void chunk_map(tw_blocks *b)
{
    size_t bytes = 2 * (size_t)CHUNK;
    void *p =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        fprintf(stderr, "tidewatch: out of memory (%zu bytes wanted)\n", bytes);
        abort();
    }
    tw_chunk *c = chunk_add(b);
    c->memory = p;
    c->bytes = bytes;
    b->fresh = aligned(p, CHUNK);
    b->fresh_bytes = CHUNK;
    (void)madvise(b->fresh, CHUNK, MADV_HUGEPAGE);
}

void *tw_blocks_take(tw_blocks *b, size_t bytes)
{
    for (int n = 0; n < TW_BLOCK_SIZES; n++) {
        if (b->free[n].bytes == bytes && b->free[n].first) {
            void **p = b->free[n].first;
            b->free[n].first = *p;
            return p;
        }
    }
    bytes = (bytes + LINE - 1) & ~(size_t)(LINE - 1);
    b->taken_bytes += bytes;
    if (b->taken_bytes <= HEAP_BYTES || bytes > CHUNK) {
        return heap_block(b, bytes);
    }
    if (bytes > b->fresh_bytes) {
        chunk_map(b);
    }
    char *p = b->fresh;
    b->fresh += bytes;
    b->fresh_bytes -= bytes;
    return p;
}

void tw_blocks_give(tw_blocks *b, void *p, size_t bytes)
{
    void **link = p;

    for (int n = 0; p && n < TW_BLOCK_SIZES; n++) {
        if (b->free[n].bytes == 0) {
            b->free[n].bytes = bytes;
        }
        if (b->free[n].bytes == bytes) {
            *link = b->free[n].first;
            b->free[n].first = p;
            return;
        }
    }
}

void tw_blocks_done(tw_blocks *b)
{
    for (tw_chunk *c = b->chunks, *next; c; c = next) {
        next = c->next;
        if (c->bytes > 0) {
            munmap(c->memory, c->bytes);
        } else {
            tw_free(c->memory);
        }
        tw_free(c);
    }
    *b = (tw_blocks){0};
}

// SPDX-License-Identifier: Apache-2.0
/* Two positions that only grow: `published`, written by the producer, and `consumed`, written by the
 * consumer; a position modulo the size is a place in the bytes. Each side keeps what it works with
 * on a cache line of its own and looks at the other side's position only when its last look
 * no longer answers the question. (Lamport 1977 for the two positions; the cached copies are known
 * from FastForward and many queues since.)
 *
 * A record is a 16-byte head and its bytes, rounded up to 16. One that does not fit before the
 * end leaves a gap there, whose head says so, and begins at the start.
 * Invariant: consumed <= published <= written <= consumed + size. */
#include "host/ring.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/mem.h"

#define LINE 64
#define HEAD 16
#define MIN_SIZE 1024
#define GAP SIZE_MAX

/* Padding, not _Alignas: the allocator promises 16 bytes only, and distance is what counts. */
struct tw_ring {
    char *bytes;
    void *block; /* bytes, before alignment */
    size_t size, mask;

    char pad0[LINE];
    size_t written;  /* producer: behind the last committed record */
    size_t reserved; /* producer: where the reserved record will end; 0 = none */
    size_t seen_consumed;

    char pad1[LINE];
    _Atomic size_t published;

    char pad2[LINE];
    size_t read; /* consumer: at the record to peek */
    size_t seen_published;
    size_t told; /* consumer: last value stored in consumed */

    char pad3[LINE];
    _Atomic size_t consumed;
    char pad4[LINE];
};

tw_ring *tw_ring_new(size_t size_bytes)
{
    size_t size = MIN_SIZE;
    while (size < size_bytes && size < SIZE_MAX / 4)
        size *= 2;
    tw_ring *r = tw_alloc(sizeof *r);
    r->block = tw_alloc(size + LINE);
    r->bytes = (char *)(((uintptr_t)r->block + LINE - 1) & ~(uintptr_t)(LINE - 1));
    r->size = size;
    r->mask = size - 1;
    return r;
}

void tw_ring_free(tw_ring *r)
{
    if (!r)
        return;
    tw_free(r->block);
    tw_free(r);
}

/* A record and the gap before it are together at most twice the record. */
size_t tw_ring_max_record(const tw_ring *r)
{
    return r->size / 2 - HEAD;
}

static size_t *head_at(const tw_ring *r, size_t position)
{
    return (size_t *)(void *)(r->bytes + (position & r->mask));
}

static size_t whole_size(size_t n)
{
    return HEAD + ((n + HEAD - 1) & ~(size_t)(HEAD - 1));
}

static bool has_room(tw_ring *r, size_t end)
{
    if (end - r->seen_consumed <= r->size)
        return true;
    r->seen_consumed = atomic_load_explicit(&r->consumed, memory_order_acquire);
    return end - r->seen_consumed <= r->size;
}

void *tw_ring_reserve(tw_ring *r, size_t n)
{
    if (n > tw_ring_max_record(r))
        return NULL;
    size_t start = r->written, to_end = r->size - (start & r->mask);
    if (to_end < whole_size(n))
        start += to_end;
    size_t end = start + whole_size(n);
    if (!has_room(r, end)) {
        tw_ring_publish(r);
        return NULL;
    }
    if (start != r->written)
        *head_at(r, r->written) = GAP;
    *head_at(r, start) = n;
    r->reserved = end;
    return (char *)head_at(r, start) + HEAD;
}

void tw_ring_commit(tw_ring *r)
{
    if (r->reserved == 0)
        return;
    r->written = r->reserved;
    r->reserved = 0;
}

bool tw_ring_publish(tw_ring *r)
{
    if (atomic_load_explicit(&r->published, memory_order_relaxed) == r->written)
        return false;
    atomic_store_explicit(&r->published, r->written, memory_order_release);
    return true;
}

static void tell_consumed(tw_ring *r)
{
    if (r->told == r->read)
        return;
    r->told = r->read;
    atomic_store_explicit(&r->consumed, r->read, memory_order_release);
}

void *tw_ring_peek(tw_ring *r, size_t *out_n)
{
    if (r->read == r->seen_published) {
        r->seen_published = atomic_load_explicit(&r->published, memory_order_acquire);
        if (r->read == r->seen_published) {
            tell_consumed(r);
            return NULL;
        }
    }
    size_t n = *head_at(r, r->read);
    if (n == GAP) { /* a record follows it at once: both were committed together */
        r->read += r->size - (r->read & r->mask);
        n = *head_at(r, r->read);
    }
    *out_n = n;
    return (char *)head_at(r, r->read) + HEAD;
}

/* Room is handed back in lumps, so that the producer's copy of `consumed` stays useful. */
void tw_ring_consume(tw_ring *r)
{
    r->read += whole_size(*head_at(r, r->read));
    if (r->read - r->told >= r->size / 16)
        tell_consumed(r);
}

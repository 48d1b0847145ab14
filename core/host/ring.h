// SPDX-License-Identifier: Apache-2.0
/* A single-producer single-consumer ring of byte records between two lanes. Bounded;
 * records are 16-byte aligned and contiguous. The producer reserves, fills, commits; what
 * is committed becomes visible at publish, so a batch costs one fence. The consumer peeks
 * and consumes in order. */
#ifndef TW_HOST_RING_H
#define TW_HOST_RING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tw_ring tw_ring;

tw_ring *tw_ring_new(size_t size_bytes); /* rounded up to a power of two */
void tw_ring_free(tw_ring *r);
size_t tw_ring_max_record(const tw_ring *r); /* largest record that can ever fit */

/* producer */
void *
tw_ring_reserve(tw_ring *r,
                size_t n); /* NULL: no room now (what is committed gets published) */
void tw_ring_commit(tw_ring *r);  /* the reserved record */
bool tw_ring_publish(tw_ring *r); /* true when there was something to publish */

/* consumer */
void *tw_ring_peek(tw_ring *r, size_t *out_n); /* NULL: empty. Stays until consumed. */
void tw_ring_consume(tw_ring *r);

#endif

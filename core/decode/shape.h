// SPDX-License-Identifier: Apache-2.0
/* What key usually follows which. Events of one stream say the same keys in the same order, so the next
 * key is guessed from the last one and recognised by comparing eight bytes at a time, with its quotes
 * and its colon, instead of being measured, hashed and looked up. A wrong guess costs the
 * comparison; then the plan is asked and the shape learns. It decides nothing: what a guess holds is
 * what the plan once answered for the same bytes under the same node.
 *
 * One shape a decoder and plan, so one thread. All of it is in one block; nothing is allocated later. */
#ifndef TW_DECODE_SHAPE_H
#define TW_DECODE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/plan.h"

#define TW_SHAPE_KEYS 64
#define TW_SHAPE_TEXT 48 /* longest key with quotes and colon that is remembered */

typedef struct tw_shape_key {
    uint64_t head, tail,
        mask; /* first and last eight bytes, of which so many bits count */
    uint32_t tail_at;
    uint32_t size;                /* with quotes and colon; 0: nothing is known */
    int32_t reach;                /* bytes that have to be there for comparing */
    const tw_decode_node *parent; /* whose members it is one of */
    const tw_decode_node *node;   /* NULL: nobody wants it */
    struct tw_shape_key *next;    /* what came behind it */
    struct tw_shape_key *inside;  /* the first key of the object that was its value */
    char text[TW_SHAPE_TEXT];
} tw_shape_key;

typedef struct tw_shape {
    uint64_t plan;      /* its number */
    tw_shape_key start; /* .inside: the first key of the event */
    tw_shape_key other; /* stands for every key that is not remembered */
    tw_shape_key keys[TW_SHAPE_KEYS];
} tw_shape;

/* Forgets everything; from now on the shape is of this plan. */
void tw_shape_reset(tw_shape *shape, uint64_t plan);

/* The key whose opening quote is at p, of len bytes without escapes, was answered with node. Returns what to remember it by. */
tw_shape_key *tw_shape_learn(tw_shape *shape, const char *p, size_t len,
                             const tw_decode_node *parent, const tw_decode_node *node);
/* The one that stands for a key that cannot be remembered, until the next such key. */
tw_shape_key *tw_shape_other(tw_shape *shape, const tw_decode_node *node);

static inline uint64_t tw_shape_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Whether k stands at p, where a structural is and which is before end. */
static inline bool tw_shape_is(const tw_shape_key *k, const char *p, const char *end,
                               const tw_decode_node *parent)
{
    if (k->parent != parent || end - p < k->reach) {
        return false;
    }
    uint64_t head = tw_shape_word(p) ^ k->head;
    uint64_t tail = tw_shape_word(p + k->tail_at) ^ k->tail;
    if ((head | tail) & k->mask) {
        return false;
    }
    for (uint32_t at = 8; at < k->tail_at; at += 8) {
        if (tw_shape_word(p + at) != tw_shape_word(k->text + at)) {
            return false;
        }
    }
    return true;
}

#endif

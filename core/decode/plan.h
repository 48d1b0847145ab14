// SPDX-License-Identifier: Apache-2.0
/* A projection as a tree that the walk descends: one node a path step, the members of a
 * node in a small hash table. Immutable once made; shared by decoders. */
#ifndef TW_DECODE_PLAN_H
#define TW_DECODE_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/decode.h"

#define TW_NO_SLOT UINT32_MAX

typedef struct tw_decode_node tw_decode_node;

typedef struct tw_decode_member {
    const char *name; /* the field registry's */
    uint32_t len;
    tw_decode_node *node;
    struct tw_decode_member *next; /* in the list of members */
    struct tw_decode_member *same; /* in the same place of the table */
} tw_decode_member;

typedef struct tw_decode_element {
    uint32_t index;
    tw_decode_node *node;
    struct tw_decode_element *next;
} tw_decode_element;

struct tw_decode_node {
    uint32_t slot;   /* TW_NO_SLOT: only passed through */
    uint32_t *below; /* slots of everything under this node */
    uint32_t below_count;
    tw_decode_element *elements;
    tw_decode_member *members;
    tw_decode_member **table; /* NULL without members; the root has one always */
    uint64_t multiplier;
    uint32_t shift;
};

struct tw_decode_plan {
    uint64_t number; /* no other plan of the process has it; never 0 */
    const tw_projection *projection;
    uint32_t time_slot;
    uint32_t slot_room; /* slots a decoder needs for it */
    uint32_t *filled;   /* every slot it may fill: the projection's and the time's */
    uint32_t filled_count;
    uint32_t message_slot; /* of a text line; TW_NO_SLOT: nobody wants it */
    tw_decode_node *root;
};

/* The root of a plan that wants nothing. */
extern const tw_decode_node tw_decode_no_wishes;

/* What decides the place of a name: its first four bytes, its last and its length. */
static inline uint64_t tw_decode_name_bits(const char *name, size_t len)
{
    uint64_t bits = (uint64_t)len << 40;
    uint32_t head;

    if (len >= 4) {
        memcpy(&head, name, sizeof head);
        return bits | head | (uint64_t)(unsigned char)name[len - 1] << 32;
    }
    for (size_t n = 0; n < len; n++) {
        bits |= (uint64_t)(unsigned char)name[n] << (8 * n);
    }
    return bits;
}

static inline uint32_t tw_decode_name_place(const tw_decode_node *node, uint64_t bits)
{
    return (uint32_t)(bits * node->multiplier >> node->shift);
}

#endif

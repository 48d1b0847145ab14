// SPDX-License-Identifier: Apache-2.0
/* Places are taken by hash and given to whoever comes last: events with more keys than places, or with
 * keys that clash, are read as if there were no shape. */
#include "decode/shape.h"

enum { PROBES = 8 };

static void forget(tw_shape *shape, tw_shape_key *k)
{
    memset(k, 0, sizeof *k);
    k->next = k->inside = &shape->other;
}

void tw_shape_reset(tw_shape *shape, uint64_t plan)
{
    shape->plan = plan;
    forget(shape, &shape->start);
    forget(shape, &shape->other);
    for (uint32_t n = 0; n < TW_SHAPE_KEYS; n++) {
        forget(shape, &shape->keys[n]);
    }
}

static void remember(tw_shape_key *k, const char *p, uint32_t size,
                     const tw_decode_node *parent)
{
    k->size = size;
    k->reach = size < 8 ? 8 : (int32_t)size;
    k->parent = parent;
    memcpy(k->text, p, size);
    k->head = tw_shape_word(k->text);
    k->tail_at = size > 8 ? size - 8 : 0;
    k->tail = tw_shape_word(k->text + k->tail_at);
    k->mask = UINT64_MAX;
    if (size < 8) {
        memset(&k->mask, 0, sizeof k->mask);
        memset(&k->mask, 0xff, size);
    }
}

/* Its place, or a vacant one near, or the one that it takes from another key. */
static tw_shape_key *find_place(tw_shape *shape, const char *p, uint32_t size,
                                const tw_decode_node *parent)
{
    uint64_t bits = tw_decode_name_bits(p + 1, size - 3) ^ (uint64_t)(uintptr_t)parent
                                                               << 8;
    uint32_t home = (uint32_t)(bits * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    for (uint32_t n = 0; n < PROBES; n++) {
        tw_shape_key *k = &shape->keys[(home + n) % TW_SHAPE_KEYS];
        if (k->size == 0 ||
            (k->size == size && k->parent == parent && memcmp(k->text, p, size) == 0)) {
            return k;
        }
    }
    tw_shape_key *k = &shape->keys[home % TW_SHAPE_KEYS];
    forget(shape, k);
    return k;
}

tw_shape_key *tw_shape_other(tw_shape *shape, const tw_decode_node *node)
{
    shape->other.node = node;
    return &shape->other;
}

tw_shape_key *tw_shape_learn(tw_shape *shape, const char *p, size_t len,
                             const tw_decode_node *parent, const tw_decode_node *node)
{
    size_t size = len + 3;

    if (size > TW_SHAPE_TEXT || p[len + 2] != ':') {
        return tw_shape_other(shape, node);
    }
    tw_shape_key *k = find_place(shape, p, (uint32_t)size, parent);
    if (k->size == 0) {
        remember(k, p, (uint32_t)size, parent);
        k->node = node;
    }
    return k;
}

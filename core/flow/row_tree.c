// SPDX-License-Identifier: Apache-2.0
/* The tree of rows; see row_tree.h. Invariant: a node with one reference is reached by its writer alone,
 * since whoever copies a node above it counts it once more. */
#include "flow/row_tree.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define BITS 5
#define LAST_SHIFT 60 /* deeper all bits of the hash are the same: a plain list */

struct tw_row_node {
    atomic_uint refs;
    uint32_t count;
    uint32_t map;    /* which of 32 places are taken; a list has none */
    uint32_t leaves; /* and by leaves, not by nodes */
    void *items[];
};

/* ---- leaves ------------------------------------------------------------------------ */

tw_row_leaf *tw_row_leaf_new(const char *key, size_t key_size, uint32_t versions)
{
    size_t head = sizeof(tw_row_leaf) + versions * sizeof(tw_row_version);
    tw_row_leaf *leaf = tw_alloc(head + key_size + 1);

    atomic_init(&leaf->refs, 1);
    leaf->count = versions;
    leaf->key = (char *)leaf + head;
    leaf->key_size = (uint32_t)key_size;
    leaf->hash = tw_hash(key, key_size);
    memcpy(leaf->key, key, key_size);
    return leaf;
}

void tw_row_leaf_unref(tw_row_leaf *leaf)
{
    if (!leaf || atomic_fetch_sub_explicit(&leaf->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < leaf->count; i++)
        json_decref(leaf->versions[i].row);
    tw_free(leaf);
}

static bool is_key(const tw_row_leaf *leaf, uint64_t hash, const char *key, size_t n)
{
    return leaf->hash == hash && leaf->key_size == n && memcmp(leaf->key, key, n) == 0;
}

/* ---- nodes ------------------------------------------------------------------------- */

static bool is_list(uint32_t shift)
{
    return shift > LAST_SHIFT;
}

static uint32_t bit_of(uint64_t hash, uint32_t shift)
{
    return 1u << (hash >> shift & 31);
}

static uint32_t place_of(const tw_row_node *n, uint32_t bit)
{
    return (uint32_t)__builtin_popcount(n->map & (bit - 1));
}

/* In a list every item is a leaf. */
static bool is_leaf(const tw_row_node *n, uint32_t place)
{
    uint32_t map = n->map;

    for (uint32_t i = 0; i < place; i++)
        map &= map - 1;
    return !n->map || n->leaves & (map & -map);
}

static size_t size_of(uint32_t count)
{
    return sizeof(tw_row_node) + count * sizeof(void *);
}

static tw_row_node *new_node(void)
{
    tw_row_node *n = tw_alloc(size_of(0));

    atomic_init(&n->refs, 1);
    return n;
}

static void unref(tw_row_node *n)
{
    if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < n->count; i++) {
        if (is_leaf(n, i))
            tw_row_leaf_unref(n->items[i]);
        else
            unref(n->items[i]);
    }
    tw_free(n);
}

static void ref_item(tw_row_node *n, uint32_t place)
{
    atomic_uint *refs = is_leaf(n, place) ? &((tw_row_leaf *)n->items[place])->refs
                                          : &((tw_row_node *)n->items[place])->refs;

    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* The node itself when nobody else has it, else a copy in its place. */
static tw_row_node *own(tw_row_node *n)
{
    if (atomic_load_explicit(&n->refs, memory_order_acquire) == 1)
        return n;
    tw_row_node *mine = tw_alloc(size_of(n->count));
    memcpy(mine->items, n->items, n->count * sizeof(void *));
    mine->count = n->count;
    mine->map = n->map;
    mine->leaves = n->leaves;
    atomic_init(&mine->refs, 1);
    for (uint32_t i = 0; i < mine->count; i++)
        ref_item(mine, i);
    unref(n);
    return mine;
}

/* n is owned; bit 0: of a list. */
static tw_row_node *insert(tw_row_node *n, uint32_t place, uint32_t bit,
                           tw_row_leaf *leaf)
{
    n = tw_realloc(n, size_of(n->count + 1));
    memmove(n->items + place + 1, n->items + place, (n->count - place) * sizeof(void *));
    n->items[place] = leaf;
    n->count++;
    n->map |= bit;
    n->leaves |= bit;
    return n;
}

static void take_out(tw_row_node *n, uint32_t place, uint32_t bit)
{
    n->count--;
    memmove(n->items + place, n->items + place + 1, (n->count - place) * sizeof(void *));
    n->map &= ~bit;
    n->leaves &= ~bit;
}

/* ---- finding ----------------------------------------------------------------------- */

/* Its place in a list, or count. */
static uint32_t place_in_list(const tw_row_node *n, uint64_t hash, const char *key,
                              size_t size)
{
    uint32_t i = 0;

    while (i < n->count && !is_key(n->items[i], hash, key, size))
        i++;
    return i;
}

const tw_row_leaf *tw_row_tree_find(const tw_row_tree *t, const char *key, size_t size)
{
    uint64_t hash = tw_hash(key, size);
    const tw_row_node *n = t->root;

    for (uint32_t shift = 0; n; shift += BITS) {
        if (is_list(shift)) {
            uint32_t i = place_in_list(n, hash, key, size);
            return i < n->count ? n->items[i] : NULL;
        }
        uint32_t bit = bit_of(hash, shift);
        if (!(n->map & bit))
            return NULL;
        const void *item = n->items[place_of(n, bit)];
        if (n->leaves & bit)
            return is_key(item, hash, key, size) ? item : NULL;
        n = item;
    }
    return NULL;
}

static void walk(const tw_row_node *n, void (*leaf)(void *self, const tw_row_leaf *leaf),
                 void *self)
{
    for (uint32_t i = 0; n && i < n->count; i++) {
        if (is_leaf(n, i))
            leaf(self, n->items[i]);
        else
            walk(n->items[i], leaf, self);
    }
}

void tw_row_tree_each(const tw_row_tree *t,
                      void (*leaf)(void *self, const tw_row_leaf *leaf), void *self)
{
    walk(t->root, leaf, self);
}

/* ---- changing ---------------------------------------------------------------------- */

static tw_row_node *put(tw_row_node *n, tw_row_leaf *leaf, uint32_t shift, bool *out_new);

static tw_row_node *put_in_list(tw_row_node *n, tw_row_leaf *leaf, bool *out_new)
{
    uint32_t place = place_in_list(n, leaf->hash, leaf->key, leaf->key_size);

    *out_new = place == n->count;
    if (*out_new)
        return insert(n, place, 0, leaf);
    tw_row_leaf_unref(n->items[place]);
    n->items[place] = leaf;
    return n;
}

/* Where a leaf stands: the same key is replaced, another one moves down with it. */
static void put_on_leaf(tw_row_node *n, uint32_t place, uint32_t bit, tw_row_leaf *leaf,
                        uint32_t shift, bool *out_new)
{
    tw_row_leaf *there = n->items[place];

    *out_new = !is_key(there, leaf->hash, leaf->key, leaf->key_size);
    if (!*out_new) {
        tw_row_leaf_unref(there);
        n->items[place] = leaf;
        return;
    }
    bool is_new;
    tw_row_node *below = put(new_node(), there, shift + BITS, &is_new);
    n->items[place] = put(below, leaf, shift + BITS, &is_new);
    n->leaves &= ~bit;
}

static tw_row_node *put(tw_row_node *n, tw_row_leaf *leaf, uint32_t shift, bool *out_new)
{
    n = own(n);
    if (is_list(shift))
        return put_in_list(n, leaf, out_new);
    uint32_t bit = bit_of(leaf->hash, shift), place = place_of(n, bit);
    if (!(n->map & bit)) {
        *out_new = true;
        return insert(n, place, bit, leaf);
    }
    if (n->leaves & bit)
        put_on_leaf(n, place, bit, leaf, shift, out_new);
    else
        n->items[place] = put(n->items[place], leaf, shift + BITS, out_new);
    return n;
}

void tw_row_tree_put(tw_row_tree *t, tw_row_leaf *leaf)
{
    bool is_new;

    t->root = put(t->root ? t->root : new_node(), leaf, 0, &is_new);
    t->count += is_new;
}

/* The key is there. NULL: nothing is left of the node. */
static tw_row_node *cut(tw_row_node *n, const tw_row_leaf *leaf, uint32_t shift)
{
    n = own(n);
    uint32_t bit = is_list(shift) ? 0 : bit_of(leaf->hash, shift);
    uint32_t place =
        bit ? place_of(n, bit) : place_in_list(n, leaf->hash, leaf->key, leaf->key_size);

    if (!bit || n->leaves & bit) {
        tw_row_leaf *gone = n->items[place];
        take_out(n, place, bit);
        tw_row_leaf_unref(gone);
    } else {
        tw_row_node *below = cut(n->items[place], leaf, shift + BITS);
        n->items[place] = below;
        if (below && below->count == 1 &&
            is_leaf(below, 0)) { /* one leaf needs no node */
            n->items[place] = below->items[0];
            n->leaves |= bit;
            below->count = 0;
            unref(below);
        } else if (!below) {
            take_out(n, place, bit);
        }
    }
    if (n->count)
        return n;
    unref(n);
    return NULL;
}

bool tw_row_tree_remove(tw_row_tree *t, const char *key, size_t n)
{
    tw_row_leaf *leaf = (tw_row_leaf *)(uintptr_t)tw_row_tree_find(t, key, n);

    if (!leaf)
        return false;
    atomic_fetch_add_explicit(&leaf->refs, 1, memory_order_relaxed);
    t->root = cut(t->root, leaf, 0);
    t->count--;
    tw_row_leaf_unref(leaf);
    return true;
}

tw_row_tree tw_row_tree_copy(const tw_row_tree *t)
{
    if (t->root)
        atomic_fetch_add_explicit(&t->root->refs, 1, memory_order_relaxed);
    return *t;
}

void tw_row_tree_done(tw_row_tree *t)
{
    unref(t->root);
    *t = (tw_row_tree){0};
}

// SPDX-License-Identifier: Apache-2.0
/* Rows by key as a tree that copies are cheap of: what a table of a topic is made of. A change copies the
 * way from the root to its leaf (a handful of nodes, however many rows there are) and shares all else with
 * the copies taken before, which never change; what nobody else has is changed in place, so filling an
 * empty tree copies nothing. Leaves and nodes are counted, so the last reader frees, on whichever thread.
 * A tree has one writer; its copies are read by any thread.
 *
 * The form is a hash array mapped trie (Bagwell, "Ideal Hash Trees", 2001), 32 ways a level. */
#ifndef TW_FLOW_ROW_TREE_H
#define TW_FLOW_ROW_TREE_H

#include <stdatomic.h>
#include <stddef.h>

#include "flow/rows.h"

/* All that one key has; immutable once it is in a tree. */
typedef struct tw_row_leaf {
    atomic_uint refs;
    uint32_t count, key_size;
    uint64_t hash;
    size_t bytes;              /* the owner's account of it */
    char *key;                 /* with a NUL behind it */
    tw_row_version versions[]; /* rows owned */
} tw_row_leaf;

/* With room for so many versions, all empty; refs 1. */
tw_row_leaf *tw_row_leaf_new(const char *key, size_t key_size, uint32_t versions);
void tw_row_leaf_unref(tw_row_leaf *leaf);

typedef struct tw_row_node tw_row_node;
typedef struct tw_row_tree {
    tw_row_node *root; /* NULL: empty */
    size_t count;
} tw_row_tree;

tw_row_tree tw_row_tree_copy(const tw_row_tree *t);
void tw_row_tree_done(tw_row_tree *t);
/* Borrowed until the next change; NULL: not there. */
const tw_row_leaf *tw_row_tree_find(const tw_row_tree *t, const char *key, size_t n);
void tw_row_tree_put(tw_row_tree *t, tw_row_leaf *leaf); /* takes it; replaces */
bool tw_row_tree_remove(tw_row_tree *t, const char *key, size_t n);
/* Every leaf once, in no order that means anything. */
void tw_row_tree_each(const tw_row_tree *t,
                      void (*leaf)(void *self, const tw_row_leaf *leaf), void *self);

#endif

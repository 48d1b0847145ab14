// SPDX-License-Identifier: Apache-2.0
/* What a rule file registered, as plain C data: tables, scalars, functions by number and the words of
 * the language ("from", "gt", ...) with their arguments. Everything behind the sandbox works on this;
 * no Lua is in sight. Lives in an arena; the strings are copies.
 *
 * Keyed entries are sorted by key, because Lua's own order differs from state to state and the
 * numbers of functions must not. */
#ifndef TW_RULE_TREE_H
#define TW_RULE_TREE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"

typedef enum tw_tree_type {
    TW_TREE_NIL,
    TW_TREE_NULL, /* the word null */
    TW_TREE_BOOL,
    TW_TREE_INT,
    TW_TREE_NUMBER,
    TW_TREE_STRING,
    TW_TREE_FUNCTION,
    TW_TREE_TABLE,
    TW_TREE_WORD,
    TW_TREE_OTHER /* nothing a rule file can mean; with a text: it has been told already */
} tw_tree_type;

typedef struct tw_tree tw_tree;

typedef struct tw_tree_entry {
    const char *key;
    tw_tree *value;
} tw_tree_entry;

struct tw_tree {
    tw_tree_type type;
    int line;         /* WORD: of the call; 0 unknown */
    uint32_t spot;    /* token to point at (source.h); TW_NO_TOKEN */
    const char *text; /* STRING, WORD (its name), OTHER */
    size_t size;      /* STRING; may hold NUL */
    union {
        bool b;
        int64_t i;
        double d;
        struct {
            int fn, first_line, last_line;
            uint32_t from, behind; /* offsets of its text; behind 0: not known */
        };
    };
    tw_tree **items; /* list part of a table; arguments of a word */
    uint32_t item_count;
    tw_tree_entry *entries;
    uint32_t entry_count;
};

/* Limits of one rule. */
enum { TW_TREE_DEPTH = 32, TW_TREE_NODES = 10000, TW_TREE_BYTES = 256 * 1024 };

typedef struct tw_tree_reader {
    tw_arena *arena;
    int node_mt; /* stack index: metatable of the words' nodes */
    int fns;     /* stack index: functions are put here, by number + 1 */
    int fn_count;
    uint32_t nodes;
    size_t bytes;
    const char *refused; /* which limit was passed; the tree is then not whole */
} tw_tree_reader;

/* Reads the value at index. May raise (memory), inside a protected call only. */
tw_tree *tw_tree_read(lua_State *L, int index, tw_tree_reader *r);

const tw_tree *tw_tree_get(const tw_tree *table, const char *key); /* NULL when absent */
/* A word of that name; NULL matches any word. */
bool tw_tree_is_word(const tw_tree *t, const char *word);
bool tw_tree_is_operator(const tw_tree *t); /* `+ - * /` and negate, operands in items */
/* "a string", "a table", "'gt'": for messages. Lives as long as the tree. */
const char *tw_tree_name(const tw_tree *t);
bool tw_tree_number(const tw_tree *t, double *out); /* INT and NUMBER */

/* The same text for the same meaning; functions by their text in `source`, or
 * where that was not found, by the lines they stand on. */
void tw_tree_write(const tw_tree *t, const char *source, size_t source_size, tw_buf *out);

#endif

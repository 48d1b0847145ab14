// SPDX-License-Identifier: Apache-2.0
/* The rows of a look-up table by key, as they were at one moment: filled by one owner, then immutable,
 * counted, and read by any thread. A table may keep history: then a key has versions, each valid from a
 * time on and until the next begins or its own end. */
#ifndef TW_FLOW_ROWS_H
#define TW_FLOW_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/declared.h"

/* Not a time but a wish: the newest version, also when it has an end. */
#define TW_ROW_NEWEST INT64_MAX
#define TW_ROW_ALWAYS INT64_MIN   /* begins: was so ever since */
#define TW_ROW_FOR_EVER INT64_MAX /* ends: not by itself */

typedef struct tw_row_version {
    int64_t since_ms, until_ms; /* valid in [since, until) */
    json_t *row;                /* NULL: from here on there is none */
} tw_row_version;

/* The row among versions sorted by their beginning. Borrowed; NULL: a miss. */
json_t *tw_row_versions_at(const tw_row_version *versions, uint32_t count, int64_t at_ms);

typedef struct tw_rows tw_rows;

/* Empty, to be filled. Without history a key comes once. */
tw_rows *tw_rows_new(bool has_history);
/* Takes v.row, also when it fails: no key, twice the same, more than a million rows. line: of the file, for
 * err. */
int tw_rows_add(tw_rows *rows, const char *key, size_t n, tw_row_version v, int line,
                tw_err *err);
/* Nothing is added any more. Two versions of a key that begin at one time are an error. */
int tw_rows_finish(tw_rows *rows, tw_err *err);
/* Of an object of key to row, or to a list of versions [since, row] and [since] for an end, counted from
 * start_ms (since null: ever), as they stand in a test. */
tw_rows *tw_rows_of_json(json_t *object, int64_t start_ms);
/* Of a tree as it is now, which goes on to change; keys: how many have a row now. */
struct tw_row_tree;
tw_rows *tw_rows_of_tree(const struct tw_row_tree *tree, size_t keys);
/* A column that rows have; which rows had it is not kept. And those that were told so far, borrowed. */
void tw_rows_add_column(tw_rows *rows, const char *name);
const tw_declared *tw_rows_columns(const tw_rows *rows);
tw_rows *tw_rows_ref(tw_rows *rows); /* NULL gives NULL */
void tw_rows_unref(tw_rows *rows);

/* The row that was valid then, or TW_ROW_NEWEST. Borrowed; NULL: a miss. */
json_t *tw_rows_at(const tw_rows *rows, const char *key, int64_t at_ms);
json_t *tw_rows_get(const tw_rows *rows, const char *key); /* the newest */
bool tw_rows_have_history(const tw_rows *rows);
size_t tw_rows_count(const tw_rows *rows); /* of keys */
/* The newest row of every key once, in the order of the file, of a tree in none. */
void tw_rows_each(const tw_rows *rows,
                  void (*row)(void *self, const char *key, json_t *value), void *self);

#endif

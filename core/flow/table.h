// SPDX-License-Identifier: Apache-2.0
/* Look-up tables for `enrich`: a CSV or JSON file as an immutable snapshot, read again
 * when the file changes. A file that is half written or broken leaves the last good
 * snapshot in place, and that shows (tw_table_error). Shore thread. Limits: 64 MiB,
 * 1,000,000 rows.
 *
 * CSV: RFC 4180 with a header row; every cell is text. JSON: an object of key to row, or
 * a list of rows with the key column in each. key NULL: the first CSV column, "key" in
 * JSON lists. */
#ifndef TW_FLOW_TABLE_H
#define TW_FLOW_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

typedef struct tw_table tw_table;

/* The rows of one good read: immutable, counted, read by any thread. */
typedef struct tw_rows tw_rows;
tw_rows *tw_rows_ref(tw_rows *rows); /* NULL gives NULL */
void tw_rows_unref(tw_rows *rows);
/* Of an object of key to row, as it stands in a test. */
tw_rows *tw_rows_of_json(json_t *object);
json_t *tw_rows_get(const tw_rows *rows, const char *key); /* borrowed; NULL: a miss */
size_t tw_rows_count(const tw_rows *rows);
/* Every row once, in the order of the file. */
void tw_rows_each(const tw_rows *rows,
                  void (*row)(void *self, const char *key, json_t *value), void *self);

/* Reads the file; NULL with err (file, line) when there is no good first snapshot. */
tw_table *tw_table_open(const char *name, const char *path, const char *key, tw_err *err);
void tw_table_free(tw_table *t);
/* Reads again if the file is another one or has changed. *out_changed says whether a new
 * snapshot is in place; an error leaves the old one. */
int tw_table_refresh(tw_table *t, bool *out_changed, tw_err *err);
json_t *tw_table_row(const tw_table *t,
                     const char *key);     /* borrowed until refresh; NULL: a miss */
tw_rows *tw_table_rows(const tw_table *t); /* those of now, borrowed until refresh */
const char *tw_table_name(const tw_table *t);
size_t tw_table_count(const tw_table *t);
const char *
tw_table_error(const tw_table *t); /* of the last refresh; NULL when it was good */

#endif

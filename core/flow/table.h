// SPDX-License-Identifier: Apache-2.0
/* Look-up tables for `enrich`: a CSV or JSON file as an immutable snapshot, read again
 * when the file changes. A file that is half written or broken, or lacks a column that rules
 * read, leaves the last good snapshot in place, and that shows (tw_table_error). Shore thread. Limits: 64 MiB,
 * 1,000,000 rows. What may stand in a file is in table_read.h. */
#ifndef TW_FLOW_TABLE_H
#define TW_FLOW_TABLE_H

#include "flow/table_read.h"

typedef struct tw_table tw_table;

/* Reads the file; NULL with err (file, line) when there is no good first snapshot. */
tw_table *tw_table_open(const char *name, const char *path, const char *key, tw_err *err);
/* The same of a table that says which columns are what; with `since` it keeps history. */
tw_table *tw_table_open_with(const char *name, const char *path,
                             const tw_table_columns *columns, tw_err *err);
void tw_table_free(tw_table *t);
/* Reads again if the file is another one or has changed. *out_changed says whether a new
 * snapshot is in place; an error leaves the old one. */
int tw_table_refresh(tw_table *t, bool *out_changed, tw_err *err);
json_t *tw_table_row(const tw_table *t,
                     const char *key);     /* borrowed until refresh; NULL: a miss */
tw_rows *tw_table_rows(const tw_table *t); /* those of now, borrowed until refresh */
/* A rule reads this column: contents without it are refused from now on, until no rule needs it. */
void tw_table_need(tw_table *t, const char *column, const char *rule);
void tw_table_need_nothing(tw_table *t);
/* The file is well, but for a column that a rule needs. */
bool tw_table_lacks_column(const tw_table *t);
bool tw_table_has_history(const tw_table *t);
const char *tw_table_name(const tw_table *t);
size_t tw_table_count(const tw_table *t);
const char *
tw_table_error(const tw_table *t); /* of the last refresh; NULL when it was good */

#endif

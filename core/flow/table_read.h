// SPDX-License-Identifier: Apache-2.0
/* The contents of a table file as rows. CSV: RFC 4180 with a header row; every cell is text. JSON: an
 * object of key to row, or a list of rows with the key column in each; with history the object may have
 * a list of rows for a key. Pure functions. */
#ifndef TW_FLOW_TABLE_READ_H
#define TW_FLOW_TABLE_READ_H

#include "base/buf.h"
#include "flow/rows.h"

typedef struct tw_table_columns {
    const char *key; /* NULL: the first of CSV, "key" in JSON lists */
    const char
        *since; /* when a row begins to be valid; NULL: the table keeps no history */
    const char *until; /* when it ends; NULL: when the next of its key begins */
} tw_table_columns;

/* Adds to rows, which keep history when there is `since`. Errors have their line. */
int tw_table_read(const tw_buf *text, bool is_json, const tw_table_columns *columns,
                  tw_rows *rows, tw_err *err);

#endif

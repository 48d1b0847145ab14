// SPDX-License-Identifier: Apache-2.0
/* The look-up tables at one moment, for lanes: each a table's rows, immutable and counted. The shore
 * makes a new view when a table was read again and hands it to the lanes in a pause; who still holds
 * an old one reads on in it. Rows are read by any thread and changed by none. A table of a topic changes all the
 * time: of it the view has the place where its rows are published. */
#ifndef TW_FLOW_TABLE_VIEW_H
#define TW_FLOW_TABLE_VIEW_H

#include <stdint.h>

#include "flow/rows_live.h"
#include "flow/table.h"

typedef struct tw_table_view tw_table_view;

/* Of tables as they are now; their rows stay alive with the view. count may be 0. */
tw_table_view *tw_table_view_new(tw_table *const *tables, uint32_t count);
/* Of an object of table to rows by key, as a test that begins then has them (tw_rows_of_json); NULL: no
 * table. */
tw_table_view *tw_table_view_of_json(json_t *tables, int64_t start_ms);
/* Of rows of all kinds, each by its name. */
typedef struct tw_table_part {
    const char *name;
    tw_rows *rows;      /* a reference of the view's own is made */
    tw_live_rows *live; /* or these */
} tw_table_part;
tw_table_view *tw_table_view_of(const tw_table_part *parts, uint32_t count);
tw_table_view *tw_table_view_ref(tw_table_view *view);
void tw_table_view_unref(tw_table_view *view);
/* The rows of a table by its name; NULL when there is none. Borrowed from the view; of one that changes
 * for the shore only, and until it is published again. */
const tw_rows *tw_table_view_rows(const tw_table_view *view, const char *name);
/* The same for lanes: NULL for a table that does not change, or is not there. Borrowed. */
tw_live_rows *tw_table_view_live(const tw_table_view *view, const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The look-up tables at one moment, for lanes: each a table's rows, immutable and counted. The shore
 * makes a new view when a table was read again and hands it to the lanes in a pause; who still holds
 * an old one reads on in it. Rows are read by any thread and changed by none. */
#ifndef TW_FLOW_TABLE_VIEW_H
#define TW_FLOW_TABLE_VIEW_H

#include <stdint.h>

#include "flow/table.h"

typedef struct tw_table_view tw_table_view;

/* Of tables as they are now; their rows stay alive with the view. count may be 0. */
tw_table_view *tw_table_view_new(tw_table *const *tables, uint32_t count);
/* Of an object of table to rows by key, as a test has them; NULL: no table. */
tw_table_view *tw_table_view_of_json(json_t *tables);
tw_table_view *tw_table_view_ref(tw_table_view *view);
void tw_table_view_unref(tw_table_view *view);
/* The rows of a table by its name; NULL when there is none. Borrowed from the view. */
const tw_rows *tw_table_view_rows(const tw_table_view *view, const char *name);

#endif

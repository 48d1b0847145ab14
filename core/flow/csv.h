// SPDX-License-Identifier: Apache-2.0
/* Reads CSV by RFC 4180 from memory, one row a call: quoted cells, doubled quotes, line ends of both
 * kinds, a byte order mark at the start. Blank lines are passed over. Cells are copied, since
 * quotes may stand within; they live until the next row. One thread. */
#ifndef TW_FLOW_CSV_H
#define TW_FLOW_CSV_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define TW_CSV_MAX_CELLS 1024

typedef struct tw_csv {
    const char *at, *end;
    tw_buf text;                     /* the cells of the row, one after the other */
    size_t starts[TW_CSV_MAX_CELLS]; /* places in text */
    size_t lens[TW_CSV_MAX_CELLS];
    int line; /* of the row last read, 1-based */
    int next_line;
} tw_csv;

void tw_csv_init(tw_csv *c, const char *data, size_t n); /* data is borrowed */
void tw_csv_done(tw_csv *c);
/* Number of cells; 0 at the end. TW_EPARSE (err says why and at which line), TW_ELIMIT. */
int tw_csv_row(tw_csv *c, tw_err *err);
const char *tw_csv_cell(const tw_csv *c, int i, size_t *out_len); /* not terminated */

#endif

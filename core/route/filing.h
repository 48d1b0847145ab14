// SPDX-License-Identifier: Apache-2.0
/* Decides under which of its conditions each match table is filed in the index. The aim
 * is the least expected cost of an event: each field looked at costs a probe, each
 * candidate found a check. Shore only, while a router is built. */
#ifndef TW_ROUTE_FILING_H
#define TW_ROUTE_FILING_H

#include <stdint.h>

#include "flow/match.h"

typedef enum tw_filing_kind {
    TW_FILED_ALWAYS, /* under nothing: tried for every event */
    TW_FILED_EXACT,  /* one EQ or ONEOF */
    TW_FILED_RANGE,  /* all numeric bounds on one slot */
    TW_FILED_PREFIX,
    TW_FILED_ANY_OF /* each alternative under an EQ or ONEOF of its own */
} tw_filing_kind;

typedef struct tw_filing {
    tw_filing_kind kind;
    uint32_t item;          /* number of the matcher in its table */
    uint32_t slot;          /* not of ANY_OF */
    uint32_t *alternatives; /* ANY_OF: number of the matcher in each alternative */
    double chance;          /* how likely an event is taken for a candidate, estimated */
} tw_filing;

/* One filing for each table (NULL: every event); freed with tw_filings_free. */
tw_filing *tw_filings_choose(const tw_match_table *const *tables, uint32_t count);
void tw_filings_free(tw_filing *filings, uint32_t count);

/* The bounds of a table on one slot, as inclusive doubles. */
void tw_filing_bounds(const tw_match_table *t, uint32_t slot, double *out_low,
                      double *out_high);

#endif

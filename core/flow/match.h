// SPDX-License-Identifier: Apache-2.0
/* Matchers: conditions on fields written as data in a rule. A matcher table holds when all its
 * matchers hold. A matcher on an absent field does not hold, and neither does its `except`;
 * only MISSING does. Immutable once compiled; any thread may evaluate. PCRE2 lives here. */
#ifndef TW_FLOW_MATCH_H
#define TW_FLOW_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/event.h"

typedef enum tw_match_op {
    TW_MATCH_EQ,    /* values[0] */
    TW_MATCH_ONEOF, /* any of values */
    TW_MATCH_GT,
    TW_MATCH_GTE,
    TW_MATCH_LT,
    TW_MATCH_LTE,
    TW_MATCH_BETWEEN, /* values[0] <= x <= values[1] */
    TW_MATCH_PREFIX,
    TW_MATCH_SUFFIX,
    TW_MATCH_CONTAINS, /* text contains text */
    TW_MATCH_HAS,      /* an array holds all of values */
    TW_MATCH_REGEX,    /* values[0], PCRE2, unanchored, bounded match */
    TW_MATCH_EXISTS,   /* present, null included */
    TW_MATCH_MISSING,
    TW_MATCH_EXCEPT, /* present and not children[0] (a matcher on the same field) */
    TW_MATCH_ANY_OF  /* one of tables holds; has no field */
} tw_match_op;

typedef struct tw_match tw_match;
typedef struct tw_match_table tw_match_table;

struct tw_match {
    tw_match_op op;
    uint32_t slot;
    uint32_t value_count;
    tw_value *values;        /* text is owned by the table that holds the matcher */
    tw_match *child;         /* EXCEPT */
    tw_match_table **tables; /* ANY_OF */
    uint32_t table_count;
    void *regex; /* compiled by tw_match_table_add */
};

struct tw_match_table {
    tw_match *items;
    uint32_t count;
};

tw_match_table *tw_match_table_new(void);
void tw_match_table_free(tw_match_table *t);
/* Takes a deep copy of m (its text included), compiles a regex. TW_EPARSE for a bad regex
 * (text says where), TW_EINVAL for values that make no sense for the operator. */
int tw_match_table_add(tw_match_table *t, const tw_match *m, tw_err *err);

bool tw_match_holds(const tw_match *m, const tw_event *ev);
bool tw_match_table_holds(const tw_match_table *t,
                          const tw_event *ev); /* NULL table: true */

/* Every slot read by a table, appended to out (a growing array owned by the caller). */
void tw_match_table_slots(const tw_match_table *t, uint32_t **slots, uint32_t *count);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The plan of a `missing` rule, and the keys that a table says are to be heard. The plan is immutable
 * like its rule. A tw_expected is made on the shore of a table as it is then, never changes, is
 * counted, and may be read by any thread. */
#ifndef TW_FLOW_PLAN_MISSING_H
#define TW_FLOW_PLAN_MISSING_H

#include "base/zone.h"
#include "flow/plan.h"
#include "flow/table.h"

typedef struct tw_missing_plan {
    uint32_t input;
    int stop_input;   /* -1: none */
    int64_t every_ms; /* 0: a field says, or a time of the day */
    bool has_every_slot;
    uint32_t every_slot; /* of `input`: a number of seconds, or a duration */
    int64_t grace_ms;
    bool is_daily; /* by = "03:00" */
    int64_t daytime_ms;
    uint32_t days;
    tw_zone *zone;    /* NULL: UTC */
    int64_t learn_ms; /* how long a key that was heard is expected; 0: a table says */
    int64_t guard_ms; /* 0: none */

    /* the table */
    char *table;         /* NULL: learned */
    tw_streams *streams; /* one, whose fields are the columns that are read */
    tw_match_table *where;
    uint32_t columns[TW_MAX_KEY_FIELDS]; /* slots that make the key */
    uint32_t column_count;
    bool
        may_be_row_key; /* one column, and where a row has none, the row's key in the table */
} tw_missing_plan;

tw_missing_plan *tw_missing_plan_new(void);
void tw_missing_plan_free(void *plan);

/* NULL: no such detector. */
const tw_missing_plan *tw_missing_plan_of(const tw_rule *rule);

typedef struct tw_expected tw_expected;

tw_expected *tw_expected_new(const tw_missing_plan *plan, const tw_rows *rows);
tw_expected *tw_expected_ref(tw_expected *e);
void tw_expected_unref(tw_expected *e);
uint32_t tw_expected_count(const tw_expected *e);
tw_key tw_expected_key(const tw_expected *e, uint32_t number);
/* Whether a rule that expects the keys of this table expects none of its rows: it could never tell of anybody. Says
 * so in err. */
bool tw_missing_expects_nobody(const tw_rule *rule, const tw_rows *rows, tw_err *err);
/* Rows that matched and had no key. */
uint32_t tw_expected_keyless(const tw_expected *e);

#endif

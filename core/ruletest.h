// SPDX-License-Identifier: Apache-2.0
/* Runs the tests beside the rules: each through the whole path to the sink on a virtual clock, once as
 * written and once under each disturbance of `vary`, and says what did not hold. Caller's
 * thread (which must be the only one that runs rules here; `lanes` starts threads of its own). */
#ifndef TW_RULETEST_H
#define TW_RULETEST_H

#include <stdio.h>

#include "flow/table_view.h"
#include "rule/rules.h"
#include "rule/tests.h"

typedef struct tw_ruletests tw_ruletests;

typedef struct tw_ruletest_outcome {
    bool passed;
    char *report;  /* what did not hold, for people; NULL when it passed */
    char *summary; /* its first line */
    uint32_t runs; /* with disturbances */
    int64_t duration_us;
} tw_ruletest_outcome;

/* Where the rules will live, borrowed: how they are read (its `streams` are those there are), and the rows of tables
 * that a test does not bring itself. */
typedef struct tw_ruletest_world {
    const tw_rule_options *rules;
    const tw_table_part *tables;
    uint32_t table_count;
} tw_ruletest_world;

/* Loads the files. world NULL: anywhere, with streams, tables and routes of any name. NULL with findings when one is refused, or with err. */
tw_ruletests *tw_ruletests_new(const char *const *paths, size_t count,
                               const tw_ruletest_world *world, tw_findings *out_findings,
                               tw_err *err);
void tw_ruletests_free(tw_ruletests *rt);
uint32_t tw_ruletests_count(const tw_ruletests *rt);
const tw_rule_test *tw_ruletests_at(const tw_ruletests *rt, uint32_t i);
void tw_ruletests_run(tw_ruletests *rt, uint32_t i, tw_ruletest_outcome *out);
/* From now on what the runs reach is written down; they are slower, and those on lane threads are left out. */
int tw_ruletests_cover(tw_ruletests *rt, tw_err *err);
/* Per file and of all, with what was not reached. Returns the percentage of all. */
double tw_ruletests_coverage_write(tw_ruletests *rt, FILE *out);
void tw_ruletest_outcome_done(tw_ruletest_outcome *o);

#endif

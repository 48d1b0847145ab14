// SPDX-License-Identifier: Apache-2.0
/* The inside of the test runner, for ruletest*.c only. */
#ifndef TW_RULETEST_IMPL_H
#define TW_RULETEST_IMPL_H

#include "base/buf.h"
#include "base/map.h"
#include "replay.h"
#include "rule/coverage.h"
#include "ruletest.h"

struct tw_ruletests {
    tw_streams *streams; /* its own; NULL: those of the world */
    tw_ruletest_world world;
    tw_rule_options options;
    tw_rule_files *files;
    tw_map *selections;    /* rules and parameters of a test -> tw_rule_files, owns */
    tw_coverage *coverage; /* NULL: nobody wants to know */
    tw_map *reached;       /* "rule level", with coverage */
};

/* One thing that left, or for the timeline only, a change of an incident. */
typedef struct tw_left {
    int64_t at_ms; /* from the start of the test */
    uint32_t order;
    bool is_change;
    tw_test_leaves leaves;
    json_t *object; /* of the replay output */
    int32_t expect; /* number of what it was matched with; -1 */
} tw_left;

/* An event on its way in. */
typedef struct tw_test_arrival {
    int64_t at_ms, stamp_ms;
    uint32_t event; /* number in the test */
    uint32_t order;
} tw_test_arrival;

/* One run of one test. */
typedef struct tw_test_run {
    const tw_rule_test *test;
    const tw_variation *vary; /* NULL: as written */
    uint64_t seed;
    uint32_t lanes;
    tw_rule_files *files;
    const tw_ruletest_world *world;
    tw_replay *replay;
    struct tw_table_view *tables; /* that rules emit with; lives as long as the replay */
    tw_map *reached;              /* of the tests; NULL */
    int64_t bound_ms;             /* by how much arrivals moved at most */
    int64_t tolerance_ms;         /* by how much what leaves may move */
    tw_test_arrival *arrivals;
    uint32_t arrival_count;
    tw_left *left;
    uint32_t left_count;
    int32_t *matched; /* by expectation: number in left, or -1 */
    tw_err err;       /* it could not be run */
} tw_test_run;

/* ruletest_run.c: feeds and collects. TW_OK, or run->err. */
int tw_test_run_drive(tw_test_run *run);
void tw_test_run_done(tw_test_run *run);

/* ruletest_cover.c: of a change of an incident */
void tw_test_run_reached(const tw_test_run *run, const json_t *change);
/* of what a detector told */
void tw_test_run_found(const tw_test_run *run, const json_t *signal);
void tw_test_run_emitted(const tw_test_run *run, const json_t *event);

/* ruletest_match.c: fills matched and left[].expect. True when everything met. */
bool tw_test_run_match(tw_test_run *run);
/* The value of an expected field in what left, or NULL. Borrowed. */
const json_t *tw_left_field(const tw_left *left, const char *name);
bool tw_left_field_matches(const json_t *wanted, const json_t *is);
/* Whether late events count in this run, and so on: whether `left` is compared at all. */
bool tw_left_counts(const tw_test_run *run, const tw_left *left);

/* ruletest_text.c: why the run did not hold, as text; the first line sums it up. */
void tw_test_run_explain(const tw_test_run *run, tw_buf *out);

#endif

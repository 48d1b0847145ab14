// SPDX-License-Identifier: Apache-2.0
/* The tests beside the rules as plain data: what is fed, what must leave, under which disturbances.
 * Loaded with the rules when tw_rule_options.tests says so, immutable afterwards, owned by their
 * tw_rule_files. Times are milliseconds from the start of the test. */
#ifndef TW_RULE_TESTS_H
#define TW_RULE_TESTS_H

#include "base/mem.h"
#include "rule/rules.h"

/* 2024-01-01T00:00:00Z, a Monday: windows of any usual length begin there. */
#define TW_TEST_START_MS INT64_C(1704067200000)

typedef struct tw_test_place {
    int line, column;
} tw_test_place;

/* One line of `feed`, as it was written. */
typedef struct tw_test_line {
    tw_test_place place;
    const char *when, *stream;
    uint32_t count; /* of its events */
} tw_test_line;

typedef struct tw_test_event {
    int64_t at_ms;
    uint32_t line; /* number in lines */
    int32_t partition;
    const char *json;
    uint32_t size;
} tw_test_event;

typedef enum tw_test_leaves {
    TW_LEAVES_INFO,
    TW_LEAVES_WARN,
    TW_LEAVES_CRIT,
    TW_LEAVES_UNKNOWN,
    TW_LEAVES_OK,
    TW_LEAVES_EMIT,
    TW_LEAVES_SUMMARY,
    TW_LEAVES_LATE
} tw_test_leaves;
extern const char *const tw_test_leaves_names[]; /* NULL-terminated */

/* fields: name to what it must be; a matcher is {"$gt": [1]}, null {"$null": []}. NULL: any. */
typedef struct tw_test_expect {
    tw_test_place place;
    int64_t at_ms;
    tw_test_leaves leaves;
    json_t *fields;
} tw_test_expect;

typedef enum tw_disturbance_kind {
    TW_DISTURB_SHUFFLE,   /* arrives up to ms later, in another order */
    TW_DISTURB_DELAY,     /* arrives ms later */
    TW_DISTURB_DUPLICATE, /* every event twice */
    TW_DISTURB_FUTURE,    /* stamps of sources lie a day ahead */
    TW_DISTURB_STALL,     /* at ms a partition more is assigned and says nothing */
    TW_DISTURB_RELOAD,    /* at ms the same files are loaded again */
    TW_DISTURB_REBALANCE, /* at ms all partitions are taken and given back */
    TW_DISTURB_RESTART,   /* at ms everything is saved, thrown away and loaded */
    TW_DISTURB_LANES      /* on 1 and on 4 lanes */
} tw_disturbance_kind;

typedef struct tw_disturbance {
    tw_disturbance_kind kind;
    int64_t ms;
} tw_disturbance;

enum { TW_TEST_DISTURBANCES = 8 }; /* that come together */

typedef struct tw_variation {
    tw_test_place place;
    const char *name; /* as written */
    tw_disturbance items[TW_TEST_DISTURBANCES];
    uint32_t count;
} tw_variation;

typedef struct tw_test_silence {
    tw_test_place place;
    int64_t from_ms, to_ms;
    json_t *match;
} tw_test_silence;

typedef struct tw_rule_test {
    tw_arena arena; /* of all texts below */
    const char *name, *file;
    tw_test_place place;
    const char **rules; /* the tested one, then `also` */
    tw_test_place *rule_places;
    uint32_t rule_count;
    tw_test_line *lines;
    uint32_t line_count;
    tw_test_event *events; /* in order of time */
    uint32_t event_count;
    tw_test_expect *expect;
    uint32_t expect_count;
    tw_variation *vary;
    uint32_t vary_count;
    tw_test_silence *silences;
    uint32_t silence_count;
    json_t *params; /* {"team/rule": {"fire": 1}}, or NULL */
    json_t *tables; /* {"table": {"key": row or versions}} (tw_rows_of_json), or NULL */
    tw_test_place params_place, tables_place;
    int64_t start_ms;
    int64_t end_ms; /* of until_, else of the last thing fed or expected */
} tw_rule_test;

/* Tests in the order of the files and their text; those with a finding are not among them. */
uint32_t tw_rule_files_test_count(const tw_rule_files *f);
const tw_rule_test *tw_rule_files_test(const tw_rule_files *f, uint32_t i);

/* The same files with these rules alone, for one test. The Lua states of the set are used again: a
 * script that is freed waits for the next tw_rule_script_new. One thread. */
tw_rule_files *tw_rule_files_select(const tw_rule_files *f, const char *const *names,
                                    uint32_t count);
/* Lets go of the Lua states that wait in a selection. Nothing for other files. */
void tw_rule_files_drop_idle(tw_rule_files *f);

const tw_streams *tw_rule_files_streams(const tw_rule_files *f);

void tw_rule_test_free(tw_rule_test *t);

#endif

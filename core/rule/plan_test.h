// SPDX-License-Identifier: Apache-2.0
/* From the tree of a registered test to its data; the inside of plan_test*.c. */
#ifndef TW_RULE_PLAN_TEST_H
#define TW_RULE_PLAN_TEST_H

#include "rule/compile.h"
#include "rule/rule_files.h"
#include "rule/tests.h"
#include "rule/words.h"

typedef struct tw_test_compiler {
    tw_compiler *c;
    tw_words *words; /* open: functions of the feed are called */
    tw_rule_test *test;
} tw_test_compiler;

/* A test without findings, or NULL with some. */
tw_rule_test *tw_compile_test(tw_compiler *c, tw_words *words, tw_tree *test);

void tw_compile_test_feed(tw_test_compiler *t, const tw_tree *feed);
void tw_compile_test_expect(tw_test_compiler *t, const tw_tree *expect);
void tw_compile_test_tables(tw_test_compiler *t, const tw_tree *tables);
void tw_compile_test_vary(tw_test_compiler *t, const tw_tree *vary);
/* What a field must be, as tw_test_expect has it; NULL with a finding. New reference. */
json_t *tw_compile_test_wanted(tw_test_compiler *t, const tw_tree *v);
/* A time from the start ("12m35s"), or false with a finding that begins with `what`. */
bool tw_compile_test_time(tw_test_compiler *t, const tw_tree *v, const char *what,
                          int64_t *out_ms);
tw_test_place tw_compile_test_place(const tw_test_compiler *t, const tw_tree *v);

/* Findings of what tests say of rules, which may be of other files (tests.c). */
void tw_rule_tests_resolve(tw_rule_files *set, tw_findings *findings);
void tw_rule_tests_collect(tw_rule_files *set);
/* The end of a selection. */
void tw_rule_files_deselect(tw_rule_files *selection);

#endif

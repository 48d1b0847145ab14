// SPDX-License-Identifier: Apache-2.0
/* What became of tests as JUnit XML, which CI servers read. */
#ifndef TW_CLI_TEST_JUNIT_H
#define TW_CLI_TEST_JUNIT_H

#include "ruletest.h"

typedef struct tw_junit tw_junit;

tw_junit *tw_junit_new(void);
void tw_junit_free(tw_junit *j);
void tw_junit_add(tw_junit *j, const tw_rule_test *t, const tw_ruletest_outcome *o);
/* Closes the list and writes it. TW_EIO, TW_ELIMIT. */
int tw_junit_write(tw_junit *j, const char *path, tw_err *err);

#endif

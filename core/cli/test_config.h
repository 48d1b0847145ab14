// SPDX-License-Identifier: Apache-2.0
/* A configuration as the tests beside the rules are run with it: its streams, tables, parameters and limits. Main thread. */
#ifndef TW_CLI_TEST_CONFIG_H
#define TW_CLI_TEST_CONFIG_H

#include "config.h"
#include "ruletest.h"

typedef struct tw_test_config {
    tw_config *config;
    tw_streams *streams;
    tw_rule_options rules;
    tw_table **tables; /* files that can be read */
    tw_table_part *parts;
    const tw_declared **columns; /* by table of the configuration */
    tw_ruletest_world world;     /* borrows from the above */
} tw_test_config;

/* Takes the configuration. What of its tables cannot be read is told on stderr: look-ups in it miss. */
void tw_test_config_init(tw_test_config *t, tw_config *config);
void tw_test_config_done(tw_test_config *t);

#endif

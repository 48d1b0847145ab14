// SPDX-License-Identifier: Apache-2.0
/* The configuration of `tidewatch demo`: demo.yaml, which is part of the program, with its @NAME@ places
 * filled in; @5s@ is five seconds of a story that takes a minute. Main thread. */
#ifndef TW_CLI_DEMO_CONFIG_H
#define TW_CLI_DEMO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Everyday traffic before the story, in which the consumer joins its group. */
#define TW_DEMO_PRELUDE_MS 4000

typedef struct tw_demo_places {
    const char *state_dir, *log_level, *rules;
    int64_t for_ms;
} tw_demo_places;

/* The text, to be freed with tw_free; picks a free port for the page of metrics. */
char *tw_demo_config(const tw_demo_places *places, tw_err *err);
/* The folder of the demo's rules: beside the program in a build tree, else where it is installed; in
 * short as seen from the working directory, when it lies there, else whole. tw_free. */
char *tw_demo_rules_dir(bool in_short);
/* How to call this program from the working directory: by its path when it lies below, else by name. */
char *tw_demo_program(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The program's commands, one file each. A command gets its own argc and argv (argv[0] is
 * the command's name) and returns the exit code. Main thread. */
#ifndef TW_CLI_CLI_H
#define TW_CLI_CLI_H

#include "rule/rules.h"

/* Exit codes, as scripts know them. */
enum {
    TW_EXIT_OK = 0,
    TW_EXIT_FINDING = 1, /* a rule refused, a test failed */
    TW_EXIT_USAGE = 2,
    TW_EXIT_UNREACHABLE = 69, /* a server could not be reached */
    TW_EXIT_CONFIG = 78
};

typedef struct tw_command {
    const char *name;
    const char *summary; /* one line */
    const char
        *help; /* what `tidewatch NAME --help` prints: usage, options, an example */
    int (*run)(const struct tw_command *self, int argc, char **argv);
} tw_command;

extern const tw_command tw_command_run;
extern const tw_command tw_command_replay;

int tw_cli_main(int argc, char **argv);

/* "tidewatch replay: what (see tidewatch replay --help)" on stderr; returns
 * TW_EXIT_USAGE. */
int tw_cli_usage(const tw_command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints findings on stderr, one a line; returns how many are errors. */
size_t tw_cli_findings(const tw_findings *findings);

#endif

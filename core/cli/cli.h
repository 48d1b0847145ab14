// SPDX-License-Identifier: Apache-2.0
/* The program's commands, one file each. A command gets its own argc and argv (argv[0] is
 * the command's name) and returns the exit code. Main thread. */
#ifndef TW_CLI_CLI_H
#define TW_CLI_CLI_H

#include <getopt.h>
#include <stdio.h>

#include "config.h"

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

extern const tw_command tw_command_demo;
extern const tw_command tw_command_run;
extern const tw_command tw_command_check;
extern const tw_command tw_command_test;
extern const tw_command tw_command_replay;
extern const tw_command tw_command_config;
extern const tw_command tw_command_status;
extern const tw_command tw_command_alerts;
extern const tw_command tw_command_plan;
extern const tw_command tw_command_reload;
extern const tw_command tw_command_silence;
extern const tw_command tw_command_ack;
extern const tw_command tw_command_version;

int tw_cli_main(int argc, char **argv);

/* "tidewatch replay: what (see tidewatch replay --help)" on stderr; returns
 * TW_EXIT_USAGE. */
int tw_cli_usage(const tw_command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Like getopt_long, which begins anew when optind is 1; what it refuses is told here with the nearest
 * name, and '?' returned: the command ends with TW_EXIT_USAGE. shorts begins with a colon. */
int tw_cli_option(const tw_command *c, int argc, char **argv, const char *shorts,
                  const struct option *options);
/* "json" or "table" of an `-o`; TW_EINVAL and a sentence on stderr for another word. */
int tw_cli_output_format(const tw_command *c, const char *word, bool *out_json);
/* JSON text and a newline; the object is given away. */
void tw_cli_print_json(json_t *object);
/* Prints findings, one a line; returns how many are errors. */
size_t tw_cli_print_findings(FILE *out, const tw_findings *findings);
size_t tw_cli_findings(const tw_findings *findings); /* on stderr */
/* Loads the configuration; without one the reason is printed and NULL returned: TW_EXIT_CONFIG. */
tw_config *tw_cli_config(const char *path);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The table of commands and what they share; see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const tw_command *const commands[] = {
    &tw_command_run,
    &tw_command_replay,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_commands(FILE *out)
{
    fputs("usage: tidewatch COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`tidewatch COMMAND --help` explains each with an example.\n", out);
}

static const tw_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    const char *nearest = tw_nearest(name, names, COMMAND_COUNT);
    fprintf(stderr, "tidewatch: unknown command '%s'", name);
    if (nearest)
        fprintf(stderr, " (did you mean '%s'?)", nearest);
    fputs("; `tidewatch help` lists them\n", stderr);
    return TW_EXIT_USAGE;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int tw_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return TW_EXIT_USAGE;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0) {
        print_commands(stdout);
        return TW_EXIT_OK;
    }
    const tw_command *c = find_command(name);
    if (!c)
        return unknown_command(name);
    if (wants_help(argc - 1, argv + 1)) {
        fputs(c->help, stdout);
        return TW_EXIT_OK;
    }
    return c->run(c, argc - 1, argv + 1);
}

int tw_cli_usage(const tw_command *c, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "tidewatch %s: ", c->name);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, " (see tidewatch %s --help)\n", c->name);
    return TW_EXIT_USAGE;
}

size_t tw_cli_findings(const tw_findings *findings)
{
    size_t errors = 0;
    char line[1400];

    for (size_t i = 0; i < findings->count; i++) {
        const tw_finding *f = &findings->items[i];
        tw_err_format(&f->err, line, sizeof line);
        fprintf(stderr, "%s%s\n", line, f->warning ? " [warning]" : "");
        errors += f->warning ? 0 : 1;
    }
    return errors;
}

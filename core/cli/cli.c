// SPDX-License-Identifier: Apache-2.0
/* The table of commands and what they share; see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"

static const tw_command *const commands[] = {
    &tw_command_run,     &tw_command_demo,   &tw_command_check,   &tw_command_test,
    &tw_command_replay,  &tw_command_config, &tw_command_status,  &tw_command_alerts,
    &tw_command_plan,    &tw_command_reload, &tw_command_silence, &tw_command_ack,
    &tw_command_version,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

/* Known, but not built yet: refused by name rather than as a typing error. */
static const struct {
    const char *name, *summary;
} later[] = {
    {"rollback", "back to the rules before"},
    {"shadow", "run a rule without telling anybody"},
    {"promote", "a shadow rule becomes a real one"},
    {"explain", "why an incident is what it is"},
    {"top", "what is busy now"},
    {"tap", "look at events as they pass"},
};
enum { LATER_COUNT = sizeof later / sizeof *later };

static void print_commands(FILE *out)
{
    fputs("usage: tidewatch COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nnot supported yet:\n", out);
    for (size_t i = 0; i < LATER_COUNT; i++)
        fprintf(out, "  %-10s %s\n", later[i].name, later[i].summary);
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
    const char *names[COMMAND_COUNT + LATER_COUNT];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    for (size_t i = 0; i < LATER_COUNT; i++) {
        names[COMMAND_COUNT + i] = later[i].name;
        if (strcmp(name, later[i].name) == 0) {
            fprintf(stderr, "tidewatch %s: not supported yet (%s)\n", name,
                    later[i].summary);
            return TW_EXIT_USAGE;
        }
    }
    const char *nearest = tw_nearest(name, names, COMMAND_COUNT + LATER_COUNT);
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

/* ---- options ----------------------------------------------------------------------- */

static int unknown_option(const tw_command *c, const char *argument,
                          const struct option *options)
{
    char *name = tw_strndup(argument + 2, strcspn(argument + 2, "="));
    const char *names[64], *nearest;
    size_t count = 0;

    while (options[count].name && count < sizeof names / sizeof *names) {
        names[count] = options[count].name;
        count++;
    }
    nearest = tw_nearest(name, names, count);
    if (nearest)
        tw_cli_usage(c, "unknown option '--%s' (did you mean '--%s'?)", name, nearest);
    else
        tw_cli_usage(c, "unknown option '--%s'", name);
    tw_free(name);
    return '?';
}

int tw_cli_option(const tw_command *c, int argc, char **argv, const char *shorts,
                  const struct option *options)
{
    opterr = 0;
    int option = getopt_long(argc, argv, shorts, options, NULL);

    if (option == ':') {
        tw_cli_usage(c, "%s needs a value", argv[optind - 1]);
        return '?';
    }
    if (option != '?')
        return option;
    if (strncmp(argv[optind - 1], "--", 2) == 0 && argv[optind - 1][2])
        return unknown_option(c, argv[optind - 1], options);
    tw_cli_usage(c, "unknown option '-%c'", optopt);
    return '?';
}

int tw_cli_output_format(const tw_command *c, const char *word, bool *out_json)
{
    *out_json = strcmp(word, "json") == 0;
    if (*out_json || strcmp(word, "table") == 0)
        return TW_OK;
    tw_cli_usage(c, "-o '%s' is neither table nor json", word);
    return TW_EINVAL;
}

/* ---- output ------------------------------------------------------------------------ */

void tw_cli_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', stdout);
    json_decref(object);
}

size_t tw_cli_print_findings(FILE *out, const tw_findings *findings)
{
    size_t errors = 0;
    char line[1400];

    for (size_t i = 0; i < findings->count; i++) {
        const tw_finding *f = &findings->items[i];
        tw_err_format(&f->err, line, sizeof line);
        fprintf(out, "%s%s\n", line, f->warning ? " [warning]" : "");
        errors += f->warning ? 0 : 1;
    }
    return errors;
}

size_t tw_cli_findings(const tw_findings *findings)
{
    return tw_cli_print_findings(stderr, findings);
}

tw_config *tw_cli_config(const char *path)
{
    tw_findings findings = {0};
    tw_config *config = tw_config_load_all(path, &findings);

    tw_cli_findings(&findings);
    tw_findings_done(&findings);
    return config;
}

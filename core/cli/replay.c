// SPDX-License-Identifier: Apache-2.0
/* `tidewatch replay`: recorded events through rules under a virtual clock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/tables.h"
#include "replay.h"

#define MAX_RULE_PATHS 256

static const char help[] =
    "usage: tidewatch replay --rules PATH [-c FILE] [OPTION...] --input FILE|-\n"
    "\n"
    "Runs recorded events through rules under a virtual clock and prints what would have "
    "been\n"
    "sent, one JSON object a line, ordered by time. The same input gives the same bytes, "
    "for\n"
    "any number of lanes. What events and rules did not meet is told on standard error.\n"
    "\n"
    "  --rules PATH       a rule file or a folder of them; may be repeated; default: "
    "those "
    "of the\n"
    "                     configuration\n"
    "  -c, --config FILE  streams, tables, parameters and limits are those of a "
    "configuration; without\n"
    "                     one any stream and table may be named\n"
    "  --input FILE       one JSON object a line: {\"at\": MS, \"stream\": NAME, "
    "\"event\": {...}};\n"
    "                     - reads standard input\n"
    "  --table NAME=FILE  a look-up table (CSV or JSON); may be repeated; goes before "
    "one of "
    "the\n"
    "                     configuration\n"
    "  --until TIME       moves the clock on to TIME (RFC 3339 or epoch) after the last "
    "line\n"
    "  --lanes N          0 (default): on one thread; N: on N lane threads, in step\n"
    "  --all              also changes of incidents that were not told, and dropped "
    "records\n"
    "  --signals          also every signal of a detector: {\"type\": \"signal\", "
    "\"rule\", "
    "\"key\",\n"
    "                     \"kind\", \"from\", \"level\", ...}\n"
    "  -o, --output FORMAT  json (default); text: a line for people\n"
    "\n"
    "example:\n"
    "  tidewatch replay --rules rules/ --input incident.ndjson --until "
    "2024-11-21T10:00:00Z\n";

typedef struct arguments {
    const char *rules[MAX_RULE_PATHS];
    size_t rule_count;
    const char *tables[TW_CLI_MAX_TABLES];
    size_t table_count;
    const char *input, *config;
    int64_t until_ms;
    uint32_t lanes;
    bool all, signals, text;
} arguments;

static int parse_time(const char *text, int64_t *out_ms)
{
    char *end;
    long long number = strtoll(text, &end, 10);

    if (*text && !*end)
        return tw_time_from_int(number, out_ms);
    return tw_time_parse_rfc3339(text, strlen(text), out_ms);
}

static int parse_lanes(const char *text, uint32_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (!*text || *end || n < 0 || n > 64)
        return TW_EINVAL;
    *out = (uint32_t)n;
    return TW_OK;
}

static int take_option(const tw_command *self, arguments *a, int option)
{
    switch (option) {
    case 'r':
        if (a->rule_count == MAX_RULE_PATHS)
            return tw_cli_usage(self, "more than %d --rules", MAX_RULE_PATHS);
        a->rules[a->rule_count++] = optarg;
        return 0;
    case 'i':
        a->input = optarg;
        return 0;
    case 'c':
        a->config = optarg;
        return 0;
    case 't':
        if (a->table_count == TW_CLI_MAX_TABLES)
            return tw_cli_usage(self, "more than %d --table", TW_CLI_MAX_TABLES);
        a->tables[a->table_count++] = optarg;
        return 0;
    case 'u':
        if (parse_time(optarg, &a->until_ms) < 0)
            return tw_cli_usage(self, "--until '%s' is neither RFC 3339 nor epoch",
                                optarg);
        return 0;
    case 'l':
        if (parse_lanes(optarg, &a->lanes) < 0)
            return tw_cli_usage(self, "--lanes '%s' is not a number from 0 to 64",
                                optarg);
        return 0;
    case 'o':
        a->text = strcmp(optarg, "text") == 0;
        if (!a->text && strcmp(optarg, "json") != 0)
            return tw_cli_usage(self, "-o '%s' is neither json nor text", optarg);
        return 0;
    case 'a':
        a->all = true;
        return 0;
    case 's':
        a->signals = true;
        return 0;
    }
    return TW_EXIT_USAGE;
}

static int parse(const tw_command *self, int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"rules", required_argument, NULL, 'r'},  {"input", required_argument, NULL, 'i'},
        {"until", required_argument, NULL, 'u'},  {"lanes", required_argument, NULL, 'l'},
        {"all", no_argument, NULL, 'a'},          {"signals", no_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'}, {"table", required_argument, NULL, 't'},
        {"output", required_argument, NULL, 'o'}, {0}};
    int option, rc;

    *a = (arguments){.until_ms = TW_TIME_NONE};
    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":c:o:", options)) != -1) {
        if ((rc = take_option(self, a, option)))
            return rc;
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    if (!a->rule_count && !a->config)
        return tw_cli_usage(self, "--rules is missing");
    if (!a->input)
        return tw_cli_usage(self, "--input is missing");
    return 0;
}

/* Feeds every line; on a bad one says which and stops. */
static int feed(tw_replay *r, FILE *in, const char *name)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    ssize_t n;
    int code = TW_EXIT_OK;

    while (code == TW_EXIT_OK && (n = getline(&line, &size, in)) >= 0) {
        tw_err err = {0};
        number++;
        if (n > 0 && line[n - 1] == '\n')
            n--;
        if (n == 0)
            continue;
        if (tw_replay_line(r, line, (size_t)n, &err) < 0) {
            fprintf(stderr, "%s:%zu: %s\n", name, number, err.text);
            code = TW_EXIT_FINDING;
        }
    }
    free(line);
    if (code == TW_EXIT_OK && !feof(in)) {
        fprintf(stderr, "tidewatch replay: %s: %s\n", name, strerror(errno));
        code = TW_EXIT_FINDING;
    }
    return code;
}

static void explain(tw_replay *r)
{
    char *text = NULL, *rest, *line;
    size_t size = 0;
    FILE *notes = open_memstream(&text, &size);

    if (!notes)
        return;
    tw_replay_explain(r, notes);
    fclose(notes);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        fprintf(stderr, "tidewatch replay: %s\n", line);
    free(text);
}

static bool has_table(const tw_cli_tables *tables, const tw_rule *rule, const char *does,
                      const char *table)
{
    if (tw_cli_tables_have(tables, table))
        return true;
    fprintf(stderr,
            "tidewatch replay: %s %s the table '%s', which is not given: "
            "--table %s=FILE, or -c FILE with a configuration that has it as a file\n",
            rule->name, does, table, table);
    return false;
}

/* A look-up without its table would find nothing, and change what is told and to whom. */
static bool has_its_tables(const tw_cli_tables *tables, const tw_ruleset *rules)
{
    for (uint32_t i = 0; i < rules->rule_count; i++) {
        const tw_rule *rule = rules->rules[i];
        const tw_missing_plan *missing = tw_missing_plan_of(rule);
        for (uint32_t k = 0; k < rule->lookup_count; k++)
            if (rule->lookups[k].table &&
                !has_table(tables, rule, "looks up in", rule->lookups[k].table))
                return false;
        if (missing && missing->table &&
            !has_table(tables, rule, "expects the keys of", missing->table))
            return false;
    }
    return true;
}

/* What did not reach its reader is no success, unless the reader had enough and closed the pipe. */
static int flush(int code)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
        return code;
    fprintf(stderr, "tidewatch replay: the output cannot be written: %s\n",
            strerror(errno));
    return TW_EXIT_FINDING;
}

/* The run itself. Nothing is printed for one that failed before its first event. */
static int replay_with(const arguments *a, const tw_replay_options *options,
                       const tw_cli_tables *tables, FILE *in)
{
    tw_findings findings = {0};
    tw_err err = {0};
    int code = TW_EXIT_FINDING;
    tw_replay *r = tw_replay_new(options, &findings, &err);

    if (tw_cli_findings(&findings) == 0 && !r)
        fprintf(stderr, "tidewatch replay: %s\n", err.text);
    if (r && !has_its_tables(tables, tw_engine_rules(tw_replay_engine(r))))
        code = TW_EXIT_USAGE;
    else if (r) {
        code = feed(r, in, a->input);
        if (code == TW_EXIT_OK) {
            tw_replay_end(r);
            explain(r);
        }
        tw_replay_write(r, stdout);
        code = flush(code);
    }
    tw_replay_free(r);
    tw_findings_done(&findings);
    return code;
}

static void take_config(const tw_config *config, const tw_rule_options *rules,
                        tw_replay_options *out)
{
    out->params = rules->params;
    out->routes = config->route_count ? rules->routes : NULL;
    out->memory_bytes = rules->memory_bytes;
    out->cpu_ms = rules->cpu_ms;
    out->load_cpu_ms = rules->load_cpu_ms;
    out->limits = config->limits;
    out->context = config->context;
    if (out->rule_path_count)
        return;
    out->rule_paths = (const char *const *)config->rule_paths;
    out->rule_path_count = config->rule_path_count;
}

static int replay(const arguments *a, const tw_config *config, FILE *in)
{
    tw_streams *streams = config ? tw_config_streams(config) : tw_streams_new();
    tw_rule_options rules = {0};
    tw_replay_options options = {.rule_paths = a->rules,
                                 .rule_path_count = a->rule_count,
                                 .streams = streams,
                                 .any_stream = !config,
                                 .lanes = a->lanes,
                                 .all = a->all,
                                 .signals = a->signals,
                                 .text = a->text,
                                 .until_ms = a->until_ms};
    tw_err err = {0};
    int code = TW_EXIT_FINDING;
    tw_cli_tables *tables = tw_cli_tables_open(config, a->tables, a->table_count, &err);

    if (config) {
        tw_config_rule_options_init(config, streams, &rules);
        take_config(config, &rules, &options);
    }
    if (tables) {
        options.tables = tw_cli_tables_names(tables);
        options.table_history = tw_cli_tables_history(tables);
        options.table_columns = tw_cli_tables_columns(tables);
        options.lookup = tw_cli_tables_port(tables);
        options.table_view = tw_cli_tables_view(tables);
        code = replay_with(a, &options, tables, in);
        tw_table_view_unref(options.table_view);
    } else {
        char line[1400];
        fprintf(stderr, "tidewatch replay: %s\n", tw_err_format(&err, line, sizeof line));
        code = TW_EXIT_USAGE;
    }
    tw_cli_tables_free(tables);
    tw_config_rule_options_done(&rules);
    tw_streams_free(streams);
    return code;
}

static int run(const tw_command *self, int argc, char **argv)
{
    arguments a;
    int rc = parse(self, argc, argv, &a);

    if (rc)
        return rc;
    bool is_stdin = strcmp(a.input, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(a.input, "r");
    if (!in) {
        fprintf(stderr, "tidewatch replay: %s: %s\n", a.input, strerror(errno));
        return TW_EXIT_USAGE;
    }
    tw_config *config = a.config ? tw_cli_config(a.config) : NULL;
    rc = a.config && !config ? TW_EXIT_CONFIG : replay(&a, config, in);
    tw_config_free(config);
    if (!is_stdin)
        fclose(in);
    return rc;
}

const tw_command tw_command_replay = {
    .name = "replay",
    .summary = "run recorded events through rules under a virtual clock",
    .help = help,
    .run = run,
};

// SPDX-License-Identifier: Apache-2.0
/* `tidewatch replay`: recorded events through rules under a virtual clock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "replay.h"

#define MAX_RULE_PATHS 256

static const char help[] =
    "usage: tidewatch replay --rules PATH [OPTION...] --input FILE|-\n"
    "\n"
    "Runs recorded events through rules under a virtual clock and prints what would have "
    "been\n"
    "sent, one JSON object a line, ordered by time. The same input gives the same bytes, "
    "for\n"
    "any number of lanes.\n"
    "\n"
    "  --rules PATH       a rule file or a directory of them; may be repeated\n"
    "  --input FILE       one JSON object a line: {\"at\": MS, \"stream\": NAME, "
    "\"event\": {...}};\n"
    "                     - reads standard input\n"
    "  --until TIME       moves the clock on to TIME (RFC 3339 or epoch) after the last "
    "line\n"
    "  --lanes N          0 (default): on one thread; N: on N lane threads, in step\n"
    "  --all              also changes of incidents that were not told, and dropped "
    "records\n"
    "\n"
    "example:\n"
    "  tidewatch replay --rules rules/ --input incident.ndjson --until "
    "2024-11-21T10:00:00Z\n";

typedef struct arguments {
    const char *rules[MAX_RULE_PATHS];
    size_t rule_count;
    const char *input;
    int64_t until_ms;
    uint32_t lanes;
    bool all;
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
    case 'a':
        a->all = true;
        return 0;
    }
    return TW_EXIT_USAGE;
}

static int parse(const tw_command *self, int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"rules", required_argument, NULL, 'r'}, {"input", required_argument, NULL, 'i'},
        {"until", required_argument, NULL, 'u'}, {"lanes", required_argument, NULL, 'l'},
        {"all", no_argument, NULL, 'a'},         {0}};
    int option, rc;

    *a = (arguments){.until_ms = TW_TIME_NONE};
    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":", options)) != -1) {
        if ((rc = take_option(self, a, option)))
            return rc;
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    if (!a->rule_count)
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
    return code;
}

static int replay(const arguments *a, FILE *in)
{
    tw_streams *streams = tw_streams_new();
    tw_findings findings = {0};
    tw_err err = {0};
    tw_replay_options options = {.rule_paths = a->rules,
                                 .rule_path_count = a->rule_count,
                                 .streams = streams,
                                 .any_stream = true,
                                 .lanes = a->lanes,
                                 .all = a->all,
                                 .until_ms = a->until_ms};
    int code = TW_EXIT_FINDING;
    tw_replay *r = tw_replay_new(&options, &findings, &err);

    if (tw_cli_findings(&findings) == 0 && !r)
        fprintf(stderr, "tidewatch replay: %s\n", err.text);
    if (r) {
        code = feed(r, in, a->input);
        if (code == TW_EXIT_OK)
            tw_replay_end(r);
        tw_replay_write(r, stdout);
    }
    tw_replay_free(r);
    tw_findings_done(&findings);
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
    rc = replay(&a, in);
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

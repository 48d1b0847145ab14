// SPDX-License-Identifier: Apache-2.0
/* `tidewatch test`: the tests beside the rules. What failed goes to standard output, how many to standard error. */
#include <regex.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/test_config.h"
#include "cli/test_junit.h"

#define MAX_PATHS 256

static const char help[] =
    "usage: tidewatch test [-c FILE] [PATH...] [--run RE] [--junit FILE] [--coverage]\n"
    "\n"
    "Runs the tests that stand beside the rules: test \"what holds\" { rule, feed, "
    "expect "
    "}. Each runs\n"
    "through the whole path to the sink on a virtual clock, once as written and once "
    "under each\n"
    "disturbance of its `vary`. A PATH is a rule file or a folder of them; rules that a "
    "test names must\n"
    "be among the files. docs/RULES.md says what a test may hold.\n"
    "\n"
    "  -c, --config FILE\n"
    "                  rules are held against the streams, tables and routes of a "
    "configuration "
    "and\n"
    "                  have its parameters, limits and tables of files; without a PATH "
    "its "
    "rules are\n"
    "                  tested. Of a table that is a topic, or cannot be read, a test has "
    "the "
    "rows that\n"
    "                  it brings itself\n"
    "  --run RE        only tests whose rule or name the extended regular expression "
    "finds\n"
    "  --junit FILE    writes what became of each test as JUnit XML\n"
    "  --coverage      says afterwards which lines of the rules' functions, which "
    "answers "
    "of\n"
    "                  predicates, which levels and verdicts no test reached (runs of "
    "`lanes` are\n"
    "                  left out)\n"
    "  -v, --verbose   names every test, not only those that failed\n"
    "\n"
    "exit: 0 all passed - 1 a test failed or a file was refused - 78 the configuration "
    "is wrong\n"
    "\n"
    "example:\n"
    "  tidewatch test rules/ --run '^checkout/'\n"
    "  tidewatch test -c tidewatch.yaml\n";

typedef struct arguments {
    const char *paths[MAX_PATHS];
    size_t path_count;
    const char *junit_path, *config_path;
    bool has_pattern;
    regex_t pattern;
    tw_junit *junit;
    bool verbose, coverage;
} arguments;

typedef struct tally {
    uint32_t passed, failed, runs;
} tally;

static int take_pattern(const tw_command *self, arguments *a, const char *text)
{
    char why[128];

    if (a->has_pattern)
        regfree(&a->pattern);
    int rc = regcomp(&a->pattern, text, REG_EXTENDED | REG_NOSUB);
    a->has_pattern = rc == 0;
    if (rc == 0)
        return 0;
    regerror(rc, &a->pattern, why, sizeof why);
    return tw_cli_usage(self, "--run '%s' is no regular expression: %s", text, why);
}

static int parse(const tw_command *self, int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"run", required_argument, NULL, 'r'},
        {"junit", required_argument, NULL, 'j'},  {"coverage", no_argument, NULL, 'k'},
        {"verbose", no_argument, NULL, 'v'},      {0}};
    int option, rc = 0;

    *a = (arguments){0};
    optind = 1;
    while (!rc && (option = tw_cli_option(self, argc, argv, ":vc:", options)) != -1) {
        if (option == '?')
            return TW_EXIT_USAGE;
        if (option == 'r')
            rc = take_pattern(self, a, optarg);
        else if (option == 'j')
            a->junit_path = optarg;
        else if (option == 'k')
            a->coverage = true;
        else if (option == 'c')
            a->config_path = optarg;
        else
            a->verbose = true;
    }
    if (rc)
        return rc;
    if (optind == argc && !a->config_path)
        return tw_cli_usage(self, "a PATH is missing, or -c FILE");
    if (argc - optind > MAX_PATHS)
        return tw_cli_usage(self, "more than %d PATHs", MAX_PATHS);
    while (optind < argc)
        a->paths[a->path_count++] = argv[optind++];
    return 0;
}

static bool is_wanted(const arguments *a, const tw_rule_test *t)
{
    return !a->has_pattern || regexec(&a->pattern, t->name, 0, NULL, 0) == 0 ||
           regexec(&a->pattern, t->rules[0], 0, NULL, 0) == 0;
}

static void print_outcome(const arguments *a, const tw_rule_test *t,
                          const tw_ruletest_outcome *o)
{
    if (o->passed && !a->verbose)
        return;
    printf("%s %s:%d  %s: %s\n", o->passed ? "ok  " : "FAIL", t->file, t->place.line,
           t->rules[0], t->name);
    if (!o->passed)
        printf("%s\n", o->report);
}

static void run_all(const arguments *a, tw_ruletests *rt, tally *sum)
{
    for (uint32_t i = 0; i < tw_ruletests_count(rt); i++) {
        const tw_rule_test *t = tw_ruletests_at(rt, i);
        tw_ruletest_outcome o;
        if (!is_wanted(a, t))
            continue;
        tw_ruletests_run(rt, i, &o);
        print_outcome(a, t, &o);
        if (a->junit)
            tw_junit_add(a->junit, t, &o);
        sum->passed += o.passed;
        sum->failed += !o.passed;
        sum->runs += o.runs;
        tw_ruletest_outcome_done(&o);
    }
}

static int conclude(const arguments *a, const tally *sum)
{
    fflush(stdout);
    if (sum->passed + sum->failed == 0) {
        fprintf(stderr, "tidewatch test: %s\n",
                a->has_pattern ? "no test has that name"
                               : "there are no tests in the files");
        return a->has_pattern ? TW_EXIT_USAGE : TW_EXIT_OK;
    }
    fprintf(stderr, "%u passed, %u failed (%u runs with the disturbances)\n", sum->passed,
            sum->failed, sum->runs);
    return sum->failed ? TW_EXIT_FINDING : TW_EXIT_OK;
}

/* The files of what was run; TW_EXIT_FINDING when one cannot be written. */
static int write_results(const arguments *a, tw_ruletests *rt)
{
    tw_err err = {0};

    if (a->coverage)
        tw_ruletests_coverage_write(rt, stdout);
    if (!a->junit || tw_junit_write(a->junit, a->junit_path, &err) == TW_OK)
        return TW_EXIT_OK;
    fprintf(stderr, "tidewatch test: %s\n", err.text);
    return TW_EXIT_FINDING;
}

static int run_with(arguments *a, tw_ruletests *rt)
{
    tally sum = {0};
    tw_err err = {0};

    if (a->coverage && tw_ruletests_cover(rt, &err) < 0) {
        fprintf(stderr, "tidewatch test: %s\n", err.text);
        return TW_EXIT_FINDING;
    }
    a->junit = a->junit_path ? tw_junit_new() : NULL;
    run_all(a, rt, &sum);
    int code = write_results(a, rt);
    tw_junit_free(a->junit);
    int concluded = conclude(a, &sum);
    return concluded ? concluded : code;
}

static int run_loaded(arguments *a, const tw_test_config *with)
{
    tw_findings findings = {0};
    tw_err err = {0};
    const char *const *paths = a->paths;
    size_t count = a->path_count;
    int code = TW_EXIT_FINDING;

    if (!count && with->config) {
        paths = (const char *const *)with->config->rule_paths;
        count = with->config->rule_path_count;
    }
    tw_ruletests *rt = tw_ruletests_new(paths, count, with->config ? &with->world : NULL,
                                        &findings, &err);
    if (tw_cli_findings(&findings) == 0 && !rt)
        fprintf(stderr, "tidewatch test: %s\n", err.text);
    if (rt)
        code = run_with(a, rt);
    tw_ruletests_free(rt);
    tw_findings_done(&findings);
    return code;
}

static int run(const tw_command *self, int argc, char **argv)
{
    arguments a;
    tw_test_config with = {0};
    int code = parse(self, argc, argv, &a);

    if (code)
        return code;
    tw_config *config = a.config_path ? tw_cli_config(a.config_path) : NULL;
    if (config)
        tw_test_config_init(&with, config);
    code = a.config_path && !config ? TW_EXIT_CONFIG : run_loaded(&a, &with);
    tw_test_config_done(&with);
    if (a.has_pattern)
        regfree(&a.pattern);
    return code;
}

const tw_command tw_command_test = {
    .name = "test",
    .summary = "the tests beside the rules",
    .help = help,
    .run = run,
};

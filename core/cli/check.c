// SPDX-License-Identifier: Apache-2.0
/* `tidewatch check`: rules and configurations are read as `run` reads them, and nothing is started.
 * Findings go to standard output, how many there were to standard error. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "preflight.h"
#include "rule/findings.h"

static const char help[] =
    "usage: tidewatch check [-o table|json] PATH...\n"
    "\n"
    "Loads rules and configurations without running them: what `run` would refuse is "
    "told "
    "as\n"
    "\n"
    "  file:line:column: what is wrong (did you mean ...?)\n"
    "\n"
    "A PATH is a rule file (.lua), a folder of them, or a configuration (.yaml, .yml, "
    ".json), which\n"
    "is checked with its plugins, tables and rules. Rules given beside one configuration "
    "are held\n"
    "against its streams, tables and routes; by themselves they may name any. Nothing is "
    "connected to.\n"
    "\n"
    "  -o, --output FORMAT  table (default): a line each; json\n"
    "\n"
    "exit: 0 no errors (warnings may be there) - 1 a rule is refused - 78 a "
    "configuration "
    "is wrong\n"
    "\n"
    "example:\n"
    "  tidewatch check tidewatch.yaml\n"
    "  tidewatch check rules/shop.lua\n";

/* What was looked at and what it came to. */
typedef struct checkup {
    tw_findings findings;
    size_t config_errors, rule_errors;
    uint32_t configs, rules;
    uint32_t unread; /* configurations that name no rules for their errors */
} checkup;

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static bool is_config(const char *path)
{
    return ends_in(path, ".yaml") || ends_in(path, ".yml") || ends_in(path, ".json");
}

static bool is_rules(const char *path)
{
    struct stat st;
    return ends_in(path, ".lua") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static void check_rules(checkup *c, const tw_config *config, const char *const *paths,
                        size_t count)
{
    uint32_t rules = 0;

    if (!count)
        return;
    c->rule_errors += tw_preflight_rules(config, paths, count, &c->findings, &rules);
    c->rules += rules;
}

/* Returns the configuration, or NULL when it cannot even be read. */
static tw_config *check_config(checkup *c, const char *path)
{
    size_t before = c->findings.count;
    tw_config *config = tw_config_load_all(path, &c->findings);

    c->configs++;
    if (!config) {
        c->config_errors += tw_findings_errors(&c->findings, before);
        c->unread++;
        return NULL;
    }
    c->config_errors += tw_preflight_config(config, &c->findings);
    check_rules(c, config, (const char *const *)config->rule_paths,
                config->rule_path_count);
    return config;
}

/* The configurations first: rules given beside the only one are held against it. */
static void check_all(checkup *c, char **paths, size_t count)
{
    const char **rules = tw_calloc(count + 1, sizeof *rules);
    tw_config *config = NULL;
    size_t rule_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_config(paths[i])) {
            rules[rule_count++] = paths[i];
            continue;
        }
        tw_config_free(config);
        config = check_config(c, paths[i]);
    }
    check_rules(c, c->configs == 1 ? config : NULL, rules, rule_count);
    tw_config_free(config);
    tw_free(rules);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_checkup(const checkup *c, bool json)
{
    size_t errors = c->config_errors + c->rule_errors;
    size_t warnings = c->findings.count - tw_findings_errors(&c->findings, 0);

    if (json) {
        tw_cli_print_json(json_pack("{s:b, s:i, s:o}", "ok", errors == 0, "rules",
                                    (int)c->rules, "findings",
                                    tw_findings_json(&c->findings)));
        return;
    }
    tw_cli_print_findings(stdout, &c->findings);
    fflush(stdout);
    if (c->configs)
        fprintf(stderr, "%u configuration%s, ", c->configs, plural(c->configs));
    fprintf(stderr, "%u rule%s: %zu error%s, %zu warning%s\n", c->rules, plural(c->rules),
            errors, plural(errors), warnings, plural(warnings));
    if (c->unread)
        fprintf(stderr, "rules, tables and connectors are looked at when the "
                        "configuration itself is right\n");
}

static int run(const tw_command *self, int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {0}};
    checkup c = {0};
    bool json = false;
    int option;

    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":o:", options)) != -1) {
        if (option == '?' || tw_cli_output_format(self, optarg, &json) < 0)
            return TW_EXIT_USAGE;
    }
    if (optind == argc)
        return tw_cli_usage(self, "a PATH is missing");
    for (int i = optind; i < argc; i++) {
        if (!is_config(argv[i]) && !is_rules(argv[i]))
            return tw_cli_usage(
                self,
                "'%s' is neither a rule file (.lua), a folder of them nor "
                "a configuration (.yaml, .yml, .json)",
                argv[i]);
    }
    check_all(&c, argv + optind, (size_t)(argc - optind));
    print_checkup(&c, json);
    tw_findings_done(&c.findings);
    if (c.config_errors)
        return TW_EXIT_CONFIG;
    return c.rule_errors ? TW_EXIT_FINDING : TW_EXIT_OK;
}

const tw_command tw_command_check = {
    .name = "check",
    .summary = "rules and configuration, without running them",
    .help = help,
    .run = run,
};

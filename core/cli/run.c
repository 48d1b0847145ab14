// SPDX-License-Identifier: Apache-2.0
/* `tidewatch run`: the engine. */
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "cli/cli.h"
#include "preflight.h"

static const char help[] =
    "usage: tidewatch run -c FILE [OPTION...]\n"
    "\n"
    "Runs the engine until it is told to stop. SIGTERM and SIGINT stop it in order: "
    "sources first,\n"
    "then everything that is on its way is delivered; SIGHUP reads the rules again.\n"
    "\n"
    "  -c, --config FILE    the configuration; or TIDEWATCH_CONFIG in the environment\n"
    "  --log-level LEVEL    debug, info, warn, error; or TIDEWATCH_LOG_LEVEL\n"
    "  --log-format FORMAT  logfmt, json\n"
    "  --exit-at-end        stop when every source has been read to its end; without it "
    "an "
    "engine that\n"
    "                       reads standard input stops at its end if nothing else is "
    "left\n"
    "\n"
    "example:\n"
    "  tidewatch run -c tidewatch.yaml\n";

typedef struct arguments {
    const char *config, *log_level, *log_format;
    bool exit_at_end;
} arguments;

static int parse(const tw_command *self, int argc, char **argv, arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"log-level", required_argument, NULL, 'l'},
                                            {"log-format", required_argument, NULL, 'f'},
                                            {"exit-at-end", no_argument, NULL, 'e'},
                                            {0}};
    int option;

    *a = (arguments){.config = getenv("TIDEWATCH_CONFIG"),
                     .log_level = getenv("TIDEWATCH_LOG_LEVEL")};
    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":c:", options)) != -1) {
        switch (option) {
        case 'c':
            a->config = optarg;
            break;
        case 'l':
            a->log_level = optarg;
            break;
        case 'f':
            a->log_format = optarg;
            break;
        case 'e':
            a->exit_at_end = true;
            break;
        default:
            return TW_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    if (!a->config)
        return tw_cli_usage(self, "-c FILE is missing");
    return 0;
}

static int set_up_log(const tw_command *self, const arguments *a, const tw_config *config)
{
    tw_log_level level = config->log_level;
    tw_log_format format = config->log_format;

    if (a->log_level && tw_log_level_parse(a->log_level, &level) < 0)
        return tw_cli_usage(self, "log level '%s' is not debug, info, warn or error",
                            a->log_level);
    if (a->log_format && tw_log_format_parse(a->log_format, &format) < 0)
        return tw_cli_usage(self, "log format '%s' is not logfmt or json", a->log_format);
    tw_log_setup(stderr, level, format);
    return 0;
}

/* What `check` would say of the configuration, before anything starts. */
static int look_before(const tw_config *config)
{
    tw_findings findings = {0};
    size_t errors = tw_preflight_config(config, &findings);

    tw_cli_findings(&findings);
    tw_findings_done(&findings);
    return errors ? TW_EXIT_CONFIG : 0;
}

static int run_engine(const arguments *a, tw_config *config)
{
    tw_app_options options = {.config = config, .exit_at_end = a->exit_at_end};
    tw_findings findings = {0};
    tw_err err = {0};
    int code = TW_EXIT_FINDING;
    tw_app *app = tw_app_new(&options, &findings, &err);

    tw_cli_findings(&findings);
    tw_findings_done(&findings);
    if (app)
        code = tw_app_run(app);
    else
        fprintf(stderr, "tidewatch run: %s\n", err.text);
    tw_app_free(app);
    return code;
}

static int run(const tw_command *self, int argc, char **argv)
{
    arguments a;
    int rc = parse(self, argc, argv, &a);

    if (rc)
        return rc;
    tw_config *config = tw_cli_config(a.config);
    if (!config)
        return TW_EXIT_CONFIG;
    rc = set_up_log(self, &a, config);
    if (!rc)
        rc = look_before(config);
    if (!rc)
        rc = run_engine(&a, config);
    tw_config_free(config);
    return rc;
}

const tw_command tw_command_run = {
    .name = "run",
    .summary = "the engine: sources, rules, alerts",
    .help = help,
    .run = run,
};

// SPDX-License-Identifier: Apache-2.0
/* `tidewatch demo`: the engine on an embedded broker with traffic of its own. The plugin `demo` makes the
 * traffic and tells the story line by line; this file says what is to be seen, counts what the rules
 * told, and sums up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/demo_config.h"

#define FOR_MIN_MS 15000
#define FOR_MAX_MS 3600000

static const char help[] =
    "usage: tidewatch demo [OPTION...]\n"
    "\n"
    "An incident of a web shop, told in a minute: its events go through a Kafka broker "
    "inside this\n"
    "process, its metrics are scraped, and three rules tell people what they have to "
    "know. "
    "Needs no\n"
    "server and no network. Exit code 0 when all three rules fired and resolved, else "
    "1.\n"
    "\n"
    "  --for DURATION     how long the story takes, 15s to 1h; default 60s\n"
    "  --print-config     print the configuration it runs on, and do nothing else\n"
    "  --log-level LEVEL  debug, info, warn, error (default): what the engine itself "
    "says\n"
    "\n"
    "example:\n"
    "  tidewatch demo --for 30s\n";

typedef struct watched_rule {
    const char *name, *file, *what;
    unsigned fired, resolved;
} watched_rule;

static const watched_rule rules_of_demo[] = {
    {.name = "demo/no_room",
     .file = "no_room.lua",
     .what = "an event: the cluster has no room for a pod"},
    {.name = "demo/error_ratio",
     .file = "error_ratio.lua",
     .what = "a window: too many requests fail"},
    {.name = "demo/queue_depth",
     .file = "queue_depth.lua",
     .what = "a metric: too many orders wait"},
};
enum { RULE_COUNT = sizeof rules_of_demo / sizeof *rules_of_demo };

typedef struct demo {
    int64_t for_ms;
    const char *log_level;
    bool print_config;
    char *rules_dir;
    char state_dir[256]; /* empty: none made */
    watched_rule rules[RULE_COUNT];
    bool colours;
    int64_t began_ms;
} demo;

static int parse(const tw_command *self, int argc, char **argv, demo *d)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {"log-level", required_argument, NULL, 'l'},
                                            {"print-config", no_argument, NULL, 'p'},
                                            {0}};
    tw_log_level level;
    int option;

    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":", options)) != -1) {
        switch (option) {
        case 'f':
            if (tw_duration_parse(optarg, strlen(optarg), &d->for_ms) < 0 ||
                d->for_ms < FOR_MIN_MS || d->for_ms > FOR_MAX_MS)
                return tw_cli_usage(self, "--for '%s' is not a duration from 15s to 1h",
                                    optarg);
            break;
        case 'l':
            if (tw_log_level_parse(optarg, &level) < 0)
                return tw_cli_usage(
                    self, "log level '%s' is not debug, info, warn or error", optarg);
            d->log_level = optarg;
            break;
        case 'p':
            d->print_config = true;
            break;
        default:
            return TW_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    return 0;
}

/* ---- what is said ------------------------------------------------------------------ */

static const char *ink(const demo *d, const char *colour)
{
    return d->colours ? colour : "";
}

static void print_heading(const demo *d, const char *text)
{
    printf("%s%s%s\n", ink(d, "\033[1m"), text, ink(d, "\033[0m"));
}

static void print_opening(const demo *d, uint16_t control_port)
{
    char length[32];

    tw_duration_format(d->for_ms, length, sizeof length);
    printf("\n");
    print_heading(d, "tidewatch demo: a bad morning of a web shop");
    printf(
        "\n"
        "  The shop writes its events to a Kafka broker (inside this process) and shows "
        "its metrics\n"
        "  on an HTTP page. tidewatch reads both, and three rules in %s watch:\n\n",
        d->rules_dir);
    for (size_t i = 0; i < RULE_COUNT; i++)
        printf("    %-17s %-16s  %s\n", d->rules[i].name, d->rules[i].file,
               d->rules[i].what);
    printf("\n"
           "  On the left stands the topic; a line with -> or <- is what tidewatch told "
           "people. It takes\n"
           "  %s. Meanwhile: curl http://127.0.0.1:%d/metrics\n\n",
           length, (int)control_port);
    fflush(stdout);
}

static void print_rule(const demo *d, const watched_rule *r)
{
    bool fine = r->fired && r->resolved;

    printf("    %-17s %s%u fired, %u resolved%s\n", r->name,
           ink(d, fine ? "\033[32m" : "\033[31m"), r->fired, r->resolved,
           ink(d, "\033[0m"));
}

static void print_next_steps(const demo *d)
{
    char *program = tw_demo_program();

    print_heading(d, "What next");
    printf("  Edit a rule, say the limit in %s/queue_depth.lua, and run the demo again\n"
           "  (or edit it while the demo runs: it is read again at once).\n"
           "  A recorded incident through the same rules, without waiting:\n"
           "      %s replay --rules %s \\\n"
           "          --input %s/incident.ndjson\n"
           "  The configuration, to point at your own Kafka and your own metrics:\n"
           "      %s demo --print-config\n"
           "  README.md goes from here to your own first rule in ten minutes.\n\n",
           d->rules_dir, program, d->rules_dir, d->rules_dir, program);
    tw_free(program);
}

/* ---- the run ----------------------------------------------------------------------- */

static void on_told(void *self, const char *line_json)
{
    demo *d = self;
    json_t *told = json_loads(line_json, 0, NULL);
    const char *rule = json_string_value(json_object_get(told, "rule"));
    const char *status = json_string_value(json_object_get(told, "status"));

    for (size_t i = 0; rule && status && i < RULE_COUNT; i++) {
        watched_rule *r = &d->rules[i];
        if (strcmp(r->name, rule) != 0)
            continue;
        if (strcmp(status, "firing") == 0)
            r->fired++;
        else
            r->resolved++;
    }
    json_decref(told);
}

static int number_of(const json_t *report, const char *name)
{
    return (int)json_integer_value(json_object_get(report, name));
}

/* Where and why an edit was refused, without the folder, which the opening named. */
static void print_finding(const json_t *finding)
{
    const char *file = json_string_value(json_object_get(finding, "file"));
    const char *slash = file ? strrchr(file, '/') : NULL;

    printf("%31s%s:%d:%d: %s\n", "",
           slash  ? slash + 1
           : file ? file
                  : "?",
           number_of(finding, "line"), number_of(finding, "column"),
           json_string_value(json_object_get(finding, "text")));
}

/* Somebody edits a rule while the story goes on. */
static void on_reloaded(void *self, const json_t *report)
{
    const demo *d = self;
    const json_t *findings = json_object_get(report, "findings");
    bool fine = json_is_true(json_object_get(report, "ok"));
    tw_clock clock;

    tw_clock_init_real(&clock);
    int s = (int)((tw_clock_now_ms(&clock) - d->began_ms) / 1000);
    printf("%s%3d:%02d%s  %-21s  ", ink(d, "\033[2m"), s / 60, s % 60, ink(d, "\033[0m"),
           "your edit");
    if (fine)
        printf("%srules taken over%s: %d changed, %d new, %d gone, %d as they were\n",
               ink(d, "\033[1;32m"), ink(d, "\033[0m"), number_of(report, "changed"),
               number_of(report, "added"), number_of(report, "removed"),
               number_of(report, "unchanged"));
    else
        printf("%srefused%s; the rules that ran before still run\n", ink(d, "\033[1;31m"),
               ink(d, "\033[0m"));
    for (size_t i = 0; i < json_array_size(findings); i++)
        print_finding(json_array_get(findings, i));
    fflush(stdout);
}

/* Returns the exit code. */
static int sum_up(const demo *d, const tw_app *app, int64_t took_ms)
{
    uint64_t events = tw_app_events(app);
    int code = TW_EXIT_OK;

    printf("\n");
    print_heading(d, "In short");
    printf("  %llu events and samples in %lld s (%llu/s), judged by %d rules:\n",
           (unsigned long long)events, (long long)(took_ms / 1000),
           (unsigned long long)(took_ms ? events * 1000 / (uint64_t)took_ms : 0),
           RULE_COUNT);
    for (size_t i = 0; i < RULE_COUNT; i++)
        print_rule(d, &d->rules[i]);
    printf("\n");
    fflush(stdout);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const watched_rule *r = &d->rules[i];
        if (r->fired && r->resolved)
            continue;
        fprintf(stderr, "tidewatch demo: %s has not %s\n", r->name,
                r->fired ? "resolved" : "fired");
        code = TW_EXIT_FINDING;
    }
    return code;
}

static int run_app(demo *d, tw_config *config)
{
    tw_app_options options = {.config = config,
                              .stop_after_ms = d->for_ms,
                              .told = on_told,
                              .told_self = d,
                              .reloaded = on_reloaded,
                              .reloaded_self = d};
    tw_findings findings = {0};
    tw_err err = {0};
    tw_clock clock;
    tw_app *app = tw_app_new(&options, &findings, &err);

    tw_cli_findings(&findings);
    tw_findings_done(&findings);
    if (!app) {
        fprintf(stderr, "tidewatch demo: %s\n", err.text);
        return TW_EXIT_FINDING;
    }
    print_opening(d, tw_app_control_port(app));
    tw_clock_init_real(&clock);
    d->began_ms = tw_clock_now_ms(&clock);
    int code = tw_app_run(app);
    int summary = sum_up(d, app, tw_clock_now_ms(&clock) - d->began_ms);
    print_next_steps(d);
    tw_app_free(app);
    return code ? code : summary;
}

static int run_demo(demo *d, const char *text)
{
    tw_err err = {0};
    tw_config *config = tw_config_parse(text, strlen(text), "demo.yaml", &err);

    if (!config) {
        char line[1400];
        fprintf(stderr, "%s\n", tw_err_format(&err, line, sizeof line));
        return TW_EXIT_CONFIG;
    }
    tw_log_setup(stderr, config->log_level, config->log_format);
    int code = run_app(d, config);
    tw_config_free(config);
    return code;
}

/* Beside the configuration that is printed, in TMPDIR for a run. */
static bool make_state_dir(demo *d)
{
    const char *tmp = getenv("TMPDIR");

    if (d->print_config) {
        snprintf(d->state_dir, sizeof d->state_dir, "demo-state");
        return true;
    }
    snprintf(d->state_dir, sizeof d->state_dir, "%s/tidewatch-demo-XXXXXX",
             tmp && *tmp ? tmp : P_tmpdir);
    return mkdtemp(d->state_dir);
}

static int run(const tw_command *self, int argc, char **argv)
{
    const char *no_color = getenv("NO_COLOR");
    demo d = {.for_ms = 60000,
              .log_level = "error",
              .colours = isatty(STDOUT_FILENO) && !(no_color && *no_color)};
    tw_err err = {0};
    int code = parse(self, argc, argv, &d);

    if (code)
        return code;
    memcpy(d.rules, rules_of_demo, sizeof d.rules);
    if (!make_state_dir(&d)) {
        fprintf(stderr, "tidewatch demo: no folder for its state: %s\n", d.state_dir);
        return TW_EXIT_FINDING;
    }
    d.rules_dir = tw_demo_rules_dir(!d.print_config);
    char *text = tw_demo_config(&(tw_demo_places){.state_dir = d.state_dir,
                                                  .log_level = d.log_level,
                                                  .rules = d.rules_dir,
                                                  .for_ms = d.for_ms},
                                &err);
    if (!text)
        fprintf(stderr, "tidewatch demo: %s\n", err.text);
    else if (d.print_config)
        fputs(text, stdout);
    code = !text ? TW_EXIT_FINDING : d.print_config ? TW_EXIT_OK : run_demo(&d, text);
    if (!d.print_config)
        rmdir(d.state_dir);
    tw_free(d.rules_dir);
    tw_free(text);
    return code;
}

const tw_command tw_command_demo = {
    .name = "demo",
    .summary = "an incident on an embedded broker, told on the terminal",
    .help = help,
    .run = run,
};

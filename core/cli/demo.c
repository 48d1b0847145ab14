// SPDX-License-Identifier: Apache-2.0
/* `tidewatch demo`: the engine on an embedded broker with traffic of its own. The plugin `demo` makes the
 * traffic and tells the story line by line; this file says what is to be seen, counts what the rules
 * told, and sums up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/demo_config.h"
#include "cli/wrap.h"

#define FOR_MIN_MS 15000
#define FOR_MAX_MS 3600000
#define TEXT_AT 31    /* the column of what happens; as voice.c of the plugin has it */
#define START_MS 1000 /* until the broker is there */

static const char help[] =
    "usage: tidewatch demo [OPTION...]\n"
    "\n"
    "A bad morning of a web shop, told in a minute. Its events go through a Kafka\n"
    "broker inside this process, its metrics are scraped, and the packages of rules\n"
    "that ship judge them, beside a few rules of the demo's own. What happens, which\n"
    "alert fires and why, and what is held back is told line by line. Needs no\n"
    "server and no network.\n"
    "\n"
    "  --for DURATION     how long the story takes, 15s to 1h; default 60s\n"
    "  --print-config     print the configuration it runs on, and do nothing else\n"
    "  --log-level LEVEL  debug, info, warn, error (default): what the engine says\n"
    "\n"
    "exit: 0 what the story promises was told - 1 something of it was not - 2 usage\n"
    "\n"
    "example:\n"
    "  tidewatch demo --for 30s\n";

/* What the story promises. */
typedef struct promise {
    const char *rule, *what;
    const char *held_by; /* told by nobody: this rule's alert stands for it */
    bool never_resolves;
    unsigned fired, resolved, stands_for, held, held_told;
} promise;

static const promise promises[] = {
    {.rule = "demo/no_room", .what = "an event: no room for a pod"},
    {.rule = "demo/error_ratio", .what = "a window: too many requests fail"},
    {.rule = "demo/queue_depth", .what = "a metric: too many orders wait"},
    {.rule = "failures/exhausted_memory", .what = "crashes with a full memory before"},
    {.rule = "failures/crash_loop", .what = "a pod dies again and again"},
    {.rule = "scaling/out_without_effect", .what = "more pods, and nothing better"},
    {.rule = "demo/it_helped", .what = "more pods, and faster", .never_resolves = true},
    {.rule = "provisioning/stuck_pod", .what = "pods that do not start"},
    {.rule = "failures/after_deploy", .what = "a release that fails"},
    {.rule = "failures/after_config_change",
     .what = "a change that is innocent",
     .held_by = "failures/after_deploy"},
    {.rule = "failures/zone_down", .what = "a zone, not its hosts"},
    {.rule = "failures/host_down", .what = "its hosts", .held_by = "failures/zone_down"},
};
enum { PROMISE_COUNT = sizeof promises / sizeof *promises, OWN_RULES = 3 };

typedef struct demo {
    int64_t for_ms;
    const char *log_level;
    bool print_config;
    char *rules_dir;
    char state_dir[256]; /* empty: none made */
    promise promises[PROMISE_COUNT];
    unsigned opened, pages;   /* incidents; alerts that fired */
    unsigned held_since_beat; /* held back since the last beat */
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
        "  The shop writes its events to a Kafka broker (inside this process) and\n"
        "  shows its metrics on an HTTP page. tidewatch reads both. Rules of the demo,\n"
        "  in %s/demo:\n\n",
        d->rules_dir);
    for (size_t i = 0; i < OWN_RULES; i++)
        printf("    %-18s %s\n", d->promises[i].rule, d->promises[i].what);
    printf(
        "\n"
        "  and the packages that ship: failures, scaling, provisioning. They think in\n"
        "  minutes; parameters in the configuration make that seconds, so that the\n"
        "  story takes %s.\n\n"
        "  On the left stands the topic. -> and <- is what people are told, and why:\n"
        "  evidence is the records that led to it, as partition:offset of a topic: of a\n"
        "  window the newest, of a row of events the first and the last of each step.\n"
        "  Meanwhile: curl http://127.0.0.1:%d/metrics\n",
        length, (int)control_port);
    fflush(stdout);
}

static bool is_kept(const promise *p)
{
    return p->held_by ? p->held > 0 && p->fired == 0
                      : p->fired > 0 && (p->never_resolves || p->resolved > 0);
}

static void print_promise(const demo *d, const promise *p)
{
    printf("    %-28s %s", p->rule, ink(d, is_kept(p) ? "\033[32m" : "\033[31m"));
    if (p->held_by)
        printf("%u held back since %s was told", p->held, p->held_by);
    else if (p->never_resolves)
        printf("%u fired", p->fired);
    else
        printf("%u fired, %u resolved", p->fired, p->resolved);
    if (p->stands_for > p->fired)
        printf(" (for %u incidents)", p->stands_for);
    printf("%s\n", ink(d, "\033[0m"));
}

static void print_next_steps(const demo *d)
{
    char *program = tw_demo_program();

    print_heading(d, "What next");
    printf("  Edit a rule, say the limit in %s/demo/queue_depth.lua, and run\n"
           "  the demo again (or edit it while it runs: it is read again at once).\n"
           "  A recorded incident through the demo's rules, without waiting:\n"
           "      %s replay --rules %s/demo \\\n"
           "          --input %s/demo/incident.ndjson -o text\n"
           "  The tests that stand beside the rules:\n"
           "      %s test %s\n"
           "  The configuration, to point at your own Kafka and your own metrics:\n"
           "      %s demo --print-config\n"
           "  README.md goes from here to your own first rule in ten minutes.\n\n",
           d->rules_dir, program, d->rules_dir, d->rules_dir, program, d->rules_dir,
           program);
    tw_free(program);
}

/* ---- the run ----------------------------------------------------------------------- */

static promise *promise_of(demo *d, const char *rule)
{
    for (size_t i = 0; rule && i < PROMISE_COUNT; i++) {
        if (strcmp(d->promises[i].rule, rule) == 0)
            return &d->promises[i];
    }
    return NULL;
}

static void on_told(void *self, const char *line_json)
{
    demo *d = self;
    json_t *told = json_loads(line_json, 0, NULL);
    promise *p = promise_of(d, json_string_value(json_object_get(told, "rule")));
    const char *status = json_string_value(json_object_get(told, "status"));
    bool fires = status && strcmp(status, "firing") == 0;

    d->pages += fires;
    if (p && fires) {
        p->fired++;
        p->stands_for +=
            (unsigned)json_integer_value(json_object_get(told, "stands_for"));
    } else if (p) {
        p->resolved++;
    }
    json_decref(told);
}

static void on_changed(void *self, const tw_change *change)
{
    demo *d = self;
    promise *p = promise_of(d, change->rule);

    d->opened += strcmp(change->change, "firing") == 0;
    if (p && strcmp(change->change, "inhibited") == 0) {
        p->held++;
        d->held_since_beat++;
    }
}

/* The plugin counts from when the broker is there, and that is when its file was written. */
static int64_t story_began_ms(const demo *d)
{
    char path[sizeof d->state_dir + 32];
    struct stat st;

    snprintf(path, sizeof path, "%s/embedded-broker", d->state_dir);
    int64_t broker_ms = stat(path, &st) < 0 ? d->began_ms
                                            : st.st_mtim.tv_sec * INT64_C(1000) +
                                                  st.st_mtim.tv_nsec / 1000000;
    return broker_ms + TW_DEMO_PRELUDE_MS;
}

static void print_time(const demo *d)
{
    tw_clock clock;

    tw_clock_init_real(&clock);
    int s = (int)((tw_clock_now_ms(&clock) - story_began_ms(d)) / 1000);
    s = s > 0 ? s : 0;
    printf("%s%3d:%02d%s  ", ink(d, "\033[2m"), s / 60, s % 60, ink(d, "\033[0m"));
}

/* They come one by one; they are told together, when no more came since the last beat. */
static void on_beat(void *self)
{
    demo *d = self;
    unsigned fresh = d->held_since_beat;

    d->held_since_beat = 0;
    for (size_t i = 0; fresh == 0 && i < PROMISE_COUNT; i++) {
        promise *p = &d->promises[i];
        if (p->held == p->held_told)
            continue;
        print_time(d);
        printf("%s%-18s%s%u of %s\n%26ssince %s is told\n", ink(d, "\033[1;35m"),
               "== HELD BACK", ink(d, "\033[0m"), p->held - p->held_told, p->rule, "",
               p->held_by);
        p->held_told = p->held;
        fflush(stdout);
    }
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

    int column = number_of(finding, "column");
    char at[16] = "";
    if (column > 0)
        snprintf(at, sizeof at, "%d:", column);
    char *text = tw_asprintf("%s:%d:%s %s",
                             slash  ? slash + 1
                             : file ? file
                                    : "?",
                             number_of(finding, "line"), at,
                             json_string_value(json_object_get(finding, "text")));
    printf("%*s", TEXT_AT, "");
    tw_cli_wrap(stdout, tw_cli_width(stdout), TEXT_AT, TEXT_AT, text);
    tw_free(text);
}

/* Somebody edits a rule while the story goes on. */
static void on_reloaded(void *self, const json_t *report)
{
    const demo *d = self;
    const json_t *findings = json_object_get(report, "findings");
    bool fine = json_is_true(json_object_get(report, "ok"));

    print_time(d);
    printf("%-21s  ", "your edit");
    if (fine)
        printf("%staken over%s: %d changed, %d new, %d gone, %d same\n",
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
    printf("  %llu events and samples in %lld s (%llu/s), judged by %u rules.\n"
           "  %u incidents opened, and people were told of them by %u alerts:\n\n",
           (unsigned long long)events, (long long)(took_ms / 1000),
           (unsigned long long)(took_ms ? events * 1000 / (uint64_t)took_ms : 0),
           tw_app_rule_count(app), d->opened, d->pages);
    for (size_t i = 0; i < PROMISE_COUNT; i++)
        print_promise(d, &d->promises[i]);
    printf("\n");
    fflush(stdout);
    for (size_t i = 0; i < PROMISE_COUNT; i++) {
        const promise *p = &d->promises[i];
        if (is_kept(p))
            continue;
        fprintf(stderr, "tidewatch demo: %s has not %s\n", p->rule,
                p->held_by ? "been held back"
                : p->fired ? "resolved"
                           : "fired");
        code = TW_EXIT_FINDING;
    }
    return code;
}

static int run_app(demo *d, tw_config *config)
{
    tw_app_options options = {.config = config,
                              .stop_after_ms = START_MS + TW_DEMO_PRELUDE_MS + d->for_ms,
                              .told = on_told,
                              .told_self = d,
                              .reloaded = on_reloaded,
                              .reloaded_self = d,
                              .changed = {on_changed, d},
                              .beat = on_beat,
                              .beat_self = d};
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
    memcpy(d.promises, promises, sizeof d.promises);
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

// SPDX-License-Identifier: Apache-2.0
/* `tidewatch status`: what somebody on call asks first of a running engine. The table is made of
 * /api/v1/status; -o json prints it as it came. */
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cli/columns.h"
#include "cli/server.h"

#define REMARK_BYTES 32

static const char help[] =
    "usage: tidewatch status [--server HOST:PORT] [-c FILE] [-o table|json]\n"
    "\n"
    "How a running engine is: since when it runs, what its sources, rules and sinks are "
    "doing, and\n"
    "what came of the last reload. BEHIND is how far the clock of a rule (its watermark) "
    "is behind\n"
    "the wall clock; of a source, that of its slowest rule. Without events the clock "
    "goes "
    "on with\n"
    "the wall, as far behind as the newest event was when it came: that is no lag. "
    "CAUGHT UP counts\n"
    "the feeds (partitions, files) that have been read to their end once; LAG is what "
    "waits in them.\n"
    "A batch is one delivery to a sink.\n"
    "\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch status -c tidewatch.yaml\n"
    "  tidewatch status --server 127.0.0.1:9464 -o json | jq '.sinks[].queued'\n";

/* ---- reading the answer ------------------------------------------------------------ */

static int64_t int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- parts ------------------------------------------------------------------------- */

static void print_head(const json_t *status)
{
    char up[40], events[40], bad[40], open[40];

    printf("tidewatch %s, %s, up %s, %d lane%s, process %d\n", text_of(status, "version"),
           text_of(status, "state"),
           tw_cli_span(int_of(status, "uptime_ms"), up, sizeof up),
           (int)int_of(status, "lanes"), int_of(status, "lanes") == 1 ? "" : "s",
           (int)int_of(status, "pid"));
    printf("%s\n", text_of(status, "config"));
    printf("events %s, bad records %s, open incidents %s\n",
           tw_cli_count(int_of(status, "events"), events, sizeof events),
           tw_cli_count(int_of(status, "bad_records"), bad, sizeof bad),
           tw_cli_count(int_of(status, "incidents_open"), open, sizeof open));
    const json_t *context = json_object_get(status, "context");
    char changes[40], changed[40], alerts[40], alerted[40];
    printf("remembered: %s changes of %s things, %s alerts of %s\n",
           tw_cli_count(int_of(context, "changes"), changes, sizeof changes),
           tw_cli_count(int_of(context, "changed"), changed, sizeof changed),
           tw_cli_count(int_of(context, "alerts"), alerts, sizeof alerts),
           tw_cli_count(int_of(context, "alerted"), alerted, sizeof alerted));
    const json_t *last = json_object_get(status, "last_bad_record");
    if (json_is_object(last))
        printf("last bad record: %s, partition %d, offset %lld: %s\n",
               text_of(last, "stream"), (int)int_of(last, "partition"),
               (long long)int_of(last, "offset"), text_of(last, "reason"));
}

static void print_generation(const json_t *status)
{
    const json_t *report = json_object_get(status, "last_reload");
    int64_t since_ms = int_of(status, "rules_since");
    char when[40] = "?", ago[40];

    tw_time_format_rfc3339(since_ms, when, sizeof when);
    printf("rules: generation %d since %s (%s ago)\n", (int)int_of(status, "generation"),
           when, tw_cli_span(int_of(status, "now") - since_ms, ago, sizeof ago));
    if (json_is_true(json_object_get(status, "reload_ok")))
        return;
    printf("LAST RELOAD REFUSED: %s; %s\n", text_of(report, "error"),
           text_of(report, "note"));
    tw_cli_print_report_findings(report);
}

/* A clock as its distance from now; a rule without events has none. */
static void add_behind(tw_columns *c, const json_t *status, const json_t *of)
{
    const json_t *clock = json_object_get(of, "clock");

    if (json_is_integer(clock))
        tw_columns_span(c, int_of(status, "now") - json_integer_value(clock));
    else
        tw_columns_text(c, "-");
}

/* The last column is cut where lines would become too long for a terminal. */
static void add_remark(tw_columns *c, const char *text)
{
    size_t n = REMARK_BYTES;

    if (strlen(text) <= n) {
        tw_columns_text(c, text);
        return;
    }
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    char *shown = tw_asprintf("%.*s...", (int)n, text);
    tw_columns_text(c, shown);
    tw_free(shown);
}

/* In full below the table, for those that were cut. */
static void print_remark(const char *name, const char *text)
{
    if (strlen(text) > REMARK_BYTES)
        printf("  %s: %s\n", name, text);
}

static void print_table(tw_columns *c, size_t rows)
{
    if (rows) {
        putchar('\n');
        tw_columns_print(c, stdout);
    }
    tw_columns_free(c);
}

static void print_sources(const json_t *status)
{
    static const char *const heads[] = {"SOURCE", "KIND",    ">FEEDS",  ">CAUGHT UP",
                                        ">LAG",   ">BEHIND", "TROUBLE", NULL};
    const json_t *list = json_object_get(status, "sources");
    tw_columns *c = tw_columns_new(heads);
    size_t i;
    json_t *s;

    json_array_foreach(list, i, s)
    {
        const json_t *lag = json_object_get(json_object_get(s, "metrics"), "lag");
        tw_columns_text(c, text_of(s, "name"));
        tw_columns_text(c, text_of(s, "kind"));
        tw_columns_int(c, int_of(s, "feeds"));
        tw_columns_int(c, int_of(s, "ended"));
        if (lag)
            tw_columns_int(c, json_integer_value(lag));
        else
            tw_columns_text(c, "-");
        add_behind(c, status, s);
        add_remark(c, text_of(s, "trouble"));
    }
    print_table(c, json_array_size(list));
    json_array_foreach(list, i, s)
        print_remark(text_of(s, "name"), text_of(s, "trouble"));
}

static void print_rules(const json_t *status)
{
    static const char *const heads[] = {"RULE",    "VERSION",    ">EVENTS",
                                        ">LATE",   ">KEYS",      ">BEHIND",
                                        ">ERRORS", "LAST ERROR", NULL};
    const json_t *list = json_object_get(status, "rules");
    tw_columns *c = tw_columns_new(heads);
    size_t i;
    json_t *r;

    json_array_foreach(list, i, r)
    {
        tw_columns_text(c, text_of(r, "rule"));
        tw_columns_text(c, text_of(r, "version"));
        tw_columns_int(c, int_of(r, "events"));
        tw_columns_int(c, int_of(r, "late"));
        tw_columns_int(c, int_of(r, "keys"));
        add_behind(c, status, r);
        tw_columns_int(c, int_of(r, "failures"));
        add_remark(c, text_of(r, "last_failure"));
    }
    print_table(c, json_array_size(list));
    json_array_foreach(list, i, r)
        print_remark(text_of(r, "rule"), text_of(r, "last_failure"));
}

static int64_t sum_of(const json_t *object)
{
    const char *key;
    json_t *value;
    int64_t sum = 0;

    json_object_foreach((json_t *)(uintptr_t)object, key, value) sum +=
        json_integer_value(value);
    return sum;
}

static const char *sink_error(const json_t *sink)
{
    const char *trouble = text_of(sink, "trouble");
    return *trouble ? trouble : text_of(sink, "last_error");
}

static void print_sinks(const json_t *status)
{
    static const char *const heads[] = {
        "SINK",     "KIND",     ">QUEUED",   ">IN FLIGHT", ">OLDEST",
        ">BATCHES", ">RETRIED", ">GIVEN UP", "LAST ERROR", NULL};
    const json_t *list = json_object_get(status, "sinks");
    tw_columns *c = tw_columns_new(heads);
    size_t i;
    json_t *s;

    json_array_foreach(list, i, s)
    {
        const json_t *deliveries = json_object_get(s, "deliveries");
        tw_columns_text(c, text_of(s, "name"));
        tw_columns_text(c, text_of(s, "kind"));
        tw_columns_int(c, int_of(s, "queued"));
        tw_columns_int(c, int_of(s, "in_flight"));
        tw_columns_span(
            c, (int64_t)(json_number_value(json_object_get(s, "oldest_seconds")) * 1000));
        tw_columns_int(c, int_of(deliveries, "done"));
        tw_columns_int(c, int_of(deliveries, "retry") + int_of(deliveries, "retry_part"));
        tw_columns_int(c, sum_of(json_object_get(s, "given_up")));
        add_remark(c, sink_error(s));
    }
    print_table(c, json_array_size(list));
    json_array_foreach(list, i, s) print_remark(text_of(s, "name"), sink_error(s));
}

static void print_tables(const json_t *status)
{
    static const char *const heads[] = {"TABLE", ">ROWS", "ERROR", NULL};
    const json_t *list = json_object_get(status, "tables");
    tw_columns *c = tw_columns_new(heads);
    size_t i;
    json_t *t;

    json_array_foreach(list, i, t)
    {
        tw_columns_text(c, text_of(t, "name"));
        tw_columns_int(c, int_of(t, "rows"));
        add_remark(c, text_of(t, "error"));
    }
    print_table(c, json_array_size(list));
    json_array_foreach(list, i, t) print_remark(text_of(t, "name"), text_of(t, "error"));
}

static void print_parked(const json_t *status)
{
    static const char *const heads[] = {"PARKED", ">KEYS", ">BYTES", ">FOR", NULL};
    const json_t *list = json_object_get(status, "parked");
    tw_columns *c = tw_columns_new(heads);
    size_t i;
    json_t *p;

    json_array_foreach(list, i, p)
    {
        tw_columns_text(c, text_of(p, "rule"));
        tw_columns_int(c, int_of(p, "keys"));
        tw_columns_int(c, int_of(p, "bytes"));
        tw_columns_span(c, int_of(p, "until") - int_of(status, "now"));
    }
    print_table(c, json_array_size(list));
}

/* ---- the command ------------------------------------------------------------------- */

static int show(const tw_command *self, const tw_cli_where *where, bool json)
{
    tw_cli_server server;
    json_t *status = NULL;
    int code = 0;
    int rc = tw_cli_server_init(self, where, &server);

    if (rc)
        return rc;
    rc = tw_cli_server_ask(self, &server, "GET", "/api/v1/status", NULL, &code, &status);
    tw_cli_server_done(&server);
    if (rc)
        return rc;
    if (code != 200 || !json_is_object(status)) {
        fprintf(stderr, "tidewatch status: the engine answers %d: %s\n", code,
                text_of(status, "error"));
        json_decref(status);
        return TW_EXIT_FINDING;
    }
    if (json) {
        tw_cli_print_json(status);
        return TW_EXIT_OK;
    }
    print_head(status);
    print_generation(status);
    print_sources(status);
    print_rules(status);
    print_parked(status);
    print_sinks(status);
    print_tables(status);
    json_decref(status);
    return TW_EXIT_OK;
}

static int run(const tw_command *self, int argc, char **argv)
{
    tw_cli_where where;
    bool json;
    int rc = tw_cli_where_parse(self, argc, argv, &where, &json);

    return rc ? rc : show(self, &where, json);
}

const tw_command tw_command_status = {
    .name = "status",
    .summary = "how a running engine is",
    .help = help,
    .run = run,
};

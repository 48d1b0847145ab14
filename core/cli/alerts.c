// SPDX-License-Identifier: Apache-2.0
/* `tidewatch alerts`: what is open in a running engine, and whether somebody was told of it. The table is made of
 * /api/v1/alerts; -o json prints what is wanted of it as it came. */
#include <string.h>

#include "alert/matchers.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/columns.h"
#include "cli/server.h"

static const char help[] =
    "usage: tidewatch alerts [MATCHER...] [--server HOST:PORT] [-c FILE] [-o "
    "table|json]\n"
    "\n"
    "The open incidents, newest first: how grave, for how long, the id that `ack` takes, "
    "and whether\n"
    "somebody was told. With matchers those whose labels they hold for: label=value, "
    "label!=value,\n"
    "label=~pattern or label!~pattern; `severity` and `rule` are labels, too.\n"
    "\n"
    "TOLD    yes           by a notification of its own, or of its group\n"
    "        no            and what keeps it back:\n"
    "          inhibited by ID      a greater incident explains it\n"
    "          silenced by ID       `tidewatch silence list` has it\n"
    "          outside of `active`  nobody is there\n"
    "          grouped in ID        it waits for company, or for the group's next turn\n"
    "          pending              it waits for what may inhibit it\n"
    "          older than max_age   it is a record; the engine was behind\n"
    "          summed up in ID      a storm's summary stands for it; `ack` takes that, "
    "too\n"
    "          beyond its storm's max   the rule says to drop the rest\n"
    "\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch alerts severity=crit 'zone=~eu-.*'\n";

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- which of them ----------------------------------------------------------------- */

static const char *label_of(const void *incident, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(incident, "labels"), name));

    if (!text && strcmp(name, "severity") == 0)
        return text_of(incident, "level");
    if (!text && strcmp(name, "rule") == 0)
        return text_of(incident, "rule");
    return text;
}

static json_t *choose(const json_t *all, const tw_label_matchers *wanted)
{
    json_t *list = json_array(), *incident;
    size_t i;

    json_array_foreach(all, i, incident)
    {
        if (tw_label_matchers_hold(wanted, label_of, incident))
            json_array_append(list, incident);
    }
    return list;
}

/* A label that none of them has is most often misspelt. */
static void say_unknown(const json_t *all, const char *name)
{
    json_t *names = json_pack("{s:b, s:b}", "severity", 1, "rule", 1), *incident, *value;
    const char *near = NULL, *each;
    size_t i;

    json_array_foreach(all, i, incident)
        json_object_update_missing(names, json_object_get(incident, "labels"));
    if (!json_object_get(names, name)) {
        json_object_foreach(names, each, value) near =
            near ? near : tw_nearest(name, &each, 1);
        fprintf(stderr, "tidewatch alerts: no open incident has a label '%s'", name);
        if (near)
            fprintf(stderr, " (did you mean '%s'?)", near);
        fputc('\n', stderr);
    }
    json_decref(names);
}

/* ---- the table --------------------------------------------------------------------- */

static void write_hold(tw_buf *out, const json_t *hold, int64_t now_ms)
{
    static const char *const words[][2] = {{"inactive", "outside of `active`"},
                                           {"grouped", "grouped in "},
                                           {"max_age", "older than max_age"},
                                           {"storm", "summed up in "},
                                           {"dropped", "beyond its storm's max"}};
    const char *why = text_of(hold, "why"), *by = text_of(hold, "by");
    const json_t *until = json_object_get(hold, "until");
    char span[32];

    if (strcmp(why, "storm") == 0 && !*by)
        why = "dropped"; /* rest = "drop" */
    const char *shown = why;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        shown = strcmp(why, words[i][0]) == 0 ? words[i][1] : shown;
    tw_buf_add_str(out, shown);
    if (*by)
        tw_buf_printf(out, "%s%s", shown[strlen(shown) - 1] == ' ' ? "" : " by ", by);
    if (json_integer_value(until) > now_ms)
        tw_buf_printf(out, " (%s more)",
                      tw_cli_span(json_integer_value(until) - now_ms, span, sizeof span));
}

/* "yes", "yes, as warn; acknowledged by ann", "no: inhibited by zone:z1" */
static char *told_text(const json_t *incident, int64_t now_ms)
{
    bool told = json_is_true(json_object_get(incident, "told"));
    const char *as = text_of(incident, "told_level");
    const json_t *by = json_object_get(incident, "acknowledged_by"), *hold;
    const char *between = told ? "; " : ": ";
    size_t i;
    tw_buf out;

    tw_buf_init(&out, 4096);
    tw_buf_add_str(&out, told ? "yes" : "no");
    if (*as && strcmp(as, text_of(incident, "level")) != 0)
        tw_buf_printf(&out, ", as %s", as);
    json_array_foreach(json_object_get(incident, "held"), i, hold)
    {
        tw_buf_add_str(&out, between);
        write_hold(&out, hold, now_ms);
        between = ", ";
    }
    if (json_is_string(by))
        tw_buf_printf(&out, "; acknowledged%s%s", *json_string_value(by) ? " by " : "",
                      json_string_value(by));
    return tw_buf_take(&out, NULL);
}

static void print_table(const json_t *list, size_t all)
{
    static const char *const heads[] = {"LEVEL", ">FOR", "INCIDENT",
                                        "RULE",  "TOLD", NULL};
    tw_columns *c = tw_columns_new(heads);
    tw_clock clock;
    size_t i, told = 0;
    json_t *incident;

    tw_clock_init_real(&clock);
    int64_t now_ms = tw_clock_now_ms(&clock);
    json_array_foreach((json_t *)(uintptr_t)list, i, incident)
    {
        char *text = told_text(incident, now_ms);
        tw_columns_text(c, text_of(incident, "level"));
        tw_columns_span(c,
                        now_ms - json_integer_value(json_object_get(incident, "since")));
        tw_columns_text(c, text_of(incident, "incident"));
        tw_columns_text(c, text_of(incident, "rule"));
        tw_columns_text(c, text);
        told += json_is_true(json_object_get(incident, "told"));
        tw_free(text);
    }
    if (json_array_size(list))
        tw_columns_print(c, stdout);
    fflush(stdout);
    fprintf(stderr, "%zu open", all);
    if (json_array_size(list) < all)
        fprintf(stderr, ", %zu of them shown", json_array_size(list));
    if (json_array_size(list))
        fprintf(stderr, ", told %zu", told);
    fputc('\n', stderr);
    tw_columns_free(c);
}

/* ---- the command ------------------------------------------------------------------- */

static void show(const json_t *all, const tw_label_matchers *wanted, bool json)
{
    json_t *list = choose(all, wanted);

    for (uint32_t i = 0; i < wanted->count; i++)
        if (json_array_size(all))
            say_unknown(all, wanted->items[i].name);
    if (json)
        tw_cli_print_json(json_incref(list));
    else
        print_table(list, json_array_size(all));
    json_decref(list);
}

static int ask(const tw_command *self, const tw_cli_where *where, json_t **out)
{
    tw_cli_server server;
    int status = 0;
    int rc = tw_cli_server_init(self, where, &server);

    if (rc)
        return rc;
    rc = tw_cli_server_ask(self, &server, "GET", "/api/v1/alerts", NULL, &status, out);
    tw_cli_server_done(&server);
    if (rc || (status == 200 && json_is_array(*out)))
        return rc;
    fprintf(stderr, "tidewatch alerts: the engine answers %d: %s\n", status,
            text_of(*out, "error"));
    json_decref(*out);
    return TW_EXIT_FINDING;
}

static int run(const tw_command *self, int argc, char **argv)
{
    tw_cli_where where;
    tw_label_matchers wanted;
    json_t *all = NULL, *words;
    tw_err err = {0};
    bool json;
    int first, rc = tw_cli_where_parse_words(self, argc, argv, &where, &json, &first);

    if (rc)
        return rc;
    words = json_array();
    for (int i = first; i < argc; i++)
        json_array_append_new(words, json_string(argv[i]));
    rc = tw_label_matchers_read(&wanted, words, &err);
    json_decref(words);
    if (rc < 0)
        return tw_cli_usage(self, "%s", err.text);
    rc = ask(self, &where, &all);
    if (rc == 0) {
        show(all, &wanted, json);
        json_decref(all);
    }
    tw_label_matchers_done(&wanted);
    return rc;
}

const tw_command tw_command_alerts = {
    .name = "alerts",
    .summary = "what is open, and who was told",
    .help = help,
    .run = run,
};

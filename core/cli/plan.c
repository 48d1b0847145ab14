// SPDX-License-Identifier: Apache-2.0
/* `tidewatch plan`: what a reload would change, asked of the running engine before it is done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/columns.h"
#include "cli/server.h"

#define SHOWN_IDS 3 /* of incidents that resolve */

static const char help[] =
    "usage: tidewatch plan [PATH...] [--server HOST:PORT] [-c FILE] [-o table|json]\n"
    "\n"
    "What would happen to the rules of a running engine, and to what they remember, if "
    "these were\n"
    "its rules: PATH is a rule file or a folder of them; without one those of the "
    "configuration, as a\n"
    "reload would read them. Nothing is changed. The engine reads the files itself, so "
    "they must lie\n"
    "on its machine.\n"
    "\n"
    "STATE   kept      the rule goes on with all it remembers\n"
    "        warming   it goes on, and its window is full only after a while\n"
    "        trimmed   what lies outside of the new span is dropped\n"
    "        partly    some of it is dropped\n"
    "        cold      it starts anew, and what it has open resolves\n"
    "        parked    it goes, and what it knew waits for it to come back\n"
    "        dropped   it goes, and nothing is kept of what it knew\n"
    "        revived   it goes on with what was parked\n"
    "        new       it begins with nothing\n"
    "\n"
    "WHY also names parameters whose value is another, holds that are over by the new "
    "text and so fire\n"
    "or end at once, and open incidents that resolve. What is wrong with the tests "
    "beside the "
    "rules is a\n"
    "warning: a reload does not look at them.\n"
    "\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 - 1 the rules have errors - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch plan -c tidewatch.yaml rules.new\n";

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* "detect, alert" */
static char *parts_text(const json_t *parts)
{
    tw_buf text;
    size_t n;
    json_t *part;

    tw_buf_init(&text, 4096);
    json_array_foreach((json_t *)(uintptr_t)parts, n, part)
    {
        tw_buf_printf(&text, "%s%s", n ? ", " : "", json_string_value(part));
    }
    return tw_buf_take(&text, NULL);
}

/* "; open: 12 wait for errors", and after a reload what became of them. */
static void add_matches(const json_t *row, tw_buf *text)
{
    const json_t *matches = json_object_get(row, "matches");
    json_t *open = json_object_get(row, "open"), *count;
    const char *step, *between = "; open: ";

    if (matches) {
        tw_buf_printf(text, "; matches: %lld kept, %lld migrated, %lld dropped",
                      (long long)json_integer_value(json_object_get(matches, "kept")),
                      (long long)json_integer_value(json_object_get(matches, "migrated")),
                      (long long)json_integer_value(json_object_get(matches, "dropped")));
        return;
    }
    json_object_foreach(open, step, count)
    {
        tw_buf_printf(text, "%s%lld wait for %s", between,
                      (long long)json_integer_value(count), step);
        between = ", ";
    }
}

static void add_value(tw_buf *text, const json_t *value)
{
    char *written = value && !json_is_null(value)
                        ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
                        : NULL;

    tw_buf_add_str(text, written ? written : "none");
    free(written); /* jansson's own allocator */
}

/* "; fire 0.05 -> 0.3" */
static void add_params(const json_t *row, tw_buf *text)
{
    json_t *params = json_object_get(row, "params"), *both;
    const char *name;

    json_object_foreach(params, name, both)
    {
        tw_buf_printf(text, "; %s ", name);
        add_value(text, json_array_get(both, 0));
        tw_buf_add_str(text, " -> ");
        add_value(text, json_array_get(both, 1));
    }
}

/* "; at once: 4 keys fire", "; resolves a, b, c and 9 more" */
static void add_effects(const json_t *row, tw_buf *text)
{
    const json_t *due = json_object_get(row, "due"),
                 *ending = json_object_get(row, "ending");
    long long fires = json_integer_value(json_object_get(due, "fires"));
    long long ends = json_integer_value(json_object_get(due, "ends"));
    size_t count = json_array_size(ending);

    if (fires)
        tw_buf_printf(text, "; at once: %lld key%s", fires,
                      fires == 1 ? " fires" : "s fire");
    if (ends)
        tw_buf_printf(text, "%s %lld key%s", fires ? "," : "; at once:", ends,
                      ends == 1 ? " ends" : "s end");
    for (size_t i = 0; i < count && i < SHOWN_IDS; i++)
        tw_buf_printf(text, "%s%s", i ? ", " : "; resolves ",
                      json_string_value(json_array_get(ending, i)));
    if (count > SHOWN_IDS)
        tw_buf_printf(text, " and %zu more", count - SHOWN_IDS);
    if (count && strcmp(text_of(row, "change"), "moved") == 0 &&
        strcmp(text_of(row, "state"), "cold") != 0)
        tw_buf_printf(text, ", which open%s anew under the new name",
                      count == 1 ? "s" : "");
}

static char *why_text(const json_t *row)
{
    const char *was = text_of(row, "was"), *why = text_of(row, "why");
    int64_t warming_ms = json_integer_value(json_object_get(row, "warming_ms"));
    char span[32];
    tw_buf text;

    tw_buf_init(&text, 65536);
    if (was)
        tw_buf_printf(&text, "it was %s; ", was);
    tw_buf_add_str(&text, why ? why : "");
    if (warming_ms > 0)
        tw_buf_printf(&text, "; full after %s",
                      tw_cli_span(warming_ms, span, sizeof span));
    add_params(row, &text);
    add_effects(row, &text);
    add_matches(row, &text);
    return tw_buf_take(&text, NULL);
}

static void add_row(tw_columns *table, const json_t *row)
{
    const char *change = text_of(row, "change"), *state = text_of(row, "state");
    bool added = strcmp(change, "added") == 0;
    char *parts = parts_text(json_object_get(row, "parts"));

    tw_columns_text(table, text_of(row, "rule"));
    tw_columns_text(table, change);
    tw_columns_text(table, state ? state : "new");
    if (added)
        tw_columns_text(table, "");
    else
        tw_columns_int(table, json_integer_value(json_object_get(row, "keys")));
    tw_columns_text(table, parts);
    char *why = why_text(row);
    tw_columns_text(table, why);
    tw_free(why);
    tw_free(parts);
}

void tw_cli_print_changes(const json_t *rules)
{
    static const char *const heads[] = {"RULE",   "CHANGE", "STATE", ">KEYS",
                                        "EDITED", "WHY",    NULL};
    tw_columns *table = tw_columns_new(heads);
    size_t n, rows = 0;
    json_t *row;

    json_array_foreach((json_t *)(uintptr_t)rules, n, row)
    {
        if (strcmp(text_of(row, "change"), "unchanged") == 0)
            continue;
        add_row(table, row);
        rows++;
    }
    if (rows)
        tw_columns_print(table, stdout);
    tw_columns_free(table);
}

static int print_plan(const json_t *plan)
{
    const json_t *rules = json_object_get(plan, "rules");
    size_t n, unchanged = 0;
    json_t *row;

    tw_cli_print_report_findings(plan);
    if (!json_is_true(json_object_get(plan, "ok"))) {
        fprintf(stderr, "tidewatch plan: a reload would be refused\n");
        return TW_EXIT_FINDING;
    }
    json_array_foreach((json_t *)(uintptr_t)rules, n, row)
    {
        unchanged += strcmp(text_of(row, "change"), "unchanged") == 0;
    }
    tw_cli_print_changes(rules);
    printf("%zu of %zu rules unchanged\n", unchanged, json_array_size(rules));
    return TW_EXIT_OK;
}

/* The engine has another working directory. NULL with the reason told. */
static json_t *request_of(const tw_command *self, int count, char **paths)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++) {
        char *path = realpath(paths[i], NULL);
        if (!path) {
            tw_cli_usage(self, "%s: %s", paths[i], strerror(errno));
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_string(path));
        free(path); /* realpath's */
    }
    return json_pack("{s:o}", "paths", list);
}

static int run(const tw_command *self, int argc, char **argv)
{
    tw_cli_where where;
    tw_cli_server server;
    bool json;
    int first, status = 0;
    json_t *plan = NULL;
    int rc = tw_cli_where_parse_words(self, argc, argv, &where, &json, &first);

    if (rc)
        return rc;
    json_t *request = request_of(self, argc - first, argv + first);
    if (!request)
        return TW_EXIT_USAGE;
    rc = tw_cli_server_init(self, &where, &server);
    if (rc == 0) {
        rc = tw_cli_server_ask(self, &server, "POST", "/-/plan", request, &status, &plan);
        tw_cli_server_done(&server);
    }
    json_decref(request);
    if (rc)
        return rc;
    if (!plan || (status != 200 && status != 422)) {
        fprintf(stderr, "tidewatch plan: the engine answers %d: %s\n", status,
                plan && text_of(plan, "error") ? text_of(plan, "error") : "");
        rc = TW_EXIT_FINDING;
    } else if (json) {
        tw_cli_print_json(json_incref(plan));
        rc = status == 200 ? TW_EXIT_OK : TW_EXIT_FINDING;
    } else {
        rc = print_plan(plan);
    }
    json_decref(plan);
    return rc;
}

const tw_command tw_command_plan = {
    .name = "plan",
    .summary = "what a reload would change",
    .help = help,
    .run = run,
};

// SPDX-License-Identifier: Apache-2.0
/* `tidewatch reload`: a running engine reads its rules again and says what came of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/server.h"

static const char help[] =
    "usage: tidewatch reload [--server HOST:PORT] [-c FILE] [-o table|json]\n"
    "\n"
    "Has a running engine read its rules again. Good rules are taken over at one point, "
    "and those\n"
    "that did not change keep their state; with a finding in any of them the rules that "
    "ran before\n"
    "still run, and the findings are told as `check` tells them.\n"
    "\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 reloaded - 1 refused - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch reload -c tidewatch.yaml\n";

static int int_of(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void print_report(const json_t *report)
{
    tw_cli_print_report_findings(report);
    fflush(stdout);
    if (!json_is_true(json_object_get(report, "ok"))) {
        fprintf(stderr, "tidewatch reload: refused: %s; %s\n", text_of(report, "error"),
                text_of(report, "note"));
        return;
    }
    printf("generation %d: %d added, %d changed, %d unchanged, %d removed, %d moved; %d "
           "kept "
           "their state; lanes stood still for %.1f ms\n",
           int_of(report, "generation"), int_of(report, "added"),
           int_of(report, "changed"), int_of(report, "unchanged"),
           int_of(report, "removed"), int_of(report, "moved"),
           int_of(report, "state_kept"), int_of(report, "pause_us") / 1000.0);
    tw_cli_print_changes(json_object_get(report, "rules"));
}

static int reload(const tw_command *self, const tw_cli_where *where, bool json)
{
    tw_cli_server server;
    json_t *report = NULL;
    int status = 0;
    int rc = tw_cli_server_init(self, where, &server);

    if (rc)
        return rc;
    rc = tw_cli_server_ask(self, &server, "POST", "/-/reload", NULL, &status, &report);
    tw_cli_server_done(&server);
    if (rc)
        return rc;
    if (!report || (status != 200 && status != 422)) {
        fprintf(stderr, "tidewatch reload: the engine answers %d: %s\n", status,
                text_of(report, "error"));
        json_decref(report);
        return TW_EXIT_FINDING;
    }
    if (json)
        tw_cli_print_json(json_incref(report));
    else
        print_report(report);
    json_decref(report);
    return status == 200 ? TW_EXIT_OK : TW_EXIT_FINDING;
}

static int run(const tw_command *self, int argc, char **argv)
{
    tw_cli_where where;
    bool json;
    int rc = tw_cli_where_parse(self, argc, argv, &where, &json);

    return rc ? rc : reload(self, &where, json);
}

const tw_command tw_command_reload = {
    .name = "reload",
    .summary = "have a running engine read its rules again",
    .help = help,
    .run = run,
};

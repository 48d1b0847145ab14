// SPDX-License-Identifier: Apache-2.0
/* `tidewatch silence add|list|expire` and `tidewatch ack`: what people tell a running engine about
 * incidents. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "cli/columns.h"
#include "cli/server.h"

static const char silence_help[] =
    "usage: tidewatch silence add [--for 2h | --until TIME] [--from TIME] [--by NAME]\n"
    "                             [--comment TEXT] MATCHER...\n"
    "       tidewatch silence list [-o table|json]\n"
    "       tidewatch silence expire ID\n"
    "\n"
    "While a silence lasts nobody is told of incidents whose labels match all its "
    "matchers; the\n"
    "incidents go on, the end of what was told before is told, and what still fires when "
    "the silence\n"
    "ends is told then. `add` prints its id, and beside it until when it is and how many "
    "open\n"
    "incidents it covers. A matcher is label=value, label!=value, label=~pattern or "
    "label!~pattern; a\n"
    "pattern matches the whole value, and `severity` and `rule` are labels, too. A "
    "restart "
    "of the engine\n"
    "ends every silence.\n"
    "\n"
    "  --for DURATION       how long; default 1h\n"
    "  --until TIME         its end instead, RFC 3339; --from TIME: its beginning\n"
    "  --by NAME            who asks for it; default: you\n"
    "  --comment TEXT       why\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 done - 1 refused - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch silence add --for 2h --comment 'deploy of v9' service=cart "
    "zone=~eu-.*\n";

static const char ack_help[] =
    "usage: tidewatch ack [--by NAME] [--server HOST:PORT] [-c FILE] INCIDENT\n"
    "\n"
    "Says that somebody takes care of an incident, or of all incidents of a group: it is "
    "not repeated\n"
    "by `remind`, nor told when a silence, an inhibition or the time outside `active` "
    "ends, until it\n"
    "rises above what it was then. Its end is told to whoever heard of it. A restart of "
    "the "
    "engine\n"
    "forgets it.\n"
    "\n"
    "  --by NAME            who; default: you\n" TW_CLI_SERVER_HELP "\n"
    "exit: 0 done - 1 no such incident is open - 69 no engine answers\n"
    "\n"
    "example:\n"
    "  tidewatch ack err:cart\n";

/* What the words of either command said; borrowed from argv. */
typedef struct words {
    tw_cli_where where;
    bool json;
    const char *length, *from, *until, *by, *comment;
    char **rest;
    int rest_count;
} words;

/* Who is at the keyboard, or whose program this is: cron and containers have no USER. */
static const char *who_asks(void)
{
    const char *user = getenv("USER");
    const struct passwd *entry = user && *user ? NULL : getpwuid(geteuid());

    return entry ? entry->pw_name : user;
}

static int parse(const tw_command *c, int argc, char **argv, words *out)
{
    static const struct option options[] = {{"server", required_argument, NULL, 's'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"for", required_argument, NULL, 'f'},
                                            {"from", required_argument, NULL, 'b'},
                                            {"until", required_argument, NULL, 'u'},
                                            {"by", required_argument, NULL, 'w'},
                                            {"comment", required_argument, NULL, 'm'},
                                            {0}};
    int option;

    *out = (words){.by = who_asks()};
    optind = 1;
    while ((option = tw_cli_option(c, argc, argv, ":c:o:", options)) != -1) {
        if (option == '?' ||
            (option == 'o' && tw_cli_output_format(c, optarg, &out->json) < 0))
            return TW_EXIT_USAGE;
        const char **to = option == 's'   ? &out->where.server
                          : option == 'c' ? &out->where.config
                          : option == 'f' ? &out->length
                          : option == 'b' ? &out->from
                          : option == 'u' ? &out->until
                          : option == 'w' ? &out->by
                          : option == 'm' ? &out->comment
                                          : NULL;
        if (to)
            *to = optarg;
    }
    out->rest = argv + optind;
    out->rest_count = argc - optind;
    return 0;
}

/* Takes the body. The answer is printed by `show` when it is good. */
static int ask(const tw_command *c, const words *w, const char *method, const char *path,
               json_t *body, void (*show)(const json_t *answer))
{
    tw_cli_server server;
    json_t *answer = NULL;
    int status = 0;
    int rc = tw_cli_server_init(c, &w->where, &server);

    if (rc == 0) {
        rc = tw_cli_server_ask(c, &server, method, path, body, &status, &answer);
        tw_cli_server_done(&server);
    }
    json_decref(body);
    if (rc)
        return rc;
    if (status != 200) {
        const char *why = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "tidewatch %s: %s\n", c->name, why ? why : "refused");
        rc = TW_EXIT_FINDING;
    } else if (w->json) {
        tw_cli_print_json(json_incref(answer));
    } else {
        show(answer);
    }
    json_decref(answer);
    return rc;
}

static void show_nothing(const json_t *answer)
{
    (void)answer;
}

/* ---- silence ----------------------------------------------------------------------- */

static const char *time_text(const json_t *silence, const char *name, char out[40])
{
    const json_t *ms = json_object_get(silence, name);

    out[0] = '\0';
    if (json_is_integer(ms))
        tw_time_format_rfc3339(json_integer_value(ms), out, 40);
    return out;
}

/* The id for scripts, and for people what it will do. */
static void show_added(const json_t *answer)
{
    int64_t covers = json_integer_value(json_object_get(answer, "covers"));
    bool begins_later =
        strcmp(json_string_value(json_object_get(answer, "state")), "pending") == 0;
    char from[40], until[40], many[40];
    size_t i;
    const json_t *warning;

    printf("%s\n", json_string_value(json_object_get(answer, "id")));
    fflush(stdout);
    if (begins_later)
        fprintf(stderr, "from %s ", time_text(answer, "from", from));
    fprintf(stderr, "until %s, covers %s open incident%s\n",
            time_text(answer, "until", until),
            covers ? tw_cli_count(covers, many, sizeof many) : "no",
            covers == 1 ? "" : "s");
    json_array_foreach(json_object_get(answer, "warnings"), i, warning)
        fprintf(stderr, "tidewatch silence: %s\n", json_string_value(warning));
}

static int add(const tw_command *c, const words *w)
{
    json_t *match = json_array();

    if (w->rest_count < 2) {
        json_decref(match);
        return tw_cli_usage(c, "add needs a matcher: label=value");
    }
    for (int i = 1; i < w->rest_count; i++)
        json_array_append_new(match, json_string(w->rest[i]));
    json_t *body = json_pack("{s:o, s:s, s:s}", "match", match, "by", w->by ? w->by : "",
                             "comment", w->comment ? w->comment : "");
    if (w->from)
        json_object_set_new(body, "from", json_string(w->from));
    if (w->until)
        json_object_set_new(body, "until", json_string(w->until));
    else
        json_object_set_new(body, "for", json_string(w->length ? w->length : "1h"));
    return ask(c, w, "POST", "/api/v1/silence", body, show_added);
}

static void add_matchers(tw_columns *c, const json_t *match)
{
    char text[512] = "";
    size_t used = 0, i;
    const json_t *one;

    json_array_foreach(match, i, one)
    {
        int n = snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                         json_string_value(one));
        used += used + (size_t)n < sizeof text ? (size_t)n : 0;
    }
    tw_columns_text(c, text);
}

static void show_silences(const json_t *answer)
{
    static const char *const heads[] = {"ID",       "STATE",   "UNTIL", "BY",
                                        "MATCHERS", "COMMENT", NULL};
    tw_columns *c = tw_columns_new(heads);
    char until[40];
    size_t i;
    const json_t *s;

    json_array_foreach(answer, i, s)
    {
        tw_columns_text(c, json_string_value(json_object_get(s, "id")));
        tw_columns_text(c, json_string_value(json_object_get(s, "state")));
        tw_columns_text(c, time_text(s, "until", until));
        tw_columns_text(c, json_string_value(json_object_get(s, "by")));
        add_matchers(c, json_object_get(s, "match"));
        tw_columns_text(c, json_string_value(json_object_get(s, "comment")));
    }
    tw_columns_print(c, stdout);
    tw_columns_free(c);
}

static int run_silence(const tw_command *self, int argc, char **argv)
{
    words w;
    int rc = parse(self, argc, argv, &w);

    if (rc)
        return rc;
    const char *what = w.rest_count ? w.rest[0] : "";
    if (strcmp(what, "add") == 0)
        return add(self, &w);
    if (strcmp(what, "list") == 0 && w.rest_count == 1)
        return ask(self, &w, "GET", "/api/v1/silences", NULL, show_silences);
    if (strcmp(what, "expire") == 0 && w.rest_count == 2)
        return ask(self, &w, "POST", "/api/v1/silence/expire",
                   json_pack("{s:s}", "id", w.rest[1]), show_nothing);
    return tw_cli_usage(self,
                        "it is `silence add MATCHER...`, `silence list` or `silence "
                        "expire ID`");
}

const tw_command tw_command_silence = {
    .name = "silence",
    .summary = "keep quiet about something for a while",
    .help = silence_help,
    .run = run_silence,
};

/* ---- ack --------------------------------------------------------------------------- */

static int run_ack(const tw_command *self, int argc, char **argv)
{
    words w;
    int rc = parse(self, argc, argv, &w);

    if (rc)
        return rc;
    if (w.rest_count != 1)
        return tw_cli_usage(self, "it takes one incident, as `alerts` and notifications "
                                  "call it");
    return ask(self, &w, "POST", "/api/v1/ack",
               json_pack("{s:s, s:s}", "incident", w.rest[0], "by", w.by ? w.by : ""),
               show_nothing);
}

const tw_command tw_command_ack = {
    .name = "ack",
    .summary = "take an incident",
    .help = ack_help,
    .run = run_ack,
};

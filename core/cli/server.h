// SPDX-License-Identifier: Apache-2.0
/* A running engine as the commands that talk to one see it: where it is, and one request at a time over
 * plain HTTP/1.1. Main thread; blocks. */
#ifndef TW_CLI_SERVER_H
#define TW_CLI_SERVER_H

#include "cli/cli.h"

#define TW_CLI_DEFAULT_SERVER "127.0.0.1:9464"

/* What such a command was told of it, from --server and -c; or NULL. */
typedef struct tw_cli_where {
    const char *server, *config;
} tw_cli_where;

/* The options that all these commands take: --server, -c, -o. 0, or the exit code. */
int tw_cli_where_parse(const tw_command *c, int argc, char **argv, tw_cli_where *out,
                       bool *out_json);
/* The same for a command that takes words behind them: argv[*out_first] is the first. */
int tw_cli_where_parse_words(const tw_command *c, int argc, char **argv,
                             tw_cli_where *out, bool *out_json, int *out_first);
#define TW_CLI_SERVER_HELP                                                               \
    "  --server HOST:PORT   the engine's control address; default: that of the "         \
    "configuration, else\n"                                                              \
    "                       " TW_CLI_DEFAULT_SERVER "\n"                                 \
    "  -c, --config FILE    where address and token are taken from; or "                 \
    "TIDEWATCH_CONFIG\n"                                                                 \
    "                       A token may also stand in TIDEWATCH_TOKEN.\n"                \
    "  -o, --output FORMAT  table (default), json\n"

typedef struct tw_cli_server {
    char *host, *port, *token; /* token NULL: none */
} tw_cli_server;

/* Fills out. 0, or the exit code, with the reason told. */
int tw_cli_server_init(const tw_command *c, const tw_cli_where *where,
                       tw_cli_server *out);
void tw_cli_server_done(tw_cli_server *server);

/* One request, with a body or NULL; the answer's status and its JSON body (new reference, NULL when it is none). 0, or the
 * exit code with the reason told: TW_EXIT_UNREACHABLE, or TW_EXIT_USAGE when the engine wants another
 * token. */
int tw_cli_server_ask(const tw_command *c, const tw_cli_server *server,
                      const char *method, const char *path, const json_t *body,
                      int *out_status, json_t **out_body);

/* What a reload did or would do, a row a rule; rules that did not change are left out. Nothing when there
 * is no row. */
void tw_cli_print_changes(const json_t *rules);

/* The findings of a reload's report on standard output, as `check` writes them. */
void tw_cli_print_report_findings(const json_t *report);

#endif

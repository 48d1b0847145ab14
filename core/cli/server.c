// SPDX-License-Identifier: Apache-2.0
/* See server.h. A request is one connection: the answer ends where the engine closes it. */
#include "cli/server.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define MAX_ANSWER_BYTES ((size_t)64 << 20)
#define TIMEOUT_S 30

/* ---- where ------------------------------------------------------------------------- */

int tw_cli_where_parse_words(const tw_command *c, int argc, char **argv,
                             tw_cli_where *out, bool *out_json, int *out_first)
{
    static const struct option options[] = {{"server", required_argument, NULL, 's'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"output", required_argument, NULL, 'o'},
                                            {0}};
    int option;

    *out = (tw_cli_where){0};
    *out_json = false;
    optind = 1;
    while ((option = tw_cli_option(c, argc, argv, ":c:o:", options)) != -1) {
        if (option == '?' ||
            (option == 'o' && tw_cli_output_format(c, optarg, out_json) < 0))
            return TW_EXIT_USAGE;
        if (option == 's')
            out->server = optarg;
        else if (option == 'c')
            out->config = optarg;
    }
    *out_first = optind;
    return 0;
}

int tw_cli_where_parse(const tw_command *c, int argc, char **argv, tw_cli_where *out,
                       bool *out_json)
{
    int first, rc = tw_cli_where_parse_words(c, argc, argv, out, out_json, &first);

    if (rc == 0 && first < argc)
        return tw_cli_usage(c, "'%s' is one word too many", argv[first]);
    return rc;
}

/* "http://HOST:PORT/", "HOST:PORT", "[HOST]:PORT", ":PORT". */
static int parse_server(const tw_command *c, const char *text, tw_cli_server *out)
{
    const char *at = strncmp(text, "http://", 7) == 0 ? text + 7 : text;
    size_t n = strcspn(at, "/");
    const char *end = at + n, *colon = memrchr(at, ':', n);

    if (strncmp(text, "https://", 8) == 0)
        return tw_cli_usage(c,
                            "--server '%s': TLS is spoken by what stands in front; name "
                            "the engine itself, HOST:PORT",
                            text);
    if (!colon || colon + 1 == end || (at[0] == '[' && colon[-1] != ']'))
        return tw_cli_usage(c, "--server '%s' is not HOST:PORT", text);
    size_t host = (size_t)(colon - at);
    if (at[0] == '[')
        at++, host -= 2;
    out->host = host ? tw_strndup(at, host) : tw_strdup("127.0.0.1");
    out->port = tw_strndup(colon + 1, (size_t)(end - colon - 1));
    return 0;
}

static int take_config(const char *path, bool with_address, tw_cli_server *out)
{
    tw_config *config = tw_cli_config(path);

    if (!config)
        return TW_EXIT_CONFIG;
    if (with_address) {
        const char *host = config->control_host;
        bool any = strcmp(host, "0.0.0.0") == 0;
        bool any6 = strcmp(host, "::") == 0;
        out->host = tw_strdup(any ? "127.0.0.1" : any6 ? "::1" : host);
        out->port = tw_asprintf("%u", config->control_port);
    }
    out->token = tw_strdup(config->control_token);
    tw_config_free(config);
    return 0;
}

int tw_cli_server_init(const tw_command *c, const tw_cli_where *where, tw_cli_server *out)
{
    const char *config = where->config ? where->config : getenv("TIDEWATCH_CONFIG");
    const char *token = getenv("TIDEWATCH_TOKEN");
    int rc = 0;

    *out = (tw_cli_server){0};
    if (where->server)
        rc = parse_server(c, where->server, out);
    /* An address that was given needs no configuration, but may go with one. */
    if (rc == 0 && config && (where->config || !where->server))
        rc = take_config(config, !where->server, out);
    if (rc == 0 && !out->host)
        rc = parse_server(c, TW_CLI_DEFAULT_SERVER, out);
    if (rc == 0 && token && *token) {
        tw_free(out->token);
        out->token = tw_strdup(token);
    }
    if (rc)
        tw_cli_server_done(out);
    return rc;
}

void tw_cli_server_done(tw_cli_server *server)
{
    tw_free(server->host);
    tw_free(server->port);
    tw_free(server->token);
    *server = (tw_cli_server){0};
}

/* ---- one request ------------------------------------------------------------------- */

static int unreachable(const tw_command *c, const tw_cli_server *s, const char *why)
{
    fprintf(stderr,
            "tidewatch %s: no engine answers on %s port %s: %s\n"
            "Is `tidewatch run` running? --server HOST:PORT or -c FILE says where.\n",
            c->name, s->host, s->port, why);
    return TW_EXIT_UNREACHABLE;
}

static int open_socket(const struct addrinfo *a)
{
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int connect_to(const tw_command *c, const tw_cli_server *s, int *out_fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(s->host, s->port, &hints, &list);
    int fd = -1;

    if (rc)
        return unreachable(c, s, gai_strerror(rc));
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = open_socket(a);
    freeaddrinfo(list);
    if (fd < 0)
        return unreachable(c, s, strerror(errno));
    *out_fd = fd;
    return 0;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static bool receive_all(int fd, tw_buf *out)
{
    char part[16384];

    for (;;) {
        ssize_t n = recv(fd, part, sizeof part, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (tw_buf_add(out, part, (size_t)n) < 0) {
            errno = EMSGSIZE;
            return false;
        }
    }
}

static void write_request(const tw_cli_server *s, const char *method, const char *path,
                          const json_t *body, tw_buf *out)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    bool six = strchr(s->host, ':') != NULL;

    tw_buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s%s%s:%s\r\n", method, path,
                  six ? "[" : "", s->host, six ? "]" : "", s->port);
    if (s->token)
        tw_buf_printf(out, "Authorization: Bearer %s\r\n", s->token);
    tw_buf_printf(out,
                  "Accept: application/json\r\n%sContent-Length: %zu\r\n"
                  "Connection: close\r\n\r\n%s",
                  text ? "Content-Type: application/json\r\n" : "",
                  text ? strlen(text) : 0, text ? text : "");
    free(text); /* jansson's own allocator */
}

/* "HTTP/1.1 200 OK", headers, an empty line, the body to the end. */
static bool read_answer(const tw_buf *answer, int *out_status, json_t **out_body)
{
    const char *body = strstr(answer->data, "\r\n\r\n");

    if (strncmp(answer->data, "HTTP/1.", 7) != 0 || answer->len < 12 || !body)
        return false;
    *out_status = (int)strtol(answer->data + 9, NULL, 10);
    body += 4;
    *out_body = json_loadb(body, answer->len - (size_t)(body - answer->data),
                           JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return true;
}

static int refused_token(const tw_command *c, const tw_cli_server *s)
{
    fprintf(stderr,
            "tidewatch %s: the engine %s; take it from -c FILE or TIDEWATCH_TOKEN\n",
            c->name, s->token ? "does not take this token" : "asks for a token");
    return TW_EXIT_USAGE;
}

int tw_cli_server_ask(const tw_command *c, const tw_cli_server *server,
                      const char *method, const char *path, const json_t *body,
                      int *out_status, json_t **out_body)
{
    tw_buf request, answer;
    int fd = -1, rc = connect_to(c, server, &fd);

    if (rc)
        return rc;
    tw_buf_init(&request, 65536);
    tw_buf_init(&answer, MAX_ANSWER_BYTES);
    write_request(server, method, path, body, &request);
    if (!send_all(fd, request.data, request.len) || !receive_all(fd, &answer))
        rc = unreachable(c, server,
                         errno == EAGAIN ? "no answer in time" : strerror(errno));
    else if (!read_answer(&answer, out_status, out_body))
        rc = unreachable(c, server, "what answers does not speak HTTP");
    close(fd);
    tw_buf_done(&request);
    tw_buf_done(&answer);
    if (rc == 0 && *out_status == 401) {
        json_decref(*out_body);
        *out_body = NULL;
        rc = refused_token(c, server);
    }
    return rc;
}

/* ---- reports ----------------------------------------------------------------------- */

static void copy_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text ? text : "");
}

void tw_cli_print_report_findings(const json_t *report)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        char line[1400];
        tw_err err = {.line = (int)json_integer_value(json_object_get(f, "line")),
                      .column = (int)json_integer_value(json_object_get(f, "column"))};
        copy_text(f, "file", err.file, sizeof err.file);
        copy_text(f, "text", err.text, sizeof err.text);
        printf("%s%s\n", tw_err_format(&err, line, sizeof line),
               json_is_true(json_object_get(f, "warning")) ? " [warning]" : "");
    }
}

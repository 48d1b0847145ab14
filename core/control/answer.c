// SPDX-License-Identifier: Apache-2.0
/* Requests to answers; see answer.h. Invariant: whoever may not ask learns nothing but that, whatever
 * the path. */
#include "control/answer.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/nearest.h"

#define MAX_PATHS 64
#define MAX_METRICS_BYTES (64 << 20)
#define API "/api/v1/"

static const char type_json[] = "application/json";
static const char type_metrics[] = "text/plain; version=0.0.4; charset=utf-8";

/* ---- forms of an answer ------------------------------------------------------------ */

/* Takes the body. */
static tw_told tell(int status, json_t *body)
{
    tw_told told = {.status = status, .content_type = type_json};
    char *text = body ? json_dumps(body, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;

    told.text = tw_asprintf("%s\n", text ? text : "{}");
    told.size = strlen(told.text);
    free(text);
    json_decref(body);
    return told;
}

tw_told tw_control_refuse(int status, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    json_t *error = json_string(text);
    /* A path is the client's bytes and may be anything. */
    return tell(status,
                json_pack("{s:o}", "error",
                          error ? error : json_string("the request is not UTF-8")));
}

static tw_told refuse_method(const tw_ask *ask, const char *allow)
{
    tw_told told = tw_control_refuse(405, "%s does not take %s; use %s", ask->path,
                                     ask->method, allow);
    told.allow = allow;
    return told;
}

/* ---- who may ask ------------------------------------------------------------------- */

/* Takes as long for a near miss as for a far one. */
static bool is_same_secret(const char *given, const char *wanted)
{
    size_t given_size = strlen(given), wanted_size = strlen(wanted);
    volatile unsigned char difference = given_size != wanted_size;

    for (size_t i = 0; i < given_size; i++) {
        unsigned char c = (unsigned char)wanted[wanted_size ? i % wanted_size : 0];
        difference |= (unsigned char)(given[i] ^ c);
    }
    return difference == 0;
}

static bool has_token(const tw_ask *ask, const char *token)
{
    const char *a = ask->authorization;

    if (!a || strncasecmp(a, "Bearer ", 7) != 0)
        return false;
    for (a += 7; *a == ' ';)
        a++;
    return is_same_secret(a, token);
}

/* "127.0.0.1:9464", "[::1]:9464", "localhost": what nobody else's name server can point here. */
static bool is_plain_host(const char *host)
{
    unsigned char address[16];
    char name[64];
    size_t n = host[0] == '[' ? strcspn(host + 1, "]") : strcspn(host, ":");

    if (n >= sizeof name)
        return false;
    memcpy(name, host + (host[0] == '['), n);
    name[n] = '\0';
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

/* A browser names the page's origin; the engine's own pages have the engine's host. */
static bool is_own_origin(const tw_ask *ask)
{
    const char *slashes = strstr(ask->origin, "://");

    return slashes && ask->host && strcasecmp(slashes + 3, ask->host) == 0;
}

static bool may_ask(const tw_control_options *o, const tw_ask *ask, tw_told *refusal)
{
    if (o->token && !has_token(ask, o->token)) {
        *refusal = tw_control_refuse(
            401, ask->authorization
                     ? "the token is not the one of this engine"
                     : "this engine asks for a token: Authorization: Bearer TOKEN");
        return false;
    }
    if (!o->token && ask->host && !is_plain_host(ask->host)) {
        *refusal = tw_control_refuse(403,
                                     "the Host '%s' is neither an address nor localhost; "
                                     "set control.token to allow names",
                                     ask->host);
        return false;
    }
    if (ask->origin && !is_own_origin(ask)) {
        *refusal = tw_control_refuse(403, "requests of other web pages are not taken");
        return false;
    }
    return true;
}

/* ---- what there is ----------------------------------------------------------------- */

static const tw_view *find_view(const tw_control_options *o, const char *path)
{
    if (strncmp(path, API, sizeof API - 1) != 0)
        return NULL;
    for (const tw_view *v = o->views; v && v->name; v++) {
        if (strcmp(v->name, path + sizeof API - 1) == 0)
            return v;
    }
    return NULL;
}

static const tw_verb *find_verb(const tw_control_options *o, const char *path)
{
    for (const tw_verb *v = o->verbs; v && v->path; v++) {
        if (strcmp(v->path, path) == 0)
            return v;
    }
    return NULL;
}

static tw_told refuse_path(const tw_control_options *o, const char *path)
{
    const char *paths[MAX_PATHS] = {"/-/healthy", "/-/ready", "/metrics"};
    char views[MAX_PATHS][80];
    size_t count = 3;

    for (const tw_verb *v = o->verbs; v && v->path && count < MAX_PATHS; v++)
        paths[count++] = v->path;
    for (const tw_view *v = o->views; v && v->name && count < MAX_PATHS; v++) {
        snprintf(views[count], sizeof views[count], API "%s", v->name);
        paths[count] = views[count];
        count++;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(paths[i]));
    const char *nearest = tw_nearest(path, paths, count);
    char *text = nearest
                     ? tw_asprintf("nothing is at %s (did you mean %s?)", path, nearest)
                     : tw_asprintf("nothing is at %s", path);
    json_t *error = json_string(text);
    tw_free(text);
    return tell(404, json_pack("{s:o, s:o}", "error",
                               error ? error : json_string("nothing is there"), "paths",
                               list));
}

static tw_told show_ready(const tw_control_options *o)
{
    json_t *reasons = o->not_ready ? o->not_ready(o->self) : NULL;

    if (!reasons)
        return tell(200, json_pack("{s:b}", "ready", 1));
    return tell(503, json_pack("{s:b, s:o}", "ready", 0, "reasons", reasons));
}

static tw_told show_metrics(const tw_control_options *o)
{
    tw_told told = {.status = 200, .content_type = type_metrics};
    tw_buf out;

    if (o->before_metrics)
        o->before_metrics(o->self);
    tw_buf_init(&out, MAX_METRICS_BYTES);
    tw_stats_write(o->stats, &out);
    if (out.failed) {
        tw_buf_done(&out);
        return tw_control_refuse(500, "the metrics are larger than %d bytes",
                                 MAX_METRICS_BYTES);
    }
    told.text = tw_buf_take(&out, &told.size);
    return told;
}

static tw_told act(const tw_control_options *o, const tw_verb *verb, const tw_ask *ask)
{
    json_error_t why;
    json_t *body = NULL;

    if (ask->body_size) {
        body = json_loadb(ask->body, ask->body_size, JSON_DECODE_ANY, &why);
        if (!body)
            return tw_control_refuse(400, "the body is not JSON: %s (line %d, column %d)",
                                     why.text, why.line, why.column);
    }
    tw_control_reply reply = verb->act(o->self, body);
    json_decref(body);
    return tell(reply.status, reply.body);
}

tw_told tw_control_answer(const tw_control_options *o, const tw_ask *ask)
{
    bool reads = strcmp(ask->method, "GET") == 0 || strcmp(ask->method, "HEAD") == 0;
    bool is_healthy = strcmp(ask->path, "/-/healthy") == 0;
    bool is_ready = strcmp(ask->path, "/-/ready") == 0;
    tw_told refusal;

    if (!is_healthy && !is_ready && !may_ask(o, ask, &refusal))
        return refusal;
    const tw_verb *verb = find_verb(o, ask->path);
    if (verb) {
        if (strcmp(ask->method, "POST") == 0 || strcmp(ask->method, "PUT") == 0)
            return act(o, verb, ask);
        return refuse_method(ask, "POST, PUT");
    }
    const tw_view *view = find_view(o, ask->path);
    bool is_metrics = strcmp(ask->path, "/metrics") == 0;
    if (!is_healthy && !is_ready && !is_metrics && !view)
        return refuse_path(o, ask->path);
    if (!reads)
        return refuse_method(ask, "GET, HEAD");
    if (is_healthy)
        return tell(200, json_pack("{s:b}", "healthy", 1));
    if (is_ready)
        return show_ready(o);
    return is_metrics ? show_metrics(o) : tell(200, view->show(o->self));
}

// SPDX-License-Identifier: Apache-2.0
/* The client; see http_client.h. curl says which descriptors and which timer it wants,
 * the loop tells it when. A timer of 0 ms is passed on as 0: rounded up to one, it costs
 * most of the throughput of a single connection. */
#include "shared/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/http_address.h"

/* What is read of an answer's body beyond what is kept; then it has said enough. */
#define MAX_DRAINED (1u << 20)
#define MAX_HEAD (256u << 10) /* of an answer: curl keeps all of it */
#define MAX_TOKEN 16384
#define MAX_RETRY_AFTER_S 21600 /* whatever a receiver says */

typedef struct call {
    struct call *next;
    http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    char *body; /* of the answer */
    size_t head_size, body_size, drained;
    bool refused, cut, enough;
    char why[CURL_ERROR_SIZE];
    void (*done)(void *arg, const http_response *response);
    void *arg;
} call;

struct http_client {
    const tw_host *host;
    CURLM *multi;
    tw_watch *timer;
    call *calls;
    size_t max_body;
    int64_t timeout_ms;
    bool insecure, allow_link_local, stopped;
    char *ca, *cert, *key, *token, *token_file, *user, *password;
    char **headers; /* NULL-terminated */
};

/* ---- curl and the loop ---- */

static void finish_calls(http_client *c);

static void on_ready(void *arg, int fd, int events)
{
    http_client *c = arg;
    int running, mask = (events & TW_WATCH_READ ? CURL_CSELECT_IN : 0) |
                        (events & TW_WATCH_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(c->multi, fd, mask, &running);
    finish_calls(c);
}

static void on_timer(void *arg)
{
    http_client *c = arg;
    int running;

    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_calls(c);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    http_client *c = arg;
    tw_watch *w = assigned;
    int events = (what & CURL_POLL_IN ? TW_WATCH_READ : 0) |
                 (what & CURL_POLL_OUT ? TW_WATCH_WRITE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            c->host->watch_end(w);
        curl_multi_assign(c->multi, fd, NULL);
    } else if (w) {
        c->host->watch_change(w, events);
    } else {
        w = c->host->watch_fd(c->host, fd, events, on_ready, c);
        curl_multi_assign(c->multi, fd, w);
    }
    return 0;
}

static int want_timer(CURLM *multi, long after_ms, void *arg)
{
    http_client *c = arg;

    (void)multi;
    if (after_ms < 0) {
        if (c->timer)
            c->host->watch_end(c->timer);
        c->timer = NULL;
    } else if (c->timer) {
        c->host->watch_timer_again(c->timer, after_ms, 0);
    } else {
        c->timer = c->host->watch_timer(c->host, after_ms, 0, on_timer, c);
    }
    return 0;
}

/* ---- life ---- */

static void read_headers(http_client *c, const json_t *headers)
{
    const char *name;
    json_t *value;
    size_t n = 0;

    c->headers = shared_alloc(sizeof *c->headers * (json_object_size(headers) + 1));
    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        size_t size = strlen(name) + json_string_length(value) + 3;
        c->headers[n] = shared_alloc(size);
        snprintf(c->headers[n++], size, "%s: %s", name, json_string_value(value));
    }
}

static bool headers_are_clean(const http_client *c, tw_refusal *refusal)
{
    for (char **h = c->headers; *h; h++) {
        if (!strpbrk(*h, "\r\n"))
            continue;
        settings_refuse(refusal, "a header holds a line break");
        return false;
    }
    return true;
}

static bool there_is_one_way_in(const http_client *c, tw_refusal *refusal)
{
    if ((c->user != NULL) + (c->token != NULL) + (c->token_file != NULL) > 1)
        settings_refuse(refusal, "of 'basic_auth', 'bearer_token' and "
                                 "'bearer_token_file' there can be only one");
    else if (c->password && !c->user)
        settings_refuse(refusal, "'basic_auth' has no 'username'");
    else
        return true;
    return false;
}

static bool file_is_readable(const char *path, tw_refusal *refusal)
{
    if (!path || access(path, R_OK) == 0)
        return true;
    settings_refuse(refusal, "%s: %s", path, strerror(errno));
    return false;
}

http_client *http_client_new(const tw_host *h, const json_t *settings, size_t max_body,
                             tw_refusal *refusal)
{
    const json_t *tls = json_object_get(settings, "tls");
    const json_t *basic_auth = json_object_get(settings, "basic_auth");
    http_client *c = shared_alloc(sizeof *c);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    c->host = h;
    c->max_body = max_body;
    c->timeout_ms = settings_ms(settings, "timeout");
    c->allow_link_local = settings_bool(settings, "allow_link_local");
    c->insecure = settings_bool(tls, "insecure");
    c->ca = shared_strdup(settings_text(tls, "ca"));
    c->cert = shared_strdup(settings_text(tls, "cert"));
    c->key = shared_strdup(settings_text(tls, "key"));
    c->token = shared_strdup(settings_text(settings, "bearer_token"));
    c->user = shared_strdup(settings_text(basic_auth, "username"));
    c->password = shared_strdup(settings_text(basic_auth, "password"));
    c->token_file = shared_strdup(settings_text(settings, "bearer_token_file"));
    read_headers(c, json_object_get(settings, "headers"));
    c->multi = curl_multi_init();
    if (!c->multi)
        abort();
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    if (headers_are_clean(c, refusal) && there_is_one_way_in(c, refusal) &&
        file_is_readable(c->ca, refusal) && file_is_readable(c->cert, refusal) &&
        file_is_readable(c->key, refusal) && file_is_readable(c->token_file, refusal))
        return c;
    http_client_free(c);
    return NULL;
}

void http_client_free(http_client *c)
{
    if (!c)
        return;
    http_client_stop(c);
    curl_multi_cleanup(c->multi);
    want_timer(NULL, -1, c);
    for (char **h = c->headers; h && *h; h++)
        free(*h);
    free(c->headers);
    free(c->ca);
    free(c->cert);
    free(c->key);
    free(c->token);
    free(c->token_file);
    free(c->user);
    free(c->password);
    free(c);
    curl_global_cleanup();
}

bool http_client_takes(const http_client *c, const char *url, tw_refusal *refusal)
{
    return http_address_check(url, c->allow_link_local, refusal);
}

/* ---- calls ---- */

static size_t on_head(char *data, size_t size, size_t count, void *arg)
{
    call *l = arg;

    (void)data;
    l->head_size += size * count;
    return l->head_size > MAX_HEAD ? 0 : size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    call *l = arg;
    size_t n = size * count, room = l->client->max_body - l->body_size;

    if (n <= room) {
        room = n;
    } else {
        l->cut = true;
        l->drained += n - room;
    }
    if (l->drained > MAX_DRAINED) {
        l->enough = true;
        return 0;
    }
    l->body = realloc(l->body, l->body_size + room + 1);
    if (!l->body)
        abort();
    memcpy(l->body + l->body_size, data, room);
    l->body_size += room;
    l->body[l->body_size] = '\0';
    return n;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    call *l = arg;

    (void)purpose;
    if (!l->client->allow_link_local && http_address_is_link_local(&address->addr)) {
        l->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void call_free(call *l)
{
    curl_easy_cleanup(l->easy);
    curl_slist_free_all(l->headers);
    free(l->body);
    free(l);
}

/* Out of the list and told; the call is gone after that. */
static void end_call(call *l, const http_response *response)
{
    for (call **at = &l->client->calls; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    l->done(l->arg, response);
    call_free(l);
}

static void fail_call(call *l, const char *why)
{
    end_call(l, &(http_response){.error = why, .body = ""});
}

static void finish_call(call *l, CURLcode code)
{
    http_response r = {
        .body = l->body ? l->body : "", .body_size = l->body_size, .cut = l->cut};
    char *content_type = NULL;
    curl_off_t after = 0;
    long status = 0;

    if (code == CURLE_OK || l->enough) {
        curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(l->easy, CURLINFO_RETRY_AFTER, &after);
        curl_easy_getinfo(l->easy, CURLINFO_CONTENT_TYPE, &content_type);
        r.status = (int)status;
        r.content_type = content_type;
        if (after > MAX_RETRY_AFTER_S)
            after = MAX_RETRY_AFTER_S;
        r.retry_after_ms = after > 0 ? (int64_t)after * 1000 : 0;
    } else {
        r.refused = l->refused;
        r.error = l->why[0] ? l->why : curl_easy_strerror(code);
        if (l->head_size > MAX_HEAD)
            r.error = "the head of the answer does not end";
        if (l->refused)
            r.error = "the address is link-local, which only allow_link_local permits";
    }
    end_call(l, &r);
}

/* What `done` does may end or start calls, so each round looks anew. */
static void finish_calls(http_client *c)
{
    CURLMsg *message;
    int left;

    while (!c->stopped && (message = curl_multi_info_read(c->multi, &left))) {
        call *l = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &l);
        curl_multi_remove_handle(c->multi, l->easy);
        finish_call(l, code);
    }
}

void http_client_stop(http_client *c)
{
    c->stopped = true;
    while (c->calls) {
        call *l = c->calls;
        curl_multi_remove_handle(c->multi, l->easy);
        fail_call(l, "the connector stops");
    }
}

/* ---- requests ---- */

static bool add_header(call *l, const char *line)
{
    struct curl_slist *more = curl_slist_append(l->headers, line);
    if (!more)
        abort();
    l->headers = more;
    return true;
}

static void add_token(call *l, const char *token)
{
    char line[MAX_TOKEN + 64];

    snprintf(line, sizeof line, "Authorization: Bearer %.*s",
             (int)strcspn(token, " \r\n\t"), token);
    add_header(l, line);
}

/* Tokens of a cluster change under way, so the file is read each time. */
static bool add_token_of_file(call *l, const char *path)
{
    char token[MAX_TOKEN];
    FILE *file = fopen(path, "re");

    if (!file)
        return false;
    size_t n = fread(token, 1, sizeof token - 1, file);
    fclose(file);
    token[n] = '\0';
    add_token(l, token);
    return n > 0;
}

static bool add_headers(call *l, const http_request *request)
{
    const http_client *c = l->client;

    for (const char *const *h = request->headers; h && *h; h++)
        add_header(l, *h);
    for (char **h = c->headers; *h; h++)
        add_header(l, *h);
    add_header(l, "Expect:");
    if (c->token)
        add_token(l, c->token);
    return !c->token_file || add_token_of_file(l, c->token_file);
}

static void set_security(const http_client *c, CURL *e)
{
    if (c->user) {
        curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(e, CURLOPT_USERNAME, c->user);
        curl_easy_setopt(e, CURLOPT_PASSWORD, c->password ? c->password : "");
    }
    if (c->ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->ca);
    if (c->cert)
        curl_easy_setopt(e, CURLOPT_SSLCERT, c->cert);
    if (c->key)
        curl_easy_setopt(e, CURLOPT_SSLKEY, c->key);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
}

static void set_options(call *l, const http_request *request)
{
    const http_client *c = l->client;
    CURL *e = l->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, l);
    curl_easy_setopt(e, CURLOPT_URL, request->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    /* Else a call that times out while its name is looked up waits for the resolver, and
     * with it the whole loop, for as long as name servers do not answer. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "tidewatch");
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->why);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, l);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, l);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, l->headers);
    if (request->body) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, request->body);
    }
    if (request->method)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->compressed)
        curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
    set_security(c, e);
}

void http_client_send(http_client *c, const http_request *request,
                      void (*done)(void *arg, const http_response *response), void *arg)
{
    call *l = shared_alloc(sizeof *l);

    l->client = c;
    l->done = done;
    l->arg = arg;
    l->easy = curl_easy_init();
    if (!l->easy)
        abort();
    l->next = c->calls;
    c->calls = l;
    if (c->stopped) {
        fail_call(l, "the connector stops");
    } else if (!add_headers(l, request)) {
        fail_call(l, "the bearer token cannot be read");
    } else {
        set_options(l, request);
        curl_multi_add_handle(c->multi, l->easy);
    }
}

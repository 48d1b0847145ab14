// SPDX-License-Identifier: Apache-2.0
/* The sink `webhook`: one POST a record. Its id travels as webhook-id and stays the same
 * however often it is tried, so a receiver can tell what it has seen. Shore thread; the
 * HTTP client holds what is open. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/http_client.h"
#include "webhook/body.h"
#include "webhook/signature.h"
#include "webhook/told.h"

#define KEPT_BODY 256 /* of an answer, for the log */
#define MAX_HEADERS 5

typedef struct webhook {
    const tw_host *host;
    http_client *client;
    char *url, *external_url;
    body_format format;
    signature_keys keys;
    told told;
} webhook;

typedef struct attempt {
    webhook *sink;
    tw_delivery *delivery;
    json_t *alert; /* what it says in Alertmanager's form, or NULL */
} attempt;

static const char schema[] =
    "{\"type\": \"object\", \"required\": [\"url\"], \"properties\": {"
    "\"url\": {\"type\": \"string\"},"
    "\"format\": {\"type\": \"string\", \"enum\": [\"alertmanager\", \"json\", "
    "\"cloudevents\"], \"default\": \"alertmanager\"},"
    "\"secret\": {\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}, "
    "\"description\": \"whsec_...; several while they are rotated\"},"
    "\"external_url\": {\"type\": \"string\", \"default\": \"\"}," HTTP_CLIENT_SETTINGS(
        "15s") "}}";

static void webhook_close(void *instance)
{
    webhook *w = instance;

    http_client_free(w->client);
    free(w->url);
    free(w->external_url);
    told_done(&w->told);
    free(w);
}

static body_format format_of(const char *name)
{
    if (strcmp(name, "json") == 0)
        return BODY_JSON;
    return strcmp(name, "cloudevents") == 0 ? BODY_CLOUDEVENTS : BODY_ALERTMANAGER;
}

static void *webhook_open(const tw_host *h, tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    webhook *w = shared_alloc(sizeof *w);
    w->host = h;
    told_init(&w->told);
    w->url = shared_strdup(settings_text(settings, "url"));
    w->external_url = shared_strdup(settings_text(settings, "external_url"));
    w->format = format_of(settings_text(settings, "format"));
    w->client = http_client_new(h, settings, KEPT_BODY, refusal);
    bool fine =
        w->client && http_client_takes(w->client, w->url, refusal) &&
        signature_read_keys(&w->keys, json_object_get(settings, "secret"), refusal);
    json_decref(settings);
    if (fine)
        return w;
    webhook_close(w);
    return NULL;
}

static int webhook_start(void *instance, tw_refusal *refusal)
{
    (void)instance;
    (void)refusal;
    return 0;
}

/* The outbox keeps the order within an incident, so what is noted here is what comes next. */
static void note_told(const attempt *a, tw_answer_class class)
{
    const tw_record *r = a->delivery->records[0];
    bool fires = a->alert && strcmp(r->status, "resolved") != 0;

    if (a->alert && class == TW_ANSWER_DONE)
        told_put(&a->sink->told, r->incident, fires ? a->alert : NULL);
}

static void on_answer(void *arg, const http_response *response)
{
    attempt *a = arg;
    char text[KEPT_BODY + 64];
    tw_answer answer = http_answer(response, text, sizeof text);

    note_told(a, answer.answer);
    json_decref(a->alert);
    a->sink->host->done(a->sink->host, a->delivery, &answer);
    free(a);
}

static void post(webhook *w, const tw_record *r, const char *body, attempt *a)
{
    char id[512], time[64], signature[1024];
    const char *headers[MAX_HEADERS] = {body_content_type(w->format), id};
    size_t n = 2, body_size = strlen(body);
    int64_t now_s = w->host->now_ms(w->host) / 1000;

    snprintf(id, sizeof id, "webhook-id: %s", r->id);
    for (char *p = id; *p; p++)
        *p = (unsigned char)*p < 0x20 ? ' ' : *p; /* an id ends no header */
    if (w->keys.count) {
        snprintf(time, sizeof time, "webhook-timestamp: %" PRId64, now_s);
        signature_write(&w->keys, r->id, now_s, body, body_size, signature,
                        sizeof signature);
        headers[n++] = time;
        headers[n++] = signature;
    }
    http_client_send(
        w->client,
        &(http_request){
            .url = w->url, .body = body, .body_size = body_size, .headers = headers},
        on_answer, a);
}

static void webhook_deliver(void *instance, tw_delivery *d)
{
    webhook *w = instance;
    const tw_record *r = d->records[0];
    attempt *a = shared_alloc(sizeof *a);
    body_writer writer = {w->format, w->host->name, w->external_url};

    *a = (attempt){.sink = w, .delivery = d};
    char *body = body_write(
        &writer, r, r->incident ? told_of(&w->told, r->incident) : NULL, &a->alert);
    post(w, r, body, a);
    free(body);
}

static void webhook_stop(void *instance)
{
    webhook *w = instance;

    http_client_stop(w->client);
    w->host->stopped(w->host);
}

static const tw_sink_type webhook_type = {
    .size = sizeof(tw_sink_type),
    .kind = "webhook",
    .settings = schema,
    .max_batch = 1,
    .max_inflight = 8,
    .open = webhook_open,
    .start = webhook_start,
    .deliver = webhook_deliver,
    .stop = webhook_stop,
    .close = webhook_close,
};

static const tw_sink_type *const sinks[] = {&webhook_type, NULL};

extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "webhook",
    .version = "1",
    .sinks = sinks,
};

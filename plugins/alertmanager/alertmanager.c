// SPDX-License-Identifier: Apache-2.0
/* The sink `alertmanager`: keeps every Alertmanager of a cluster told of what fires and of
 * what has ended, the way Prometheus does. One body is under way at a time, a delivery
 * before a resend, so an alert's end never overtakes its beginning. Shore thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertmanager/alerts.h"
#include "alertmanager/post.h"

#define KEPT_BODY 256 /* of an answer, for the log */
#define MAX_ALERTS 256
#define LOOKS_A_RESEND 4

typedef struct sink {
    const tw_host *host;
    http_client *client;
    post_targets *targets;
    json_t *settings;
    alert_table alerts;
    tw_watch *look;
    tw_metric *sent, *resent, *firing;

    tw_delivery *waiting;    /* in order, linked by their sink_data */
    tw_delivery *delivery;   /* under way, or NULL */
    alert *list[MAX_ALERTS]; /* under way */
    size_t count, resend_max;
    int64_t since_ms;
    bool busy, looking, stopped;
} sink;

static const char schema[] =
    "{\"type\": \"object\", \"required\": [\"urls\"], \"properties\": {"
    "\"urls\": {\"type\": [\"array\", \"string\"], \"items\": {\"type\": \"string\"}, "
    "\"description\": \"every Alertmanager of the cluster\"},"
    "\"labels\": {\"type\": \"object\", \"additionalProperties\": {\"type\": "
    "\"string\"}},"
    "\"resend\": {\"type\": \"string\", \"format\": \"duration\", \"default\": \"1m\"},"
    "\"resolved_for\": {\"type\": \"string\", \"format\": \"duration\", "
    "\"default\": \"15m\"},"
    "\"utf8_labels\": {\"type\": \"boolean\", \"default\": false},"
    "\"external_url\": {\"type\": \"string\", \"default\": \"\"}," HTTP_CLIENT_SETTINGS(
        "10s") "}}";

/* ---- opening ---- */

static void sink_close(void *instance)
{
    sink *s = instance;

    http_client_free(s->client);
    post_targets_free(s->targets);
    alerts_done(&s->alerts);
    json_decref(s->settings);
    free(s);
}

static bool is_label_name(const char *name)
{
    return *name && !(*name >= '0' && *name <= '9') &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789_")] == '\0';
}

static bool labels_are_fine(json_t *labels, bool utf8, tw_refusal *refusal)
{
    const char *name;
    json_t *value;

    json_object_foreach(labels, name, value)
    {
        if (!(utf8 && *name) && !is_label_name(name)) {
            settings_refuse(refusal, "'%s' is no name of a label: letters, digits and _",
                            name);
            return false;
        }
        if (json_string_length(value) == 0) {
            settings_refuse(refusal, "the label '%s' is empty", name);
            return false;
        }
    }
    return true;
}

static bool read_alert_options(sink *s, tw_refusal *refusal)
{
    alert_options options = {.labels = json_object_get(s->settings, "labels"),
                             .external_url = settings_text(s->settings, "external_url"),
                             .utf8 = settings_bool(s->settings, "utf8_labels"),
                             .resend_ms = settings_ms(s->settings, "resend"),
                             .resolved_for_ms = settings_ms(s->settings, "resolved_for")};

    alerts_init(&s->alerts, &options);
    if (options.resend_ms < 100) {
        settings_refuse(refusal, "'resend' must be at least 100ms");
        return false;
    }
    return labels_are_fine(options.labels, options.utf8, refusal);
}

static void *sink_open(const tw_host *h, tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    sink *s = shared_alloc(sizeof *s);
    s->host = h;
    s->settings = settings;
    s->resend_max = MAX_ALERTS;
    s->sent = h->counter(h, "alerts_sent_total", "Alerts taken, resends too.");
    s->resent = h->counter(h, "alerts_resent_total", "Alerts taken again by a resend.");
    s->firing =
        h->gauge(h, "alerts_firing", "Alerts that are sent again until they end.");
    if (read_alert_options(s, refusal))
        s->client = http_client_new(h, settings, KEPT_BODY, refusal);
    if (s->client)
        s->targets =
            post_targets_new(h, s->client, json_object_get(settings, "urls"), refusal);
    if (s->targets)
        return s;
    if (s->client)
        http_client_free(s->client);
    s->client = NULL;
    sink_close(s);
    return NULL;
}

/* ---- one body at a time ---- */

static void go_on(sink *s);

/* What is refused for itself stands alone in the end, and is not sent again; what the way
 * there made impossible (a password, a proxy) comes again with the next resend. Whether
 * there is more to be sent at once. */
static bool note_refused(sink *s)
{
    if (s->count == 1)
        alerts_remove(&s->alerts, s->list[0]);
    else if (!s->delivery)
        s->resend_max = s->count / 2;
    return !s->delivery;
}

static bool note_taken(sink *s)
{
    bool urgent = s->alerts.urgent;

    for (size_t i = 0; i < s->count; i++)
        s->list[i]->sent_ms = s->since_ms;
    s->host->add(s->sent, s->count);
    if (!s->delivery) {
        s->host->add(s->resent, s->count);
        s->resend_max = s->resend_max > MAX_ALERTS / 2 ? MAX_ALERTS : s->resend_max * 2;
    }
    s->alerts.urgent = false;
    return s->looking || urgent;
}

static void on_settled(void *arg, const tw_answer *answer, bool refused)
{
    sink *s = arg;
    tw_delivery *d = s->delivery;

    if (answer->answer == TW_ANSWER_DONE)
        s->looking = note_taken(s);
    else
        s->looking = refused && note_refused(s);
    s->busy = false;
    s->delivery = NULL;
    s->host->set(s->firing, (int64_t)s->alerts.firing);
    if (d)
        s->host->done(s->host, d, answer);
    go_on(s);
}

static void send_list(sink *s, int64_t now_ms)
{
    char *body = alerts_write(&s->alerts, s->list, s->count, now_ms);

    s->busy = true;
    s->since_ms = now_ms;
    post_send(s->targets, body, s->count, on_settled, s);
    free(body);
}

static void answer_now(sink *s, tw_delivery *d, tw_answer_class class, const char *text)
{
    s->host->done(s->host, d,
                  &(tw_answer){.size = sizeof(tw_answer), .answer = class, .text = text});
}

static bool has_only_alerts(const tw_delivery *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->records[i]->kind != TW_RECORD_ALERT)
            return false;
    }
    return true;
}

static void begin_delivery(sink *s, tw_delivery *d)
{
    int64_t now_ms = s->host->now_ms(s->host);

    if (!has_only_alerts(d)) {
        answer_now(s, d, d->count > 1 ? TW_ANSWER_SPLIT : TW_ANSWER_DROP,
                   "an Alertmanager takes alerts and nothing else");
        return;
    }
    s->count = 0;
    for (size_t i = 0; i < d->count; i++)
        alerts_pick(s->list, &s->count, alerts_put(&s->alerts, d->records[i], now_ms));
    s->delivery = d;
    send_list(s, now_ms);
}

/* Deliveries that wait, then, when it is time to look, alerts that are due. */
static void go_on(sink *s)
{
    while (!s->busy && !s->stopped && s->waiting) {
        tw_delivery *d = s->waiting;
        s->waiting = d->sink_data;
        begin_delivery(s, d);
    }
    if (s->busy || s->stopped || !s->looking)
        return;
    int64_t now_ms = s->host->now_ms(s->host);
    s->count = alerts_due(&s->alerts, s->list, s->resend_max, now_ms);
    s->looking = s->count > 0;
    if (s->looking)
        send_list(s, now_ms);
}

static void on_look(void *arg)
{
    sink *s = arg;

    s->looking = true;
    go_on(s);
}

/* ---- what the host calls ---- */

static int sink_start(void *instance, tw_refusal *refusal)
{
    sink *s = instance;
    int64_t every_ms = s->alerts.options.resend_ms / LOOKS_A_RESEND;

    s->look = s->host->watch_timer(s->host, every_ms, every_ms, on_look, s);
    if (s->look)
        return 0;
    settings_refuse(refusal, "the timer for resends cannot be made");
    return -1;
}

static void sink_deliver(void *instance, tw_delivery *d)
{
    sink *s = instance;
    tw_delivery *last = s->waiting;

    if (s->stopped) {
        answer_now(s, d, TW_ANSWER_RETRY, "the connector stops");
        return;
    }
    while (last && last->sink_data)
        last = last->sink_data;
    d->sink_data = NULL;
    if (last)
        last->sink_data = d;
    else
        s->waiting = d;
    go_on(s);
}

static void sink_stop(void *instance)
{
    sink *s = instance;

    s->stopped = true;
    if (s->look)
        s->host->watch_end(s->look);
    s->look = NULL;
    http_client_stop(s->client);
    while (s->waiting) {
        tw_delivery *d = s->waiting;
        s->waiting = d->sink_data;
        answer_now(s, d, TW_ANSWER_RETRY, "the connector stops");
    }
    s->host->stopped(s->host);
}

static const tw_sink_type type = {
    .size = sizeof(tw_sink_type),
    .kind = "alertmanager",
    .settings = schema,
    .max_batch = MAX_ALERTS,
    .max_inflight = 1,
    .open = sink_open,
    .start = sink_start,
    .deliver = sink_deliver,
    .stop = sink_stop,
    .close = sink_close,
};

static const tw_sink_type *const sinks[] = {&type, NULL};

extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "alertmanager",
    .version = "1",
    .sinks = sinks,
};

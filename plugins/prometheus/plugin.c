// SPDX-License-Identifier: Apache-2.0
/* The descriptor of the plugin `prometheus`, its settings and the life of an instance. Shore. */
#include <stdlib.h>

#include "prometheus/memory.h"
#include "prometheus/poller.h"

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"targets\": {\"type\": \"array\", \"description\": "
    "\"pages to scrape: host:port, or a whole address\", "
    "\"items\": {\"type\": [\"string\", \"object\"], \"properties\": {"
    "\"url\": {\"type\": \"string\"}, \"topic\": {\"type\": \"string\"}, "
    "\"labels\": {\"type\": \"object\", "
    "\"additionalProperties\": {\"type\": \"string\"}}}}},"
    "\"server\": {\"type\": \"string\", \"description\": "
    "\"the Prometheus that answers queries\"},"
    "\"queries\": {\"type\": \"object\", "
    "\"examples\": [{\"busy\": \"sum(rate(requests_total[1m]))\"}], \"description\": "
    "\"PromQL by the name its samples get\", \"additionalProperties\": {"
    "\"type\": [\"string\", \"object\"], \"properties\": {"
    "\"query\": {\"type\": \"string\"}, \"topic\": {\"type\": \"string\"}, "
    "\"labels\": {\"type\": \"object\", "
    "\"additionalProperties\": {\"type\": \"string\"}}}}},"
    "\"labels\": {\"type\": \"object\", \"description\": \"added to every sample\", "
    "\"additionalProperties\": {\"type\": \"string\"}},"
    "\"interval\": {\"type\": \"string\", \"format\": \"duration\", "
    "\"default\": \"30s\"},"
    "\"sample_limit\": {\"type\": \"integer\", \"minimum\": 1, "
    "\"maximum\": 10000000, \"default\": 10000, "
    "\"description\": \"a poll with more of them fails\"},"
    "\"max_body\": {\"type\": \"integer\", \"minimum\": 1024, "
    "\"maximum\": 1073741824, \"default\": 10485760, "
    "\"description\": \"bytes, unpacked; a poll with more of them "
    "fails\"}," HTTP_CLIENT_SETTINGS("10s") "}}";

static void poller_close(void *instance)
{
    poller *p = instance;

    http_client_free(p->client);
    targets_free(p);
    free(p);
}

/* No poll may outlast its interval. What is not said follows the interval; what is, must fit. */
static bool fit_timeout(json_t *settings, const char *written, tw_refusal *refusal)
{
    int64_t interval_ms = settings_ms(settings, "interval");

    if (interval_ms < 10) {
        settings_refuse(refusal, "'interval' must be at least 10ms");
        return false;
    }
    if (settings_ms(settings, "timeout") == 0) {
        settings_refuse(refusal, "'timeout' must not be 0");
        return false;
    }
    if (settings_ms(settings, "timeout") <= interval_ms)
        return true;
    json_t *raw = json_loads(written, 0, NULL);
    bool said = json_object_get(raw, "timeout") != NULL;
    json_decref(raw);
    if (said) {
        settings_refuse(refusal, "'timeout' must not be longer than 'interval'");
        return false;
    }
    json_object_set(settings, "timeout", json_object_get(settings, "interval"));
    return true;
}

static void make_metrics(poller *p)
{
    const tw_host *h = p->host;

    p->polls = h->counter(h, "polls_total", "Polls that ended, well or not.");
    p->failures = h->counter(h, "polls_failed_total", "Polls that gave nothing.");
    p->skipped = h->counter(h, "polls_skipped_total",
                            "Polls left out because the one before was not through.");
    p->samples = h->counter(h, "samples_total", "Samples made into events.");
    p->not_numbers = h->counter(h, "samples_not_numbers_total",
                                "Samples left out: NaN, infinite, or a histogram.");
    p->restamped = h->counter(h, "samples_restamped_total",
                              "Samples whose time stamp made no sense.");
    p->up = h->gauge(h, "targets_up", "Targets whose last poll went well.");
}

static bool set_up(poller *p, json_t *settings, const char *const *topics,
                   size_t topic_count, tw_refusal *refusal)
{
    if (!fit_timeout(settings, p->host->settings, refusal))
        return false;
    p->interval_ms = settings_ms(settings, "interval");
    p->timeout_ms = settings_ms(settings, "timeout");
    p->max_body = settings_int(settings, "max_body");
    p->limits = (text_limits)TEXT_LIMITS_DEFAULT;
    p->limits.samples = (uint32_t)settings_int(settings, "sample_limit");
    p->client = http_client_new(p->host, settings, (size_t)p->max_body, refusal);
    return p->client && targets_read(p, settings, topics, topic_count, refusal);
}

static void *poller_open(const tw_host *h, const char *const *topics, size_t topic_count,
                         tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    poller *p = xalloc(sizeof *p);
    p->host = h;
    bool fine = set_up(p, settings, topics, topic_count, refusal);
    json_decref(settings);
    if (!fine) {
        poller_close(p);
        return NULL;
    }
    make_metrics(p);
    return p;
}

static int poller_start(void *instance, tw_refusal *refusal)
{
    poller *p = instance;

    for (size_t i = 0; i < p->target_count; i++) {
        target *t = &p->targets[i];
        if (p->host->feed_add(p->host, &t->feed, t->topic, t->partition) < 0) {
            settings_refuse(refusal, "the feed of %s was not taken", t->what);
            return -1;
        }
        t->added = true;
    }
    for (size_t i = 0; i < p->target_count; i++)
        poll_start(&p->targets[i]);
    return 0;
}

static void poller_stop(void *instance)
{
    poller *p = instance;
    int64_t next_offset;

    p->stopping = true;
    http_client_stop(p->client);
    for (size_t i = 0; i < p->target_count; i++) {
        target *t = &p->targets[i];
        poll_stop(t);
        if (t->added)
            p->host->feed_remove(p->host, &t->feed, 0, &next_offset);
        t->added = false;
    }
    p->host->stopped(p->host);
}

/* A page cannot be read again as it was, so there is nothing to remember. */
static void poller_handled(void *instance, tw_feed *feed, int64_t next_offset)
{
    (void)instance;
    (void)feed;
    (void)next_offset;
}

static const tw_source_type poller_type = {
    .size = sizeof(tw_source_type),
    .kind = "prometheus",
    .settings = schema,
    .open = poller_open,
    .start = poller_start,
    .stop = poller_stop,
    .close = poller_close,
    .handled = poller_handled,
    .poll = queue_poll,
    .release = queue_release,
};

static const tw_source_type *const sources[] = {&poller_type, NULL};

extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "prometheus",
    .version = "1",
    .sources = sources,
};

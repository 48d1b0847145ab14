// SPDX-License-Identifier: Apache-2.0
/* The tw_host side of the plugin ABI; see guest.h. */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct tw_metric {
    char *name;
    tw_counter *counter;
    tw_gauge *gauge;
    tw_metric *next; /* of the same guest */
};

static tw_guest *guest_of(const tw_host *h)
{
    return (tw_guest *)(uintptr_t)h;
}

static void host_log(const tw_host *h, tw_plugin_log_level level, const char *message)
{
    static const tw_log_level levels[] = {TW_LOG_DEBUG, TW_LOG_INFO, TW_LOG_WARN,
                                          TW_LOG_ERROR};
    tw_log(levels[level], guest_of(h)->name, message, NULL);
}

static int64_t host_now_ms(const tw_host *h)
{
    return tw_clock_now_ms(guest_of(h)->house->clock);
}

static int host_post(const tw_host *h, void (*fn)(void *arg), void *arg)
{
    return tw_loop_post(guest_of(h)->house->loop, fn, arg);
}

/* The names of a guest's metrics carry its kind: tidewatch_kafka_lag. The handle lives as long as the
 * guest, the series as long as the registry. */
static tw_metric *make_metric(const tw_host *h, const char *name, const char *help,
                              bool gauge)
{
    tw_guest *g = guest_of(h);
    const char *labels[] = {"instance", g->name, NULL};
    char *full = tw_asprintf("%s_%s", tw_guest_kind(g), name);
    tw_metric *m = tw_alloc(sizeof *m);

    if (gauge)
        m->gauge = tw_stats_gauge(g->house->stats, full, help, labels);
    else
        m->counter = tw_stats_counter(g->house->stats, full, help, labels);
    tw_free(full);
    m->name = tw_strdup(name);
    m->next = g->metrics;
    g->metrics = m;
    return m;
}

static tw_metric *host_counter(const tw_host *h, const char *name, const char *help)
{
    return make_metric(h, name, help, false);
}

static tw_metric *host_gauge(const tw_host *h, const char *name, const char *help)
{
    return make_metric(h, name, help, true);
}

static void host_add(tw_metric *m, uint64_t n)
{
    tw_count(m->counter, n);
}

static void host_set(tw_metric *m, int64_t v)
{
    tw_gauge_set(m->gauge, v);
}

static tw_watch *host_watch_fd(const tw_host *h, int fd, int events,
                               void (*ready)(void *arg, int fd, int events), void *arg)
{
    return tw_loop_fd(guest_of(h)->house->loop, fd, events, ready, arg);
}

static tw_watch *host_watch_timer(const tw_host *h, int64_t after_ms, int64_t repeat_ms,
                                  void (*due)(void *arg), void *arg)
{
    return tw_loop_timer(guest_of(h)->house->loop, after_ms, repeat_ms, due, arg);
}

static void host_stopped(const tw_host *h)
{
    tw_guest *g = guest_of(h);

    if (g->stopped)
        return;
    g->stopped = true;
    g->house->stopped(g->house->self, g);
}

static void host_failed(const tw_host *h, const char *why, int exit_code)
{
    tw_guest *g = guest_of(h);
    tw_log_error(g->name, "cannot go on", "reason", why, NULL);
    g->house->failed(g->house->self, g, why, exit_code);
}

static void host_trouble(const tw_host *h, const char *text)
{
    tw_guest *g = guest_of(h);

    /* What an instance says within its start is how it begins: nothing broke. */
    if (text && (!g->trouble || strcmp(g->trouble, text) != 0))
        tw_log(g->started ? TW_LOG_WARN : TW_LOG_INFO, g->name, text, NULL);
    if (!text && g->trouble)
        tw_log_info(g->name, g->was_fine ? "fine again" : "ready", NULL);
    g->was_fine |= !text;
    tw_free(g->trouble);
    g->trouble = tw_strdup(text);
}

static int host_feed_add(const tw_host *h, tw_feed *feed, const char *topic,
                         int32_t partition)
{
    tw_guest *g = guest_of(h);
    return g->house->feed_add(g->house->self, g, feed, topic, partition);
}

static int host_feed_remove(const tw_host *h, tw_feed *feed, int lost, int64_t *out_next)
{
    tw_guest *g = guest_of(h);
    return g->house->feed_remove(g->house->self, g, feed, lost != 0, out_next);
}

static int host_feed_wake_fd(const tw_host *h, const tw_feed *feed)
{
    tw_guest *g = guest_of(h);
    return g->house->feed_wake_fd(g->house->self, feed);
}

static void host_feed_end(const tw_host *h, tw_feed *feed)
{
    tw_guest *g = guest_of(h);
    g->house->feed_end(g->house->self, g, feed);
}

static void host_done(const tw_host *h, tw_delivery *d, const tw_answer *a)
{
    tw_guest *g = guest_of(h);
    g->house->answer(g->house->self, g, d, a);
}

static const tw_host host_template = {
    .size = sizeof(tw_host),
    .log = host_log,
    .now_ms = host_now_ms,
    .post = host_post,
    .counter = host_counter,
    .gauge = host_gauge,
    .add = host_add,
    .set = host_set,
    .watch_fd = host_watch_fd,
    .watch_change = tw_watch_change,
    .watch_timer = host_watch_timer,
    .watch_timer_again = tw_watch_timer_again,
    .watch_end = tw_watch_end,
    .stopped = host_stopped,
    .failed = host_failed,
    .trouble = host_trouble,
    .feed_add = host_feed_add,
    .feed_remove = host_feed_remove,
    .feed_wake_fd = host_feed_wake_fd,
    .feed_end = host_feed_end,
    .done = host_done,
};

tw_guest *tw_guest_new(const tw_house *house, const char *name,
                       const tw_source_type *source, const tw_sink_type *sink,
                       const char *settings, const char *state_dir)
{
    tw_guest *g = tw_alloc(sizeof *g);

    g->host = host_template;
    g->house = house;
    g->name = tw_strdup(name);
    g->settings = tw_strdup(settings);
    g->state_dir = tw_strdup(state_dir);
    g->source = source;
    g->sink = sink;
    g->host.name = g->name;
    g->host.settings = g->settings;
    g->host.state_dir = g->state_dir;
    return g;
}

json_t *tw_guest_metrics(const tw_guest *g)
{
    json_t *all = json_object();

    for (const tw_metric *m = g->metrics; m; m = m->next) {
        json_int_t value = 0;
        if (m->gauge)
            value = atomic_load_explicit(&m->gauge->value, memory_order_relaxed);
        else if (m->counter)
            value = (json_int_t)atomic_load_explicit(&m->counter->value,
                                                     memory_order_relaxed);
        json_object_set_new(all, m->name, json_integer(value));
    }
    return all;
}

const char *tw_guest_kind(const tw_guest *g)
{
    return g->source ? g->source->kind : g->sink->kind;
}

int tw_guest_open(tw_guest *g, const char *const *topics, size_t topic_count, tw_err *err)
{
    tw_refusal refusal = {.size = sizeof refusal};

    g->instance = g->source ? g->source->open(&g->host, topics, topic_count, &refusal)
                            : g->sink->open(&g->host, &refusal);
    if (g->instance)
        return TW_OK;
    return tw_err_set(err, TW_EINVAL, "%s '%s': %s", g->source ? "source" : "sink",
                      g->name, refusal.text);
}

int tw_guest_start(tw_guest *g, tw_err *err)
{
    tw_refusal refusal = {.size = sizeof refusal};
    int rc = g->source ? g->source->start(g->instance, &refusal)
                       : g->sink->start(g->instance, &refusal);
    if (rc < 0)
        return tw_err_set(err, TW_EIO, "%s '%s': %s", g->source ? "source" : "sink",
                          g->name, refusal.text);
    g->started = true;
    return TW_OK;
}

void tw_guest_stop(tw_guest *g)
{
    if (g->stopping)
        return;
    g->stopping = true;
    if (!g->started) {
        host_stopped(&g->host);
        return;
    }
    if (g->source)
        g->source->stop(g->instance);
    else
        g->sink->stop(g->instance);
}

void tw_guest_free(tw_guest *g)
{
    if (!g)
        return;
    if (g->instance && g->source)
        g->source->close(g->instance);
    else if (g->instance)
        g->sink->close(g->instance);
    while (g->metrics) {
        tw_metric *next = g->metrics->next;
        tw_free(g->metrics->name);
        tw_free(g->metrics);
        g->metrics = next;
    }
    tw_free(g->name);
    tw_free(g->settings);
    tw_free(g->state_dir);
    tw_free(g->trouble);
    tw_free(g);
}

// SPDX-License-Identifier: Apache-2.0
/* The life of a Kafka source: open, start, the tick that serves librdkafka's main queue,
 * stop and close. Shore. The main queue is served at least every 100 ms whatever else
 * happens: the group's heartbeat of life (max.poll.interval.ms) hangs on it. */
#include "source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "embedded.h"
#include "stats.h"

enum { TICK_MS = 100, GUARD_MS = 5000, GUARD_ALONE_MS = 500, STORE_AGAIN_MS = 5000 };

typedef rd_kafka_topic_partition_list_t partition_list;

/* ---- positions --------------------------------------------------------------------- */

static void on_stored(rd_kafka_t *rk, rd_kafka_resp_err_t err, partition_list *list,
                      void *opaque)
{
    source *s = opaque;

    (void)rk;
    (void)list;
    if (!err || err == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return;
    s->h->add(s->store_failures, 1);
    s->store_again_ms = s->h->now_ms(s->h) + STORE_AGAIN_MS;
    kafka_log(s->h, TW_PLUGIN_WARN, "positions could not be stored, trying again: %s",
              rd_kafka_err2str(err));
}

/* rd_kafka_commit waits without limit; a queue of our own can be given up. */
static void store_and_wait(source *s, const partition_list *list, int wait_ms)
{
    rd_kafka_queue_t *answer = rd_kafka_queue_new(s->rk);

    if (rd_kafka_commit_queue(s->rk, list, answer, on_stored, s) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_queue_poll_callback(answer, wait_ms) == 0)
        kafka_log(s->h, TW_PLUGIN_WARN, "positions were not stored within %d ms",
                  wait_ms);
    rd_kafka_queue_destroy(answer);
}

void source_store_positions(source *s, int wait_ms)
{
    partition_list *list = rd_kafka_topic_partition_list_new(8);

    for (feed *f = s->feeds; f; f = f->next_feed) {
        if (f->handled == f->stored)
            continue;
        f->stored = f->handled;
        rd_kafka_topic_partition_list_add(list, f->topic, f->partition)->offset =
            f->handled;
    }
    if (list->cnt > 0 && wait_ms > 0)
        store_and_wait(s, list, wait_ms);
    else if (list->cnt > 0)
        (void)rd_kafka_commit(s->rk, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

static void source_handled(void *instance, tw_feed *base, int64_t next_offset)
{
    feed *f = (feed *)base;

    (void)instance;
    if (next_offset > f->handled)
        f->handled = next_offset;
}

static void store_again(source *s)
{
    if (s->store_again_ms == 0 || s->h->now_ms(s->h) < s->store_again_ms)
        return;
    s->store_again_ms = 0;
    for (feed *f = s->feeds; f; f = f->next_feed)
        f->stored = -1;
}

/* ---- end --------------------------------------------------------------------------- */

typedef struct end_errand {
    errand base; /* first */
    source *src;
} end_errand;

static void run_end_errand(errand *base, rd_kafka_t *rk)
{
    (void)base;
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void end_watches(source *s)
{
    tw_watch **watches[] = {&s->wake_watch, &s->tick_watch, &s->guard_watch};

    for (size_t i = 0; i < sizeof watches / sizeof *watches; i++) {
        if (*watches[i])
            s->h->watch_end(*watches[i]);
        *watches[i] = NULL;
    }
}

static void on_ended(void *arg)
{
    end_errand *e = arg;
    source *s = e->src;

    free(e);
    s->gone = true;
    end_watches(s);
    s->h->stopped(s->h);
}

static void on_closed(source *s)
{
    end_errand *e = kafka_alloc(sizeof *e);

    assign_drop_feeds(s);
    s->h->watch_end(s->wake_watch);
    s->h->watch_end(s->tick_watch);
    s->wake_watch = s->tick_watch = NULL;
    if (s->close_queue)
        rd_kafka_queue_destroy(s->close_queue);
    rd_kafka_queue_destroy(s->main_queue);
    s->close_queue = s->main_queue = NULL;
    *e = (end_errand){{NULL, run_end_errand, on_ended}, s};
    errands_end(s->errands, &e->base);
}

/* Without a broker there is nobody to take leave of. */
static int guard_ms(const source *s)
{
    return s->brokers_up == 0 ? GUARD_ALONE_MS : GUARD_MS;
}

/* librdkafka 2.0.2 can hang while it closes; the engine does not hang with it. */
static void on_guard_due(void *arg)
{
    source *s = arg;

    kafka_log(s->h, TW_PLUGIN_WARN, "librdkafka does not close within %d ms, leaving it",
              guard_ms(s));
    end_watches(s);
    while (s->feeds) { /* as assign_drop_feeds, which would call into librdkafka */
        feed *f = s->feeds;
        int64_t next;

        s->feeds = f->next_feed;
        s->h->feed_remove(s->h, &f->base, 1, &next);
    }
    errands_abandon(s->errands);
    voice_mute(&s->voice);
    s->h->stopped(s->h);
}

/* ---- the loop ---------------------------------------------------------------------- */

/* Every record that the log had when the feed began has been delivered. */
static void tell_ends(source *s)
{
    for (feed *f = s->feeds; f; f = f->next_feed) {
        if (!f->end_told && (f->next >= f->end_offset || f->at_end)) {
            f->end_told = true;
            s->h->feed_end(s->h, &f->base);
        }
    }
}

static void serve(source *s)
{
    if (s->stopping && s->close_queue)
        while (rd_kafka_queue_poll_callback(s->close_queue, 0) > 0)
            continue;
    else
        trouble_serve_queue(s);
    if (s->stopping && (!s->close_queue || rd_kafka_consumer_closed(s->rk)))
        on_closed(s);
}

static void on_wake(void *arg, int fd, int events)
{
    uint64_t count;

    (void)events;
    if (read(fd, &count, sizeof count) == (ssize_t)sizeof count)
        serve(arg);
}

static void on_tick(void *arg)
{
    source *s = arg;

    if (!s->stopping) {
        store_again(s);
        source_store_positions(s, 0);
        assign_tick(s);
        trouble_ask_topics(s);
        tell_ends(s);
    }
    serve(s);
}

/* ---- the contract ------------------------------------------------------------------ */

static void register_metrics(source *s)
{
    const tw_host *h = s->h;

    s->messages = h->counter(h, "messages_total", "Records read from Kafka.");
    s->bytes = h->counter(h, "bytes_total", "Bytes of keys and values read from Kafka.");
    s->dropped = h->counter(h, "repeated_total",
                            "Records that came twice from Kafka and were dropped.");
    s->rebalances = h->counter(h, "rebalances_total", "Changes of the assignment.");
    s->nudges = h->counter(h, "nudges_total", "Times a drained queue woke the fetcher.");
    s->store_failures =
        h->counter(h, "store_failures_total", "Times positions could not be stored.");
    s->lag = h->gauge(h, "lag", "Records between what was read and the logs' ends.");
    s->partitions = h->gauge(h, "partitions", "Partitions assigned to this instance.");
    s->brokers = h->gauge(h, "brokers_up", "Brokers that are connected.");
}

static void source_close(void *instance)
{
    source *s = instance;

    if (s->rk && !s->gone) /* left behind by the guard, with all it may still touch */
        return;
    errands_free(s->errands);
    assign_forget(s);
    rd_kafka_topic_partition_list_destroy(s->known);
    if (s->conf)
        rd_kafka_conf_destroy(s->conf);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->settings.embedded && s->brokers_open)
        embedded_close();
    for (size_t i = 0; i < s->topic_count; i++)
        free(s->topics[i]);
    free(s->topics);
    free(s->topic_missing);
    free(s->topic_is_new);
    source_settings_done(&s->settings);
    voice_done(&s->voice);
    free(s);
}

static void *source_open(const tw_host *h, const char *const *topics, size_t topic_count,
                         tw_refusal *refusal)
{
    source *s = kafka_alloc(sizeof *s);

    s->h = h;
    voice_init(&s->voice, h);
    s->known = rd_kafka_topic_partition_list_new(8);
    s->wake_fd = -1;
    s->brokers_up = -1;
    s->topics = kafka_alloc(topic_count * sizeof *s->topics);
    s->topic_missing = kafka_alloc(topic_count * sizeof *s->topic_missing);
    s->topic_is_new = kafka_alloc(topic_count * sizeof *s->topic_is_new);
    for (; s->topic_count < topic_count; s->topic_count++) {
        const char *topic = topics[s->topic_count];
        if (!*topic || *topic == '^') {
            kafka_refuse(refusal, "topic \"%s\": must be a name, not a pattern", topic);
            goto refuse;
        }
        s->topics[s->topic_count] = kafka_copy(topic);
    }
    s->conf = source_settings_read(&s->settings, h, refusal);
    if (!s->conf)
        goto refuse;
    register_metrics(s);
    return s;

refuse:
    source_close(s);
    return NULL;
}

static int use_embedded(source *s, tw_refusal *refusal)
{
    char why[256];
    const char *address = embedded_open((const char *const *)s->topics, s->topic_count);

    s->brokers_open = address != NULL;
    if (address && rd_kafka_conf_set(s->conf, "bootstrap.servers", address, why,
                                     sizeof why) == RD_KAFKA_CONF_OK) {
        if (s->h->state_dir && embedded_tell(s->h->state_dir) < 0)
            kafka_log(s->h, TW_PLUGIN_WARN, "%s: its embedded-broker cannot be written",
                      s->h->state_dir);
        return 0;
    }
    kafka_refuse(refusal, "the embedded broker cannot be started");
    return -1;
}

static int subscribe(source *s, tw_refusal *refusal)
{
    partition_list *list = rd_kafka_topic_partition_list_new((int)s->topic_count);
    rd_kafka_resp_err_t err;

    for (size_t i = 0; i < s->topic_count; i++)
        rd_kafka_topic_partition_list_add(list, s->topics[i], RD_KAFKA_PARTITION_UA);
    err = rd_kafka_subscribe(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        kafka_refuse(refusal, "cannot subscribe: %s", rd_kafka_err2str(err));
    return err ? -1 : 0;
}

static int create_client(source *s, tw_refusal *refusal)
{
    char why[400];

    rd_kafka_conf_set_opaque(s->conf, s);
    rd_kafka_conf_set_rebalance_cb(s->conf, assign_on_rebalance);
    rd_kafka_conf_set_error_cb(s->conf, trouble_on_error);
    rd_kafka_conf_set_stats_cb(s->conf, stats_on_emitted);
    rd_kafka_conf_set_offset_commit_cb(s->conf, on_stored);
    rd_kafka_conf_set_log_cb(s->conf, trouble_on_log);
    s->rk = rd_kafka_new(RD_KAFKA_CONSUMER, s->conf, why, sizeof why);
    if (!s->rk) {
        kafka_refuse(refusal, "%s", why);
        return -1;
    }
    s->conf = NULL; /* the client's now */
    rd_kafka_poll_set_consumer(s->rk);
    return 0;
}

static int source_start(void *instance, tw_refusal *refusal)
{
    static const uint64_t one = 1;
    source *s = instance;
    const tw_host *h = s->h;

    s->started_ms = h->now_ms(h);
    if ((s->settings.embedded && use_embedded(s, refusal) < 0) ||
        create_client(s, refusal) < 0)
        return -1;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wake_fd < 0 || subscribe(s, refusal) < 0 ||
        !(s->errands = errands_new(h, s->rk))) {
        rd_kafka_destroy_flags(s->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        s->rk = NULL;
        return -1;
    }
    s->main_queue = rd_kafka_queue_get_consumer(s->rk);
    rd_kafka_queue_io_event_enable(s->main_queue, s->wake_fd, &one, sizeof one);
    s->wake_watch = h->watch_fd(h, s->wake_fd, TW_WATCH_READ, on_wake, s);
    s->tick_watch = h->watch_timer(h, TICK_MS, TICK_MS, on_tick, s);
    kafka_log(h, TW_PLUGIN_DEBUG, "librdkafka %s", rd_kafka_version_str());
    source_tell_trouble(s);
    return 0;
}

static void source_stop(void *instance)
{
    static const uint64_t one = 1;
    source *s = instance;
    rd_kafka_error_t *error;

    if (s->stopping)
        return;
    if (!s->rk) {
        s->h->stopped(s->h);
        return;
    }
    assign_give_up(s);
    s->stopping = true;
    s->epoch++;
    s->guard_watch = s->h->watch_timer(s->h, guard_ms(s), 0, on_guard_due, s);
    s->close_queue = rd_kafka_queue_new(s->rk);
    rd_kafka_queue_io_event_enable(s->close_queue, s->wake_fd, &one, sizeof one);
    error = rd_kafka_consumer_close_queue(s->rk, s->close_queue);
    if (error) { /* fatal: there is no group to leave any more */
        rd_kafka_error_destroy(error);
        rd_kafka_queue_destroy(s->close_queue);
        s->close_queue = NULL;
    }
}

const tw_source_type kafka_source_type = {
    .size = sizeof(tw_source_type),
    .kind = "kafka",
    .settings = kafka_source_schema,
    .open = source_open,
    .start = source_start,
    .stop = source_stop,
    .close = source_close,
    .handled = source_handled,
    .poll = kafka_feed_poll,
    .release = kafka_feed_release,
    .table = &kafka_table_type,
};

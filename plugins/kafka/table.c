// SPDX-License-Identifier: Apache-2.0
/* A topic read whole, for a look-up table: all its partitions from their beginning, through one queue and one
 * feed, without a group: no member joins, no position is stored, nobody else's partitions move. Shore, poll
 * included; what blocks (the ends of the logs, stopping) runs as errands.
 *
 * It looks every ten seconds whether the topic has more partitions, which is also how it learns that the
 * brokers are away. A log whose beginning was cut off under the reader is read on from where it begins now. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "embedded.h"
#include "source.h"

enum {
    TICK_MS = 100,
    ASK_MS = 10000,
    ASK_SOON_MS = 1000,
    QUERY_MS = 2000, /* below the guard: a question under way is waited for by the stop */
    GUARD_MS = 5000,
    BATCH = 64,
    MAX_PARTITIONS = 10000
};

typedef struct part {
    int64_t next, end; /* read so far; what there was when it was first looked at */
    bool at_end;       /* there was nothing more, whatever the number says */
} part;

typedef struct table {
    tw_feed feed; /* first: the host knows the one feed by it */
    const tw_host *h;
    source_settings settings;
    rd_kafka_conf_t *conf; /* until start */
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    rd_kafka_queue_t *queue;
    errands *errands;
    char *topic;
    part *parts;
    int part_count;
    tw_watch *tick_watch, *guard_watch;
    bool asking, has_feed, end_told, brokers_open, gone;
    _Atomic bool stopping; /* the helper thread looks, too */
    int64_t ask_again_ms;
    rd_kafka_resp_err_t last_error;
    voice voice;
    char trouble[400]; /* what the host was told last */
} table;

static void tell_trouble(table *t, const char *text)
{
    if (t->stopping || strcmp(text, t->trouble) == 0)
        return;
    snprintf(t->trouble, sizeof t->trouble, "%s", text);
    t->h->trouble(t->h, *text ? text : NULL);
}

/* ---- which partitions there are, and where they end -------------------------------- */

typedef struct ask_errand {
    errand base; /* first */
    table *t;
    int known, count;
    int64_t *ends; /* of those that are not known yet */
    rd_kafka_resp_err_t err;
} ask_errand;

static rd_kafka_resp_err_t ask_ends(ask_errand *e, rd_kafka_t *rk)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

    e->ends = kafka_alloc((size_t)(e->count - e->known + 1) * sizeof *e->ends);
    for (int i = e->known; i < e->count && !err && !e->t->stopping; i++) {
        int64_t low = 0, high = 0;
        err = rd_kafka_query_watermark_offsets(rk, e->t->topic, i, &low, &high, QUERY_MS);
        e->ends[i - e->known] = low < high ? high : 0;
    }
    return err;
}

static void run_ask(errand *base, rd_kafka_t *rk)
{
    ask_errand *e = (ask_errand *)base;
    const struct rd_kafka_metadata *md = NULL;

    e->err = rd_kafka_metadata(rk, 0, e->t->rkt, &md, QUERY_MS);
    if (!e->err && md->topic_cnt > 0)
        e->err = md->topics[0].err;
    e->count = !e->err && md->topic_cnt > 0 ? md->topics[0].partition_cnt : 0;
    if (md)
        rd_kafka_metadata_destroy(md);
    if (e->count > MAX_PARTITIONS)
        e->count = MAX_PARTITIONS;
    if (!e->err && e->count > e->known)
        e->err = ask_ends(e, rk);
}

static bool is_of_the_topic(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static void say_why_not(table *t, rd_kafka_resp_err_t err)
{
    char text[sizeof t->trouble];
    int n;

    if (is_of_the_topic(err)) {
        snprintf(text, sizeof text, "topic %s does not exist or may not be read; waiting",
                 t->topic);
        tell_trouble(t, text);
        return;
    }
    n = snprintf(text, 300, "topic %s cannot be read from the brokers %s", t->topic,
                 t->settings.brokers);
    if (n < 0 || strncmp(t->trouble, text, strlen(text)) == 0)
        return; /* only the reason would differ */
    n = (int)strlen(text);
    snprintf(text + n, sizeof text - (size_t)n, ": %s; waiting", rd_kafka_err2str(err));
    tell_trouble(t, text);
}

/* The host polls as soon as it has the feed. */
static void open_feed(table *t)
{
    static const uint64_t one = 1;
    const tw_host *h = t->h;

    if (h->feed_add(h, &t->feed, t->topic, -1) != 0) {
        h->failed(h, "the engine refused the feed of a table", KAFKA_EXIT_FATAL);
        return;
    }
    t->has_feed = true;
    rd_kafka_queue_io_event_enable(t->queue, h->feed_wake_fd(h, &t->feed), &one,
                                   sizeof one);
}

static void begin_parts(table *t, const ask_errand *e)
{
    if (e->count <= t->part_count)
        return;
    t->parts = realloc(t->parts, (size_t)e->count * sizeof *t->parts);
    if (!t->parts)
        abort();
    for (int i = t->part_count; i < e->count; i++) {
        t->parts[i] = (part){.end = e->ends[i - e->known]};
        rd_kafka_consume_start_queue(t->rkt, i, RD_KAFKA_OFFSET_BEGINNING, t->queue);
    }
    t->part_count = e->count;
}

static void on_asked(void *arg)
{
    ask_errand *e = arg;
    table *t = e->t;

    t->asking = false;
    if (!t->stopping) {
        t->ask_again_ms =
            t->h->now_ms(t->h) + (t->part_count && !e->err ? ASK_MS : ASK_SOON_MS);
        if (e->err) {
            say_why_not(t, e->err);
        } else {
            tell_trouble(t, "");
            if (!t->has_feed)
                open_feed(t);
            begin_parts(t, e);
        }
    }
    free(e->ends);
    free(e);
}

static void ask(table *t)
{
    ask_errand *e;

    if (t->asking || t->h->now_ms(t->h) < t->ask_again_ms)
        return;
    t->asking = true;
    e = kafka_alloc(sizeof *e);
    e->base.run = run_ask;
    e->base.done = on_asked;
    e->t = t;
    e->known = t->part_count;
    errands_put(t->errands, &e->base);
}

/* ---- records ----------------------------------------------------------------------- */

static void note_error(table *t, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (m->partition >= 0 && m->partition < t->part_count)
            t->parts[m->partition].at_end = true;
    } else if (m->err != t->last_error) {
        t->last_error = m->err;
        kafka_log(t->h, TW_PLUGIN_WARN, "%s[%d]: %s", t->topic, (int)m->partition,
                  rd_kafka_message_errstr(m));
    }
}

static void fill(table *t, tw_frame *frame, rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(m, &type);

    *frame = (tw_frame){.data = m->payload,
                        .size = m->len,
                        .key = m->key,
                        .key_size = m->key_len,
                        .time_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? TW_NO_TIME
                                                                            : time_ms,
                        .offset = m->offset,
                        .token = m};
    if (m->partition >= 0 && m->partition < t->part_count)
        t->parts[m->partition].next = m->offset + 1;
}

/* Asking for no more than there is spares the timed wait that taking from an empty queue costs. */
static int table_poll(tw_feed *base, tw_frame *frames, int max)
{
    table *t = (table *)base;
    rd_kafka_message_t *batch[BATCH];
    int count = 0;

    for (size_t left; count < max && (left = rd_kafka_queue_length(t->queue)) > 0;) {
        size_t room = (size_t)(max - count), want = left < room ? left : room;
        ssize_t got =
            rd_kafka_consume_batch_queue(t->queue, 0, batch, want < BATCH ? want : BATCH);
        for (ssize_t i = 0; i < got; i++) {
            if (!batch[i]->err) {
                fill(t, &frames[count++], batch[i]);
                continue;
            }
            note_error(t, batch[i]);
            rd_kafka_message_destroy(batch[i]);
        }
        if (got <= 0)
            break;
    }
    return count;
}

static void table_release(tw_feed *base, tw_frame *frames, int count)
{
    (void)base;
    for (int i = 0; i < count; i++)
        rd_kafka_message_destroy(frames[i].token);
}

static void table_handled(void *instance, tw_feed *base, int64_t next_offset)
{
    (void)instance, (void)base, (void)next_offset;
}

static void tell_end(table *t)
{
    if (t->end_told || !t->part_count)
        return;
    for (int i = 0; i < t->part_count; i++) {
        if (t->parts[i].next < t->parts[i].end && !t->parts[i].at_end)
            return;
    }
    t->end_told = true;
    t->h->feed_end(t->h, &t->feed);
}

static void on_tick(void *arg)
{
    table *t = arg;

    rd_kafka_poll(t->rk, 0);
    tell_end(t);
    ask(t);
}

/* ---- end --------------------------------------------------------------------------- */

typedef struct end_errand {
    errand base; /* first */
    table *t;
} end_errand;

static void run_end(errand *base, rd_kafka_t *rk)
{
    table *t = ((end_errand *)base)->t;

    for (int i = 0; i < t->part_count; i++)
        rd_kafka_consume_stop(t->rkt, i);
    rd_kafka_queue_destroy(t->queue);
    rd_kafka_topic_destroy(t->rkt);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void on_ended(void *arg)
{
    end_errand *e = arg;
    table *t = e->t;

    free(e);
    t->gone = true;
    t->h->watch_end(t->guard_watch);
    t->guard_watch = NULL;
    t->h->stopped(t->h);
}

/* As the source's: the engine does not hang where librdkafka does. */
static void on_guard_due(void *arg)
{
    table *t = arg;

    kafka_log(t->h, TW_PLUGIN_WARN, "librdkafka does not close within %d ms, leaving it",
              GUARD_MS);
    t->h->watch_end(t->guard_watch);
    t->guard_watch = NULL;
    errands_abandon(t->errands);
    voice_mute(&t->voice);
    t->h->stopped(t->h);
}

static void table_stop(void *instance)
{
    table *t = instance;
    end_errand *e;
    int64_t next;

    if (t->stopping)
        return;
    t->stopping = true;
    if (!t->rk) {
        t->h->stopped(t->h);
        return;
    }
    t->h->watch_end(t->tick_watch);
    t->tick_watch = NULL;
    if (t->has_feed) {
        rd_kafka_queue_io_event_enable(t->queue, -1, NULL, 0);
        t->h->feed_remove(t->h, &t->feed, 1, &next);
    }
    t->guard_watch = t->h->watch_timer(t->h, GUARD_MS, 0, on_guard_due, t);
    e = kafka_alloc(sizeof *e);
    *e = (end_errand){{NULL, run_end, on_ended}, t};
    errands_end(t->errands, &e->base);
}

static void table_close(void *instance)
{
    table *t = instance;

    if (t->rk && !t->gone) /* left behind by the guard, with all it may still touch */
        return;
    errands_free(t->errands);
    if (t->conf)
        rd_kafka_conf_destroy(t->conf);
    if (t->brokers_open)
        embedded_close();
    source_settings_done(&t->settings);
    voice_done(&t->voice);
    free(t->parts);
    free(t->topic);
    free(t);
}

/* ---- begin ------------------------------------------------------------------------- */

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    table *t = opaque;

    (void)rk, (void)reason;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        say_why_not(t, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    table *t = rd_kafka_opaque(rk);

    voice_say(&t->voice, level, facility, text);
}

static void *table_open(const tw_host *h, const char *const *topics, size_t topic_count,
                        tw_refusal *refusal)
{
    table *t = kafka_alloc(sizeof *t);

    t->h = h;
    voice_init(&t->voice, h);
    t->conf = source_settings_read(&t->settings, h, refusal);
    if (t->conf && (topic_count != 1 || !*topics[0] || *topics[0] == '^')) {
        kafka_refuse(refusal, "a table is one topic, and its name is no pattern");
    } else if (t->conf && conf_set(t->conf, "group.id", NULL, refusal) == 0 &&
               conf_set(t->conf, "group.instance.id", NULL, refusal) == 0 &&
               conf_set(t->conf, "auto.offset.reset", "earliest", refusal) == 0) {
        t->topic = kafka_copy(topics[0]);
        return t;
    }
    table_close(t);
    return NULL;
}

static int find_brokers(table *t, tw_refusal *refusal)
{
    const char *topic = t->topic, *address;

    if (!t->settings.embedded)
        return 0;
    address = embedded_open(&topic, 1);
    t->brokers_open = address != NULL;
    if (address)
        return conf_set(t->conf, "bootstrap.servers", address, refusal);
    kafka_refuse(refusal, "the embedded broker cannot be started");
    return -1;
}

static int table_start(void *instance, tw_refusal *refusal)
{
    table *t = instance;
    char why[400];

    if (find_brokers(t, refusal) < 0)
        return -1;
    rd_kafka_conf_set_opaque(t->conf, t);
    rd_kafka_conf_set_error_cb(t->conf, on_error);
    rd_kafka_conf_set_log_cb(t->conf, on_log);
    t->rk = rd_kafka_new(RD_KAFKA_CONSUMER, t->conf, why, sizeof why);
    if (!t->rk) {
        kafka_refuse(refusal, "%s", why);
        return -1;
    }
    t->conf = NULL; /* the client's now */
    t->rkt = rd_kafka_topic_new(t->rk, t->topic, NULL);
    t->errands = t->rkt ? errands_new(t->h, t->rk) : NULL;
    if (!t->errands) {
        kafka_refuse(refusal, "topic %s cannot be read: %s", t->topic,
                     rd_kafka_err2str(rd_kafka_last_error()));
        if (t->rkt)
            rd_kafka_topic_destroy(t->rkt);
        rd_kafka_destroy_flags(t->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        t->rk = NULL;
        return -1;
    }
    t->queue = rd_kafka_queue_new(t->rk);
    t->tick_watch = t->h->watch_timer(t->h, TICK_MS, TICK_MS, on_tick, t);
    ask(t);
    return 0;
}

const tw_source_type kafka_table_type = {
    .size = sizeof(tw_source_type),
    .kind = "kafka",
    .settings = kafka_source_schema,
    .open = table_open,
    .start = table_start,
    .stop = table_stop,
    .close = table_close,
    .handled = table_handled,
    .poll = table_poll,
    .release = table_release,
};

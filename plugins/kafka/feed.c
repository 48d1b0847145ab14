// SPDX-License-Identifier: Apache-2.0
/* A partition as its lane sees it: records out of librdkafka's queue of that partition
 * into frames, without copying; and a nudge for the fetcher when the queue has drained.
 *
 * Records are taken in batches, which costs half of taking them one by one: that reads the
 * clock twice a record. The batch call of 2.0.2 loses records when the partition is paused,
 * resumed, sought or reassigned while it runs, or when it is resumed afterwards at the position
 * that librdkafka keeps. Neither happens here: a partition is never paused nor sought, the
 * host has taken the feed from its lane before it is reassigned, and each assignment says where
 * to begin. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64 };

/* An error of one partition on its way from the lane to the shore. */
typedef struct feed_error {
    source *src;
    const char *topic;
    int32_t partition;
    rd_kafka_resp_err_t err;
    char text[256];
} feed_error;

static void on_feed_error(void *arg)
{
    feed_error *e = arg;
    source *s = e->src;

    if (e->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        if (assign_find_feed(s, e->topic, e->partition))
            assign_feed_again(s, e->topic, e->partition);
    } else if (e->err != s->last_error) {
        s->last_error = e->err;
        kafka_log(s->h, TW_PLUGIN_WARN, "%s[%d]: %s", e->topic, (int)e->partition,
                  e->text);
    }
    free(e);
}

static void report_error(feed *f, const rd_kafka_message_t *m)
{
    feed_error *e;

    /* The log may end in markers of transactions, which are never delivered. */
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        f->at_end = 1;
        return;
    }
    e = kafka_alloc(sizeof *e);
    *e = (feed_error){
        .src = f->src, .topic = f->topic, .partition = f->partition, .err = m->err};
    snprintf(e->text, sizeof e->text, "%s", rd_kafka_message_errstr(m));
    if (f->src->h->post(f->src->h, on_feed_error, e) != 0)
        free(e);
}

static void fill_frame(tw_frame *frame, rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(m, &type);

    frame->data = m->payload;
    frame->size = m->len;
    frame->key = m->key;
    frame->key_size = m->key_len;
    frame->time_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? TW_NO_TIME : time_ms;
    frame->offset = m->offset;
    frame->token = m;
}

/* librdkafka 2.0.2 asks a queue's length only when its thread is awake, and nothing wakes
 * it when a full queue has drained. */
static void nudge_if_drained(feed *f, size_t queued, int taken, uint64_t bytes)
{
    int64_t bound = f->src->settings.queue_bytes, before, after;
    int64_t count_bound = f->src->settings.queue_records;

    if (taken > 0)
        f->mean_bytes += ((int64_t)(bytes / (uint64_t)taken) - f->mean_bytes) / 8;
    before = (int64_t)queued * f->mean_bytes;
    after = before - (int64_t)bytes;
    if (before >= bound / 4 * 3 || (int64_t)queued >= count_bound / 4 * 3)
        f->is_full = 1;
    if (f->is_full && after <= bound / 2 && (int64_t)queued - taken <= count_bound / 2) {
        f->is_full = 0;
        errands_nudge(f->src->errands, f->topic, f->partition);
        f->src->h->add(f->src->nudges, 1);
    }
}

/* What a batch came to. */
typedef struct taken {
    int count; /* frames */
    uint64_t bytes, dropped;
    int64_t next; /* offset */
} taken;

static void take(feed *f, rd_kafka_message_t *m, tw_frame *frames, taken *t)
{
    if (!m->err && m->offset >= t->next) {
        fill_frame(&frames[t->count++], m);
        t->bytes += m->len + m->key_len;
        t->next = m->offset + 1;
        return;
    }
    if (m->err)
        report_error(f, m);
    else
        t->dropped++;
    rd_kafka_message_destroy(m);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The queue is asked for its length after the last record was taken: only what arrives
 * later writes the wake-up of the lane. Never asking for more than there is spares the timed
 * wait that taking from an empty queue costs. */
int kafka_feed_poll(tw_feed *base, tw_frame *frames, int max)
{
    feed *f = (feed *)base;
    rd_kafka_message_t *batch[BATCH];
    taken t = {.next = f->next};
    size_t queued = rd_kafka_queue_length(f->queue), left = queued;

    while (t.count < max && (left > 0 || (left = rd_kafka_queue_length(f->queue)) > 0)) {
        size_t want = least(least(left, BATCH), (size_t)(max - t.count));
        ssize_t got = rd_kafka_consume_batch_queue(f->queue, 0, batch, want);

        for (ssize_t i = 0; i < got; i++)
            take(f, batch[i], frames, &t);
        left -= want;
    }
    if (queued == 0 && t.count == 0)
        return 0;
    f->next = t.next;
    f->src->h->add(f->src->messages, (uint64_t)t.count);
    f->src->h->add(f->src->bytes, t.bytes);
    if (t.dropped)
        f->src->h->add(f->src->dropped, t.dropped);
    if (!f->src->settings.self_waking)
        nudge_if_drained(f, queued, t.count, t.bytes);
    return t.count;
}

void kafka_feed_release(tw_feed *base, tw_frame *frames, int count)
{
    (void)base;
    for (int i = 0; i < count; i++)
        rd_kafka_message_destroy(frames[i].token);
}

// SPDX-License-Identifier: Apache-2.0
/* All partitions into one queue, taken in batches. fetch.max.bytes: a response that stays
 * in the cache costs half of one that does not. The queues are unlimited, so the fetcher
 * never waits. */
#include "consume.h"

#include <stdio.h>

#include <librdkafka/rdkafka.h>

enum { BATCH = 1000, WAIT_MS = 1000, METADATA_MS = 10000 };

static const char *const settings[][2] = {
    {"fetch.max.bytes", "1000000"},
    {"fetch.wait.max.ms", "20"},
    {"queued.min.messages", "10000000"},
    {"queued.max.messages.kbytes", "2097151"},
    {"enable.partition.eof", "true"},
    {"enable.auto.commit", "false"},
    {"socket.nagle.disable", "true"},
    /* as tidewatch has them */
    {"isolation.level", "read_committed"},
    {"check.crcs", "true"},
};

static int tell(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return -1;
}

static rd_kafka_t *make_client(const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why))
            tell(settings[i][0], why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk)
        tell("librdkafka", why);
    return rk;
}

static int partition_count(rd_kafka_t *rk, rd_kafka_topic_t *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &metadata, METADATA_MS);

    if (err)
        return tell("metadata", rd_kafka_err2str(err));
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

typedef struct drain {
    consume_record *record;
    void *self;
    int64_t count;
    int open; /* partitions whose end has not been seen */
} drain;

static void take(rd_kafka_message_t *m, void *self)
{
    drain *d = self;

    if (!m->err) {
        d->record(d->self, m->payload, m->len);
        d->count++;
    } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        d->open--;
    } else {
        tell("record", rd_kafka_message_errstr(m));
        d->count = INT64_MIN;
        d->open = 0;
    }
}

static void drain_queue(drain *d, rd_kafka_queue_t *queue)
{
    static rd_kafka_message_t *batch[BATCH];

    while (d->open > 0) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, batch, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            take(batch[i], d);
            rd_kafka_message_destroy(batch[i]);
        }
    }
}

int64_t consume_topic(const char *brokers, const char *topic_name, consume_record *record,
                      void *self)
{
    drain d = {.record = record, .self = self, .count = -1};
    rd_kafka_t *rk = make_client(brokers);

    if (!rk)
        return -1;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, topic_name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    int partitions = partition_count(rk, topic);
    if (partitions > 0) {
        d.open = partitions;
        d.count = 0;
        for (int p = 0; p < partitions; p++)
            rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue);
        drain_queue(&d, queue);
        for (int p = 0; p < partitions; p++)
            rd_kafka_consume_stop(topic, p);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return d.count < 0 ? -1 : d.count;
}

// SPDX-License-Identifier: Apache-2.0
/* produce BROKERS TOPIC COUNT: the first COUNT reference events, keyed by host.
 * produce BROKERS TOPIC COUNT RATE: the same at RATE events a second, as they would happen
 * now: `time` is the wall clock and `sent_us` is when the event was handed to librdkafka.
 * Ends when the broker has all of them. Prints {"events": N, "bytes": N}. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

#include "events.h"

enum { BATCH = 500, WARM_UP = 100, FLUSH_MS = 120000, TICK_US = 1000 };

typedef struct producer {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    events events;
    uint64_t bytes, failed;
} producer;

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    producer *p = opaque;

    (void)rk;
    if (m->err && p->failed++ == 0)
        fprintf(stderr, "produce: %s\n", rd_kafka_err2str(m->err));
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    fprintf(stderr, "produce: %s\n", why);
    return -1;
}

static int open_producer(producer *p, const char *brokers, const char *topic, bool paced)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    if (set(conf, "bootstrap.servers", brokers) < 0 ||
        set(conf, "linger.ms", paced ? "1" : "50") < 0 ||
        set(conf, "batch.size", "500000") < 0 ||
        set(conf, "enable.idempotence", paced ? "false" : "true") < 0 ||
        set(conf, "socket.nagle.disable", "true") < 0 ||
        set(conf, "queue.buffering.max.messages", "500000") < 0 ||
        !(p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why)))
        return -1;
    p->topic = rd_kafka_topic_new(p->rk, topic, NULL);
    return 0;
}

static void hand_in(producer *p, char *bytes, size_t size, const event_facts *facts)
{
    while (rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, bytes,
                            size, facts->host, facts->host_len, NULL) == -1 &&
           rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(p->rk, 10);
    p->bytes += size;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void pour(producer *p, uint64_t count)
{
    char bytes[EVENTS_MAX_BYTES];
    event_facts facts;

    for (uint64_t n = 0; n < count; n++) {
        size_t size = events_next(&p->events, bytes, &facts);
        hand_in(p, bytes, size, &facts);
        if (n % BATCH == 0)
            rd_kafka_poll(p->rk, 0);
    }
}

/* The reference event with the time of now in it, and one more field at its end. */
static size_t stamp(char *bytes, size_t size, int64_t at_us)
{
    char digits[24];
    char *time = strstr(bytes, "\"time\":") + strlen("\"time\":");

    snprintf(digits, sizeof digits, "%013" PRId64, at_us / 1000);
    memcpy(time, digits, 13);
    return size - 1 +
           (size_t)snprintf(bytes + size - 1, 40, ",\"sent_us\":%" PRId64 "}", at_us);
}

static void hand_in_now(producer *p)
{
    char bytes[EVENTS_MAX_BYTES + 40];
    event_facts facts;
    size_t size = events_next(&p->events, bytes, &facts);

    bytes[size] = '\0';
    size = stamp(bytes, size, now_us());
    hand_in(p, bytes, size, &facts);
}

/* Connections are made and leaders known before the clock starts. */
static void pace(producer *p, uint64_t count, uint64_t rate)
{
    uint64_t n = 0;

    for (; n < WARM_UP && n < count; n++)
        hand_in_now(p);
    rd_kafka_flush(p->rk, FLUSH_MS);
    for (int64_t began_us = now_us(); n < count;) {
        uint64_t due = WARM_UP + (uint64_t)(now_us() - began_us) * rate / 1000000;
        for (; n < count && n < due; n++)
            hand_in_now(p);
        rd_kafka_poll(p->rk, 0);
        nanosleep(&(struct timespec){.tv_nsec = TICK_US * 1000}, NULL);
    }
}

int main(int argc, char **argv)
{
    producer p = {0};
    uint64_t rate = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: produce BROKERS TOPIC COUNT [RATE]\n");
        return 2;
    }
    if (open_producer(&p, argv[1], argv[2], rate > 0) < 0)
        return 1;
    uint64_t count = strtoull(argv[3], NULL, 10);
    events_init(&p.events, 1);
    if (rate > 0)
        pace(&p, count, rate);
    else
        pour(&p, count);
    if (rd_kafka_flush(p.rk, FLUSH_MS) || p.failed) {
        fprintf(stderr, "produce: not everything was delivered\n");
        return 1;
    }
    printf("{\"events\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", count, p.bytes);
    rd_kafka_topic_destroy(p.topic);
    rd_kafka_destroy(p.rk);
    return 0;
}

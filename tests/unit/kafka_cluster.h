// SPDX-License-Identifier: Apache-2.0
/* For the tests of the Kafka plugin: librdkafka's mock cluster with clients of its own. */
#ifndef KAFKA_CLUSTER_H
#define KAFKA_CLUSTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { PATIENCE_MS = 30000 };

typedef struct cluster {
    rd_kafka_t *rk; /* producer that carries the mock */
    rd_kafka_mock_cluster_t *mock;
    const char *address;
} cluster;

static inline rd_kafka_t *client_new(rd_kafka_type_t type, const char *const *pairs)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;

    for (; *pairs; pairs += 2)
        assert_int_equal(rd_kafka_conf_set(conf, pairs[0], pairs[1], why, sizeof why),
                         RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(type, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static inline cluster cluster_new(void)
{
    static const char *const none[] = {NULL};
    cluster c;

    c.rk = client_new(RD_KAFKA_PRODUCER, none);
    c.mock = rd_kafka_mock_cluster_new(c.rk, 1);
    c.address = rd_kafka_mock_cluster_bootstraps(c.mock);
    return c;
}

static inline void cluster_free(cluster *c)
{
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->rk);
}

/* Records with keys k0..., values v0...; a NULL value where tombstone_at says so. */
static inline void produce(const cluster *c, const char *topic, int first, int count,
                           int tombstone_at)
{
    const char *pairs[] = {"bootstrap.servers", c->address, "linger.ms", "1", NULL};
    rd_kafka_t *rk = client_new(RD_KAFKA_PRODUCER, pairs);

    for (int i = first; i < first + count; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "v%d", i);
        char *bytes = i == tombstone_at ? NULL : value;
        size_t size = bytes ? strlen(bytes) : 0;
        assert_int_equal(
            rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(i % 2),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(key, strlen(key)),
                              RD_KAFKA_V_VALUE(bytes, size),
                              RD_KAFKA_V_TIMESTAMP(1732182000000 + i), RD_KAFKA_V_END),
            0);
    }
    assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
    rd_kafka_destroy(rk);
}

#endif

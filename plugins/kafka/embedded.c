// SPDX-License-Identifier: Apache-2.0
/* One mock cluster a process, counted by its users. The only global of the plugin: a
 * source and a sink know nothing of each other and have to meet somewhere. */
#include "embedded.h"

#include <pthread.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { PARTITIONS = 4 };

static struct {
    pthread_mutex_t lock;
    unsigned users;
    rd_kafka_t *rk; /* carries the cluster's thread */
    rd_kafka_mock_cluster_t *cluster;
} embedded = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_cluster(void)
{
    if (embedded.cluster)
        rd_kafka_mock_cluster_destroy(embedded.cluster);
    if (embedded.rk)
        rd_kafka_destroy(embedded.rk);
    embedded.cluster = NULL;
    embedded.rk = NULL;
}

static int begin_cluster(void)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    embedded.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!embedded.rk) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    embedded.cluster = rd_kafka_mock_cluster_new(embedded.rk, 1);
    if (embedded.cluster)
        return 0;
    end_cluster();
    return -1;
}

const char *embedded_open(const char *const *topics, size_t count)
{
    const char *address = NULL;

    pthread_mutex_lock(&embedded.lock);
    if (embedded.cluster || begin_cluster() == 0) {
        embedded.users++;
        for (size_t i = 0; i < count; i++) /* one that exists already says so */
            (void)rd_kafka_mock_topic_create(embedded.cluster, topics[i], PARTITIONS, 1);
        address = rd_kafka_mock_cluster_bootstraps(embedded.cluster);
    }
    pthread_mutex_unlock(&embedded.lock);
    return address;
}

void embedded_close(void)
{
    pthread_mutex_lock(&embedded.lock);
    if (embedded.users > 0 && --embedded.users == 0)
        end_cluster();
    pthread_mutex_unlock(&embedded.lock);
}

// SPDX-License-Identifier: Apache-2.0
/* One mock cluster a process, counted by its users. The only global of the plugin: a
 * source and a sink know nothing of each other and have to meet somewhere. */
#include "embedded.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "settings.h"

enum { PARTITIONS = 4 };

static struct {
    pthread_mutex_t lock;
    unsigned users;
    rd_kafka_t *rk; /* carries the cluster's thread */
    rd_kafka_mock_cluster_t *cluster;
    char *told; /* the file with its address, or NULL */
} embedded = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_cluster(void)
{
    if (embedded.told)
        unlink(embedded.told);
    free(embedded.told);
    embedded.told = NULL;
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

    rd_kafka_conf_set_log_cb(conf, NULL); /* it has no brokers, on purpose */
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

/* Written beside and moved, so that nobody reads half a line. */
static int write_line(const char *path, const char *line)
{
    char draft[PATH_MAX];
    FILE *out;

    snprintf(draft, sizeof draft, "%s.new", path);
    out = fopen(draft, "we");
    if (!out)
        return -1;
    fprintf(out, "%s\n", line);
    return fclose(out) == 0 && rename(draft, path) == 0 ? 0 : -1;
}

int embedded_tell(const char *folder)
{
    char path[PATH_MAX - 8];
    int rc = 0;

    snprintf(path, sizeof path, "%s/embedded-broker", folder);
    pthread_mutex_lock(&embedded.lock);
    if (embedded.cluster && !embedded.told) {
        rc = write_line(path, rd_kafka_mock_cluster_bootstraps(embedded.cluster));
        if (rc == 0)
            embedded.told = kafka_copy(path);
    }
    pthread_mutex_unlock(&embedded.lock);
    return rc;
}

void embedded_close(void)
{
    pthread_mutex_lock(&embedded.lock);
    if (embedded.users > 0 && --embedded.users == 0)
        end_cluster();
    pthread_mutex_unlock(&embedded.lock);
}

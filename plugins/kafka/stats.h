// SPDX-License-Identifier: Apache-2.0
/* librdkafka's statistics, which it emits once a second as JSON. Shore. */
#ifndef KAFKA_STATS_H
#define KAFKA_STATS_H

#include <librdkafka/rdkafka.h>

/* Brokers that are connected. */
int stats_brokers_up(const char *json, size_t size);
/* The source's stats callback: brokers connected, and how far its feeds are behind. */
int stats_on_emitted(rd_kafka_t *rk, char *json, size_t size, void *opaque);

#endif

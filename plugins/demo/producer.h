// SPDX-License-Identifier: Apache-2.0
/* A Kafka producer that hands records over and forgets them: what the broker does not take is counted,
 * never waited for. Shore. */
#ifndef DEMO_PRODUCER_H
#define DEMO_PRODUCER_H

#include <stdint.h>

#include "tidewatch.h"

typedef struct producer producer;

producer *producer_new(const char *brokers, tw_refusal *refusal);
/* key NULL: any partition. Copies both. */
void producer_send(producer *p, const char *topic, const char *key, const char *value);
void producer_send_to(producer *p, const char *topic, int32_t partition,
                      const char *value);
/* Serves the client; from a timer. */
void producer_serve(producer *p);
/* Records that were not taken so far. */
uint64_t producer_lost(const producer *p);
void producer_free(producer *p);

#endif

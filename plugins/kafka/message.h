// SPDX-License-Identifier: Apache-2.0
/* A record of the engine as a Kafka message. Shore. */
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include "settings.h"

/* What a record's fate says about trying it again. */
typedef enum message_fate { FATE_TAKEN, FATE_AGAIN, FATE_REFUSED } message_fate;

message_fate message_fate_of(rd_kafka_resp_err_t err);
/* Hands the record to librdkafka without copying: it stays untouched until the delivery
 * report with this opaque, which comes only when this returns no error. */
rd_kafka_resp_err_t message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                    const sink_settings *settings, const tw_record *r,
                                    void *opaque);

#endif

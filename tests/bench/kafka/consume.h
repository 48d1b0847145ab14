// SPDX-License-Identifier: Apache-2.0
/* The consume loop that tidewatch is measured against: every record of a topic once, from
 * the first to the end of each partition, by librdkafka with the settings that were found
 * fastest. One thread calls; librdkafka has its own. */
#ifndef TW_BENCH_CONSUME_H
#define TW_BENCH_CONSUME_H

#include <stddef.h>
#include <stdint.h>

/* data is borrowed until it returns. */
typedef void consume_record(void *self, const char *data, size_t size);

/* The number of records, or -1 with a line on stderr. */
int64_t consume_topic(const char *brokers, const char *topic, consume_record *record,
                      void *self);

#endif

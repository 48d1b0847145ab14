// SPDX-License-Identifier: Apache-2.0
/* What the operator may say about a Kafka source or sink, checked and turned into a
 * configuration of librdkafka. Shore. A wrong setting is refused with its name; a
 * librdkafka property is passed through unless the plugin depends on its value. */
#ifndef KAFKA_SETTINGS_H
#define KAFKA_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "tidewatch.h"

/* Where a partition begins that has no stored position. */
typedef enum start_kind {
    START_EARLIEST,
    START_LATEST,
    START_STORED, /* having none is a missing offset, see missing_policy */
    START_TIME
} start_kind;

/* What to do when the stored position is not in the log. */
typedef enum missing_policy {
    MISSING_FAIL,
    MISSING_EARLIEST,
    MISSING_LATEST
} missing_policy;

typedef struct source_settings {
    char *brokers, *group;
    bool embedded; /* the mock broker inside this process */
    start_kind start;
    int64_t start_ms; /* START_TIME */
    missing_policy missing;
    int64_t queue_bytes, queue_records; /* librdkafka's bounds of a partition's queue */
    bool group_is_ours;                 /* the default, which a second engine has too */
    bool self_waking; /* librdkafka itself notices a drained queue (2.2.0 and later) */
} source_settings;

typedef struct sink_settings {
    char *brokers, *topic;
    char *ce_source;
    bool embedded, cloudevents;
} sink_settings;

/* Memory of the plugin's own: never NULL, zeroed; ends the process when there is none. */
void *kafka_alloc(size_t size_bytes);
char *kafka_copy(const char *text);

/* The new configuration (caller owns) or NULL with a refusal. `out` is to be freed by
 * its done function in both cases. */
rd_kafka_conf_t *source_settings_read(source_settings *out, const tw_host *h,
                                      tw_refusal *refusal);
void source_settings_done(source_settings *s);
rd_kafka_conf_t *sink_settings_read(sink_settings *out, const tw_host *h,
                                    tw_refusal *refusal);
void sink_settings_done(sink_settings *s);

void kafka_refuse(tw_refusal *refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One line to the host's log. Any thread. */
void kafka_log(const tw_host *h, tw_plugin_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

extern const char kafka_source_schema[], kafka_sink_schema[];

#endif

// SPDX-License-Identifier: Apache-2.0
/* From JSON to a configuration of librdkafka: the parts that sources and sinks share.
 * Shore. Functions return 0, or -1 with a refusal that begins with the setting's name. */
#ifndef KAFKA_CONF_H
#define KAFKA_CONF_H

#include <jansson.h>

#include "settings.h"

typedef struct conf_property {
    const char *name, *value;
} conf_property;

/* The host's settings, an object (caller owns), or NULL. */
json_t *conf_parse(const tw_host *h, tw_refusal *refusal);
int conf_check_keys(const json_t *settings, const char *const *known, size_t count,
                    tw_refusal *refusal);
/* Optional text: *out stays as it is when the key is not there. */
int conf_read_text(const json_t *settings, const char *key, const char **out,
                   tw_refusal *refusal);
/* "host:port", "host:port,host:port" or an array of those, as one list (caller owns). */
char *conf_read_brokers(const json_t *value, tw_refusal *refusal);
int conf_read_security(rd_kafka_conf_t *conf, const json_t *object, tw_refusal *refusal);
int conf_read_properties(rd_kafka_conf_t *conf, const json_t *object,
                         tw_refusal *refusal);

/* value NULL: librdkafka's default again. */
int conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
             tw_refusal *refusal);
int conf_set_all(rd_kafka_conf_t *conf, const conf_property *list, size_t count,
                 tw_refusal *refusal);
int64_t conf_number(const rd_kafka_conf_t *conf, const char *name);

#endif

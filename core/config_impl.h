// SPDX-License-Identifier: Apache-2.0
/* The inside of the configuration, for config*.c only. */
#ifndef TW_CONFIG_IMPL_H
#define TW_CONFIG_IMPL_H

#include "config.h"

/* The schema: every key of the file, its type, default and meaning. */
extern const tw_conf_field tw_config_fields[];

/* Fills config from its document, which has passed the schema. What the schema cannot say is checked
 * here; the first finding is in err. */
int tw_config_read(tw_config *config, tw_err *err);

/* Parts of it: routes and dead letters; the control address. */
int tw_config_read_routes(tw_config *config, tw_err *err);
int tw_config_read_control(tw_config *config, tw_err *err);

/* A finding at a value, or at a key of an object. Both return the code. */
int tw_config_fail(const tw_config *config, const json_t *node, tw_err *err,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
int tw_config_fail_key(const tw_config *config, const json_t *object, const char *key,
                       tw_err *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif

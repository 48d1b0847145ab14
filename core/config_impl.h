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
/* The first finding of each part that can be read beside the others. False: there was one. */
bool tw_config_read_all(tw_config *config, tw_findings *out);

/* Parts of it: tables; routes and dead letters; the control address. */
int tw_config_read_tables(tw_config *config, tw_err *err);
int tw_config_read_routes(tw_config *config, tw_err *err);
int tw_config_read_control(tw_config *config, tw_err *err);
/* config_context.c: `changes` of a stream, and `context`. */
int tw_config_read_changes(const tw_config *config, tw_config_stream *s,
                           const json_t *stream, tw_err *err);
int tw_config_read_context(tw_config *config, tw_err *err);
/* config_fields.c: `strict` and `fields`; behind everything else of the stream. */
int tw_config_read_declared(const tw_config *config, tw_config_stream *s,
                            const json_t *node, tw_err *err);

/* Small readers. The name of an entry of object, which is a `noun`; a duration from min_ms to a year; a size; a
 * path, taken from the folder of the configuration; the source that a node names. */
int tw_config_check_name(const tw_config *config, const json_t *object, const char *noun,
                         const char *name, tw_err *err);
int tw_config_read_ms(const tw_config *config, const json_t *object, const char *key,
                      int64_t min_ms, int64_t *out_ms, tw_err *err);
int tw_config_read_bytes(const tw_config *config, const json_t *object, const char *key,
                         int64_t min_kib, int64_t max_mib, size_t *out_bytes,
                         tw_err *err);
int tw_config_read_path(const tw_config *config, const json_t *node, const char *key,
                        char **out_path, tw_err *err);
int tw_config_find_source(const tw_config *config, const json_t *node, const char *noun,
                          const char *name, uint32_t *out_number, tw_err *err);

/* A finding at a value, or at a key of an object. Both return the code. */
int tw_config_fail(const tw_config *config, const json_t *node, tw_err *err,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
int tw_config_fail_key(const tw_config *config, const json_t *object, const char *key,
                       tw_err *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif

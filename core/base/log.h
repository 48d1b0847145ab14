// SPDX-License-Identifier: Apache-2.0
/* Logs on stderr (or a FILE) as logfmt or JSON, one line a record. Any thread. A field
 * list is pairs of key and value, ended by NULL: tw_log_info("kafka", "partition
 * assigned", "topic", topic, "partition", TW_LOG_INT(p), NULL). Values are strings;
 * TW_LOG_INT makes one. */
#ifndef TW_BASE_LOG_H
#define TW_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum tw_log_level {
    TW_LOG_DEBUG,
    TW_LOG_INFO,
    TW_LOG_WARN,
    TW_LOG_ERROR
} tw_log_level;
typedef enum tw_log_format { TW_LOG_LOGFMT, TW_LOG_JSON } tw_log_format;

void tw_log_setup(FILE *out, tw_log_level level, tw_log_format format);
bool tw_log_enabled(tw_log_level level);
void tw_log(tw_log_level level, const char *component, const char *message, ...)
    __attribute__((sentinel));
int tw_log_level_parse(const char *text, tw_log_level *out); /* TW_EINVAL */
int tw_log_format_parse(const char *text, tw_log_format *out);

#define tw_log_debug(...) tw_log(TW_LOG_DEBUG, __VA_ARGS__)
#define tw_log_info(...) tw_log(TW_LOG_INFO, __VA_ARGS__)
#define tw_log_warn(...) tw_log(TW_LOG_WARN, __VA_ARGS__)
#define tw_log_error(...) tw_log(TW_LOG_ERROR, __VA_ARGS__)

/* The text lives until the end of the full expression's block. */
typedef struct tw_log_number {
    char text[24];
} tw_log_number;
const char *tw_log_int_text(tw_log_number *n, int64_t v);
#define TW_LOG_INT(v) tw_log_int_text(&(tw_log_number){{0}}, (int64_t)(v))

#endif

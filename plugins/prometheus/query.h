// SPDX-License-Identifier: Apache-2.0
/* Reads what the HTTP API of Prometheus answers to an instant query. Any thread. */
#ifndef TW_PROMETHEUS_QUERY_H
#define TW_PROMETHEUS_QUERY_H

#include "prometheus/batch.h"

typedef struct query_result {
    uint32_t samples;
    char *
        extra; /* `,"warnings":"..."` when the answer may be partial, or NULL; free() it */
    char error[256]; /* when there is none */
} query_result;

/* The form of a request: what to ask, how long the server may take, how much it may answer. */
char *query_form(const char *query, int64_t timeout_ms, uint32_t limit);

/* Adds a sample for each element of a vector, or for a scalar, called name. False: out->error says
 * why the answer, whatever its status, is of no use. */
bool query_read(const char *body, size_t size, const char *name,
                const text_limits *limits, batch *b, query_result *out);

#endif

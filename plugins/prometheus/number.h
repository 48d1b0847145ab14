// SPDX-License-Identifier: Apache-2.0
/* Numbers as Prometheus writes them, and as JSON wants them. Any thread, no memory. */
#ifndef TW_PROMETHEUS_NUMBER_H
#define TW_PROMETHEUS_NUMBER_H

#include <stddef.h>

typedef enum number_status {
    NUMBER_OK,
    NUMBER_MALFORMED,
    NUMBER_OUT_OF_RANGE /* too large for a double, or too long to be meant */
} number_status;

/* Reads all n bytes of text: a decimal number, [+-]Inf or NaN in any case. */
number_status number_read(const char *text, size_t n, double *out);

/* Writes a finite number so that it reads back as the same one; returns its length. */
enum { NUMBER_ROOM = 32 };
size_t number_write(double v, char out[NUMBER_ROOM]);

#endif

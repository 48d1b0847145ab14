// SPDX-License-Identifier: Apache-2.0
/* How a number is written where a text asks for it: `${value:%}`, `${value:.1}`, `${value:.1%}`. Plain data; any thread. */
#ifndef TW_FLOW_NUMBER_FORMAT_H
#define TW_FLOW_NUMBER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Zeroes: as it is. */
typedef struct tw_number_format {
    bool set;
    bool percent; /* times a hundred, with the sign behind it */
    bool
        is_fixed; /* with so many decimals; else in the shortest form, rounded to four digits */
    uint8_t places; /* 0 to 9 */
} tw_number_format;

/* What stands behind the colon. False: it is none. */
bool tw_number_format_parse(const char *text, size_t n, tw_number_format *out);
int tw_number_format_write(tw_number_format f, double v, tw_buf *out);

/* Four digits, but never less than the whole number. */
double tw_number_rounded(double v);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Numbers as JSON writes them. Integers that fit 64 bits stay integers; other numbers
 * become the nearest double; what lies beyond both keeps its text (TW_DECIMAL). Pure
 * functions. */
#ifndef TW_DECODE_NUMBER_H
#define TW_DECODE_NUMBER_H

#include <stdbool.h>

#include "flow/value.h"

typedef struct tw_number {
    const char *text, *end;
    uint64_t digits; /* all digits as one integer; rubbish when there are more than 19 */
    int32_t digit_count;
    int32_t fraction; /* how many of them follow the point */
    int32_t exponent; /* as written, kept within +-100000 */
    bool negative, is_integer;
} tw_number;

/* Reads the number that starts at text. NULL when it is not one, else the byte behind it.
 * The text must hold a byte that no number contains (in an object at least a brace). */
const char *tw_number_scan(const char *text, tw_number *out);

/* Its value; the text of a DECIMAL is borrowed. */
tw_value tw_number_value(const tw_number *n);

#endif

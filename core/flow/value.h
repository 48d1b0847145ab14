// SPDX-License-Identifier: Apache-2.0
/* One scalar of an event, as the decoder found it. Borrowed: text points into the event's bytes
 * or its scratch memory and lives as long as the event. 16 bytes, passed by value. */
#ifndef TW_FLOW_VALUE_H
#define TW_FLOW_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum tw_type {
    TW_ABSENT = 0, /* the event has no such field */
    TW_NULL,
    TW_BOOL,
    TW_INT,
    TW_DOUBLE,
    TW_STRING,  /* UTF-8, unescaped, may hold NUL bytes */
    TW_DECIMAL, /* a number beyond 64 bits or double range, as its text */
    TW_JSON     /* an array or object, as its JSON text */
} tw_type;

typedef struct tw_value {
    union {
        bool b;
        int64_t i;
        double d;
        const char *s; /* STRING, DECIMAL, JSON: `len` bytes, not terminated */
    };
    uint32_t len;
    uint8_t type; /* tw_type */
} tw_value;

static inline tw_value tw_value_absent(void)
{
    return (tw_value){.i = 0, .type = TW_ABSENT};
}
static inline tw_value tw_value_int(int64_t i)
{
    return (tw_value){.i = i, .type = TW_INT};
}
static inline tw_value tw_value_double(double d)
{
    return (tw_value){.d = d, .type = TW_DOUBLE};
}
static inline tw_value tw_value_bool(bool b)
{
    return (tw_value){.b = b, .type = TW_BOOL};
}
static inline tw_value tw_value_string(const char *s, size_t n)
{
    return (tw_value){.s = s, .len = (uint32_t)n, .type = TW_STRING};
}

/* INT and DOUBLE (and DECIMAL, rounded) as a double; false for everything else. Text is never
 * taken for a number. */
bool tw_value_number(tw_value v, double *out);

/* Equality as rules see it: 5 equals 5.0; text equals only text; JSON by its bytes. */
bool tw_value_equal(tw_value a, tw_value b);

/* Order for gt/lt: numbers with numbers, text with text (bytes); returns false when not
 * comparable, else *out is <0, 0, >0. */
bool tw_value_compare(tw_value a, tw_value b, int *out);

/* As JSON ("\"a\"", 5, true, null; ABSENT writes null). */
int tw_value_write_json(tw_value v, tw_buf *out);
/* As a label or in the middle of a template: text plain, numbers shortest, ABSENT "". */
int tw_value_write_text(tw_value v, tw_buf *out);

#endif

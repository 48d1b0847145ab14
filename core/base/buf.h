// SPDX-License-Identifier: Apache-2.0
/* A growing byte buffer that cannot be made without a maximum. A failed append sets
 * `failed` and later appends do nothing, so a caller checks once at the end. Always
 * NUL-terminated. */
#ifndef TW_BASE_BUF_H
#define TW_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tw_buf {
    char *data; /* never NULL after init */
    size_t len, cap, max;
    bool failed; /* max was reached */
} tw_buf;

void tw_buf_init(tw_buf *b, size_t max);
void tw_buf_done(tw_buf *b);
void tw_buf_reset(tw_buf *b);               /* empty, failed cleared, memory kept */
int tw_buf_reserve(tw_buf *b, size_t more); /* TW_ELIMIT beyond max */
int tw_buf_add(tw_buf *b, const void *data, size_t n);
int tw_buf_add_str(tw_buf *b, const char *s);
int tw_buf_add_char(tw_buf *b, char c);
int tw_buf_printf(tw_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int tw_buf_vprintf(tw_buf *b, const char *format, va_list ap);
int tw_buf_add_int(tw_buf *b, int64_t v);
int tw_buf_add_double(tw_buf *b, double v); /* shortest form that reads back the same */
int tw_buf_add_json_string(tw_buf *b, const char *s, size_t n); /* with quotes, escaped */
/* The caller frees with tw_free; b is empty again. */
char *tw_buf_take(tw_buf *b, size_t *out_len);
/* The same of UTF-8 that becomes a C text: what is beyond max bytes goes, by whole characters, and a NUL, which would
 * end it unseen, is U+FFFD. */
char *tw_buf_take_text(tw_buf *b, size_t max);

/* Shortest decimal form that reads back as v ("0.1", "1e+300"); integers below 1e15
 * without exponent or point; "NaN", "+Inf", "-Inf" (which are no JSON). out needs 32
 * bytes; returns the length. */
size_t tw_double_format(char *out, double v);

#endif

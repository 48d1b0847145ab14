// SPDX-License-Identifier: Apache-2.0
/* Escapes in JSON strings, and where text stops being UTF-8. Pure functions. */
#ifndef TW_DECODE_ESCAPE_H
#define TW_DECODE_ESCAPE_H

#include <stddef.h>

/* Bytes of the escape at p, which is a backslash inside a string that ends: 2, 6, or 12
 * for a surrogate pair; 0 when it is not one (half of a surrogate pair included). */
size_t tw_escape_length(const char *p);

/* Writes the text of a string (the bytes between its quotes) to out, which needs as much
 * room as the text; every escape has been checked. Returns the length. */
size_t tw_unescape(const char *s, size_t n, char *out);

/* Where the first byte that is not UTF-8 stands; n when there is none. */
size_t tw_utf8_fault(const char *s, size_t n);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What is refused of a rule's text before Lua's own parser sees it: too much of it, bytes
 * that are not UTF-8 text, and shapes that make the parser or its error messages recurse.
 * It is not a parser: what is not Lua passes here and is refused there. */
#ifndef TW_RULE_PRELEX_H
#define TW_RULE_PRELEX_H

#include <stddef.h>

#include "base/err.h"

enum {
    TW_PRELEX_NESTING = 100,           /* brackets and blocks open at once */
    TW_PRELEX_SUFFIXES = 64,           /* a.b[c]:d() has four */
    TW_PRELEX_LITERAL_BYTES = 64 << 10 /* one string literal */
};

/* TW_ELIMIT or TW_EPARSE with file and line. */
int tw_prelex(const char *file, const char *text, size_t n, size_t max_bytes,
              tw_err *err);

/* Bytes of the character at s, 0 when there is none; room is at least 1. */
size_t tw_utf8_length(const unsigned char *s, size_t room);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Whether short runs of bytes (names, keys) are the same. A call of memcmp would cost more than the
 * comparing. Any thread. */
#ifndef TW_BASE_SAME_H
#define TW_BASE_SAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool tw_same_8(const char *p, const char *q)
{
    uint64_t x, y;

    memcpy(&x, p, sizeof x);
    memcpy(&y, q, sizeof y);
    return x == y;
}

static inline bool tw_same_4(const char *p, const char *q)
{
    uint32_t x, y;

    memcpy(&x, p, sizeof x);
    memcpy(&y, q, sizeof y);
    return x == y;
}

/* a and b may be NULL when len is 0. What is left over at the end is compared with some of what was before it. */
static inline bool tw_same(const void *a, const void *b, size_t len)
{
    const char *p = a, *q = b;

    if (len >= 8) {
        size_t last = len - 8;
        for (size_t i = 0; i < last; i += 8) {
            if (!tw_same_8(p + i, q + i)) {
                return false;
            }
        }
        return tw_same_8(p + last, q + last);
    }
    if (len >= 4) {
        return tw_same_4(p, q) && tw_same_4(p + len - 4, q + len - 4);
    }
    for (; len > 0 && *p == *q; p++, q++, len--) {
    }
    return len == 0;
}

#endif

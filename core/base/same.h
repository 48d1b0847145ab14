// SPDX-License-Identifier: Apache-2.0
/* Whether short runs of bytes (names, keys) are the same. A call of memcmp would cost more than the
 * comparing. Any thread. */
#ifndef TW_BASE_SAME_H
#define TW_BASE_SAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* a and b may be NULL when len is 0. */
static inline bool tw_same(const void *a, const void *b, size_t len)
{
    const char *p = a, *q = b;
    uint64_t x, y;

    for (; len >= sizeof x; p += sizeof x, q += sizeof y, len -= sizeof x) {
        memcpy(&x, p, sizeof x);
        memcpy(&y, q, sizeof y);
        if (x != y) {
            return false;
        }
    }
    for (; len > 0 && *p == *q; p++, q++, len--) {
    }
    return len == 0;
}

#endif

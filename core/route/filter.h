// SPDX-License-Identifier: Apache-2.0
/* The cheap "no" of the index: a bit for each hash that is in a table, sixteen times more bits than
 * entries, small enough to stay in the nearest cache. Most events are met by no rule, and end here.
 * The hash is a plain multiply-and-fold: only rules put entries in, so nobody outside can make it
 * crowd. */
#ifndef TW_ROUTE_FILTER_H
#define TW_ROUTE_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

__extension__ typedef unsigned __int128 tw_wide;

static inline uint64_t tw_fold(uint64_t a, uint64_t b)
{
    tw_wide product = (tw_wide)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t tw_read8(const char *s)
{
    uint64_t word;
    memcpy(&word, s, 8);
    return word;
}

static inline uint64_t tw_read4(const char *s)
{
    uint32_t word;
    memcpy(&word, s, 4);
    return word;
}

/* Reads overlap instead of stepping byte by byte. */
static inline uint64_t tw_fold_text(const char *s, uint32_t n)
{
    if (n < 4)
        return tw_fold(n, n ? (uint64_t)(unsigned char)s[0] << 16 |
                                  (uint64_t)(unsigned char)s[n / 2] << 8 |
                                  (unsigned char)s[n - 1]
                            : 0);
    if (n <= 8)
        return tw_fold(n, tw_read4(s) << 32 | tw_read4(s + n - 4));
    uint64_t h = n;
    for (uint32_t i = 0; i + 8 < n; i += 8)
        h = tw_fold(h, tw_read8(s + i));
    return tw_fold(h, tw_read8(s + n - 8));
}

typedef struct tw_filter {
    uint64_t *bits; /* NULL holds nothing */
    uint32_t mask;  /* number of bits - 1 */
} tw_filter;

static inline void tw_filter_init(tw_filter *f, uint32_t entries)
{
    f->mask = 1023;
    while (f->mask / 16 < entries && f->mask < UINT32_MAX / 2)
        f->mask = f->mask * 2 + 1;
    f->bits = tw_calloc((f->mask + 1) / 64, sizeof *f->bits);
}

static inline void tw_filter_done(tw_filter *f)
{
    tw_free(f->bits);
}

/* The upper half of the hash: the lower one is the table's. */
static inline void tw_filter_add(tw_filter *f, uint64_t hash)
{
    uint32_t bit = (uint32_t)(hash >> 32) & f->mask;
    f->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static inline bool tw_filter_may_hold(const tw_filter *f, uint64_t hash)
{
    uint32_t bit = (uint32_t)(hash >> 32) & f->mask;
    return f->bits[bit / 64] >> bit % 64 & 1;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* Single tokens at a structural: what kind a value is, where a string ends, literals. */
#ifndef TW_DECODE_TOKEN_H
#define TW_DECODE_TOKEN_H

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "decode/number.h"

typedef enum tw_token {
    TW_TOKEN_BAD,
    TW_TOKEN_STRING,
    TW_TOKEN_NUMBER,
    TW_TOKEN_LITERAL,
    TW_TOKEN_OBJECT,
    TW_TOKEN_ARRAY
} tw_token;

/* What begins with this byte. */
static inline tw_token tw_token_kind(char first)
{
    static const uint8_t kinds[256] = {
        ['"'] = TW_TOKEN_STRING,  ['-'] = TW_TOKEN_NUMBER,  ['0'] = TW_TOKEN_NUMBER,
        ['1'] = TW_TOKEN_NUMBER,  ['2'] = TW_TOKEN_NUMBER,  ['3'] = TW_TOKEN_NUMBER,
        ['4'] = TW_TOKEN_NUMBER,  ['5'] = TW_TOKEN_NUMBER,  ['6'] = TW_TOKEN_NUMBER,
        ['7'] = TW_TOKEN_NUMBER,  ['8'] = TW_TOKEN_NUMBER,  ['9'] = TW_TOKEN_NUMBER,
        ['t'] = TW_TOKEN_LITERAL, ['f'] = TW_TOKEN_LITERAL, ['n'] = TW_TOKEN_LITERAL,
        ['{'] = TW_TOKEN_OBJECT,  ['['] = TW_TOKEN_ARRAY,
    };

    return (tw_token)kinds[(unsigned char)first];
}

/* Whether c may stand right behind a number or literal. */
static inline bool tw_token_ends(char c)
{
    static const bool ends[256] = {
        [','] = true, ['}'] = true,  [']'] = true,  [':'] = true,
        [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true,
    };

    return ends[(unsigned char)c];
}

/* The quote that ends the string before the structural `next`: only white space is between. */
static inline uint32_t tw_token_close(const char *bytes, uint32_t next)
{
    do {
        next--;
    } while (bytes[next] != '"');
    return next;
}

/* room: bytes readable behind p. */
static inline bool tw_token_literal(const char *p, size_t room, tw_value *out)
{
    if (room >= 4 && memcmp(p, "true", 4) == 0 && tw_token_ends(p[4])) {
        *out = tw_value_bool(true);
    } else if (room >= 4 && memcmp(p, "null", 4) == 0 && tw_token_ends(p[4])) {
        *out = (tw_value){.type = TW_NULL};
    } else if (room >= 5 && memcmp(p, "false", 5) == 0 && tw_token_ends(p[5])) {
        *out = tw_value_bool(false);
    } else {
        return false;
    }
    return true;
}

#if defined(__SSE2__)
/* A bit for each of the sixteen bytes at p that is no digit. */
static inline uint32_t tw_token_no_digits(const char *p)
{
    __m128i digits = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                                  _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);

    return ~(uint32_t)_mm_movemask_epi8(is_digit) & 0xffff;
}

/* The number that eight bytes write, the first one in the lowest place, each of which is a digit or
 * a byte below ten: neighbours are added up three times (D. Lemire, "Quickly parsing eight digits"). */
static inline uint64_t tw_token_eight_digits(uint64_t bytes)
{
    const uint64_t even = UINT64_C(0x000000ff000000ff);

    bytes &= UINT64_C(0x0f0f0f0f0f0f0f0f);
    bytes = bytes * 10 + (bytes >> 8);
    return ((bytes & even) * UINT64_C(0x000f424000000064) +
            (bytes >> 16 & even) * UINT64_C(0x0000271000000001)) >>
           32;
}
#endif

/* Whether p is surely a number without an exponent and followed by what may follow one; false: look
 * closer. Its length costs no branch, since sixteen bytes are looked at together. end: behind the
 * last byte that may be read. */
static inline bool tw_token_is_plain_number(const char *p, const char *end)
{
#if defined(__SSE2__)
    p += *p == '-';
    if (end - p < 16) {
        return false;
    }
    uint32_t others = tw_token_no_digits(p);
    if (others == 0) {
        return false;
    }
    int n = __builtin_ctz(others);
    if (n == 0 || (*p == '0' && n > 1)) {
        return false;
    }
    if (p[n] == '.') {
        others >>= n + 1;
        if (others == 0 || (others & 1)) {
            return false;
        }
        n += 1 + __builtin_ctz(others);
    }
    return tw_token_ends(p[n]);
#else
    (void)p, (void)end;
    return false;
#endif
}

/* Reads an integer of at most fifteen digits with no sign; false: look closer. */
static inline bool tw_token_plain_integer(const char *p, const char *end, int64_t *out)
{
#if defined(__SSE2__)
    uint64_t first, last, value;

    if (end - p < 16) {
        return false;
    }
    uint32_t others = tw_token_no_digits(p);
    int n = __builtin_ctz(others | 0x10000);
    if (n == 0 || n == 16 || (*p == '0' && n > 1) || !tw_token_ends(p[n])) {
        return false;
    }
    memcpy(&first, p, sizeof first);
    if (n <= 8) {
        value = tw_token_eight_digits(first << (64 - 8 * n));
    } else {
        memcpy(&last, p + n - 8, sizeof last);
        value = tw_token_eight_digits(first << (128 - 8 * n)) * 100000000 +
                tw_token_eight_digits(last);
    }
    *out = (int64_t)value;
    return true;
#else
    (void)p, (void)end, (void)out;
    return false;
#endif
}

static inline bool tw_token_number(const char *p, tw_number *out)
{
    const char *end = tw_number_scan(p, out);

    return end && tw_token_ends(*end);
}

#endif

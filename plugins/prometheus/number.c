// SPDX-License-Identifier: Apache-2.0
/* Numbers; see number.h. Most values of a scrape are short decimals: up to 2^53 with a power of ten up
 * to 22 both are exact doubles, so one multiplication rounds right (Clinger's fast path). The rest goes
 * to strtod, which the C locale keeps to a point. */
#include "prometheus/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXACT_MAX ((uint64_t)1 << 53)
#define LENGTH_MAX 400
#define EXPONENT_MAX 99999

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { POWERS = sizeof powers / sizeof *powers };

typedef struct decimal {
    uint64_t digits;
    int exponent;
    bool exact; /* digits holds all of them */
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_spelled(const char *text, size_t n, const char *word)
{
    return n == strlen(word) && strncasecmp(text, word, n) == 0;
}

static bool read_special(const char *text, size_t n, double *out)
{
    bool negative = *text == '-';
    size_t sign = *text == '-' || *text == '+' ? 1 : 0;

    if (is_spelled(text + sign, n - sign, "inf") ||
        is_spelled(text + sign, n - sign, "infinity")) {
        *out = negative ? -INFINITY : INFINITY;
        return true;
    }
    if (is_spelled(text, n, "nan")) {
        *out = NAN;
        return true;
    }
    return false;
}

static void take_digit(decimal *d, char c)
{
    if (d->digits < EXACT_MAX)
        d->digits = d->digits * 10 + (uint64_t)(c - '0');
    else
        d->exact = false;
}

/* The end of an exponent that begins at p, or NULL. */
static const char *read_exponent(const char *p, const char *end, int *out)
{
    bool negative = false;
    int n = 0;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    if (p == end)
        return NULL;
    for (; p < end && is_digit(*p); p++)
        n = n < EXPONENT_MAX ? n * 10 + (*p - '0') : n;
    *out = negative ? -n : n;
    return p;
}

/* Checks the form of an unsigned decimal and takes it apart. */
static bool read_decimal(const char *p, const char *end, decimal *out)
{
    decimal d = {.exact = true};
    const char *first = p;
    int exponent = 0;

    for (; p < end && is_digit(*p); p++)
        take_digit(&d, *p);
    size_t digits = (size_t)(p - first);
    if (p < end && *p == '.') {
        const char *point = p++;
        for (; p < end && is_digit(*p); p++)
            take_digit(&d, *p);
        digits += (size_t)(p - point - 1);
        exponent = -(int)(p - point - 1);
    }
    if (digits == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        int written;
        p = read_exponent(p + 1, end, &written);
        if (!p)
            return false;
        exponent += written;
    }
    d.exponent = exponent;
    *out = d;
    return p == end;
}

static number_status read_slowly(const char *text, size_t n, double *out)
{
    char copy[LENGTH_MAX + 1];

    memcpy(copy, text, n);
    copy[n] = '\0';
    double v = strtod(copy, NULL);
    if (!isfinite(v))
        return NUMBER_OUT_OF_RANGE;
    *out = v;
    return NUMBER_OK;
}

number_status number_read(const char *text, size_t n, double *out)
{
    decimal d;

    if (n == 0)
        return NUMBER_MALFORMED;
    if (n > LENGTH_MAX)
        return NUMBER_OUT_OF_RANGE;
    size_t sign = *text == '-' || *text == '+' ? 1 : 0;
    if (!read_decimal(text + sign, text + n, &d))
        return read_special(text, n, out) ? NUMBER_OK : NUMBER_MALFORMED;
    if (!d.exact || d.digits > EXACT_MAX || d.exponent >= POWERS || d.exponent <= -POWERS)
        return read_slowly(text, n, out);
    double v = (double)d.digits;
    v = d.exponent < 0 ? v / powers[-d.exponent] : v * powers[d.exponent];
    *out = *text == '-' ? -v : v;
    return NUMBER_OK;
}

static size_t write_integer(int64_t v, char *out)
{
    char digits[NUMBER_ROOM];
    size_t n = 0, size = 0;
    uint64_t left = v < 0 ? (uint64_t)-v : (uint64_t)v;

    do
        digits[n++] = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        out[size++] = '-';
    while (n)
        out[size++] = digits[--n];
    out[size] = '\0';
    return size;
}

size_t number_write(double v, char out[NUMBER_ROOM])
{
    if (fabs(v) < 1e15 && v == (double)(int64_t)v)
        return write_integer((int64_t)v, out);
    int n = 0;
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(out, NUMBER_ROOM, "%.*g", precision, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return (size_t)n;
}

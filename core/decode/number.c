// SPDX-License-Identifier: Apache-2.0
/* Reading numbers. The short way is exact: up to 53 bits of digits times or by a power of
 * ten that a double holds exactly is rounded once (W. D. Clinger, "How to Read Floating
 * Point Numbers Accurately"). Everything else goes to the library. */
#include "decode/number.h"

#include <math.h>

#include "decode/structure.h"

#define EXPONENT_CAP 100000

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline const char *scan_digits(const char *p, uint64_t *digits)
{
    uint64_t v = *digits;

    for (; is_digit(*p); p++) {
        v = v * 10 + (uint64_t)(*p - '0');
    }
    *digits = v;
    return p;
}

static const char *scan_exponent(const char *p, tw_number *out)
{
    bool negative = *p == '-';
    int32_t e = 0;

    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        return NULL;
    }
    for (; is_digit(*p); p++) {
        e = e < EXPONENT_CAP ? e * 10 + (*p - '0') : EXPONENT_CAP;
    }
    out->exponent = negative ? -e : e;
    out->is_integer = false;
    return p;
}

const char *tw_number_scan(const char *text, tw_number *out)
{
    const char *p = text + (*text == '-');
    const char *start = p;

    out->text = text;
    out->negative = *text == '-';
    out->is_integer = true;
    out->digits = 0;
    out->fraction = 0;
    out->exponent = 0;
    p = scan_digits(p, &out->digits);
    if (p == start || (*start == '0' && p - start > 1)) {
        return NULL;
    }
    out->digit_count = (int32_t)(p - start);
    if (*p == '.') {
        start = ++p;
        p = scan_digits(p, &out->digits);
        if (p == start) {
            return NULL;
        }
        out->fraction = (int32_t)(p - start);
        out->digit_count += out->fraction;
        out->is_integer = false;
    }
    if (*p == 'e' || *p == 'E') {
        p = scan_exponent(p + 1, out);
    }
    out->end = p;
    return p;
}

static tw_value decimal(const tw_number *n)
{
    tw_value v = tw_value_string(n->text, (size_t)(n->end - n->text));

    v.type = TW_DECIMAL;
    return v;
}

static tw_value integer_value(const tw_number *n)
{
    if (n->digit_count <= 19 && n->digits <= (uint64_t)INT64_MAX) {
        return tw_value_int(n->negative ? -(int64_t)n->digits : (int64_t)n->digits);
    }
    if (n->digit_count == 19 && n->negative && n->digits == (uint64_t)INT64_MAX + 1) {
        return tw_value_int(INT64_MIN);
    }
    return decimal(n);
}

/* Beyond range on the small side is zero or the least double there is. */
static tw_value extreme_value(const tw_number *n)
{
    tw_value v = decimal(n);
    double d;

    return tw_value_number(v, &d) ? tw_value_double(d) : v;
}

tw_value tw_number_value(const tw_number *n)
{
    if (n->is_integer) {
        return integer_value(n);
    }
    int32_t exponent = n->exponent - n->fraction;
    double d;
    if (n->digit_count <= 19 && n->digits <= UINT64_C(1) << 53 && exponent >= -22 &&
        exponent <= 22) {
        d = (double)n->digits;
        d = exponent < 0 ? d / powers[-exponent] : d * powers[exponent];
        return tw_value_double(n->negative ? -d : d);
    }
    if (tw_structure_double(n->text, n->end, &d)) {
        return tw_value_double(d);
    }
    return extreme_value(n);
}

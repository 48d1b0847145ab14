// SPDX-License-Identifier: Apache-2.0
/* Scalars of events: how rules compare them and how they are written out. Pure functions,
 * any thread. Invariant: a value that the decoder gives as DECIMAL lies outside the
 * 64-bit integers or outside double range, so against an INT its sign alone decides. */
#include "flow/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Enough digits to round any decimal to the right double, and then some (767 are needed).
 */
#define DECIMAL_DIGITS 800

static bool is_number(tw_value v)
{
    return v.type == TW_INT || v.type == TW_DOUBLE || v.type == TW_DECIMAL;
}

static bool same_text(tw_value a, tw_value b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

static bool is_negative_text(tw_value v)
{
    return v.len > 0 && v.s[0] == '-';
}

/* Reads the written exponent; anything huge is as good as a million. */
static long read_exponent(const char *s, const char *end)
{
    bool negative = s < end && *s == '-';
    long e = 0;

    if (s < end && (*s == '-' || *s == '+')) {
        s++;
    }
    for (; s < end && e < 10000000; s++) {
        e = e * 10 + (*s - '0');
    }
    return negative ? -e : e;
}

/* A DECIMAL as a double, infinite when out of range. It is rewritten as digits and an
 * exponent (no decimal point), which strtod reads the same way in every locale. */
static double decimal_double(tw_value v)
{
    char text[DECIMAL_DIGITS + 32];
    size_t n = 0;
    size_t digits = 0;
    long shift = 0;
    bool fraction = false;
    const char *s = v.s;
    const char *end = v.s + v.len;

    if (s < end && *s == '-') {
        text[n++] = *s++;
    }
    for (; s < end && *s != 'e' && *s != 'E'; s++) {
        if (*s == '.') {
            fraction = true;
        } else if (digits == 0 && *s == '0') {
            shift -= fraction;
        } else if (digits < DECIMAL_DIGITS) {
            text[n++] = *s;
            digits++;
            shift -= fraction;
        } else {
            shift += !fraction;
        }
    }
    if (s < end) {
        shift += read_exponent(s + 1, end);
    }
    if (digits == 0) {
        return 0.0;
    }
    text[n++] = 'e';
    n += tw_double_format(text + n, (double)(shift < -9999999 ? -9999999 : shift));
    text[n] = '\0';
    return strtod(text, NULL);
}

bool tw_value_number(tw_value v, double *out)
{
    double d;

    if (v.type == TW_INT) {
        *out = (double)v.i;
        return true;
    }
    if (v.type == TW_DOUBLE) {
        *out = v.d;
        return true;
    }
    if (v.type != TW_DECIMAL) {
        return false;
    }
    d = decimal_double(v);
    if (isinf(d)) {
        return false;
    }
    *out = d;
    return true;
}

static int order_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

/* Exact, also where a double has fewer bits than the integer. */
static int order_int_double(int64_t i, double d)
{
    if (d >= 9223372036854775808.0) {
        return -1;
    }
    if (d < -9223372036854775808.0) {
        return 1;
    }
    int64_t whole = (int64_t)d;
    if (i != whole) {
        return i < whole ? -1 : 1;
    }
    return order_doubles(0.0, d - (double)whole);
}

static bool is_plain_integer(tw_value v)
{
    for (uint32_t n = 0; n < v.len; n++) {
        if (v.s[n] == '.' || v.s[n] == 'e' || v.s[n] == 'E') {
            return false;
        }
    }
    return true;
}

static int order_decimals(tw_value a, tw_value b)
{
    bool negative = is_negative_text(a);

    if (negative != is_negative_text(b)) {
        return negative ? -1 : 1;
    }
    if (same_text(a, b)) {
        return 0;
    }
    if (is_plain_integer(a) && is_plain_integer(b)) {
        int rc = a.len != b.len ? (a.len < b.len ? -1 : 1) : memcmp(a.s, b.s, a.len);
        return negative ? -rc : rc;
    }
    return order_doubles(decimal_double(a), decimal_double(b));
}

static int order_decimal_other(tw_value decimal, tw_value other)
{
    if (other.type == TW_INT) {
        return is_negative_text(decimal) ? -1 : 1;
    }
    return order_doubles(decimal_double(decimal), other.d);
}

static int order_numbers(tw_value a, tw_value b)
{
    if (a.type == TW_INT && b.type == TW_INT) {
        return (a.i > b.i) - (a.i < b.i);
    }
    if (a.type == TW_DOUBLE && b.type == TW_DOUBLE) {
        return order_doubles(a.d, b.d);
    }
    if (a.type == TW_DECIMAL) {
        return b.type == TW_DECIMAL ? order_decimals(a, b) : order_decimal_other(a, b);
    }
    if (b.type == TW_DECIMAL) {
        return -order_decimal_other(b, a);
    }
    return a.type == TW_INT ? order_int_double(a.i, b.d) : -order_int_double(b.i, a.d);
}

bool tw_value_equal(tw_value a, tw_value b)
{
    if (is_number(a)) {
        if (a.type == TW_DECIMAL && b.type == TW_DECIMAL) {
            return same_text(a, b);
        }
        return is_number(b) && order_numbers(a, b) == 0;
    }
    if (a.type != b.type) {
        return false;
    }
    if (a.type == TW_BOOL) {
        return a.b == b.b;
    }
    if (a.type == TW_STRING || a.type == TW_JSON) {
        return same_text(a, b);
    }
    return true; /* both null, or both absent */
}

bool tw_value_compare(tw_value a, tw_value b, int *out)
{
    if (is_number(a) && is_number(b)) {
        *out = order_numbers(a, b);
        return true;
    }
    if (a.type == TW_STRING && b.type == TW_STRING) {
        uint32_t n = a.len < b.len ? a.len : b.len;
        int rc = n ? memcmp(a.s, b.s, n) : 0;
        *out = rc ? rc : (a.len > b.len) - (a.len < b.len);
        return true;
    }
    return false;
}

/* JSON text on one line: in checked JSON a line end stands only between tokens. */
static int add_one_line(tw_buf *out, const char *s, size_t n)
{
    const char *end = s + n;

    if (n > 0 && !memchr(s, '\n', n) && !memchr(s, '\r', n)) {
        return tw_buf_add(out, s, n);
    }
    while (s < end) {
        const char *stop = s;
        while (stop < end && *stop != '\n' && *stop != '\r') {
            stop++;
        }
        (void)tw_buf_add(out, s, (size_t)(stop - s));
        s = stop < end ? stop + 1 : stop;
    }
    return out->failed ? TW_ELIMIT : TW_OK;
}

int tw_value_write_json(tw_value v, tw_buf *out)
{
    switch ((tw_type)v.type) {
    case TW_ABSENT:
    case TW_NULL:
        return tw_buf_add_str(out, "null");
    case TW_BOOL:
        return tw_buf_add_str(out, v.b ? "true" : "false");
    case TW_INT:
        return tw_buf_add_int(out, v.i);
    case TW_DOUBLE:
        return isfinite(v.d) ? tw_buf_add_double(out, v.d) : tw_buf_add_str(out, "null");
    case TW_STRING:
        return tw_buf_add_json_string(out, v.s, v.len);
    case TW_DECIMAL:
        return tw_buf_add(out, v.s, v.len);
    case TW_JSON:
        return add_one_line(out, v.s, v.len);
    }
    return 0;
}

int tw_value_write_text(tw_value v, tw_buf *out)
{
    if (v.type == TW_ABSENT) {
        return 0;
    }
    if (v.type == TW_STRING) {
        return tw_buf_add(out, v.s, v.len);
    }
    if (v.type == TW_DOUBLE) {
        return tw_buf_add_double(out, v.d);
    }
    return tw_value_write_json(v, out);
}

// SPDX-License-Identifier: Apache-2.0
/* A byte buffer with a ceiling, and the two things every writer appends: numbers and JSON
 * strings. One thread at a time. Invariant: data[len] is NUL, and len <= cap <= max; cap
 * 0 means that data is the shared empty string, which is never written. */
#include "base/buf.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static char empty[1];

void tw_buf_init(tw_buf *b, size_t max)
{
    *b = (tw_buf){.data = empty, .max = max};
}

void tw_buf_done(tw_buf *b)
{
    if (b->cap)
        tw_free(b->data);
    tw_buf_init(b, b->max);
}

void tw_buf_reset(tw_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->cap)
        b->data[0] = '\0';
}

int tw_buf_reserve(tw_buf *b, size_t more)
{
    if (b->failed)
        return TW_ELIMIT;
    if (more <= b->cap - b->len)
        return TW_OK;
    if (b->len > b->max || more > b->max - b->len) {
        b->failed = true;
        return TW_ELIMIT;
    }
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < b->len + more)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    b->data = tw_realloc(b->cap ? b->data : NULL, cap + 1);
    b->data[b->len] = '\0';
    b->cap = cap;
    return TW_OK;
}

static inline bool fits(const tw_buf *b, size_t more)
{
    return !b->failed && more <= b->cap - b->len;
}

int tw_buf_add(tw_buf *b, const void *data, size_t n)
{
    if (!fits(b, n) && tw_buf_reserve(b, n) < 0)
        return TW_ELIMIT;
    if (n == 0)
        return TW_OK;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
    return TW_OK;
}

int tw_buf_add_str(tw_buf *b, const char *s)
{
    return tw_buf_add(b, s, strlen(s));
}

int tw_buf_add_char(tw_buf *b, char c)
{
    if (!fits(b, 1))
        return tw_buf_add(b, &c, 1);
    b->data[b->len++] = c;
    b->data[b->len] = '\0';
    return TW_OK;
}

int tw_buf_printf(tw_buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int rc = tw_buf_vprintf(b, format, ap);
    va_end(ap);
    return rc;
}

int tw_buf_vprintf(tw_buf *b, const char *format, va_list ap)
{
    if (b->failed)
        return TW_ELIMIT;
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap ? b->cap - b->len + 1 : 0;
    int n = vsnprintf(room ? b->data + b->len : NULL, room, format, ap);
    int rc = TW_EINVAL;
    if (n < 0)
        goto out;
    rc = TW_OK;
    if ((size_t)n >= room) {
        if (b->cap)
            b->data[b->len] = '\0';
        rc = tw_buf_reserve(b, (size_t)n);
        if (rc == TW_OK && b->cap)
            vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
    }
    if (rc == TW_OK)
        b->len += (size_t)n;
out:
    va_end(again);
    return rc;
}

static size_t format_uint(char *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

int tw_buf_add_int(tw_buf *b, int64_t v)
{
    char text[24];
    size_t n = 0;
    if (v < 0)
        text[n++] = '-';
    n += format_uint(text + n, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    return tw_buf_add(b, text, n);
}

int tw_buf_add_double(tw_buf *b, double v)
{
    char text[32];
    return tw_buf_add(b, text, tw_double_format(text, v));
}

/* 1: printed as it stands, 2: starts a UTF-8 sequence, 0: needs an escape. */
static int json_class(unsigned char c)
{
    if (c >= 0x80)
        return 2;
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Length of the well-formed UTF-8 sequence at s (no surrogates, nothing overlong), or 0.
 */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t want = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < want)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return want;
}

static void add_escape(tw_buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < sizeof named - 1; i += 2)
        if ((unsigned char)named[i] == c) {
            char two[2] = {'\\', named[i + 1]};
            tw_buf_add(b, two, 2);
            return;
        }
    char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    tw_buf_add(b, six, 6);
}

/* Whether eight bytes are printed as they stand; false: look at each. A byte of x is zero where (x - 1) & ~x has its
 * highest bit, so it is this character where x differs from eight of them by that. */
static inline bool is_plain_8(const unsigned char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x;

    memcpy(&x, p, sizeof x);
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    uint64_t low = (x - ones * 0x20) & ~x;
    uint64_t found = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | low | x;
    return (found & ones * 0x80) == 0;
}

int tw_buf_add_json_string(tw_buf *b, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t i = 0, from = 0;
    tw_buf_add_char(b, '"');
    while (i < n) {
        if (n - i >= 8 && is_plain_8(p + i)) {
            i += 8;
            continue;
        }
        int class = json_class(p[i]);
        size_t step = class == 2 ? utf8_length(p + i, n - i) : (size_t) class;
        if (step) {
            i += step;
            continue;
        }
        if (i > from)
            tw_buf_add(b, s + from, i - from);
        if (class == 2)
            tw_buf_add(b, "\xef\xbf\xbd",
                       3); /* U+FFFD stands for a byte that is no text */
        else
            add_escape(b, p[i]);
        from = ++i;
    }
    if (i > from)
        tw_buf_add(b, s + from, i - from);
    return tw_buf_add_char(b, '"');
}

char *tw_buf_take(tw_buf *b, size_t *out_len)
{
    char *data = b->cap ? b->data : tw_strdup("");
    if (out_len)
        *out_len = b->len;
    tw_buf_init(b, b->max);
    return data;
}

/* How much of the text may stay: whole characters only. */
static size_t cut_at(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

char *tw_buf_take_text(tw_buf *b, size_t max)
{
    size_t len = cut_at(b->cap ? b->data : "", b->len, max), out = 0;
    const char *text = b->cap ? b->data : "";
    char *copy = tw_alloc(3 * len + 1);

    for (size_t n = 0; n < len; n++) {
        if (text[n]) {
            copy[out++] = text[n];
        } else {
            memcpy(copy + out, "\xef\xbf\xbd", 3);
            out += 3;
        }
    }
    copy[out] = '\0';
    tw_buf_done(b);
    return tw_realloc(copy, out + 1);
}

/* v as a decimal of up to six places, when that is exact: r/1e6 is then the correctly
 * rounded value of the decimal, which is what reading the text gives. Most measured
 * values end here, without printf. */
static size_t format_short_decimal(char *out, double v)
{
    double scaled = nearbyint(v * 1e6);
    if (v < 1e-4 || v >= 1e9 || scaled / 1e6 != v)
        return 0;
    uint64_t whole = (uint64_t)scaled / 1000000, part = (uint64_t)scaled % 1000000;
    size_t n = format_uint(out, whole);
    out[n++] = '.';
    for (uint64_t unit = 100000; part; unit /= 10) {
        out[n++] = (char)('0' + part / unit);
        part %= unit;
    }
    return n;
}

static size_t format_any(char *out, double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, v);
        if (digits == 17 || strtod(out, NULL) == v)
            break;
    }
    char *point = strchr(out, *localeconv()->decimal_point);
    if (point)
        *point = '.';
    return strlen(out);
}

size_t tw_double_format(char *out, double v)
{
    size_t n = 0;
    if (!isfinite(v)) {
        const char *name = isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
        memcpy(out, name, strlen(name) + 1);
        return strlen(name);
    }
    if (v < 0)
        out[n++] = '-';
    double size = fabs(v);
    size_t digits;
    if (size < 1e15 && size == (double)(uint64_t)size)
        digits = format_uint(out + n, (uint64_t)size);
    else
        digits = format_short_decimal(out + n, size);
    if (!digits)
        return format_any(out, v);
    out[n + digits] = '\0';
    return n + digits;
}

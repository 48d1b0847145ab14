// SPDX-License-Identifier: Apache-2.0
/* The walk over an array's elements. Invariant: `at` never passes `end`. */
#include "flow/json_array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 64 /* longer numbers are compared as their text */

typedef struct scan {
    const char *at, *end;
} scan;

static void skip_space(scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* The bytes between the quotes, escapes as they are; at stands on the opening quote. */
static bool take_string(scan *s, const char **out, size_t *out_len)
{
    const char *start = ++s->at;
    for (; s->at < s->end; s->at++) {
        if (*s->at == '\\' && s->at + 1 < s->end) {
            s->at++;
        } else if (*s->at == '"') {
            *out = start;
            *out_len = (size_t)(s->at++ - start);
            return true;
        }
    }
    return false;
}

static int hex4(const char *s)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static size_t write_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* One escape, s on the letter behind the backslash; the bytes it stands for. 0:
 * malformed. */
static size_t unescape(scan *s, char out[4])
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = *s->at++;
    const char *plain = c ? strchr(letters, c) : NULL;
    if (plain) {
        out[0] = meant[plain - letters];
        return 1;
    }
    int v = c == 'u' && s->end - s->at >= 4 ? hex4(s->at) : -1;
    if (v < 0)
        return 0;
    s->at += 4;
    uint32_t code = (uint32_t)v;
    if (v >= 0xd800 && v < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' &&
        s->at[1] == 'u') {
        int low = hex4(s->at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((uint32_t)(v - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            s->at += 6;
        }
    }
    return write_utf8(code, out);
}

static bool text_equals(const char *escaped, size_t n, tw_value wanted)
{
    if (wanted.type != TW_STRING)
        return false;
    if (!memchr(escaped, '\\', n))
        return n == wanted.len && memcmp(escaped, wanted.s, n) == 0;
    const char *w = wanted.s, *w_end = wanted.s + wanted.len;
    scan s = {escaped, escaped + n};
    while (s.at < s.end) {
        char bytes[4];
        size_t len = 1;
        bytes[0] = *s.at++;
        if (bytes[0] == '\\')
            len = s.at < s.end ? unescape(&s, bytes) : 0;
        if (len == 0 || (size_t)(w_end - w) < len || memcmp(w, bytes, len) != 0)
            return false;
        w += len;
    }
    return w == w_end;
}

/* A number, true, false or null. */
static tw_value scalar(const char *text, size_t n)
{
    if (n == 4 && memcmp(text, "true", 4) == 0)
        return tw_value_bool(true);
    if (n == 5 && memcmp(text, "false", 5) == 0)
        return tw_value_bool(false);
    if (n == 4 && memcmp(text, "null", 4) == 0)
        return (tw_value){.type = TW_NULL};
    tw_value decimal = {.s = text, .len = (uint32_t)n, .type = TW_DECIMAL};
    if (n >= NUMBER_BYTES)
        return decimal;
    char copy[NUMBER_BYTES];
    memcpy(copy, text, n);
    copy[n] = '\0';
    errno = 0;
    char *end;
    if (!strpbrk(copy, ".eE")) {
        long long i = strtoll(copy, &end, 10);
        return errno || *end ? decimal : tw_value_int(i);
    }
    double d = strtod(copy, &end);
    return errno || *end ? decimal : tw_value_double(d);
}

/* An array or object, by counting brackets outside of strings. */
static bool skip_nested(scan *s)
{
    int depth = 0;
    while (s->at < s->end) {
        const char *text;
        size_t n;
        if (*s->at == '"') {
            if (!take_string(s, &text, &n))
                return false;
            continue;
        }
        char c = *s->at++;
        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && --depth == 0)
            return true;
    }
    return false;
}

/* Steps over one element; -1 malformed, 0 another one, 1 the wanted. */
static int check_element(scan *s, tw_value wanted)
{
    skip_space(s);
    if (s->at == s->end)
        return -1;
    const char *start = s->at;
    if (*start == '"') {
        size_t n;
        if (!take_string(s, &start, &n))
            return -1;
        return text_equals(start, n, wanted);
    }
    if (*start == '[' || *start == '{') {
        if (!skip_nested(s))
            return -1;
        tw_value v = {.s = start, .len = (uint32_t)(s->at - start), .type = TW_JSON};
        return tw_value_equal(v, wanted);
    }
    while (s->at < s->end && !memchr(" \t\r\n,]", *s->at, 6))
        s->at++;
    if (s->at == start)
        return -1;
    return tw_value_equal(scalar(start, (size_t)(s->at - start)), wanted);
}

bool tw_json_array_has(const char *text, size_t n, tw_value wanted)
{
    scan s = {text, text + n};
    if (!take(&s, '[') || take(&s, ']'))
        return false;
    do {
        int rc = check_element(&s, wanted);
        if (rc != 0)
            return rc > 0;
    } while (take(&s, ','));
    return false;
}

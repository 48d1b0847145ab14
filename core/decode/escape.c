// SPDX-License-Identifier: Apache-2.0
/* Escapes are rare, so these go byte by byte and from backslash to backslash. */
#include "decode/escape.h"

#include <stdint.h>
#include <string.h>

/* What stands behind the backslash, and what it stands for. */
static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits, or -1; stops at the first byte that is none. */
static int32_t hex4(const char *p)
{
    int32_t v = 0;

    for (int n = 0; n < 4; n++) {
        int digit = hex_digit(p[n]);
        if (digit < 0) {
            return -1;
        }
        v = v * 16 + digit;
    }
    return v;
}

static size_t unicode_length(const char *p)
{
    int32_t code = hex4(p + 2);

    if (code < 0 || (code >= 0xdc00 && code <= 0xdfff)) {
        return 0;
    }
    if (code < 0xd800 || code > 0xdfff) {
        return 6;
    }
    if (p[6] != '\\' || p[7] != 'u') {
        return 0;
    }
    code = hex4(p + 8);
    return code >= 0xdc00 && code <= 0xdfff ? 12 : 0;
}

size_t tw_escape_length(const char *p)
{
    return plain[(unsigned char)p[1]] ? 2 : p[1] == 'u' ? unicode_length(p) : 0;
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

static char *put_escape(char *out, const char *p, size_t *length)
{
    if (p[1] != 'u') {
        *length = 2;
        *out++ = plain[(unsigned char)p[1]];
        return out;
    }
    uint32_t code = (uint32_t)hex4(p + 2);
    *length = 6;
    if (code >= 0xd800 && code <= 0xdbff) {
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)hex4(p + 8) - 0xdc00);
        *length = 12;
    }
    return put_utf8(out, code);
}

size_t tw_unescape(const char *s, size_t n, char *out)
{
    const char *end = s + n;
    char *start = out;

    while (s < end) {
        const char *stop = memchr(s, '\\', (size_t)(end - s));
        size_t run = (size_t)((stop ? stop : end) - s);
        size_t length = 0;
        memcpy(out, s, run);
        out += run;
        if (stop) {
            out = put_escape(out, stop, &length);
        }
        s += run + length;
    }
    return (size_t)(out - start);
}

/* Bytes of the UTF-8 sequence at s, 0 when it is broken. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t want = s[0] < 0x80                    ? 1
                  : s[0] >= 0xc2 && s[0] < 0xe0  ? 2
                  : s[0] >= 0xe0 && s[0] < 0xf0  ? 3
                  : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                 : 0;

    if (want == 0 || want > n) {
        return 0;
    }
    for (size_t k = 1; k < want; k++) {
        if ((s[k] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return want;
}

size_t tw_utf8_fault(const char *s, size_t n)
{
    size_t at = 0;

    while (at < n) {
        size_t length = utf8_length((const unsigned char *)s + at, n - at);
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

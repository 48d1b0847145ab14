// SPDX-License-Identifier: Apache-2.0
/* string.format and string.rep with a bound on what they make. Numbers go through
 * snprintf with at most 40 digits of precision, so that the C library needs no memory of
 * its own. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "rule/sandbox_impl.h"

enum { ITEM_BYTES = 512, PRECISION_MAX = 40 };

typedef struct conversion {
    char text[16]; /* for snprintf */
    char letter;
    int width, precision; /* precision -1: none */
    bool left;
} conversion;

/* The first `unit` bytes of out over and over, up to total. */
static void fill_repeated(char *out, size_t unit, size_t total)
{
    for (size_t have = unit; have < total; have *= 2)
        memcpy(out + have, out, have < total - have ? have : total - have);
}

static int l_rep(lua_State *L)
{
    size_t n, gap;
    const char *s = luaL_checklstring(L, 1, &n);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &gap);
    if (times <= 0 || n + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    size_t total;
    if (__builtin_mul_overflow(n + gap, (size_t)times, &total))
        total = SIZE_MAX;
    total -= gap;
    tw_sandbox_check_length(L, total);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, total);
    memcpy(out, s, n);
    if (times > 1)
        memcpy(out + n, separator, gap);
    fill_repeated(out, n + gap, total);
    luaL_pushresultsize(&b, total);
    return 1;
}

/* ---- format ---- */

static const char *flags_of(char letter)
{
    switch (letter) {
    case 'd':
    case 'i':
        return "-+0 ";
    case 'x':
    case 'X':
    case 'o':
        return "-#0";
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        return "-+#0 ";
    case 'c':
    case 's':
        return "-";
    default:
        return NULL;
    }
}

static const char *read_two_digits(const char *s, int *out)
{
    *out = 0;
    for (int i = 0; i < 2 && isdigit((unsigned char)*s); i++)
        *out = *out * 10 + (*s++ - '0');
    return s;
}

/* Reads what follows the '%'; the text ends in NUL, which is no conversion. */
static const char *read_conversion(lua_State *L, const char *s, conversion *c)
{
    const char *start = s;
    size_t flags = strspn(s, "-+#0 ");
    s = read_two_digits(s + flags, &c->width);
    c->precision = -1;
    if (*s == '.')
        s = read_two_digits(s + 1, &c->precision);
    c->letter = *s;
    c->left = memchr(start, '-', flags) != NULL;
    const char *allowed = flags_of(c->letter);
    bool bad = c->letter == '\0' || allowed == NULL || flags > 5 ||
               strspn(start, allowed) < flags || c->precision > PRECISION_MAX ||
               (c->letter == 'c' && c->precision >= 0);
    if (bad)
        luaL_error(L, "invalid conversion '%%%s' to 'format'",
                   lua_pushlstring(L, start, strnlen(start, (size_t)(s - start) + 1)));
    bool integer = strchr("dixXo", c->letter) != NULL;
    snprintf(c->text, sizeof c->text, "%%%.*s%s%c", (int)(s - start), start,
             integer ? "ll" : "", c->letter);
    return s + 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* The format was checked and rebuilt by read_conversion. */
static size_t print_number(lua_State *L, int arg, const conversion *c, char *out)
{
    int n;
    if (c->letter == 'c')
        n = snprintf(out, ITEM_BYTES, c->text, (int)luaL_checkinteger(L, arg));
    else if (strchr("dixXo", c->letter) != NULL)
        n = snprintf(out, ITEM_BYTES, c->text, (long long)luaL_checkinteger(L, arg));
    else
        n = snprintf(out, ITEM_BYTES, c->text, (double)luaL_checknumber(L, arg));
    return n < 0 ? 0 : n >= ITEM_BYTES ? ITEM_BYTES - 1 : (size_t)n;
}

#pragma GCC diagnostic pop

static void add_spaces(luaL_Buffer *b, size_t n)
{
    memset(luaL_prepbuffsize(b, n), ' ', n);
    luaL_addsize(b, n);
}

static void add_string(lua_State *L, int arg, luaL_Buffer *b, const conversion *c)
{
    size_t n, width = (size_t)c->width;
    const char *s = lua_tolstring(L, arg, &n);
    if (c->precision >= 0 && (size_t)c->precision < n)
        n = (size_t)c->precision;
    size_t pad = width > n ? width - n : 0;
    tw_sandbox_check_length(L, luaL_bufflen(b) + n + pad);
    if (!c->left)
        add_spaces(b, pad);
    luaL_addlstring(b, s, n);
    if (c->left)
        add_spaces(b, pad);
}

/* First pass: check the format and turn what %s converts into strings, in place, while no
 * buffer is in the way on the stack. */
static void prepare(lua_State *L, const char *s, const char *end)
{
    int args = lua_gettop(L), arg = 1;
    while ((s = memchr(s, '%', (size_t)(end - s))) != NULL) {
        if (*++s == '%') {
            s++;
            continue;
        }
        conversion c;
        s = read_conversion(L, s, &c);
        if (++arg > args)
            luaL_argerror(L, arg, "no value");
        if (c.letter == 's') {
            tw_sandbox_tolstring(L, arg, NULL);
            lua_replace(L, arg);
        }
    }
}

static void add_conversion(lua_State *L, int arg, luaL_Buffer *b, const conversion *c)
{
    if (c->letter == 's') {
        add_string(L, arg, b, c);
        return;
    }
    char text[ITEM_BYTES];
    size_t n = print_number(L, arg, c, text);
    tw_sandbox_check_length(L, luaL_bufflen(b) + n);
    luaL_addlstring(b, text, n);
}

static int l_format(lua_State *L)
{
    size_t n;
    const char *s = luaL_checklstring(L, 1, &n), *end = s + n;
    prepare(L, s, end);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int arg = 1; s < end;) {
        const char *percent = memchr(s, '%', (size_t)(end - s));
        size_t plain = (size_t)((percent != NULL ? percent : end) - s);
        tw_sandbox_check_length(L, luaL_bufflen(&b) + plain + 1);
        luaL_addlstring(&b, s, plain);
        if (percent == NULL)
            break;
        s = percent + 1;
        if (*s == '%') {
            luaL_addchar(&b, *s++);
            continue;
        }
        conversion c;
        s = read_conversion(L, s, &c);
        add_conversion(L, ++arg, &b, &c);
    }
    luaL_pushresult(&b);
    return 1;
}

const luaL_Reg tw_sandbox_string_functions[] = {
    {"format", l_format},
    {"rep", l_rep},
    {NULL, NULL},
};

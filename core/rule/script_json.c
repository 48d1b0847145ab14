// SPDX-License-Identifier: Apache-2.0
/* JSON to Lua values and back. On the way in the text was checked by the decoder; here it is only walked,
 * with bounds. Whole numbers of 64 bits stay whole, larger ones stay text, arrays remember that they
 * are arrays, null is the word `null`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rule/script_impl.h"

enum { MAX_DEPTH = 32, MAX_NODES = 10000, POLL_EVERY = 256 };

/* ---- in ---------------------------------------------------------------------------- */

typedef struct reader {
    tw_lua_script *s;
    const char *at, *end;
    uint32_t nodes;
} reader;

static void read_value(lua_State *L, reader *r, int depth);

static int bad_json(lua_State *L)
{
    return luaL_error(L, "the field does not hold JSON");
}

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || (*r->at >= '\t' && *r->at <= '\r')))
        r->at++;
}

static char next_char(lua_State *L, reader *r)
{
    skip_space(r);
    if (r->at == r->end)
        bad_json(L);
    return *r->at;
}

static uint32_t read_hex(lua_State *L, reader *r)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char c = r->at < r->end ? *r->at++ : '\0';
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            bad_json(L);
        code = code << 4 | digit;
    }
    return code;
}

static void add_utf8(luaL_Buffer *b, uint32_t code)
{
    if (code < 0x80) {
        luaL_addchar(b, (char)code);
    } else if (code < 0x800) {
        luaL_addchar(b, (char)(0xC0 | code >> 6));
        luaL_addchar(b, (char)(0x80 | (code & 0x3F)));
    } else {
        if (code < 0x10000) {
            luaL_addchar(b, (char)(0xE0 | code >> 12));
        } else {
            luaL_addchar(b, (char)(0xF0 | code >> 18));
            luaL_addchar(b, (char)(0x80 | (code >> 12 & 0x3F)));
        }
        luaL_addchar(b, (char)(0x80 | (code >> 6 & 0x3F)));
        luaL_addchar(b, (char)(0x80 | (code & 0x3F)));
    }
}

/* Behind `\u`. A half of a pair without the other becomes the replacement character. */
static uint32_t read_code(lua_State *L, reader *r)
{
    uint32_t code = read_hex(L, r);
    if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        const char *before = r->at;
        r->at += 2;
        uint32_t low = read_hex(L, r);
        if (low >= 0xDC00 && low < 0xE000)
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        r->at = before;
    }
    return code >= 0xD800 && code < 0xE000 ? 0xFFFD : code;
}

static void read_escape(lua_State *L, reader *r, luaL_Buffer *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? *r->at++ : '\0';
    const char *found = c ? strchr(from, c) : NULL;

    if (found)
        luaL_addchar(b, to[found - from]);
    else if (c == 'u')
        add_utf8(b, read_code(L, r));
    else
        bad_json(L);
}

static void read_string(lua_State *L, reader *r)
{
    luaL_Buffer b;
    const char *start = ++r->at;

    while (r->at < r->end && *r->at != '"' && *r->at != '\\')
        r->at++;
    if (r->at < r->end && *r->at == '"') {
        lua_pushlstring(L, start, (size_t)(r->at++ - start));
        return;
    }
    luaL_buffinit(L, &b);
    luaL_addlstring(&b, start, (size_t)(r->at - start));
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        if (c == '\\')
            read_escape(L, r, &b);
        else
            luaL_addchar(&b, c);
    }
    if (r->at == r->end)
        bad_json(L);
    r->at++;
    luaL_pushresult(&b);
}

/* An integer of 64 bits, else a float when its text is a float, else the text itself. */
static void read_number(lua_State *L, reader *r)
{
    char text[64];
    const char *start = r->at;
    bool whole = true;

    while (r->at < r->end && strchr("+-.0123456789eE", *r->at) && *r->at) {
        whole = whole && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'));
        r->at++;
    }
    size_t n = (size_t)(r->at - start);
    if (n == 0)
        bad_json(L);
    if (n >= sizeof text) {
        lua_pushlstring(L, start, n);
        return;
    }
    memcpy(text, start, n);
    text[n] = '\0';
    if (lua_stringtonumber(L, text) == 0) /* reads as Lua does, in the C locale's way */
        bad_json(L);
    double d = lua_tonumber(L, -1);
    if ((whole && !lua_isinteger(L, -1)) || !isfinite(d)) {
        lua_pop(L, 1);
        lua_pushlstring(L, start, n);
    }
}

static void read_array(lua_State *L, reader *r, int depth)
{
    lua_Integer n = 0;

    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->s->array_mt);
    lua_setmetatable(L, -2);
    r->at++;
    if (next_char(L, r) == ']') {
        r->at++;
        return;
    }
    for (;;) {
        read_value(L, r, depth);
        lua_rawseti(L, -2, ++n);
        char c = next_char(L, r);
        r->at++;
        if (c == ']')
            return;
        if (c != ',')
            bad_json(L);
    }
}

static void read_object(lua_State *L, reader *r, int depth)
{
    lua_newtable(L);
    r->at++;
    if (next_char(L, r) == '}') {
        r->at++;
        return;
    }
    for (;;) {
        if (next_char(L, r) != '"')
            bad_json(L);
        read_string(L, r);
        if (next_char(L, r) != ':')
            bad_json(L);
        r->at++;
        read_value(L, r, depth);
        lua_rawset(L, -3);
        char c = next_char(L, r);
        r->at++;
        if (c == '}')
            return;
        if (c != ',')
            bad_json(L);
    }
}

static bool take_word(reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

static void read_value(lua_State *L, reader *r, int depth)
{
    char c = next_char(L, r);

    if (++r->nodes % POLL_EVERY == 0)
        tw_sandbox_poll(L);
    if (depth > MAX_DEPTH)
        luaL_error(L, "the field is nested too deep");
    luaL_checkstack(L, 4, NULL);
    if (c == '"')
        read_string(L, r);
    else if (c == '{')
        read_object(L, r, depth + 1);
    else if (c == '[')
        read_array(L, r, depth + 1);
    else if (take_word(r, "true"))
        lua_pushboolean(L, 1);
    else if (take_word(r, "false"))
        lua_pushboolean(L, 0);
    else if (take_word(r, "null"))
        tw_words_push_null(L, &r->s->words);
    else
        read_number(L, r);
}

void tw_script_push_json(lua_State *L, tw_lua_script *s, const char *text, size_t n)
{
    reader r = {.s = s, .at = text, .end = text + n};
    read_value(L, &r, 0);
}

/* ---- out --------------------------------------------------------------------------- */

typedef struct writer {
    tw_lua_script *s;
    uint32_t nodes;
} writer;

typedef struct key {
    const char *text;
    size_t size;
} key;

static void write_value(lua_State *L, writer *w, int index, int depth);

static int by_key(const void *a, const void *b)
{
    const key *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->text, y->text, n);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static bool is_array(lua_State *L, const writer *w, int index)
{
    if (lua_getmetatable(L, index)) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, w->s->array_mt);
        bool same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (same)
            return true;
    }
    return lua_rawlen(L, index) > 0;
}

static void write_array(lua_State *L, writer *w, int index, int depth)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    tw_buf_add_char(&w->s->out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            tw_buf_add_char(&w->s->out, ',');
        lua_rawgeti(L, index, i);
        write_value(L, w, lua_gettop(L), depth);
        lua_pop(L, 1);
    }
    tw_buf_add_char(&w->s->out, ']');
}

/* Keys in the order of their bytes: the same table gives the same text. */
static void write_object(lua_State *L, writer *w, int index, int depth)
{
    size_t count = 0, i = 0;

    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), count++)
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "a table that leaves a rule is a list or has names as keys");
    key *keys = lua_newuserdatauv(L, (count + 1) * sizeof *keys, 0);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), i++)
        keys[i].text = lua_tolstring(L, -2, &keys[i].size);
    if (count > 1)
        qsort(keys, count, sizeof *keys, by_key);
    tw_buf_add_char(&w->s->out, '{');
    for (i = 0; i < count; i++) {
        if (i > 0)
            tw_buf_add_char(&w->s->out, ',');
        tw_buf_add_json_string(&w->s->out, keys[i].text, keys[i].size);
        tw_buf_add_char(&w->s->out, ':');
        lua_pushlstring(L, keys[i].text, keys[i].size);
        lua_rawget(L, index);
        write_value(L, w, lua_gettop(L), depth);
        lua_pop(L, 1);
    }
    tw_buf_add_char(&w->s->out, '}');
    lua_pop(L, 1);
}

static void write_number(lua_State *L, writer *w, int index)
{
    double d = lua_tonumber(L, index);
    if (!isfinite(d))
        luaL_error(L, "a number that leaves a rule must be finite");
    if (lua_isinteger(L, index))
        tw_buf_add_int(&w->s->out, lua_tointeger(L, index));
    else
        tw_buf_add_double(&w->s->out, d);
}

static void write_value(lua_State *L, writer *w, int index, int depth)
{
    size_t n;
    const char *text;

    if (++w->nodes > MAX_NODES || depth > MAX_DEPTH || w->s->out.failed)
        luaL_error(
            L,
            "a table that leaves a rule is too large (32 deep, 10,000 values, 256 KiB)");
    luaL_checkstack(L, 6, NULL);
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        tw_buf_add_str(&w->s->out, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        write_number(L, w, index);
        return;
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &n);
        tw_buf_add_json_string(&w->s->out, text, n);
        return;
    case LUA_TTABLE:
        if (is_array(L, w, index))
            write_array(L, w, index, depth + 1);
        else
            write_object(L, w, index, depth + 1);
        return;
    case LUA_TUSERDATA:
        tw_words_push_null(L, &w->s->words);
        bool is_null = lua_rawequal(L, -1, index);
        lua_pop(L, 1);
        if (is_null) {
            tw_buf_add_str(&w->s->out, "null");
            return;
        }
        break;
    default:
        break;
    }
    luaL_error(L, "a %s cannot leave a rule", luaL_typename(L, index));
}

void tw_script_encode(lua_State *L, tw_lua_script *s, int index)
{
    writer w = {.s = s};
    tw_buf_reset(&s->out);
    write_value(L, &w, lua_absindex(L, index), 0);
    if (s->out.failed)
        luaL_error(L, "a table that leaves a rule is too large (256 KiB)");
}

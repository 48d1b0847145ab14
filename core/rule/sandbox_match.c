// SPDX-License-Identifier: Apache-2.0
/* string.find, match, gmatch and gsub over our own matcher (pattern.h), with the results
 * of the library they replace. A malformed pattern is an error even where the match would
 * not come to the malformed part. */
#include <string.h>

#include "rule/pattern.h"
#include "rule/sandbox_impl.h"

typedef struct search {
    tw_pattern pattern;
    tw_match match;
    const char *at;   /* where to look next; NULL when there is nothing left */
    const char *last; /* end of the match before: an empty one may not begin there */
} search;

static void compile(lua_State *L, tw_pattern *p, const char *text, size_t n)
{
    const char *wrong = tw_pattern_compile(p, text, n);
    if (wrong != NULL)
        luaL_error(L, "%s", wrong);
}

static void match_init(lua_State *L, tw_match *m, const char *s, size_t n)
{
    m->subject = s;
    m->end = s + n;
    m->guard = tw_sandbox_of(L)->guard;
    m->stopped = false;
}

static void push_capture(lua_State *L, const tw_match *m, int i)
{
    if (m->capture[i].len == TW_PATTERN_POSITION)
        lua_pushinteger(L, m->capture[i].start - m->subject + 1);
    else
        lua_pushlstring(L, m->capture[i].start, (size_t)m->capture[i].len);
}

/* All captures, or the whole match where there are none and start is given. */
static int push_captures(lua_State *L, const tw_pattern *p, const tw_match *m,
                         const char *start, const char *end)
{
    luaL_checkstack(L, p->captures + 1, "too many captures");
    if (p->captures == 0 && start != NULL) {
        lua_pushlstring(L, start, (size_t)(end - start));
        return 1;
    }
    for (int i = 0; i < p->captures; i++)
        push_capture(L, m, i);
    return p->captures;
}

static const char *find_first(lua_State *L, const tw_pattern *p, tw_match *m,
                              const char *from, bool anchored, const char **out_end)
{
    const char *start = NULL;
    if (!anchored)
        start = tw_pattern_search(p, m, from, out_end);
    else if ((*out_end = tw_pattern_match_at(p, m, from)) != NULL)
        start = from;
    if (m->stopped)
        tw_sandbox_poll(L);
    return start;
}

/* The byte a 1-based or negative position means, or NULL beyond the end. */
static const char *start_at(lua_State *L, int arg, const char *s, size_t n)
{
    lua_Integer i = luaL_optinteger(L, arg, 1);
    if (i < 0)
        i = i < -(lua_Integer)n ? 1 : (lua_Integer)n + i + 1;
    if (i == 0)
        i = 1;
    return i - 1 > (lua_Integer)n ? NULL : s + i - 1;
}

static bool is_plain(const char *pattern, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL)
            return false;
    return true;
}

static int push_found(lua_State *L, const char *s, const char *start, const char *end)
{
    lua_pushinteger(L, start - s + 1);
    lua_pushinteger(L, end - s);
    return 2;
}

static int l_find(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *text = luaL_checklstring(L, 2, &pn);
    const char *from = start_at(L, 3, s, n);
    if (from == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (lua_toboolean(L, 4) || is_plain(text, pn)) {
        const char *at = memmem(from, n - (size_t)(from - s), text, pn);
        if (at != NULL)
            return push_found(L, s, at, at + pn);
        lua_pushnil(L);
        return 1;
    }
    tw_pattern p;
    tw_match m;
    size_t anchor = *text == '^';
    compile(L, &p, text + anchor, pn - anchor);
    match_init(L, &m, s, n);
    const char *end = NULL, *start = find_first(L, &p, &m, from, anchor, &end);
    if (start == NULL) {
        lua_pushnil(L);
        return 1;
    }
    return push_found(L, s, start, end) + push_captures(L, &p, &m, NULL, NULL);
}

static int l_match(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *text = luaL_checklstring(L, 2, &pn);
    const char *from = start_at(L, 3, s, n), *start = NULL, *end = NULL;
    tw_pattern p;
    tw_match m;
    if (from != NULL) {
        size_t anchor = pn > 0 && *text == '^';
        compile(L, &p, text + anchor, pn - anchor);
        match_init(L, &m, s, n);
        start = find_first(L, &p, &m, from, anchor, &end);
    }
    if (start == NULL) {
        lua_pushnil(L);
        return 1;
    }
    return push_captures(L, &p, &m, start, end);
}

/* The next match that does not end where the one before ended. */
static const char *next_match(lua_State *L, search *g, const char **out_end)
{
    while (g->at != NULL) {
        const char *start = find_first(L, &g->pattern, &g->match, g->at, false, out_end);
        if (start == NULL) {
            g->at = NULL;
        } else if (*out_end == g->last) {
            g->at = start < g->match.end ? start + 1 : NULL;
        } else {
            g->at = g->last = *out_end;
            return start;
        }
    }
    return NULL;
}

static int l_gmatch_next(lua_State *L)
{
    search *g = lua_touserdata(L, lua_upvalueindex(2));
    g->match.guard = tw_sandbox_of(L)->guard;
    const char *end, *start = next_match(L, g, &end);
    return start != NULL ? push_captures(L, &g->pattern, &g->match, start, end) : 0;
}

static int l_gmatch(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *text = luaL_checklstring(L, 2, &pn);
    const char *from = start_at(L, 3, s, n);
    lua_settop(L, 2);
    search *g = lua_newuserdatauv(L, sizeof *g, 0);
    compile(L, &g->pattern, text, pn);
    match_init(L, &g->match, s, n);
    g->at = from;
    g->last = NULL;
    lua_pushvalue(L, 1); /* the subject stays alive with the closure */
    lua_insert(L, -2);
    lua_pushcclosure(L, l_gmatch_next, 2);
    return 1;
}

/* ---- gsub ---- */

enum { REPLACEMENT = 3 };

static void add_bytes(lua_State *L, luaL_Buffer *b, const char *s, size_t n)
{
    tw_sandbox_check_length(L, luaL_bufflen(b) + n);
    luaL_addlstring(b, s, n);
}

static void add_capture(lua_State *L, luaL_Buffer *b, const search *g, int digit,
                        const char *start, const char *end)
{
    const tw_match *m = &g->match;
    if (digit == 0 || (digit == 1 && g->pattern.captures == 0)) {
        add_bytes(L, b, start, (size_t)(end - start));
        return;
    }
    if (digit > g->pattern.captures)
        luaL_error(L, "invalid capture index %%%d in replacement string", digit);
    if (m->capture[digit - 1].len != TW_PATTERN_POSITION) {
        add_bytes(L, b, m->capture[digit - 1].start, (size_t)m->capture[digit - 1].len);
        return;
    }
    push_capture(L, m, digit - 1);
    luaL_addvalue(b);
}

static void add_template(lua_State *L, luaL_Buffer *b, const search *g, const char *start,
                         const char *end)
{
    size_t n;
    const char *t = lua_tolstring(L, REPLACEMENT, &n), *stop = t + n;
    while (t < stop) {
        const char *percent = memchr(t, '%', (size_t)(stop - t));
        if (percent == NULL)
            percent = stop;
        add_bytes(L, b, t, (size_t)(percent - t));
        if (percent == stop)
            return;
        char c = percent + 1 < stop ? percent[1] : '\0';
        if (c == '%')
            add_bytes(L, b, "%", 1);
        else if (c >= '0' && c <= '9')
            add_capture(L, b, g, c - '0', start, end);
        else
            luaL_error(L, "invalid use of '%%' in replacement string");
        t = percent + 2;
    }
}

/* What a table or function makes of the match; false or nil keeps it. */
static bool add_answer(lua_State *L, luaL_Buffer *b, const search *g, const char *start,
                       const char *end)
{
    if (lua_type(L, REPLACEMENT) == LUA_TFUNCTION) {
        lua_pushvalue(L, REPLACEMENT);
        int n = push_captures(L, &g->pattern, &g->match, start, end);
        lua_call(L, n, 1);
    } else {
        if (g->pattern.captures > 0)
            push_capture(L, &g->match, 0);
        else
            lua_pushlstring(L, start, (size_t)(end - start));
        lua_gettable(L, REPLACEMENT);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        add_bytes(L, b, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    tw_sandbox_check_length(L, luaL_bufflen(b) + lua_rawlen(L, -1));
    luaL_addvalue(b);
    return true;
}

/* Adds what stands for one match; whether that differs from the match. */
static bool add_replacement(lua_State *L, luaL_Buffer *b, const search *g,
                            const char *start, const char *end)
{
    int type = lua_type(L, REPLACEMENT);
    if (type == LUA_TTABLE || type == LUA_TFUNCTION)
        return add_answer(L, b, g, start, end);
    add_template(L, b, g, start, end);
    return true;
}

static void check_replacement(lua_State *L)
{
    int type = lua_type(L, REPLACEMENT);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE ||
                         type == LUA_TFUNCTION,
                     REPLACEMENT, "string/function/table");
    if (type == LUA_TNUMBER)
        lua_tostring(L, REPLACEMENT);
}

static int l_gsub(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *text = luaL_checklstring(L, 2, &pn);
    check_replacement(L);
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)n + 1), count = 0;
    bool anchored = pn > 0 && *text == '^', changed = false;
    search g = {.at = s};
    compile(L, &g.pattern, text + anchored, pn - (size_t)anchored);
    match_init(L, &g.match, s, n);

    luaL_Buffer b;
    luaL_buffinit(L, &b);
    const char *copied = s;
    while (count < max && g.at != NULL) {
        const char *end, *start;
        if (anchored) {
            start = find_first(L, &g.pattern, &g.match, s, true, &end);
            g.at = NULL;
        } else {
            start = next_match(L, &g, &end);
        }
        if (start == NULL)
            break;
        count++;
        add_bytes(L, &b, copied, (size_t)(start - copied));
        changed |= add_replacement(L, &b, &g, start, end);
        copied = end;
    }
    add_bytes(L, &b, copied, (size_t)(s + n - copied));
    luaL_pushresult(&b);
    if (!changed) /* the same string again, not a copy of it */
        lua_pushvalue(L, 1);
    lua_pushinteger(L, count);
    return 2;
}

const luaL_Reg tw_sandbox_match_functions[] = {
    {"find", l_find},   {"gmatch", l_gmatch}, {"gsub", l_gsub},
    {"match", l_match}, {NULL, NULL},
};

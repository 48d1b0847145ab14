// SPDX-License-Identifier: Apache-2.0
/* The table library, on raw access and raw lengths only: a table that lies about its
 * length or answers reads by a function is refused, not followed. Every loop a rule can
 * make long polls. */
#include "rule/sandbox_impl.h"

enum { UNPACK_MAX = 16384, POLL_EVERY = 1024 };

static void poll_now_and_then(lua_State *L, lua_Integer i)
{
    if (i % POLL_EVERY == 0)
        tw_sandbox_poll(L);
}

static lua_Integer check_plain(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    if (lua_getmetatable(L, arg))
        luaL_argerror(L, arg, "a table with a metatable cannot be used here");
    return (lua_Integer)lua_rawlen(L, arg);
}

void tw_sandbox_check_length(lua_State *L, size_t len)
{
    size_t max = tw_sandbox_of(L)->limits.string_bytes;
    if (len > max)
        luaL_error(L, "the resulting string is longer than %d KiB", (int)(max >> 10));
}

/* t[to] = t[from] for a table at index 1 */
static void move_one(lua_State *L, lua_Integer from, lua_Integer to)
{
    lua_rawgeti(L, 1, from);
    lua_rawseti(L, 1, to);
}

static int l_insert(lua_State *L)
{
    lua_Integer n = check_plain(L, 1), at = n + 1;
    int args = lua_gettop(L);
    if (args != 2 && args != 3)
        return luaL_error(L, "wrong number of arguments to 'insert'");
    if (args == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, at >= 1 && at <= n + 1, 2, "position out of bounds");
    }
    for (lua_Integer i = n; i >= at; i--) {
        poll_now_and_then(L, i);
        move_one(L, i, i + 1);
    }
    lua_rawseti(L, 1, at);
    return 0;
}

static int l_remove(lua_State *L)
{
    lua_Integer n = check_plain(L, 1);
    lua_Integer at = luaL_optinteger(L, 2, n);
    if (lua_gettop(L) > 1)
        luaL_argcheck(L, (at >= 1 && at <= n + 1) || (n == 0 && at == 0), 2,
                      "position out of bounds");
    lua_settop(L, 1);
    lua_rawgeti(L, 1, at);
    for (; at < n; at++) {
        poll_now_and_then(L, at);
        move_one(L, at + 1, at);
    }
    lua_pushnil(L);
    lua_rawseti(L, 1, at);
    return 1;
}

static void add_item(lua_State *L, luaL_Buffer *b, lua_Integer i)
{
    size_t len;
    int type = lua_rawgeti(L, 1, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "invalid value (at index %I) in table for 'concat'",
                   (LUAI_UACINT)i);
    lua_tolstring(L, -1, &len);
    tw_sandbox_check_length(L, luaL_bufflen(b) + len);
    luaL_addvalue(b);
}

static int l_concat(lua_State *L)
{
    lua_Integer n = check_plain(L, 1);
    size_t len;
    const char *separator = luaL_optlstring(L, 2, "", &len);
    lua_Integer i = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, n);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    while (i <= last) {
        poll_now_and_then(L, i);
        add_item(L, &b, i);
        if (i == last)
            break; /* i must not pass the largest integer */
        tw_sandbox_check_length(L, luaL_bufflen(&b) + len);
        luaL_addlstring(&b, separator, len);
        i++;
    }
    luaL_pushresult(&b);
    return 1;
}

static int l_unpack(lua_State *L)
{
    lua_Integer i = luaL_optinteger(L, 2, 1);
    lua_Integer last = luaL_optinteger(L, 3, check_plain(L, 1));
    if (i > last)
        return 0;
    lua_Unsigned n = (lua_Unsigned)last - (lua_Unsigned)i;
    if (n >= UNPACK_MAX)
        return luaL_error(L, "too many results to unpack");
    luaL_checkstack(L, (int)n + 1, "too many results to unpack");
    for (lua_Unsigned k = 0; k <= n; k++)
        lua_rawgeti(L, 1, i + (lua_Integer)k);
    return (int)n + 1;
}

static int l_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
    lua_Integer to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    check_plain(L, 1);
    check_plain(L, target);
    if (last >= from) {
        luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3,
                      "too many elements to move");
        lua_Integer n = last - from + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
        bool upwards = to > last || to <= from || target != 1;
        for (lua_Integer k = 0; k < n; k++) {
            poll_now_and_then(L, k);
            lua_Integer i = upwards ? k : n - 1 - k;
            lua_rawgeti(L, 1, from + i);
            lua_rawseti(L, target, to + i);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

/* ---- sort: merges runs between the table and a second one; stable, and safe with an
 * order function that contradicts itself ---- */

enum { SORT_TABLE = 1, SORT_LESS = 2, SORT_SPARE = 3 };

/* Whether the value on top comes before the one below it. */
static bool top_is_less(lua_State *L)
{
    if (lua_isnil(L, SORT_LESS))
        return lua_compare(L, -1, -2, LUA_OPLT);
    lua_pushvalue(L, SORT_LESS);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_call(L, 2, 1);
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

/* Merge [low, mid) and [mid, high) of one table into the other. */
static void merge(lua_State *L, int source, int target, lua_Integer low, lua_Integer mid,
                  lua_Integer high)
{
    lua_Integer i = low, j = mid;
    for (lua_Integer k = low; k < high; k++) {
        poll_now_and_then(L, k);
        if (i == mid) {
            lua_rawgeti(L, source, j++);
        } else if (j == high) {
            lua_rawgeti(L, source, i++);
        } else {
            lua_rawgeti(L, source, i);
            lua_rawgeti(L, source, j);
            bool second = top_is_less(L);
            if (second) {
                lua_remove(L, -2);
                j++;
            } else {
                lua_pop(L, 1);
                i++;
            }
        }
        lua_rawseti(L, target, k);
    }
}

static lua_Integer lesser(lua_Integer a, lua_Integer b)
{
    return a < b ? a : b;
}

static int l_sort(lua_State *L)
{
    lua_Integer n = check_plain(L, 1);
    if ((size_t)n > tw_sandbox_of(L)->limits.sort_items)
        return luaL_error(L, "more than %d items to sort",
                          (int)tw_sandbox_of(L)->limits.sort_items);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_createtable(L, (int)n, 0);
    luaL_checkstack(L, 10, NULL);
    int source = SORT_TABLE, target = SORT_SPARE;
    for (lua_Integer width = 1; width < n; width *= 2) {
        for (lua_Integer low = 1; low <= n; low += 2 * width)
            merge(L, source, target, low, lesser(low + width, n + 1),
                  lesser(low + 2 * width, n + 1));
        int swap = source;
        source = target;
        target = swap;
    }
    for (lua_Integer i = 1; source == SORT_SPARE && i <= n; i++) {
        lua_rawgeti(L, SORT_SPARE, i);
        lua_rawseti(L, SORT_TABLE, i);
    }
    return 0;
}

const luaL_Reg tw_sandbox_table_functions[] = {
    {"concat", l_concat}, {"insert", l_insert}, {"move", l_move}, {"remove", l_remove},
    {"sort", l_sort},     {"unpack", l_unpack}, {NULL, NULL},
};

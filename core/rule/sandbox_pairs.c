// SPDX-License-Identifier: Apache-2.0
/* pairs in an order that is the same in every run: numbers, then strings by bytes, then
 * the rest. Lua's own order depends on a hash seed drawn at start, so a rule that builds
 * a text from a table would not replay byte for byte. A table whose own order is already
 * so (a list, one entry) is walked by next, without a copy of its keys. */
#include <string.h>

#include "rule/sandbox_impl.h"

enum { NUMBER, STRING, BOOLEAN, OTHER, POLL_EVERY = 1024 };

typedef struct key {
    union {
        lua_Integer i;
        lua_Number n;
        const char *s;
    } as;
    uint32_t len;        /* of a string */
    uint32_t index : 29; /* in the list of keys as next gave them */
    uint32_t kind : 2;
    uint32_t is_integer : 1;
} key;

static void read_key(lua_State *L, int at, lua_Integer index, key *k)
{
    *k = (key){.index = (uint32_t)index & 0x1FFFFFFF, .kind = OTHER};
    size_t len;
    switch (lua_type(L, at)) {
    case LUA_TNUMBER:
        k->kind = NUMBER;
        k->is_integer = lua_isinteger(L, at) != 0;
        if (k->is_integer)
            k->as.i = lua_tointeger(L, at);
        else
            k->as.n = lua_tonumber(L, at);
        break;
    case LUA_TSTRING:
        k->kind = STRING;
        k->as.s = lua_tolstring(L, at, &len);
        k->len = (uint32_t)len;
        break;
    case LUA_TBOOLEAN:
        k->kind = BOOLEAN;
        k->as.i = lua_toboolean(L, at);
        break;
    default:
        break;
    }
}

static int compare_numbers(const key *a, const key *b)
{
    if (a->is_integer && b->is_integer)
        return a->as.i < b->as.i ? -1 : a->as.i > b->as.i;
    lua_Number x = a->is_integer ? (lua_Number)a->as.i : a->as.n;
    lua_Number y = b->is_integer ? (lua_Number)b->as.i : b->as.n;
    if (x != y)
        return x < y ? -1 : 1;
    return (int)b->is_integer - (int)a->is_integer;
}

static int compare(const key *a, const key *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == NUMBER)
        return compare_numbers(a, b);
    if (a->kind == STRING) {
        int c = memcmp(a->as.s, b->as.s, a->len < b->len ? a->len : b->len);
        return c != 0 ? c : a->len < b->len ? -1 : a->len > b->len;
    }
    if (a->kind == BOOLEAN)
        return a->as.i < b->as.i ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* How many entries the table at index 1 has; *out_sorted when next gives them in order.
 */
static lua_Integer survey(lua_State *L, bool *out_sorted)
{
    key before, here;
    lua_Integer n = 0;
    *out_sorted = true;
    for (lua_pushnil(L); lua_next(L, 1); n++) {
        lua_pop(L, 1);
        read_key(L, -1, n, &here);
        if (n > 0 && *out_sorted && (here.kind == OTHER || compare(&before, &here) > 0))
            *out_sorted = false;
        before = here;
        if (n % POLL_EVERY == 0)
            tw_sandbox_poll(L);
    }
    return n;
}

static void sift(key *k, lua_Integer at, lua_Integer n)
{
    for (;;) {
        lua_Integer child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare(&k[child], &k[child + 1]) < 0)
            child++;
        if (compare(&k[at], &k[child]) >= 0)
            return;
        key swap = k[at];
        k[at] = k[child];
        k[child] = swap;
        at = child;
    }
}

/* Heap sort: in place, no worse on unlucky input. */
static void sort_keys(lua_State *L, key *k, lua_Integer n)
{
    for (lua_Integer i = n / 2; i-- > 0;)
        sift(k, i, n);
    for (lua_Integer i = n; i-- > 1;) {
        if (i % POLL_EVERY == 0)
            tw_sandbox_poll(L);
        key swap = k[0];
        k[0] = k[i];
        k[i] = swap;
        sift(k, 0, i);
    }
}

/* Pushes a list of the n keys of the table at index 1, in order. No Lua code runs in
 * here, so the table stays as it was surveyed. */
static void push_sorted_keys(lua_State *L, lua_Integer n)
{
    lua_createtable(L, (int)n, 0);
    int list = lua_gettop(L);
    lua_createtable(L, (int)n, 0);
    int raw = lua_gettop(L);
    key *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
    lua_Integer i = 0;
    for (lua_pushnil(L); i < n && lua_next(L, 1); i++) {
        lua_pop(L, 1);
        read_key(L, -1, i, &keys[i]);
        lua_pushvalue(L, -1);
        lua_rawseti(L, raw, i + 1);
    }
    sort_keys(L, keys, i);
    for (lua_Integer k = 0; k < i; k++) {
        lua_rawgeti(L, raw, (lua_Integer)keys[k].index + 1);
        lua_rawseti(L, list, k + 1);
    }
    lua_settop(L, list);
}

/* Upvalues: the list, the position of the key given last. */
static int l_next_sorted(lua_State *L)
{
    lua_settop(L, 1);
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    for (;;) {
        i++;
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL)
            break;
        lua_settop(L, 1); /* removed while walking */
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int l_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

int tw_sandbox_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 8, NULL);
    bool sorted;
    lua_Integer n = survey(L, &sorted),
                max = (lua_Integer)tw_sandbox_of(L)->limits.sort_items;
    if (sorted) {
        lua_pushcfunction(L, l_next);
    } else {
        if (n > max)
            return luaL_error(L, "pairs: more than %I entries", (LUAI_UACINT)max);
        push_sorted_keys(L, n);
        lua_pushinteger(L, 0);
        lua_pushcclosure(L, l_next_sorted, 2);
    }
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

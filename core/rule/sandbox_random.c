// SPDX-License-Identifier: Apache-2.0
/* math.random over a generator that the host seeds, so that a replay draws the same
 * numbers. The generator is splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
 * Number Generators, 2014). */
#include "rule/sandbox_impl.h"

static uint64_t draw(tw_sandbox *s)
{
    uint64_t z = s->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Uniform in [0, span]: the smallest mask that covers span, until a draw fits. */
static uint64_t draw_within(tw_sandbox *s, uint64_t span)
{
    uint64_t mask = span == 0 ? 0 : UINT64_MAX >> __builtin_clzll(span);
    uint64_t v;
    do
        v = draw(s) & mask;
    while (v > span);
    return v;
}

int tw_sandbox_random(lua_State *L)
{
    tw_sandbox *s = tw_sandbox_of(L);
    lua_Integer low = 1, high;
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (lua_Number)(draw(s) >> 11) * 0x1p-53);
        return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)draw(s));
            return 1;
        }
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        break;
    default:
        return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t v = draw_within(s, (uint64_t)high - (uint64_t)low);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + v));
    return 1;
}

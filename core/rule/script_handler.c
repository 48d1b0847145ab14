// SPDX-License-Identifier: Apache-2.0
/* `ctx` of a handler: the state, timers and incidents of its key, through the tw_handler_host that is
 * lent for the call. Bindings take, work, give; what they hold across a line with L in it is owned
 * by the script. */
#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"
#include "rule/script_impl.h"

#define MAX_NAME_BYTES 128

static tw_lua_script *script_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static tw_handler_host *check_host(lua_State *L, const tw_lua_script *s)
{
    if (!s->now.host)
        luaL_error(L, "ctx is only lent for the call it is given to");
    return s->now.host;
}

static const char *check_name(lua_State *L)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    if (n == 0 || n > MAX_NAME_BYTES || strlen(name) != n)
        luaL_error(L, "a name has 1 to %d bytes", MAX_NAME_BYTES);
    return name;
}

static int64_t check_duration(lua_State *L, int index)
{
    size_t n;
    int64_t ms;
    const char *text = luaL_checklstring(L, index, &n);
    if (tw_duration_parse(text, n, &ms) < 0)
        luaL_error(L, "\"%s\" is not a duration; write it like \"90s\" or \"5m\"", text);
    return ms;
}

static int raise(lua_State *L, const tw_err *err)
{
    return luaL_error(L, "%s", err->text);
}

/* ---- state ------------------------------------------------------------------------- */

/* What is at index as a value of the state; tables as JSON in the script's buffer. */
static tw_value check_value(lua_State *L, tw_lua_script *s, int index)
{
    size_t n;
    const char *text;
    double d;

    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return tw_value_absent();
    case LUA_TBOOLEAN:
        return tw_value_bool(lua_toboolean(L, index));
    case LUA_TNUMBER:
        d = lua_tonumber(L, index);
        if (!isfinite(d))
            luaL_error(L, "the state holds finite numbers only");
        return lua_isinteger(L, index) ? tw_value_int(lua_tointeger(L, index))
                                       : tw_value_double(d);
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &n);
        return tw_value_string(text, n);
    default:
        tw_script_encode(L, s, index);
        if (strcmp(s->out.data, "null") == 0)
            return (tw_value){.type = TW_NULL};
        return (tw_value){.s = s->out.data, .len = (uint32_t)s->out.len, .type = TW_JSON};
    }
}

static int l_state_get(lua_State *L)
{
    tw_lua_script *s = script_of(L);
    tw_handler_host *h = check_host(L, s);
    tw_script_push(L, s, h->cls->get(h, check_name(L)));
    return 1;
}

static int l_state_set(lua_State *L)
{
    tw_lua_script *s = script_of(L);
    tw_handler_host *h = check_host(L, s);
    const char *name = check_name(L);
    tw_value v = check_value(L, s, 2);
    tw_err err;
    return h->cls->set(h, name, v, &err) < 0 ? raise(L, &err) : 0;
}

/* state.incr(name [, by]): absent counts as 0; whole numbers stay whole. Gives the new value. */
static int l_state_incr(lua_State *L)
{
    tw_lua_script *s = script_of(L);
    tw_handler_host *h = check_host(L, s);
    const char *name = check_name(L);
    tw_value old = h->cls->get(h, name), sum;
    tw_err err;
    int64_t whole;

    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushinteger(L, 1);
    }
    double by = luaL_checknumber(L, 2);
    if (old.type == TW_ABSENT)
        old = tw_value_int(0);
    if (old.type != TW_INT && old.type != TW_DOUBLE)
        return luaL_error(L, "incr: '%s' does not hold a number", name);
    if (old.type == TW_INT && lua_isinteger(L, 2) &&
        !__builtin_add_overflow(old.i, lua_tointeger(L, 2), &whole))
        sum = tw_value_int(whole);
    else
        sum = tw_value_double((old.type == TW_INT ? (double)old.i : old.d) + by);
    if (sum.type == TW_DOUBLE && !isfinite(sum.d))
        return luaL_error(L, "incr: '%s' would not be a finite number", name);
    if (h->cls->set(h, name, sum, &err) < 0)
        return raise(L, &err);
    tw_script_push(L, s, sum);
    return 1;
}

static int l_state_expire(lua_State *L)
{
    tw_handler_host *h = check_host(L, script_of(L));
    const char *name = check_name(L);
    int64_t after_ms = check_duration(L, 2);
    tw_err err;
    return h->cls->expire(h, name, after_ms, &err) < 0 ? raise(L, &err) : 0;
}

/* ---- timers and incidents ---------------------------------------------------------- */

/* ctx.timer(name, "5m"); nil or false instead of the duration cancels. */
static int l_timer(lua_State *L)
{
    tw_handler_host *h = check_host(L, script_of(L));
    const char *name = check_name(L);
    int64_t after_ms = lua_toboolean(L, 2) ? check_duration(L, 2) : -1;
    tw_err err;
    return h->cls->timer(h, name, after_ms, &err) < 0 ? raise(L, &err) : 0;
}

static void check_severity(lua_State *L)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    if (strcmp(text, "info") != 0 && strcmp(text, "warn") != 0 &&
        strcmp(text, "crit") != 0)
        luaL_error(L, "fire: severity is \"info\", \"warn\" or \"crit\"");
}

static void check_fire_options(lua_State *L)
{
    static const char *const names[] = {"id", "severity", "title", "body", "labels"};
    enum { COUNT = sizeof names / sizeof names[0] };

    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        size_t i = 0;
        while (i < COUNT && strcmp(names[i], name) != 0)
            i++;
        if (i == COUNT) {
            const char *nearest = tw_nearest(name, names, COUNT);
            luaL_error(L, "fire: '%s' is not an option%s%s%s", name,
                       nearest ? " (did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?)" : "");
        }
        if (strcmp(name, "severity") == 0)
            check_severity(L);
        else if (strcmp(name, "labels") == 0)
            luaL_argexpected(L, lua_istable(L, -1), 1, "labels as a table");
        else if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "fire: %s is a string, not a %s", name, luaL_typename(L, -1));
    }
}

static int l_fire(lua_State *L)
{
    tw_lua_script *s = script_of(L);
    tw_handler_host *h = check_host(L, s);
    tw_err err;

    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    check_fire_options(L);
    tw_script_encode(L, s, 1);

    json_error_t why;
    json_t *options = json_loadb(s->out.data, s->out.len, JSON_ALLOW_NUL, &why);
    if (!options)
        return luaL_error(L, "fire: %s", why.text);
    int rc = h->cls->fire(h, options, &err);
    json_decref(options);
    return rc < 0 ? raise(L, &err) : 0;
}

static int l_resolve(lua_State *L)
{
    tw_handler_host *h = check_host(L, script_of(L));
    tw_err err;
    return h->cls->resolve(h, &err) < 0 ? raise(L, &err) : 0;
}

/* ---- ctx --------------------------------------------------------------------------- */

/* Upvalues: the script, the table of methods. */
static int l_ctx_index(lua_State *L)
{
    tw_lua_script *s = script_of(L);
    tw_handler_host *h = check_host(L, s);
    const char *name = luaL_checkstring(L, 2);

    if (strcmp(name, "now") == 0) {
        lua_pushinteger(L, h->cls->now(h));
    } else if (strcmp(name, "input") == 0) {
        lua_pushstring(L, s->now.input);
    } else {
        lua_settop(L, 2);
        if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL)
            return luaL_error(
                L,
                "ctx has no '%s'; it has state, timer, fire, resolve, now and "
                "input",
                name);
    }
    return 1;
}

static const luaL_Reg state_methods[] = {
    {"expire", l_state_expire}, {"get", l_state_get}, {"incr", l_state_incr},
    {"set", l_state_set},       {NULL, NULL},
};

static const luaL_Reg ctx_methods[] = {
    {"fire", l_fire},
    {"resolve", l_resolve},
    {"timer", l_timer},
    {NULL, NULL},
};

static void push_methods(lua_State *L, tw_lua_script *s, const luaL_Reg *methods)
{
    lua_newtable(L);
    lua_pushlightuserdata(L, s);
    luaL_setfuncs(L, methods, 1);
}

void tw_script_make_context(lua_State *L, tw_lua_script *s)
{
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 3);
    lua_pushlightuserdata(L, s);
    push_methods(L, s, ctx_methods);
    push_methods(L, s, state_methods);
    tw_sandbox_seal(L);
    lua_setfield(L, -2, "state");
    lua_pushcclosure(L, l_ctx_index, 2);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "ctx");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

// SPDX-License-Identifier: Apache-2.0
/* The environment a rule sees, by allow-list: nothing is there that is not named here or
 * defined by the host. `base` holds the globals and is reachable only through the locked
 * metatable of the rule's own `_G`, so that a rule reads but never changes them;
 * libraries are sealed views. A metatable set by a rule is a fresh copy that nobody can
 * reach. */
#include <lualib.h>
#include <string.h>

#include "rule/sandbox_impl.h"

/* Their addresses are keys that a rule cannot name. */
static const char environment_key, sealed_key;

enum { LOG_LINE_BYTES = 4096 };

/* ---- read-only views ---- */

static int l_refuse_assignment(lua_State *L)
{
    return luaL_error(L, "this table is read-only");
}

static int l_sealed_length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
    return 1;
}

static int l_sealed_pairs(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    return tw_sandbox_pairs(L);
}

static void lock_metatable(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &sealed_key);
}

void tw_sandbox_seal(lua_State *L)
{
    luaL_checkstack(L, 5, NULL);
    int table = lua_gettop(L);
    lua_newtable(L); /* the view */
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, table);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_refuse_assignment);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, table);
    lua_pushcclosure(L, l_sealed_length, 1);
    lua_setfield(L, -2, "__len");
    lua_pushvalue(L, table);
    lua_pushcclosure(L, l_sealed_pairs, 1);
    lua_setfield(L, -2, "__pairs");
    lock_metatable(L);
    lua_setmetatable(L, -2);
    lua_replace(L, table);
}

bool tw_sandbox_is_sealed(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    bool sealed = lua_rawgetp(L, -1, &sealed_key) != LUA_TNIL;
    lua_pop(L, 2);
    return sealed;
}

void tw_sandbox_push_environment(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
}

void tw_sandbox_define(lua_State *L, const char *name)
{
    luaL_checkstack(L, 2, NULL);
    tw_sandbox_push_environment(L);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* _G.name = value, for a name that _G does not hold itself. */
static int l_assign_global(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return luaL_error(L, "'%s' belongs to the environment and cannot be assigned",
                          lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

/* ---- metatables ---- */

static const char *const settable_events[] = {
    "__index", "__newindex", "__call",   "__tostring", "__name", "__len", "__eq",
    "__lt",    "__le",       "__concat", "__unm",      "__add",  "__sub", "__mul",
    "__div",   "__mod",      "__pow",    "__idiv",     "__band", "__bor", "__bxor",
    "__bnot",  "__shl",      "__shr",    "__pairs",    NULL,
};
static const char *const refused_events[] = {"__gc", "__close", "__mode", "__metatable",
                                             NULL};

static void check_event(lua_State *L, const char *name)
{
    int type = lua_type(L, -1);
    bool table_too = strcmp(name, "__index") == 0 || strcmp(name, "__newindex") == 0;
    if (strcmp(name, "__name") == 0
            ? type != LUA_TSTRING
            : type != LUA_TFUNCTION && !(table_too && type == LUA_TTABLE))
        luaL_error(L, "setmetatable: '%s' cannot be a %s", name, lua_typename(L, type));
}

static int l_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    if (lua_getmetatable(L, 1))
        return luaL_error(
            L, "setmetatable: the table has a metatable, which cannot be changed");
    if (lua_isnil(L, 2)) {
        lua_settop(L, 1);
        return 1;
    }
    for (const char *const *name = refused_events; *name != NULL; name++) {
        lua_pushstring(L, *name);
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: '%s' is not allowed", *name);
        lua_pop(L, 1);
    }
    lua_createtable(L, 0, 4);
    for (const char *const *name = settable_events; *name != NULL; name++) {
        lua_pushstring(L, *name);
        if (lua_rawget(L, 2) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        check_event(L, *name);
        lua_setfield(L, 3, *name);
    }
    lua_pushboolean(L, 0);
    lua_setfield(L, 3, "__metatable");
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* Every metatable that a rule can meet is locked: there is one, or there is none. */
static int l_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_istable(L, 1) && lua_getmetatable(L, 1))
        lua_pushboolean(L, 0);
    else
        lua_pushnil(L);
    return 1;
}

static int l_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (tw_sandbox_is_sealed(L, 1))
        return l_refuse_assignment(L);
    lua_rawset(L, 1);
    return 1;
}

/* ---- text ---- */

const char *tw_sandbox_tolstring(lua_State *L, int index, size_t *out_len)
{
    luaL_checkstack(L, 4, NULL);
    index = lua_absindex(L, index);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (!lua_isstring(L, -1))
            luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, out_len);
    }
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        break;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        break;
    default:
        if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING)
            break;
        lua_pushstring(L, luaL_typename(L, index));
        break;
    }
    return lua_tolstring(L, -1, out_len);
}

static int l_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    tw_sandbox_tolstring(L, 1, NULL);
    return 1;
}

static int l_log(lua_State *L)
{
    tw_sandbox *s = tw_sandbox_of(L);
    char line[LOG_LINE_BYTES];
    size_t used = 0;
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *text = tw_sandbox_tolstring(L, i, &len);
        if (i > 1 && used < sizeof line)
            line[used++] = ' ';
        if (len > sizeof line - used)
            len = sizeof line - used;
        memcpy(line + used, text, len);
        used += len;
        lua_pop(L, 1);
    }
    if (s->log != NULL)
        s->log(s->log_ud, line, used);
    return 0;
}

/* ---- errors ---- */

static int l_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    int status = tw_sandbox_protected(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    tw_sandbox_poll(L); /* a call that is over is over for the caller too */
    luaL_checkstack(L, 1, NULL);
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/* ---- the list ---- */

static const luaL_Reg own_functions[] = {
    {"getmetatable", l_getmetatable},
    {"log", l_log},
    {"pairs", tw_sandbox_pairs},
    {"pcall", l_pcall},
    {"rawset", l_rawset},
    {"setmetatable", l_setmetatable},
    {"tostring", l_tostring},
    {NULL, NULL},
};

static const char *const base_names[] = {"_VERSION", "assert",   "error",  "ipairs",
                                         "next",     "rawequal", "rawget", "rawlen",
                                         "select",   "tonumber", "type",   NULL};
static const char *const string_names[] = {"byte",  "char",    "len", "lower",
                                           "upper", "reverse", "sub", NULL};
static const char *const table_names[] = {"pack", NULL};
static const char *const math_names[] = {
    "abs",  "acos", "asin", "atan", "ceil",       "cos",  "deg",        "exp",  "floor",
    "fmod", "huge", "log",  "max",  "maxinteger", "min",  "mininteger", "modf", "pi",
    "rad",  "sin",  "sqrt", "tan",  "tointeger",  "type", "ult",        NULL};
static const char *const utf8_names[] = {"char", "charpattern", "codepoint", "codes",
                                         "len",  "offset",      NULL};

/* A new table on the stack with the named fields of the table below it, which it
 * replaces. */
static void copy_named(lua_State *L, const char *const *names)
{
    lua_newtable(L);
    for (; *names != NULL; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_remove(L, -2);
}

static void push_library(lua_State *L, lua_CFunction open, const char *const *names)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    copy_named(L, names);
}

/* Methods of strings go straight to the functions; nothing else of the metatable is
 * reachable. */
static void set_string_index(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

static void add_library(lua_State *L, const char *name)
{
    tw_sandbox_seal(L);
    tw_sandbox_define(L, name);
}

static void push_globals(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 5);
    tw_sandbox_push_environment(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, l_assign_global, 1);
    lua_setfield(L, -2, "__newindex");
    lock_metatable(L);
    lua_setmetatable(L, -2);
}

int tw_sandbox_build(lua_State *L)
{
    push_library(L, luaopen_base, base_names);
    luaL_setfuncs(L, own_functions, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);

    push_library(L, luaopen_string, string_names);
    luaL_setfuncs(L, tw_sandbox_string_functions, 0);
    luaL_setfuncs(L, tw_sandbox_match_functions, 0);
    set_string_index(L);
    add_library(L, "string");

    push_library(L, luaopen_table, table_names);
    luaL_setfuncs(L, tw_sandbox_table_functions, 0);
    add_library(L, "table");

    push_library(L, luaopen_math, math_names);
    lua_pushcfunction(L, tw_sandbox_random);
    lua_setfield(L, -2, "random");
    add_library(L, "math");

    push_library(L, luaopen_utf8, utf8_names);
    add_library(L, "utf8");

    push_globals(L);
    lua_pushvalue(L, -1);
    tw_sandbox_define(L, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);

    /* What Lua raises when an error handler fails must not need memory at that moment. */
    lua_pushliteral(L, "error in error handling");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sealed_key);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* The event as a rule's functions see it: one userdata for ever, which reads from the event lent for
 * the call. `e.name` and `e["a.b"]` are paths as in matchers. The way from a name to its slot is kept
 * by the address of Lua's string, which is the same as long as name_table holds the string. */
#include <math.h>
#include <string.h>

#include "rule/script_impl.h"

#define SHORT_STRING 40 /* longer ones have no single address */

/* ---- names ------------------------------------------------------------------------- */

void tw_script_forget_names(tw_lua_script *s)
{
    tw_fields_free(s->paths);
    tw_free(s->names);
    s->paths = NULL;
    s->names = NULL;
    s->name_count = 0;
    memset(s->cache, 0, sizeof s->cache);
}

/* All names at once when there are too many: a function that makes up names is slow, not fatal. */
static void start_names_anew(lua_State *L, tw_lua_script *s)
{
    tw_script_forget_names(s);
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, s->name_table);
}

static const uint32_t *known_slots(const tw_rule_file *f, const char *path)
{
    for (uint32_t i = 0; i < f->field_count; i++)
        if (strcmp(f->fields[i], path) == 0)
            return f->field_slots + i;
    return NULL;
}

static uint32_t add_name(lua_State *L, tw_lua_script *s, const char *path)
{
    tw_err err;
    int slot = s->paths ? tw_fields_slot(s->paths, path, &err) : TW_ELIMIT;

    if (slot == TW_ELIMIT) {
        start_names_anew(L, s);
        s->paths = tw_fields_new();
        slot = tw_fields_slot(s->paths, path, &err);
    }
    if (slot < 0)
        luaL_error(L, "%s", err.text);
    s->names = tw_realloc(s->names, (s->name_count + 1) * sizeof *s->names);
    s->names[s->name_count] = (tw_event_name){
        .field = tw_fields_at(s->paths, (uint32_t)slot),
        .reserved = slot < TW_SLOT_FIRST_FIELD ? slot : -1,
        .slots = known_slots(s->file, path),
        .stride = s->file->field_count,
    };
    return s->name_count++;
}

/* The string at index 2 to a place in names. */
static uint32_t find_name(lua_State *L, tw_lua_script *s, const char *key, size_t n)
{
    uint32_t name;

    lua_rawgeti(L, LUA_REGISTRYINDEX, s->name_table);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNUMBER) {
        name = (uint32_t)lua_tointeger(L, -1) - 1;
    } else {
        if (strlen(key) != n)
            luaL_error(L, "a field's name holds no NUL");
        name = add_name(L, s, key);
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->name_table);
        lua_pushvalue(L, 2);
        lua_pushinteger(L, (lua_Integer)name + 1);
        lua_rawset(L, -3);
    }
    if (n <= SHORT_STRING) {
        uint32_t place = (uint32_t)((uintptr_t)key >> 4) % TW_NAME_CACHE;
        s->cache[place].key = key;
        s->cache[place].name = name;
    }
    return name;
}

/* ---- reading ----------------------------------------------------------------------- */

static bool is_projected(const tw_projection *p, uint32_t slot)
{
    uint32_t low = 0, high = p->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->slots[middle] < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->count && p->slots[low] == slot;
}

/* A slot that is empty may be one the event was not decoded for: it came under an older rule set. */
static tw_value read_name(const tw_lua_script *s, const tw_event_name *name,
                          const tw_event *ev)
{
    if (name->reserved >= 0)
        return tw_event_slot(ev, (uint32_t)name->reserved);
    int row = ev->stream < s->stream_row_count ? s->stream_rows[ev->stream] : -1;
    if (name->slots && row >= 0) {
        uint32_t slot = name->slots[(uint32_t)row * name->stride];
        if (slot < ev->projection->slot_count) {
            tw_value v = ev->slots[slot];
            if (v.type != TW_ABSENT || is_projected(ev->projection, slot))
                return v;
        }
    }
    return tw_event_get(ev, name->field->steps, name->field->step_count);
}

static int push_stream_name(lua_State *L, const tw_lua_script *s, const tw_event *ev)
{
    const tw_stream *stream = tw_streams_at(s->set->streams, ev->stream);
    lua_pushstring(L, stream ? stream->name : "");
    return 1;
}

static int l_event_index(lua_State *L)
{
    tw_lua_script *s = lua_touserdata(L, lua_upvalueindex(1));
    const tw_event *ev = s->now.ev;
    size_t n;

    if (!ev)
        return luaL_error(L,
                          "an event is only lent for the call it is given to; keep the "
                          "fields you need, not the event");
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "a field of an event is named by a string, not by a %s",
                          luaL_typename(L, 2));
    const char *key = lua_tolstring(L, 2, &n);
    uint32_t place = (uint32_t)((uintptr_t)key >> 4) % TW_NAME_CACHE;
    uint32_t name =
        s->cache[place].key == key ? s->cache[place].name : find_name(L, s, key, n);
    if (s->names[name].reserved == TW_SLOT_STREAM)
        return push_stream_name(L, s, ev);
    tw_script_push(L, s, read_name(s, &s->names[name], ev));
    return 1;
}

void tw_script_push(lua_State *L, tw_lua_script *s, tw_value v)
{
    switch ((tw_type)v.type) {
    case TW_ABSENT:
        lua_pushnil(L);
        return;
    case TW_NULL:
        tw_words_push_null(L, &s->words);
        return;
    case TW_BOOL:
        lua_pushboolean(L, v.b);
        return;
    case TW_INT:
        lua_pushinteger(L, v.i);
        return;
    case TW_DOUBLE:
        lua_pushnumber(L, v.d);
        return;
    case TW_STRING:
    case TW_DECIMAL:
        lua_pushlstring(L, v.s, v.len);
        return;
    case TW_JSON:
        tw_script_push_json(L, s, v.s, v.len);
        return;
    }
    lua_pushnil(L);
}

/* ---- making ------------------------------------------------------------------------ */

static int l_refuse_change(lua_State *L)
{
    return luaL_error(L, "what a rule is lent cannot be changed");
}

static int l_refuse_pairs(lua_State *L)
{
    return luaL_error(L, "an event's fields are read by name; walking over them is not "
                         "supported yet");
}

/* A userdata whose reads are answered by `index`. */
static void make_lent(lua_State *L, tw_lua_script *s, const char *name,
                      lua_CFunction index)
{
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 5);
    lua_pushlightuserdata(L, s);
    lua_pushcclosure(L, index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_refuse_change);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, l_refuse_pairs);
    lua_setfield(L, -2, "__pairs");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

void tw_script_make_event(lua_State *L, tw_lua_script *s)
{
    make_lent(L, s, "event", l_event_index);
}

/* { { value = "/a", count = 12 }, ... } */
static void push_top(lua_State *L, tw_lua_script *s, const tw_top *top)
{
    lua_createtable(L, (int)top->count, 0);
    for (uint32_t i = 0; i < top->count; i++) {
        lua_createtable(L, 0, 2);
        tw_script_push(L, s, top->items[i].value);
        lua_setfield(L, -2, "value");
        lua_pushnumber(L, top->items[i].count);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static int l_result_index(lua_State *L)
{
    tw_lua_script *s = lua_touserdata(L, lua_upvalueindex(1));
    const tw_result *r = s->now.result;
    const char *name = luaL_checkstring(L, 2);

    if (!r)
        return luaL_error(L, "values are only lent for the call they are given to");
    for (uint32_t i = 0; i < r->count; i++) {
        if (strcmp(r->names[i], name) != 0)
            continue;
        if (r->tops && r->tops[i].items)
            push_top(L, s, &r->tops[i]);
        else if (r->has[i])
            lua_pushnumber(L, r->values[i]);
        else
            lua_pushnil(L);
        return 1;
    }
    return luaL_error(L, "the rule measures nothing called '%s'", name);
}

void tw_script_make_result(lua_State *L, tw_lua_script *s)
{
    make_lent(L, s, "values", l_result_index);
}

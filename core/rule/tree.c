// SPDX-License-Identifier: Apache-2.0
/* Lua values to tw_tree. The reader runs inside a protected call and uses raw access only, so no code
 * of the rule runs here; what it allocates lies in the caller's arena, so a raise leaks nothing. */
#include "rule/tree.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static tw_tree *read_value(lua_State *L, int index, tw_tree_reader *r, int depth);

static tw_tree *new_node(tw_tree_reader *r, tw_tree_type type)
{
    tw_tree *t = tw_arena_alloc(r->arena, sizeof *t);
    *t = (tw_tree){.type = type, .spot = UINT32_MAX};
    return t;
}

static void read_string(lua_State *L, int index, tw_tree_reader *r, tw_tree *t)
{
    const char *s = lua_tolstring(L, index, &t->size);
    r->bytes += t->size;
    if (r->bytes > TW_TREE_BYTES) {
        r->refused = "a rule may hold 256 KiB of text";
        t->size = 0;
    }
    t->text = tw_arena_strndup(r->arena, s, t->size);
}

static void read_function(lua_State *L, int index, tw_tree_reader *r, tw_tree *t)
{
    lua_Debug ar;
    lua_pushvalue(L, index);
    lua_getinfo(L, ">S", &ar);
    t->first_line = ar.linedefined;
    t->last_line = ar.lastlinedefined;
    t->fn = r->fn_count++;
    lua_pushvalue(L, index);
    lua_rawseti(L, r->fns, r->fn_count);
}

static void read_items(lua_State *L, int index, tw_tree_reader *r, tw_tree *t, uint32_t n,
                       int depth)
{
    if (n > TW_TREE_NODES) {
        r->refused = "a rule may hold 10,000 values";
        return;
    }
    t->items = tw_arena_alloc(r->arena, (n + 1) * sizeof *t->items);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        t->items[t->item_count++] = read_value(L, lua_gettop(L), r, depth);
        lua_pop(L, 1);
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const tw_tree_entry *)a)->key, ((const tw_tree_entry *)b)->key);
}

/* A key that is neither a name nor a place in the list, as an entry that names itself. */
static const char *odd_key(lua_State *L, tw_tree_reader *r)
{
    switch (lua_type(L, -2)) {
    case LUA_TNUMBER: {
        char text[48];
        double d = lua_tonumber(L, -2);
        size_t n = tw_double_format(text + 1, d);
        text[0] = '[';
        text[n + 1] = ']';
        return tw_arena_strndup(r->arena, text, n + 2);
    }
    case LUA_TBOOLEAN:
        return lua_toboolean(L, -2) ? "[true]" : "[false]";
    default:
        return "[...]";
    }
}

/* Keys first, sorted, then their values: the walk must not depend on Lua's order. */
static void read_entries(lua_State *L, int index, tw_tree_reader *r, tw_tree *t,
                         int depth)
{
    uint32_t cap = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        bool in_list = lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
                       lua_tointeger(L, -2) <= (lua_Integer)t->item_count;
        if (!in_list && t->entry_count < TW_TREE_NODES) {
            if (t->entry_count == cap) {
                tw_tree_entry *old = t->entries;
                cap = cap ? cap * 2 : 8;
                t->entries = tw_arena_alloc(r->arena, cap * sizeof *old);
                if (old)
                    memcpy(t->entries, old, t->entry_count * sizeof *old);
            }
            tw_tree key = {0};
            if (lua_type(L, -2) == LUA_TSTRING)
                read_string(L, -2, r, &key);
            else
                key.text = odd_key(L, r);
            t->entries[t->entry_count++] = (tw_tree_entry){.key = key.text};
        }
        lua_pop(L, 1);
    }
    if (t->entry_count > 1)
        qsort(t->entries, t->entry_count, sizeof *t->entries, by_key);
    for (uint32_t i = 0; i < t->entry_count; i++) {
        lua_pushstring(L, t->entries[i].key);
        lua_rawget(L, index);
        t->entries[i].value = read_value(L, lua_gettop(L), r, depth);
        lua_pop(L, 1);
    }
}

bool tw_tree_is_operator(const tw_tree *t)
{
    return t->type == TW_TREE_WORD &&
           (strchr("+-*/", t->text[0]) || strcmp(t->text, "negate") == 0);
}

/* A rule can change a node by rawset, so nothing of it is taken for granted. */
static void read_word(lua_State *L, int index, tw_tree_reader *r, tw_tree *t, int depth)
{
    tw_tree name = {0};
    lua_pushliteral(L, "word");
    if (lua_rawget(L, index) != LUA_TSTRING) {
        lua_pop(L, 1);
        return;
    }
    read_string(L, lua_gettop(L), r, &name);
    lua_pushliteral(L, "line");
    lua_rawget(L, index);
    lua_pushliteral(L, "n");
    lua_rawget(L, index);
    lua_pushliteral(L, "later");
    lua_rawget(L, index);
    bool later = lua_toboolean(L, -1);
    lua_Integer n = lua_tointeger(L, -2), line = lua_tointeger(L, -3);
    lua_pop(L, 4);
    t->text = name.text;
    t->type = later || name.size == 0 ? TW_TREE_OTHER : TW_TREE_WORD;
    t->line = line > 0 && line < INT32_MAX ? (int)line : 0;
    read_items(L, index, r, t,
               n < 0            ? 0
               : n > UINT32_MAX ? UINT32_MAX
                                : (uint32_t)n,
               depth);
    if (t->type == TW_TREE_WORD && tw_tree_is_operator(t) &&
        t->item_count != (t->text[0] == 'n' ? 1 : 2))
        t->type = TW_TREE_OTHER;
}

static void read_table(lua_State *L, int index, tw_tree_reader *r, tw_tree *t, int depth)
{
    if (depth >= TW_TREE_DEPTH) {
        r->refused = "tables of a rule may be nested 32 deep";
        return;
    }
    luaL_checkstack(L, 8, "a rule's tables");
    if (lua_getmetatable(L, index)) {
        bool is_node = lua_rawequal(L, -1, r->node_mt);
        lua_pop(L, 1);
        if (is_node) {
            read_word(L, index, r, t, depth + 1);
            return;
        }
    }
    t->type = TW_TREE_TABLE;
    read_items(L, index, r, t, (uint32_t)lua_rawlen(L, index), depth + 1);
    read_entries(L, index, r, t, depth + 1);
}

static void read_number(lua_State *L, int index, tw_tree *t)
{
    if (lua_isinteger(L, index)) {
        t->type = TW_TREE_INT;
        t->i = lua_tointeger(L, index);
    } else {
        t->type = TW_TREE_NUMBER;
        t->d = lua_tonumber(L, index);
    }
}

static tw_tree *read_value(lua_State *L, int index, tw_tree_reader *r, int depth)
{
    tw_tree *t = new_node(r, TW_TREE_OTHER);
    if (++r->nodes > TW_TREE_NODES)
        r->refused = "a rule may hold 10,000 values";
    if (r->refused)
        return t;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        t->type = TW_TREE_NIL;
        break;
    case LUA_TBOOLEAN:
        t->type = TW_TREE_BOOL;
        t->b = lua_toboolean(L, index);
        break;
    case LUA_TNUMBER:
        read_number(L, index, t);
        break;
    case LUA_TSTRING:
        t->type = TW_TREE_STRING;
        read_string(L, index, r, t);
        break;
    case LUA_TFUNCTION:
        t->type = TW_TREE_FUNCTION;
        read_function(L, index, r, t);
        break;
    case LUA_TTABLE:
        read_table(L, index, r, t, depth);
        break;
    case LUA_TUSERDATA: /* the only one that a file can get hold of */
        t->type = TW_TREE_NULL;
        break;
    default:
        break;
    }
    return t;
}

tw_tree *tw_tree_read(lua_State *L, int index, tw_tree_reader *r)
{
    r->nodes = 0;
    r->bytes = 0;
    r->refused = NULL;
    return read_value(L, lua_absindex(L, index), r, 0);
}

const tw_tree *tw_tree_get(const tw_tree *table, const char *key)
{
    for (uint32_t i = 0; table && i < table->entry_count; i++)
        if (strcmp(table->entries[i].key, key) == 0)
            return table->entries[i].value;
    return NULL;
}

bool tw_tree_is_word(const tw_tree *t, const char *word)
{
    return t && t->type == TW_TREE_WORD && (!word || strcmp(t->text, word) == 0);
}

const char *tw_tree_name(const tw_tree *t)
{
    switch (t->type) {
    case TW_TREE_NIL:
        return "nothing";
    case TW_TREE_NULL:
        return "null";
    case TW_TREE_BOOL:
        return t->b ? "true" : "false";
    case TW_TREE_INT:
    case TW_TREE_NUMBER:
        return "a number";
    case TW_TREE_STRING:
        return "a string";
    case TW_TREE_FUNCTION:
        return "a function";
    case TW_TREE_TABLE:
        return "a table";
    case TW_TREE_WORD:
        return t->text;
    case TW_TREE_OTHER:
        break;
    }
    return "something that is not a value";
}

bool tw_tree_number(const tw_tree *t, double *out)
{
    if (!t || (t->type != TW_TREE_INT && t->type != TW_TREE_NUMBER))
        return false;
    *out = t->type == TW_TREE_INT ? (double)t->i : t->d;
    return true;
}

static void write_lines(const char *source, size_t size, int first, int last, tw_buf *out)
{
    int line = 1;
    for (size_t i = 0; i < size && line <= last; i++) {
        if (line >= first)
            tw_buf_add_char(out, source[i]);
        line += source[i] == '\n';
    }
}

static void write_parts(const tw_tree *t, const char *source, size_t size, tw_buf *out)
{
    tw_buf_add_char(out, '{');
    for (uint32_t i = 0; i < t->item_count; i++) {
        tw_tree_write(t->items[i], source, size, out);
        tw_buf_add_char(out, ',');
    }
    for (uint32_t i = 0; i < t->entry_count; i++) {
        tw_buf_add_json_string(out, t->entries[i].key, strlen(t->entries[i].key));
        tw_buf_add_char(out, '=');
        tw_tree_write(t->entries[i].value, source, size, out);
        tw_buf_add_char(out, ',');
    }
    tw_buf_add_char(out, '}');
}

void tw_tree_write(const tw_tree *t, const char *source, size_t size, tw_buf *out)
{
    switch (t->type) {
    case TW_TREE_NIL:
    case TW_TREE_NULL:
    case TW_TREE_BOOL:
    case TW_TREE_OTHER:
        tw_buf_add_str(out, tw_tree_name(t));
        break;
    case TW_TREE_INT:
        tw_buf_add_int(out, t->i);
        break;
    case TW_TREE_NUMBER:
        tw_buf_add_double(out, t->d);
        break;
    case TW_TREE_STRING:
        tw_buf_add_json_string(out, t->text, t->size);
        break;
    case TW_TREE_FUNCTION:
        tw_buf_add_str(out, "function ");
        if (t->behind > t->from && t->behind <= size)
            tw_buf_add(out, source + t->from, t->behind - t->from);
        else
            write_lines(source, size, t->first_line, t->last_line, out);
        break;
    case TW_TREE_WORD:
        tw_buf_add_str(out, t->text);
        write_parts(t, source, size, out);
        break;
    case TW_TREE_TABLE:
        write_parts(t, source, size, out);
        break;
    }
}

// SPDX-License-Identifier: Apache-2.0
/* The hooks behind coverage.h. A line hook of Lua sees every line; the watchdog takes the hook away from a call that
 * runs past its budget, which then is not seen any more. */
#include "rule/coverage.h"

#include <stddef.h>
#include <string.h>

#include "rule/script_impl.h"

enum { MOST_DEEP = 32 }; /* tables and functions within each other */

tw_coverage *tw_coverage_new(void)
{
    return tw_alloc(sizeof(tw_coverage));
}

void tw_coverage_free(tw_coverage *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->count; i++) {
        tw_free(c->files[i].path);
        tw_free(c->files[i].lines);
        tw_free(c->files[i].fns);
        tw_free(c->files[i].fn_lines);
    }
    tw_free(c->files);
    tw_free(c);
}

tw_file_coverage *tw_coverage_file(tw_coverage *c, const char *path)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (strcmp(c->files[i].path, path) == 0)
            return &c->files[i];
    c->files = tw_realloc(c->files, (c->count + 1) * sizeof *c->files);
    c->files[c->count] = (tw_file_coverage){.path = tw_strdup(path)};
    return &c->files[c->count++];
}

void tw_rule_files_cover(tw_rule_files *f, tw_coverage *c)
{
    f->coverage = c;
}

static void mark_line(tw_file_coverage *f, int line, uint8_t mark)
{
    if (line <= 0)
        return;
    if (line >= f->line_count) {
        f->lines = tw_realloc(f->lines, (size_t)line + 1);
        memset(f->lines + f->line_count, 0, (size_t)(line + 1 - f->line_count));
        f->line_count = line + 1;
    }
    f->lines[line] |= mark;
}

/* The lines of the function on top, which is popped. Runs inside the sandbox. Lua counts the closing `end` among
 * them, which nothing reaches where a `return` stands before it. */
static void mark_function(lua_State *L, tw_file_coverage *f)
{
    lua_Debug ar;

    lua_getinfo(L, ">SL", &ar);
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            int line = (int)lua_tointeger(L, -2);
            if (line != ar.lastlinedefined || line == ar.linedefined)
                mark_line(f, line, TW_LINE_ACTIVE);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static bool is_of_file(lua_State *L, const char *path)
{
    lua_Debug ar;

    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    return ar.source[0] == '@' && strcmp(ar.source + 1, path) == 0;
}

/* Whether the value on top was seen before; from now on it was. seen: index of a table. */
static bool is_known(lua_State *L, int seen)
{
    lua_pushvalue(L, -1);
    bool known = lua_rawget(L, seen) != LUA_TNIL;

    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, seen);
    return known;
}

/* Functions of the file that the value on top can reach: itself, what it has from around it, members of
 * tables. Pops it. */
static void mark_reachable(lua_State *L, tw_file_coverage *f, int seen, int depth)
{
    int type = lua_type(L, -1);
    bool is_function = type == LUA_TFUNCTION && !lua_iscfunction(L, -1);

    if ((!is_function && type != LUA_TTABLE) || depth == MOST_DEEP || is_known(L, seen) ||
        (is_function && !is_of_file(L, f->path))) {
        lua_pop(L, 1);
        return;
    }
    luaL_checkstack(L, 8, NULL);
    if (type == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2))
            mark_reachable(L, f, seen, depth + 1);
        lua_pop(L, 1);
        return;
    }
    for (int n = 1; lua_getupvalue(L, -1, n); n++)
        mark_reachable(L, f, seen, depth + 1);
    mark_function(L, f);
}

static tw_lua_script *script_of(lua_State *L)
{
    return (tw_lua_script *)(void *)((char *)tw_words_of(L) -
                                     offsetof(tw_lua_script, words));
}

static void on_line(lua_State *L, lua_Debug *ar)
{
    const tw_lua_script *s = script_of(L);

    lua_getinfo(L, "S", ar);
    if (ar->source[0] != '@' || strcmp(ar->source + 1, s->file->path) != 0)
        return;
    tw_file_coverage *f = tw_coverage_file(s->set->coverage, s->file->path);
    if (ar->event == LUA_HOOKLINE) {
        mark_line(f, ar->currentline, TW_LINE_ACTIVE | TW_LINE_REACHED);
        return;
    }
    lua_getinfo(L, "f", ar);
    mark_function(L, f);
}

static int watch(lua_State *L)
{
    const tw_lua_script *s = lua_touserdata(L, 1);
    tw_file_coverage *f = tw_coverage_file(s->set->coverage, s->file->path);

    if (f->fn_count != s->file->fn_count) {
        f->fn_count = s->file->fn_count;
        f->fns = tw_calloc((size_t)f->fn_count + 1, 1);
        f->fn_lines = tw_calloc((size_t)f->fn_count + 1, sizeof *f->fn_lines);
    }
    lua_newtable(L);
    int seen = lua_gettop(L);
    for (int fn = 0; fn < s->file->fn_count; fn++) {
        lua_Debug ar;
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->fns[fn]);
        lua_pushvalue(L, -1);
        lua_getinfo(L, ">S", &ar);
        f->fn_lines[fn] = ar.linedefined;
        mark_reachable(L, f, seen, 0);
    }
    lua_sethook(L, on_line, LUA_MASKLINE | LUA_MASKCALL, 0);
    return 0;
}

int tw_script_cover(tw_lua_script *s, tw_err *err)
{
    return s->set->coverage ? tw_sandbox_run(s->box, watch, s, err) : TW_OK;
}

void tw_script_covered(const tw_lua_script *s, int fn, bool held)
{
    if (!s->set->coverage)
        return;
    tw_file_coverage *f = tw_coverage_file(s->set->coverage, s->file->path);
    if (fn >= 0 && fn < f->fn_count)
        f->fns[fn] |= TW_FN_ASKED | (held ? TW_FN_HELD : TW_FN_FAILED);
}

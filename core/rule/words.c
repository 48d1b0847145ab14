// SPDX-License-Identifier: Apache-2.0
/* The host side of the prelude. Everything here that touches the Lua state runs inside
 * tw_sandbox_run or as a function that the prelude calls. */
#include "rule/words.h"

#include <stdio.h>
#include <string.h>

extern const char tw_lua_prelude[];
extern const size_t tw_lua_prelude_size;

static const char words_key; /* its address names the tw_words in the registry */

const char *const tw_word_names[] = {
    "rule",     "from",   "level",    "handler", "incident", "lookup", "P",
    "null",     "oneof",  "gt",       "gte",     "lt",       "lte",    "between",
    "prefix",   "suffix", "contains", "has",     "matches",  "exists", "missing_field",
    "any_of",   "except", "count",    "sum",     "avg",      "min",    "max",
    "first",    "last",   "delta",    "rate",    "stddev",   "log",    "increase",
    "changes",  "resets", "elapsed",  "trend",   "ewma",     "latest", "distinct",
    "quantile", "topk",   "prev",     "test",    "context",  NULL,
};

tw_words *tw_words_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &words_key);
    tw_words *w = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return w;
}

void tw_words_push_null(lua_State *L, const tw_words *w)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, w->null);
}

/* ---- what the prelude calls -------------------------------------------------------- */

/* The line where a word was called: of the nearest function up the stack that is not the prelude's. A
 * word called by `return word { ... }` has lost its caller; its line is not known (0). */
static int l_line(lua_State *L)
{
    lua_Debug ar;
    const char *prelude = NULL;
    bool lost = false;

    for (int level = 1; level < 20 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Slt", &ar);
        if (ar.what[0] == 'C')
            continue;
        if (!prelude)
            prelude = ar.source;
        if (strcmp(ar.source, prelude) != 0) {
            lua_pushinteger(L, lost ? 0 : ar.currentline);
            return 1;
        }
        lost = ar.istailcall;
    }
    lua_pushinteger(L, 0);
    return 1;
}

static int l_running(lua_State *L)
{
    lua_pushboolean(L, tw_words_of(L)->running);
    return 1;
}

static int l_wants_tests(lua_State *L)
{
    lua_pushboolean(L, tw_words_of(L)->wants_tests);
    return 1;
}

static int l_param(lua_State *L)
{
    tw_words *w = tw_words_of(L);
    luaL_checkstring(L, 1);
    if (!w->param)
        return luaL_error(L, "P\"%s\" is not known here: a test has no parameters",
                          lua_tostring(L, 1));
    return w->param(L, w->param_self);
}

static int l_text(lua_State *L)
{
    luaL_checkany(L, 1);
    tw_sandbox_tolstring(L, 1, NULL);
    return 1;
}

static int l_null_text(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

static int l_make_null(lua_State *L)
{
    tw_words *w = tw_words_of(L);
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, l_null_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "null");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    w->null = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

static int l_keep(lua_State *L)
{
    tw_words *w = tw_words_of(L);
    lua_settop(L, 4);
    w->tests = luaL_ref(L, LUA_REGISTRYINDEX);
    w->node_mt = luaL_ref(L, LUA_REGISTRYINDEX);
    w->refused = luaL_ref(L, LUA_REGISTRYINDEX);
    w->registered = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    w->fns = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    w->test_fns = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static const luaL_Reg prelude_functions[] = {
    {"keep", l_keep},
    {"line", l_line},
    {"make_null", l_make_null},
    {"param", l_param},
    {"running", l_running},
    {"text", l_text},
    {"wants_tests", l_wants_tests},
    {NULL, NULL},
};

static int put_words(lua_State *L)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &words_key);
    return 0;
}

int tw_words_open(tw_words *w, tw_sandbox *box, tw_err *err)
{
    w->box = box;
    w->fn_count = w->test_fn_count = 0;
    w->running = false;
    w->param = NULL;
    int rc = tw_sandbox_run(box, put_words, w, err);
    if (rc == TW_OK)
        rc = tw_sandbox_prelude(box, "prelude.lua", tw_lua_prelude, tw_lua_prelude_size,
                                prelude_functions, err);
    return rc;
}

/* ---- reading what was registered --------------------------------------------------- */

typedef struct count_job {
    int list;
    const char *refused;
    uint32_t count;
} count_job;

static int count_list(lua_State *L)
{
    count_job *job = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->list);
    job->count = (uint32_t)lua_rawlen(L, -1);
    if (job->count > TW_WORDS_RULES)
        return luaL_error(L, job->refused, TW_WORDS_RULES);
    return 0;
}

int tw_words_count(tw_words *w, uint32_t *out_count, tw_err *err)
{
    count_job job = {w->registered, "a file may declare %d rules", 0};
    int rc = tw_sandbox_run(w->box, count_list, &job, err);
    *out_count = job.count;
    return rc;
}

int tw_words_test_count(tw_words *w, uint32_t *out_count, tw_err *err)
{
    count_job job = {w->tests, "a file may declare %d tests", 0};
    int rc = tw_sandbox_run(w->box, count_list, &job, err);
    *out_count = job.count;
    return rc;
}

typedef struct read_job {
    tw_words *words;
    int list, fns, fn_count;
    uint32_t number;
    tw_arena *arena;
    tw_tree *tree;
} read_job;

/* A tree of item `number` of a list. */
static int read_item(lua_State *L)
{
    read_job *job = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, job->list);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->words->node_mt);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->fns);
    lua_rawgeti(L, 2, (lua_Integer)job->number + 1);
    tw_tree_reader r = {
        .arena = job->arena, .node_mt = 3, .fns = 4, .fn_count = job->fn_count};
    job->tree = tw_tree_read(L, 5, &r);
    job->fn_count = r.fn_count;
    if (r.refused)
        return luaL_error(L, "%s", r.refused);
    return 0;
}

int tw_words_rule(tw_words *w, uint32_t i, tw_arena *arena, tw_tree **out, tw_err *err)
{
    read_job job = {w, w->registered, w->fns, w->fn_count, i, arena, NULL};
    int rc = tw_sandbox_run(w->box, read_item, &job, err);
    w->fn_count = job.fn_count;
    *out = job.tree;
    return rc;
}

int tw_words_test(tw_words *w, uint32_t i, tw_arena *arena, tw_tree **out, tw_err *err)
{
    read_job job = {w, w->tests, w->test_fns, w->test_fn_count, i, arena, NULL};
    int rc = tw_sandbox_run(w->box, read_item, &job, err);
    w->test_fn_count = job.fn_count;
    *out = job.tree;
    return rc;
}

typedef struct call_job {
    tw_words *words;
    int fn;
    int64_t nth;
    double seconds;
    tw_arena *arena;
    tw_tree *tree;
} call_job;

static int call_for_tree(lua_State *L)
{
    call_job *job = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, job->words->node_mt);
    lua_newtable(L); /* a function that gives a function: nobody calls that */
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->words->test_fns);
    lua_rawgeti(L, 4, job->fn + 1);
    lua_pushinteger(L, job->nth);
    lua_pushnumber(L, job->seconds);
    lua_call(L, 2, 1);
    tw_tree_reader r = {.arena = job->arena, .node_mt = 2, .fns = 3};
    job->tree = tw_tree_read(L, 5, &r);
    return r.refused ? luaL_error(L, "%s", r.refused) : 0;
}

int tw_words_test_call(tw_words *w, int fn, int64_t nth, double seconds, tw_arena *arena,
                       tw_tree **out, tw_err *err)
{
    call_job job = {w, fn, nth, seconds, arena, NULL};
    w->running = true;
    int rc = tw_sandbox_run(w->box, call_for_tree, &job, err);
    w->running = false;
    *out = job.tree;
    return rc;
}

typedef struct refusal_job {
    tw_words *words;
    tw_refusal *items;
    uint32_t count, cap;
} refusal_job;

static void note_refusal(lua_State *L, tw_refusal *out)
{
    lua_pushliteral(L, "word");
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING)
        snprintf(out->word, sizeof out->word, "%s", lua_tostring(L, -1));
    lua_pushliteral(L, "line");
    lua_rawget(L, -3);
    out->line = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
}

static int read_refusals(lua_State *L)
{
    refusal_job *job = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->words->refused);
    for (; job->count < job->cap; job->count++) {
        if (lua_rawgeti(L, 2, (lua_Integer)job->count + 1) != LUA_TTABLE)
            break;
        note_refusal(L, &job->items[job->count]);
        lua_pop(L, 1);
    }
    return 0;
}

int tw_words_refusals(tw_words *w, tw_refusal **out, uint32_t *out_count, tw_err *err)
{
    refusal_job job = {.words = w, .cap = 50};
    job.items = tw_calloc(job.cap, sizeof *job.items);
    int rc = tw_sandbox_run(w->box, read_refusals, &job, err);
    *out = job.items;
    *out_count = job.count;
    return rc;
}

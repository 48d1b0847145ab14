// SPDX-License-Identifier: Apache-2.0
/* Calling the functions of a rule file. One thread at a time; only the failures are read by others. A
 * call that was let in through the host of another call finds its own loans and gives them back. */
#include <string.h>

#include "rule/script_impl.h"

#define MAX_DEATHS 3
#define ARENA_BLOCK 65536

/* ---- opening ----------------------------------------------------------------------- */

static void push_scalar(lua_State *L, json_t *v)
{
    if (json_is_string(v))
        lua_pushlstring(L, json_string_value(v), json_string_length(v));
    else if (json_is_integer(v))
        lua_pushinteger(L, json_integer_value(v));
    else if (json_is_real(v))
        lua_pushnumber(L, json_real_value(v));
    else
        lua_pushboolean(L, json_is_true(v));
}

static int push_param(lua_State *L, void *self)
{
    const tw_lua_script *s = self;
    const char *name = lua_tostring(L, 1);
    const tw_rule *rule = s->file->rules[s->file->fn_rule[s->now.fn]];
    json_t *v = json_object_get(rule->params, name);

    if (!v)
        return luaL_error(L, "the rule has no parameter '%s'", name);
    push_scalar(L, v);
    return 1;
}

static int keep(lua_State *L)
{
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Everything the calls need, made once. */
static int install(lua_State *L)
{
    tw_lua_script *s = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, s->words.fns);
    for (int fn = 0; fn < s->file->fn_count; fn++) {
        lua_rawgeti(L, 2, fn + 1);
        s->fns[fn] = keep(L);
    }
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    s->array_mt = keep(L);
    lua_newtable(L);
    s->name_table = keep(L);
    tw_script_make_event(L, s);
    s->event = keep(L);
    tw_script_make_result(L, s);
    s->result = keep(L);
    tw_script_make_context(L, s);
    s->context = keep(L);
    return 0;
}

static int run_file(tw_lua_script *s, tw_err *err)
{
    tw_arena arena;
    tw_tree **rules;
    uint32_t count;
    char shape[33];

    tw_arena_init(&arena, ARENA_BLOCK);
    int rc = tw_rule_file_run(s->file, &s->words, &arena, &rules, &count, shape, err);
    tw_arena_done(&arena);
    if (rc == TW_OK &&
        (strcmp(shape, s->file->shape) != 0 || s->words.fn_count != s->file->fn_count))
        rc = tw_err_at(err, TW_ESCRIPT, s->file->path, 1, 0,
                       "the file declares something else each time it runs; it must not "
                       "depend on chance");
    return rc;
}

static int open_box(tw_lua_script *s, tw_err *err)
{
    s->box = tw_sandbox_new(s->file->path, &s->set->limits, err);
    if (!s->box)
        return TW_EIO;
    s->guard = tw_rule_thread_guard();
    tw_sandbox_attach(s->box, s->guard);
    tw_sandbox_seed(s->box, s->seed);
    int rc = tw_words_open(&s->words, s->box, err);
    if (rc == TW_OK)
        rc = run_file(s, err);
    if (rc == TW_OK)
        rc = tw_sandbox_run(s->box, install, s, err);
    if (rc == TW_OK)
        rc = tw_script_cover(s, err);
    tw_sandbox_on_log(s->box, tw_script_on_log, s);
    s->words.running = true;
    s->words.param = push_param;
    s->words.param_self = s;
    return rc;
}

/* The state was given up in the middle of a call. What rules keep lies in the engine, so a new one takes
 * its place; a file that does it again and again stays down, and so does one that cannot be opened
 * once more. False: nothing can be called. */
static bool reopen(tw_lua_script *s)
{
    tw_err err;
    if (s->deaths >= MAX_DEATHS) {
        tw_script_stop(s, "its Lua state had to be given up again and again");
        return false;
    }
    s->deaths++;
    tw_script_forget_names(s);
    tw_sandbox_free(s->box);
    if (open_box(s, &err) < 0) {
        tw_script_failed(s, TW_NO_FN, &err);
        tw_script_stop(s, "it could not be run anew");
        return false;
    }
    tw_script_replaced(s);
    return true;
}

/* ---- calls ------------------------------------------------------------------------- */

/* Pushes the function; false when there is nothing to call. */
static bool begin(tw_lua_script *s, int fn)
{
    tw_watchdog_guard *guard = tw_rule_thread_guard();

    if (fn < 0 || fn >= s->file->fn_count || tw_script_is_stopped(s, fn))
        return false;
    if (tw_sandbox_dead(s->box) && !reopen(s))
        return false;
    if (guard != s->guard) {
        s->guard = guard;
        tw_sandbox_attach(s->box, guard);
    }
    lua_rawgeti(tw_sandbox_state(s->box), LUA_REGISTRYINDEX, s->fns[fn]);
    return true;
}

/* Calls what begin has pushed with the one argument `lent`; one result on success. */
static int call_lent(tw_lua_script *s, const tw_script_call *call, int lent)
{
    tw_err err;
    tw_script_call outer = s->now;

    lua_rawgeti(tw_sandbox_state(s->box), LUA_REGISTRYINDEX, lent);
    s->now = *call;
    int rc = tw_sandbox_call(s->box, 1, 1, &err);
    s->now = outer;
    if (rc < 0)
        return tw_script_failed(s, call->fn, &err);
    tw_script_went_well(s, call->fn);
    return TW_OK;
}

static bool take_bool(tw_lua_script *s)
{
    lua_State *L = tw_sandbox_state(s->box);
    bool b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

static int test_event(tw_script *base, int fn, const tw_event *ev, bool *out)
{
    tw_lua_script *s = (tw_lua_script *)base;

    if (!begin(s, fn))
        return TW_ESTATE;
    int rc = call_lent(s, &(tw_script_call){.ev = ev, .fn = fn}, s->event);
    if (rc == TW_OK)
        tw_script_covered(s, fn, *out = take_bool(s));
    return rc;
}

static int test_result(tw_script *base, int fn, const tw_result *result, bool *out)
{
    tw_lua_script *s = (tw_lua_script *)base;

    if (!begin(s, fn))
        return TW_ESTATE;
    int rc = call_lent(s, &(tw_script_call){.result = result, .fn = fn}, s->result);
    if (rc == TW_OK)
        tw_script_covered(s, fn, *out = take_bool(s));
    return rc;
}

/* nil and false are "nothing"; so is what is not a finite number. */
static int map_event(tw_script *base, int fn, const tw_event *ev, double *out,
                     bool *out_has)
{
    tw_lua_script *s = (tw_lua_script *)base;
    tw_err err;

    if (!begin(s, fn))
        return TW_ESTATE;
    int rc = call_lent(s, &(tw_script_call){.ev = ev, .fn = fn}, s->event);
    if (rc < 0)
        return rc;
    lua_State *L = tw_sandbox_state(s->box);
    int type = lua_type(L, -1);
    double d = type == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    bool nothing = type == LUA_TNIL || (type == LUA_TBOOLEAN && !lua_toboolean(L, -1));
    lua_pop(L, 1);
    if (type != LUA_TNUMBER && !nothing) {
        tw_err_at(&err, TW_ESCRIPT, s->file->path, 0, 0,
                  "a function that maps an event must return a number or nil");
        return tw_script_failed(s, fn, &err);
    }
    *out_has = !nothing && d - d == 0;
    *out = d;
    return TW_OK;
}

typedef struct handler_job {
    tw_lua_script *s;
    const char *timer; /* NULL: an event */
} handler_job;

/* Runs inside the sandbox, because the name of a timer is a string to be made. */
static int run_handler(lua_State *L)
{
    const handler_job *job = lua_touserdata(L, 1);
    tw_lua_script *s = job->s;

    lua_rawgeti(L, LUA_REGISTRYINDEX, s->fns[s->now.fn]);
    if (job->timer)
        lua_pushstring(L, job->timer);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->event);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->context);
    lua_call(L, 2, 0);
    return 0;
}

int tw_script_run(tw_lua_script *s, const tw_script_call *call, lua_CFunction body,
                  void *job)
{
    tw_err err;
    tw_script_call outer = s->now;

    if (!begin(s, call->fn))
        return TW_ESTATE;
    lua_pop(tw_sandbox_state(s->box), 1);
    s->now = *call;
    int rc = tw_sandbox_run(s->box, body, job, &err);
    s->now = outer;
    if (rc < 0)
        return tw_script_failed(s, call->fn, &err);
    tw_script_went_well(s, call->fn);
    return TW_OK;
}

static int handle(tw_lua_script *s, const tw_script_call *call, const char *timer)
{
    handler_job job = {s, timer};

    return tw_script_run(s, call, run_handler, &job);
}

static int handle_event(tw_script *base, int fn, const tw_event *ev, const char *input,
                        tw_handler_host *host)
{
    tw_script_call call = {.ev = ev, .host = host, .input = input, .fn = fn};
    return handle((tw_lua_script *)base, &call, NULL);
}

static int handle_timer(tw_script *base, int fn, const char *timer, tw_handler_host *host)
{
    tw_script_call call = {.host = host, .fn = fn};
    return handle((tw_lua_script *)base, &call, timer);
}

static const struct tw_script_class script_class = {
    .test_event = test_event,
    .map_event = map_event,
    .test_result = test_result,
    .test_events = tw_script_test_events,
    .migrate = tw_script_migrate,
    .handle_event = handle_event,
    .handle_timer = handle_timer,
};

/* ---- life -------------------------------------------------------------------------- */

static void map_streams(tw_lua_script *s)
{
    s->stream_row_count = s->set->streams ? tw_streams_count(s->set->streams) : 0;
    s->stream_rows = tw_calloc(s->stream_row_count + 1, sizeof *s->stream_rows);
    for (uint32_t id = 0; id < s->stream_row_count; id++)
        s->stream_rows[id] = -1;
    for (uint32_t row = 0; row < s->file->stream_count; row++)
        s->stream_rows[s->file->streams[row]->id] = (int)row;
}

/* One that a selection has kept, as good as new but for what its file keeps in variables. */
static tw_lua_script *take_idle(tw_rule_files *f, uint32_t i, uint64_t seed)
{
    tw_lua_script *s = f->idle ? f->idle[i] : NULL;

    if (!s)
        return NULL;
    f->idle[i] = NULL;
    tw_rule_files_ref(f);
    s->guard = tw_rule_thread_guard();
    tw_sandbox_attach(s->box, s->guard);
    tw_sandbox_seed(s->box, seed);
    return s;
}

/* False: it has had trouble, or another one waits already. */
static bool put_idle(tw_lua_script *s)
{
    tw_lua_script **place = s->set->idle ? &s->set->idle[s->file - s->set->files] : NULL;
    const tw_script_failures *f = &s->failures;

    if (!place || *place || s->deaths || s->stopped || f->error || f->cpu || f->memory ||
        f->other)
        return false;
    s->stats = NULL;
    memset(s->counters, 0,
           (s->file->rule_count + 1) * TW_SCRIPT_REASONS * sizeof *s->counters);
    memset(s->overruns, 0, (size_t)s->file->fn_count);
    *place = s;
    tw_rule_files_unref(s->set);
    return true;
}

tw_script *tw_rule_script_new(const tw_rule_files *f, uint32_t i, uint64_t seed,
                              tw_err *err)
{
    tw_lua_script *s = take_idle((tw_rule_files *)(uintptr_t)f, i, seed);

    if (s)
        return &s->base;
    s = tw_alloc(sizeof *s);

    s->base.cls = &script_class;
    s->set = tw_rule_files_ref((tw_rule_files *)(uintptr_t)f);
    s->file = &f->files[i];
    s->seed = seed;
    s->fns = tw_calloc((size_t)s->file->fn_count + 1, sizeof *s->fns);
    s->overruns = tw_calloc((size_t)s->file->fn_count + 1, sizeof *s->overruns);
    s->counters =
        tw_calloc((s->file->rule_count + 1) * TW_SCRIPT_REASONS, sizeof *s->counters);
    s->now.fn = TW_NO_FN;
    pthread_mutex_init(&s->lock, NULL);
    tw_buf_init(&s->out, TW_TREE_BYTES);
    map_streams(s);
    if (tw_rule_thread_enter(err) < 0)
        goto fail;
    int rc = open_box(s, err);
    tw_rule_thread_leave();
    if (rc == TW_OK)
        return &s->base;

fail:
    tw_rule_script_free(&s->base);
    return NULL;
}

void tw_rule_script_free(tw_script *base)
{
    tw_lua_script *s = (tw_lua_script *)base;

    if (!s || (s->set->idle && put_idle(s)))
        return;
    tw_script_end(s);
    tw_sandbox_free(s->box);
    tw_script_forget_names(s);
    tw_buf_done(&s->out);
    pthread_mutex_destroy(&s->lock);
    tw_free(s->stream_rows);
    tw_free(s->fns);
    tw_free(s->counters);
    tw_free(s->overruns);
    tw_rule_files_unref(s->set);
    tw_free(s);
}

void tw_rule_script_failures(tw_script *base, tw_script_failures *out)
{
    tw_lua_script *s = (tw_lua_script *)base;

    pthread_mutex_lock(&s->lock);
    *out = s->failures;
    pthread_mutex_unlock(&s->lock);
}

void tw_rule_script_stats(tw_script *base, tw_stats *stats)
{
    ((tw_lua_script *)base)->stats = stats;
}

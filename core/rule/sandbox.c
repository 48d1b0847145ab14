// SPDX-License-Identifier: Apache-2.0
/* The life of a sandbox and the way into it. Invariants: every instruction of a rule runs
 * between tw_watchdog_enter and tw_watchdog_leave; once `final` is set nothing of the
 * rule runs on (the hook raises at every instruction, the rule's pcall raises again);
 * index 1 of the stack is the message handler while no call runs. */
#include "rule/sandbox.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rule/prelex.h"
#include "rule/sandbox_impl.h"

enum { RESERVED_SLOTS = 64, REFUSALS_FINAL = 3, DEEP_CALLS = 5000 };

static const char given_up_before[] = "this sandbox was given up and must be made anew";
static const char
    final_marker; /* its address is the error value of a call that is over */

/* ---- memory ---- */

static void arm(tw_sandbox *s);

/* Lua answers a refusal with a full collection and asks again, so one failing allocation
 * is two refusals. A rule that catches the error and goes on is stopped at the third. */
static void *refuse(tw_sandbox *s, bool for_size)
{
    s->refused_size = for_size;
    if (s->L == NULL)
        return NULL;
    s->refusals++;
    if (s->final != TW_SANDBOX_FINE)
        return NULL;
    lua_Debug unused;
    s->refused_deep = lua_getstack(s->L, DEEP_CALLS, &unused);
    tw_sandbox_note_place(s, 0);
    if (s->refusals >= REFUSALS_FINAL && s->guard != NULL &&
        tw_watchdog_inside(s->guard)) {
        s->final = TW_SANDBOX_MEMORY;
        arm(s);
    }
    return NULL;
}

static void *allocate(void *ud, void *p, size_t old_size, size_t new_size)
{
    tw_sandbox *s = ud;
    if (new_size == 0) {
        tw_heap_give(&s->heap, p, p != NULL ? old_size : 0);
        return NULL;
    }
    if (p != NULL) {
        void *q = tw_heap_resize(&s->heap, p, old_size, new_size);
        return q != NULL ? q : refuse(s, new_size > (size_t)4 << 20);
    }
    /* For a new object old_size says which type. */
    if (old_size == LUA_TSTRING && new_size > s->limits.string_bytes + 64)
        return refuse(s, true);
    p = tw_heap_take(&s->heap, new_size);
    return p != NULL ? p : refuse(s, new_size > (size_t)4 << 20);
}

/* ---- stopping ---- */

_Noreturn void tw_sandbox_raise_final(lua_State *L, tw_sandbox *s)
{
    if (s->final == TW_SANDBOX_FINE) {
        s->final = TW_SANDBOX_CPU;
        tw_sandbox_note_place(s, 0);
    }
    if (!lua_checkstack(L, 1))
        lua_pop(L, 1);
    lua_pushlightuserdata(L, (void *)&final_marker);
    lua_error(L);
    __builtin_unreachable();
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    tw_sandbox_raise_final(L, tw_sandbox_of(L));
}

static void arm(tw_sandbox *s)
{
    s->hooked = 1;
    lua_sethook(s->L, on_hook, LUA_MASKCOUNT, 1);
}

void tw_sandbox_expire(tw_sandbox *s)
{
    arm(s);
}

_Noreturn void tw_sandbox_abandon(tw_sandbox *s)
{
    _longjmp(s->escape, 1);
}

void tw_sandbox_poll(lua_State *L)
{
    tw_sandbox *s = tw_sandbox_of(L);
    if (s->final != TW_SANDBOX_FINE ||
        (s->guard != NULL && tw_watchdog_inside(s->guard) &&
         tw_watchdog_expired(s->guard)))
        tw_sandbox_raise_final(L, s);
}

/* ---- calling ---- */

int tw_sandbox_protected(lua_State *L, int nargs, int nresults, int handler)
{
    return lua_pcall(L, nargs, nresults, handler);
}

static void begin(tw_sandbox *s)
{
    s->refusals = 0;
    s->final = TW_SANDBOX_FINE;
    s->noted = false;
    s->syntax = false;
}

/* The signal that might still be on its way finds another sequence number from here on.
 */
static void finish(tw_sandbox *s)
{
    tw_watchdog_leave(s->guard);
    atomic_signal_fence(memory_order_seq_cst);
    if (s->hooked) {
        lua_sethook(s->L, NULL, 0, 0);
        s->hooked = 0;
    }
}

static int failed(tw_sandbox *s, int status, tw_err *err)
{
    if (s->final != TW_SANDBOX_FINE)
        s->last = s->final;
    else if (status == LUA_ERRMEM)
        s->last = TW_SANDBOX_MEMORY;
    else
        s->last = s->syntax ? TW_SANDBOX_REJECTED : TW_SANDBOX_ERROR;
    return tw_sandbox_fill_err(s, err);
}

/* Came here out of the signal handler: the Lua state is in pieces and never touched
 * again. */
static int given_up(tw_sandbox *s, tw_err *err)
{
    s->dead = true;
    s->hooked = 0;
    tw_watchdog_leave(s->guard);
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_UNBLOCK, &urgent, NULL);
    s->last = TW_SANDBOX_CPU;
    return tw_sandbox_fill_err(s, err);
}

static int refused_to_call(tw_sandbox *s, const char *why, tw_err *err)
{
    s->last = TW_SANDBOX_REJECTED;
    return tw_err_at(err, TW_ESTATE, s->name, 0, 0, "%s", why);
}

/* From a C function that the rule called: the outer call's budget and handler of its own.
 */
static int call_nested(tw_sandbox *s, int nargs, int nresults, tw_err *err)
{
    lua_State *L = s->L;
    if (atomic_load_explicit(&s->guard->running, memory_order_relaxed) != s) {
        lua_pop(L, nargs + 1);
        return refused_to_call(s, "another sandbox runs on this thread", err);
    }
    int function = lua_gettop(L) - nargs;
    lua_pushcfunction(L, tw_sandbox_on_error);
    lua_insert(L, function);
    int status = tw_sandbox_protected(L, nargs, nresults, function);
    lua_remove(L, function);
    if (status == LUA_OK)
        return TW_OK;
    lua_pop(L, 1);
    return failed(s, status, err);
}

static int call_within(tw_sandbox *s, int nargs, int nresults, int64_t budget_ns,
                       tw_err *err)
{
    if (s->dead)
        return refused_to_call(s, given_up_before, err);
    if (s->guard == NULL || s->guard->wd == NULL) {
        lua_pop(s->L, nargs + 1);
        return refused_to_call(s, "no watchdog looks after this sandbox", err);
    }
    if (tw_watchdog_inside(s->guard))
        return call_nested(s, nargs, nresults, err);

    assert(lua_tocfunction(s->L, 1) == tw_sandbox_on_error);
    begin(s);
    if (_setjmp(s->escape) != 0)
        return given_up(s, err);
    tw_watchdog_enter(s->guard, s, budget_ns);
    int status = tw_sandbox_protected(s->L, nargs, nresults, 1);
    finish(s);
    if (status == LUA_OK) {
        s->last = TW_SANDBOX_FINE;
        return TW_OK;
    }
    lua_pop(s->L, 1);
    return failed(s, status, err);
}

int tw_sandbox_call(tw_sandbox *s, int nargs, int nresults, tw_err *err)
{
    return call_within(s, nargs, nresults, s->cpu_ns, err);
}

int tw_sandbox_run(tw_sandbox *s, lua_CFunction f, void *ud, tw_err *err)
{
    if (s->dead)
        return refused_to_call(s, given_up_before, err);
    lua_pushcfunction(s->L, f);
    lua_pushlightuserdata(s->L, ud);
    return call_within(s, 1, 0, s->cpu_ns, err);
}

/* ---- loading ---- */

typedef struct load_job {
    tw_sandbox *s;
    const char *file, *text;
    size_t n;
    const luaL_Reg *host;
} load_job;

static void compile(lua_State *L, const load_job *job)
{
    lua_pushfstring(L, "@%s", job->file);
    if (luaL_loadbufferx(L, job->text, job->n, lua_tostring(L, -1), "t") != LUA_OK) {
        job->s->syntax = true;
        lua_error(L);
    }
}

static int run_rule_file(lua_State *L)
{
    const load_job *job = lua_touserdata(L, 1);
    compile(L, job);
    lua_call(L, 0, 0);
    return 0;
}

static int l_raw_setmetatable(lua_State *L)
{
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int l_raw_getmetatable(lua_State *L)
{
    if (!lua_getmetatable(L, 1))
        lua_pushnil(L);
    return 1;
}

static int l_seal(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    tw_sandbox_seal(L);
    return 1;
}

static const luaL_Reg trusted_functions[] = {
    {"rawsetmetatable", l_raw_setmetatable},
    {"rawgetmetatable", l_raw_getmetatable},
    {"seal", l_seal},
    {NULL, NULL},
};

static int run_prelude(lua_State *L)
{
    const load_job *job = lua_touserdata(L, 1);
    compile(L, job);
    tw_sandbox_push_environment(L);
    if (lua_setupvalue(L, -2, 1) == NULL)
        lua_pop(L, 1);
    luaL_newlib(L, trusted_functions);
    if (job->host != NULL)
        luaL_setfuncs(L, job->host, 0);
    lua_call(L, 1, 0);
    return 0;
}

static int load_with(load_job *job, lua_CFunction f, tw_err *err)
{
    tw_sandbox *s = job->s;
    if (s->dead)
        return refused_to_call(s, given_up_before, err);
    tw_sandbox_set_chunk(s, job->file);
    lua_pushcfunction(s->L, f);
    lua_pushlightuserdata(s->L, job);
    return call_within(s, 1, 0, s->load_cpu_ns, err);
}

int tw_sandbox_prelude(tw_sandbox *s, const char *file, const char *text, size_t n,
                       const luaL_Reg *host, tw_err *err)
{
    load_job job = {s, file, text, n, host};
    return load_with(&job, run_prelude, err);
}

int tw_sandbox_load(tw_sandbox *s, const char *file, const char *text, size_t n,
                    tw_err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    int rc = tw_prelex(file, text, n, s->limits.source_bytes, err);
    if (rc != TW_OK) {
        s->last = TW_SANDBOX_REJECTED;
        return rc;
    }
    load_job job = {s, file, text, n, NULL};
    return load_with(&job, run_rule_file, err);
}

/* ---- life ---- */

static size_t size_within(size_t v, size_t fallback, size_t min, size_t max)
{
    return v == 0 ? fallback : v < min ? min : v > max ? max : v;
}

static int64_t ms_within(int64_t v, int64_t fallback, int64_t max)
{
    return v <= 0 ? fallback : v > max ? max : v;
}

static void set_limits(tw_sandbox *s, const tw_sandbox_limits *asked)
{
    const tw_sandbox_limits none = {0}, *l = asked != NULL ? asked : &none;
    const size_t mib = (size_t)1 << 20;
    s->limits = (tw_sandbox_limits){
        .memory_bytes = size_within(l->memory_bytes, 32 * mib, mib, 1024 * mib),
        .source_bytes = size_within(l->source_bytes, mib / 4, 1, mib / 4),
        .string_bytes = size_within(l->string_bytes, mib, 4096, mib),
        .sort_items = size_within(l->sort_items, 100000, 100, 100000),
        .cpu_ms = ms_within(l->cpu_ms, 50, 10000),
        .load_cpu_ms = ms_within(l->load_cpu_ms, 500, 60000),
    };
    s->cpu_ns = s->limits.cpu_ms * 1000000;
    s->load_cpu_ns = s->limits.load_cpu_ms * 1000000;
}

/* Only a mistake of the host comes here: something raised outside of every protected call. */
static int on_panic(lua_State *L)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    tw_log_error("sandbox", "Lua raised outside of a call, the process ends", "rule",
                 tw_sandbox_of(L)->name, "error", text, NULL);
    return 0;
}

tw_sandbox *tw_sandbox_new(const char *name, const tw_sandbox_limits *limits, tw_err *err)
{
    tw_sandbox *s = tw_alloc(sizeof *s);
    s->name = tw_strdup(name);
    set_limits(s, limits);
    tw_sandbox_set_chunk(s, name);
    if (tw_heap_init(&s->heap, s->limits.memory_bytes) != 0)
        goto no_memory;
    lua_State *L = lua_newstate(allocate, s);
    if (L == NULL)
        goto no_memory;
    memcpy(lua_getextraspace(L), &s, sizeof s);
    lua_atpanic(L, on_panic);
    lua_pushcfunction(L, tw_sandbox_on_error);
    lua_pushcfunction(L, tw_sandbox_build);
    lua_checkstack(L, RESERVED_SLOTS);
    if (tw_sandbox_protected(L, 0, 0, 0) != LUA_OK)
        goto no_memory;
    s->L = L;
    return s;

no_memory:
    tw_err_at(err, TW_EIO, name, 0, 0, "no memory for a Lua state");
    tw_sandbox_free(s);
    return NULL;
}

void tw_sandbox_free(tw_sandbox *s)
{
    if (s == NULL)
        return;
    tw_heap_done(&s->heap);
    tw_free(s->name);
    tw_free(s);
}

void tw_sandbox_attach(tw_sandbox *s, tw_watchdog_guard *guard)
{
    s->guard = guard;
}

lua_State *tw_sandbox_state(tw_sandbox *s)
{
    return s->L;
}

tw_sandbox *tw_sandbox_of(lua_State *L)
{
    tw_sandbox *s;
    memcpy(&s, lua_getextraspace(L), sizeof s);
    return s;
}

const char *tw_sandbox_name(const tw_sandbox *s)
{
    return s->name;
}

const tw_sandbox_limits *tw_sandbox_limits_of(const tw_sandbox *s)
{
    return &s->limits;
}

void tw_sandbox_seed(tw_sandbox *s, uint64_t seed)
{
    s->random = seed;
}

void tw_sandbox_on_log(tw_sandbox *s, tw_sandbox_log_fn *fn, void *ud)
{
    s->log = fn;
    s->log_ud = ud;
}

tw_sandbox_reason tw_sandbox_last(const tw_sandbox *s)
{
    return s->last;
}

size_t tw_sandbox_memory(const tw_sandbox *s)
{
    return s->heap.used;
}

bool tw_sandbox_dead(const tw_sandbox *s)
{
    return s->dead;
}

// SPDX-License-Identifier: Apache-2.0
/* What the files of the sandbox share; nobody else includes this. */
#ifndef TW_RULE_SANDBOX_IMPL_H
#define TW_RULE_SANDBOX_IMPL_H

#include <lauxlib.h>
#include <lua.h>
#include <setjmp.h>
#include <signal.h>

#include "rule/heap.h"
#include "rule/sandbox.h"

struct tw_sandbox {
    lua_State *L;
    tw_watchdog_guard *guard;
    tw_sandbox_limits limits;
    int64_t cpu_ns, load_cpu_ns;
    tw_heap heap;
    char *name;

    /* the call that runs, or ran last */
    tw_sandbox_reason last;
    volatile sig_atomic_t hooked; /* by the signal handler or the allocator */
    tw_sandbox_reason final;      /* CPU or MEMORY: nothing of the rule may run on */
    int refusals;                 /* allocations refused */
    bool refused_size;            /* the last one for its size, not for the quota */
    bool refused_deep;            /* while thousands of calls were open */
    bool syntax;                  /* the error is the parser's */
    bool noted;                   /* text and place below are set */
    int line;
    char file[256];
    char text[768];
    bool dead;
    jmp_buf escape; /* to the outermost call, for tw_sandbox_abandon */

    char short_src[LUA_IDSIZE]; /* how Lua abbreviates the chunk being loaded */
    char chunk_file[256];
    uint64_t random;
    tw_sandbox_log_fn *log;
    void *log_ud;
};

/* From the signal handler, on the sandbox's thread, inside a call. */
void tw_sandbox_expire(tw_sandbox *s);
_Noreturn void tw_sandbox_abandon(tw_sandbox *s);

/* sandbox_error.c: where and why a call failed, written down without allocating. */
int tw_sandbox_on_error(lua_State *L);                /* the message handler */
void tw_sandbox_note_place(tw_sandbox *s, int level); /* the Lua line at or above level */
void tw_sandbox_set_chunk(tw_sandbox *s, const char *file);
int tw_sandbox_fill_err(tw_sandbox *s, tw_err *err); /* from s->last; returns the code */

/* Raises because the call is over; nothing may catch it. */
_Noreturn void tw_sandbox_raise_final(lua_State *L, tw_sandbox *s);

/* The one lua_pcall of the project. */
int tw_sandbox_protected(lua_State *L, int nargs, int nresults, int handler);

/* The environment: a table of read-only globals behind the rule's own. */
int tw_sandbox_build(lua_State *L); /* as a lua_CFunction, no arguments */
void tw_sandbox_push_environment(
    lua_State *L); /* the table that tw_sandbox_define fills */
bool tw_sandbox_is_sealed(lua_State *L, int index);
int tw_sandbox_pairs(lua_State *L);
int tw_sandbox_random(lua_State *L);

extern const luaL_Reg tw_sandbox_string_functions[];
extern const luaL_Reg tw_sandbox_match_functions[];
extern const luaL_Reg tw_sandbox_table_functions[];

/* A result must not grow beyond the string limit: raises before it does. */
void tw_sandbox_check_length(lua_State *L, size_t len);

#endif

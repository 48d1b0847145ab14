// SPDX-License-Identifier: Apache-2.0
/* The hardened Lua state in which one rule file runs on one lane. Its memory is a private
 * region that is dropped whole (never lua_close), its globals are an allow-list, its
 * library functions are bounded, and a watchdog (watchdog.h) stops a call that runs past
 * its CPU budget. Used by one thread at a time, the one whose guard is attached.
 *
 * The state's stack: index 1 belongs to the sandbox (its message handler). A host pushes
 * above it and pops what it pushed; never lua_settop(L, 0). Pushing functions by
 * reference, numbers, booleans and light userdata cannot raise (64 slots are reserved);
 * everything that may allocate (strings, tables, userdata, setting fields) belongs inside
 * tw_sandbox_run or a binding.
 *
 * A binding holds no lock and nothing that must be freed across a call into Lua, even one
 * that cannot raise: a state that cannot be stopped is given up by a jump out of the Lua
 * library. */
#ifndef TW_RULE_SANDBOX_H
#define TW_RULE_SANDBOX_H

#include <lua.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rule/watchdog.h"

typedef struct tw_sandbox tw_sandbox;

/* Zero means the default; what is below `min` or above `max` is moved there. None can be
 * off. */
typedef struct tw_sandbox_limits {
    size_t memory_bytes; /* 32 MiB; 1 MiB to 1 GiB */
    size_t source_bytes; /* 256 KiB; to 256 KiB */
    size_t string_bytes; /* 1 MiB: the longest string a rule can make; to 1 MiB */
    size_t sort_items;   /* 100,000; to 100,000 */
    int64_t cpu_ms;      /* 50: one call; 1 to 10,000 */
    int64_t load_cpu_ms; /* 500: one tw_sandbox_load; 1 to 60,000 */
} tw_sandbox_limits;

typedef enum tw_sandbox_reason {
    TW_SANDBOX_FINE,
    TW_SANDBOX_ERROR,   /* the rule raised */
    TW_SANDBOX_CPU,     /* ran past cpu_ms or load_cpu_ms */
    TW_SANDBOX_MEMORY,  /* wanted more than memory_bytes, or one block or string too large
                         */
    TW_SANDBOX_REJECTED /* the source was refused before it ran, or the sandbox cannot run
                         */
} tw_sandbox_reason;

const char *
tw_sandbox_reason_name(tw_sandbox_reason reason); /* "cpu", for metric labels */

/* name: what the rule file is called in messages ("team/file.lua"); copied. limits may be
 * NULL. NULL with err when there is no memory for the region. */
tw_sandbox *tw_sandbox_new(const char *name, const tw_sandbox_limits *limits,
                           tw_err *err);
void tw_sandbox_free(tw_sandbox *s); /* NULL is fine; not while a call of it runs */

/* The guard of the thread that will use s from now on; a state may move between threads
 * this way (loaded on one, run on another). Without one every call is refused with
 * TW_ESTATE. */
void tw_sandbox_attach(tw_sandbox *s, tw_watchdog_guard *guard);

/* Trusted Lua that ships with the engine. Its globals are what rules see as read-only
 * globals; `...` is one table with `host` (NULL-terminated, may be NULL) and
 * rawsetmetatable(t, mt), rawgetmetatable(v), seal(t) (a read-only view of t). Runs under
 * the load budget. */
int tw_sandbox_prelude(tw_sandbox *s, const char *file, const char *text, size_t n,
                       const luaL_Reg *host, tw_err *err);

/* Check (prelex.h) and run a rule file. Globals it assigns are its own; the names of the
 * environment cannot be assigned. TW_ELIMIT, TW_EPARSE, TW_ESCRIPT with file and line. */
int tw_sandbox_load(tw_sandbox *s, const char *file, const char *text, size_t n,
                    tw_err *err);

/* Call the function below nargs arguments on top of the stack; they are replaced by
 * nresults results, or by nothing on failure (TW_ESCRIPT, TW_ELIMIT, TW_ESTATE). Never
 * raises. May be called from a C function that a rule called: it then runs inside the
 * budget of the outer call, and on failure that function calls tw_sandbox_poll before
 * anything else. */
int tw_sandbox_call(tw_sandbox *s, int nargs, int nresults, tw_err *err);
/* The same for host work that may raise: f is called with ud as light userdata at
 * index 1. */
int tw_sandbox_run(tw_sandbox *s, lua_CFunction f, void *ud, tw_err *err);

lua_State *tw_sandbox_state(tw_sandbox *s);
tw_sandbox *tw_sandbox_of(lua_State *L);
const char *tw_sandbox_name(const tw_sandbox *s);
const tw_sandbox_limits *tw_sandbox_limits_of(const tw_sandbox *s);

/* Bindings. poll raises when the call's budget is spent: for loops in C that a rule can
 * make long. define pops a value and makes it the read-only global `name`. */
void tw_sandbox_poll(lua_State *L);
void tw_sandbox_define(lua_State *L, const char *name);
/* Replaces the table on top by a read-only view of it (reads and pairs see through). */
void tw_sandbox_seal(lua_State *L);
/* Pushes v as text without an address in it, as the rules' tostring does; may raise. */
const char *tw_sandbox_tolstring(lua_State *L, int index, size_t *out_len);

/* math.random gives the same numbers after the same seed. */
void tw_sandbox_seed(tw_sandbox *s, uint64_t seed);

/* Where log(...) of a rule goes; at most 4 KiB a line. The host limits the rate. */
typedef void tw_sandbox_log_fn(void *ud, const char *text, size_t n);
void tw_sandbox_on_log(tw_sandbox *s, tw_sandbox_log_fn *fn, void *ud);

/* Of the last call or load. */
tw_sandbox_reason tw_sandbox_last(const tw_sandbox *s);
size_t tw_sandbox_memory(const tw_sandbox *s); /* bytes in use by the state */
/* The state was given up in the middle of an instruction that could not be stopped: every
 * call is refused; free it and load the rule anew. */
bool tw_sandbox_dead(const tw_sandbox *s);

#endif

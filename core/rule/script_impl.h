// SPDX-License-Identifier: Apache-2.0
/* A script inside core/rule: one rule file's functions in their sandbox on one lane. What a function is
 * lent (event, result, host) is in `now` for the time of the call and nowhere else, so that using it
 * later finds nothing. */
#ifndef TW_RULE_SCRIPT_IMPL_H
#define TW_RULE_SCRIPT_IMPL_H

#include <pthread.h>

#include "flow/script.h"
#include "rule/rule_files.h"

typedef struct tw_script_call {
    const tw_event *ev;
    const tw_result *result;
    tw_handler_host *host;
    const char *input;
    int fn;
} tw_script_call;

/* A path that a function reads by name. */
typedef struct tw_event_name {
    const tw_field *field;
    int reserved;          /* its slot, or -1 */
    const uint32_t *slots; /* by row of the file's streams; NULL: in no projection */
    uint32_t stride;
} tw_event_name;

enum { TW_NAME_CACHE = 256, TW_SCRIPT_REASONS = 4 };

/* So many a second; what is held back is counted until one passes. */
typedef struct tw_script_rate {
    int64_t second;
    unsigned passed, held_back;
} tw_script_rate;

typedef struct tw_lua_script {
    tw_script base;
    tw_rule_files *set;
    const tw_rule_file *file;
    uint64_t seed;
    tw_sandbox *box;
    tw_watchdog_guard *guard; /* attached to */
    tw_words words;
    int *fns;                             /* registry references by function number */
    int event, result, context, array_mt; /* registry references */
    tw_script_call now;
    unsigned deaths; /* sandboxes given up so far */

    /* names: script_event.c */
    tw_fields *paths;
    tw_event_name *names;
    uint32_t name_count;
    int name_table; /* registry reference: string to place in names + 1 */
    struct {
        const char *key; /* a short string of Lua that name_table holds on to */
        uint32_t name;
    } cache[TW_NAME_CACHE];
    int *stream_rows; /* stream id to row of the file's streams, -1 */
    uint32_t stream_row_count;

    tw_buf out; /* JSON on its way out */

    /* failures: script_failures.c */
    pthread_mutex_t lock;
    tw_script_failures failures;
    tw_script_rate failure_rate, line_rate;
    tw_stats *stats; /* NULL: nobody counts */
    tw_counter *
        *counters;     /* by rule (the last: none) and reason; NULL until one counts */
    uint8_t *overruns; /* by function: calls in a row that ran past a budget */
    int killed_by;     /* the function in which the newest state was given up */
    bool stopped;      /* nothing of the file is called any more */
} tw_lua_script;

/* A call or an opening failed: counted, and logged at times. Returns err's code. fn TW_NO_FN: no
 * function of a rule. */
int tw_script_failed(tw_lua_script *s, int fn, const tw_err *err);
bool tw_script_rate_allows(tw_script_rate *r, unsigned per_second);
void tw_script_on_log(void *ud, const char *text, size_t n); /* a rule's log() */
void tw_script_replaced(tw_lua_script *s);
void tw_script_stop(tw_lua_script *s, const char *why);
void tw_script_end(tw_lua_script *s); /* before it is freed */

/* A call that runs past its budget holds up everything on the lane; one that always does is not made
 * any more. */
enum { TW_SCRIPT_OVERRUNS = 20 };
static inline bool tw_script_is_stopped(const tw_lua_script *s, int fn)
{
    return s->stopped || s->overruns[fn] >= TW_SCRIPT_OVERRUNS;
}
static inline void tw_script_went_well(tw_lua_script *s, int fn)
{
    s->overruns[fn] = 0;
}

/* Runs body(L, job) inside the sandbox as a call of call->fn: budget, loans, failures. */
int tw_script_run(tw_lua_script *s, const tw_script_call *call, lua_CFunction body,
                  void *job);
int tw_script_test_events(tw_script *base, int fn, const tw_arg *args, uint32_t count,
                          bool *out);                            /* script_events.c */
int tw_script_migrate(tw_script *base, int fn, tw_migration *m); /* script_events.c */

/* coverage.c: nothing where the files are not covered. */
int tw_script_cover(tw_lua_script *s, tw_err *err);
void tw_script_covered(const tw_lua_script *s, int fn, bool held);

/* Makes the userdata and functions; all run inside tw_sandbox_run. Each leaves one value. */
void tw_script_make_event(lua_State *L, tw_lua_script *s);
void tw_script_make_result(lua_State *L, tw_lua_script *s);
void tw_script_make_context(lua_State *L, tw_lua_script *s);
void tw_script_forget_names(tw_lua_script *s);

/* Pushes any value; JSON becomes tables. Raises. */
void tw_script_push(lua_State *L, tw_lua_script *s, tw_value v);
/* JSON text to one Lua value. Raises on text that is not JSON. */
void tw_script_push_json(lua_State *L, tw_lua_script *s, const char *text, size_t n);
/* The value at index as JSON in s->out. Raises for what JSON cannot hold. */
void tw_script_encode(lua_State *L, tw_lua_script *s, int index);

#endif

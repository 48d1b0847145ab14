// SPDX-License-Identifier: Apache-2.0
/* Rule files to rules: reads files, runs each in a fresh sandbox, checks what it
 * registered and compiles it to tw_rule plans. Shore only. The result is a tw_rule_files:
 * the plans of all files and the means to make the scripts (Lua states) of one lane.
 * Nothing of it refers to lanes or sources. */
#ifndef TW_RULE_RULES_H
#define TW_RULE_RULES_H

#include <jansson.h>

#include "base/err.h"
#include "base/stats.h"
#include "flow/plan.h"
#include "flow/script.h"

typedef struct tw_finding {
    tw_err err; /* file, line, column, text */
    bool warning;
} tw_finding;

typedef struct tw_findings {
    tw_finding *items;
    size_t count;
} tw_findings;
void tw_findings_done(tw_findings *f);

typedef struct tw_rule_options {
    tw_streams *streams;
    const char *const
        *emitted;    /* names that `to` seems to name somewhere; tw_rules_load sets it */
    bool any_stream; /* replay without configuration: `from` makes the stream */
    bool tests;      /* load the tests beside the rules, too (tests.h) */
    json_t *params;  /* {"team/rule": {"fire": 0.1}} overrides, may be NULL */
    const char *const *tables; /* known table names, NULL-terminated; NULL: any */
    const bool *table_history; /* by table: whether it keeps any; NULL: all do */
    const tw_declared *const
        *table_columns; /* by table, what is not known NULL; NULL: none is */
    const char *const
        *routes; /* known routes (literal route names are checked); NULL: any */
    /* All that the configuration has, with patterns and `default`; what is nearly one of them is warned of. NULL: not
     * known */
    const char *const *route_patterns;
    /* Where the configuration names a path (rule and param NULL), a rule's parameters (param NULL) or one
     * of them: fills in file, line and column. NULL: there is none. */
    bool (*where)(const void *self, const char *path, const char *rule, const char *param,
                  tw_err *out);
    const void *where_self;
    /* Whether the configuration has a sink for what a rule emits to that stream. NULL: it has. */
    bool (*sends)(const void *self, const char *stream);
    const void *sends_self;
    size_t memory_bytes;         /* per state; 0: default */
    int64_t cpu_ms, load_cpu_ms; /* 0: default */
    void (*log)(void *self, const char *rule_file,
                const char *message); /* a rule's log(); may be NULL */
    void *log_self;
} tw_rule_options;

typedef struct tw_rule_files tw_rule_files;

/* paths: files (*.lua) and directories (walked, *.lua, sorted by path). A file with a
 * finding that is not a warning contributes nothing; `out_findings` says what. Never
 * NULL; whether to use a set with findings is the caller's decision. */
tw_rule_files *tw_rules_load(const char *const *paths, size_t path_count,
                             const tw_rule_options *options, tw_findings *out_findings);
tw_rule_files *tw_rule_files_ref(tw_rule_files *f);
void tw_rule_files_unref(tw_rule_files *f);

uint32_t tw_rule_files_rule_count(const tw_rule_files *f);
tw_rule *tw_rule_files_rule(const tw_rule_files *f,
                            uint32_t i);              /* borrowed; sorted by name */
uint32_t tw_rule_files_count(const tw_rule_files *f); /* files = scripts */
const char *tw_rule_files_path(const tw_rule_files *f, uint32_t i);
/* The slots of `stream` that any rule reads, for its projection (matchers, keys,
 * aggregates, carried fields, time fields, and top-level fields seen in the text of Lua
 * functions). Caller frees with tw_free. */
uint32_t *tw_rule_files_slots(const tw_rule_files *f, const tw_stream *stream,
                              uint32_t *out_count);

/* The functions of file i in a fresh Lua state for one lane. seed makes math.random
 * repeatable. */
tw_script *tw_rule_script_new(const tw_rule_files *f, uint32_t i, uint64_t seed,
                              tw_err *err);
void tw_rule_script_free(tw_script *s);
/* What was stopped in `old` stays stopped when `fresh` is of the same text, parameters and limits: it would
 * only hold up its lane until it is stopped again. On their thread, or while it stands still. */
void tw_rule_script_adopt(tw_script *fresh, tw_script *old);
/* Failed calls so far, by reason; readable from any thread. */
typedef struct tw_script_failures {
    uint64_t error, cpu, memory, other;
    char last[256];
} tw_script_failures;
void tw_rule_script_failures(tw_script *s, tw_script_failures *out);
/* From now on failures are counted there, too (rule_failures_total by rule and reason), as are states
 * made anew (rule_states_replaced_total) and rules that are stopped (rule_stopped). The series
 * come into being with the first of each. */
void tw_rule_script_stats(tw_script *s, tw_stats *stats);

/* The watchdog behind all scripts of the process: started once, told which thread runs
 * which lane. */
int tw_rule_watchdog_start(tw_err *err);
void tw_rule_watchdog_stop(void);
/* The calling thread runs rules from now on / no more. */
int tw_rule_thread_enter(tw_err *err);
void tw_rule_thread_leave(void);

#endif

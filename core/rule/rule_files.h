// SPDX-License-Identifier: Apache-2.0
/* A set of loaded rule files, inside core/rule. Immutable once tw_rules_load has returned it; lanes read
 * it while they make their scripts. */
#ifndef TW_RULE_RULE_FILES_H
#define TW_RULE_RULE_FILES_H

#include <stdatomic.h>

#include "rule/findings.h"
#include "rule/rules.h"
#include "rule/tests.h"
#include "rule/watchdog.h"
#include "rule/words.h"

typedef struct tw_rule_file {
    char *path, *text; /* the text behind a byte order mark */
    size_t size;
    tw_rule **rules; /* in the order of registration; one reference each */
    int *columns;    /* where each was written */
    uint32_t rule_count;
    int fn_count;
    uint32_t *fn_rule; /* function to rule */
    char shape[33]; /* hash of what the file registered: every run must give the same */
    char **fields;  /* paths that functions read */
    uint32_t field_count;
    tw_stream **streams; /* that its rules read */
    uint32_t stream_count;
    uint32_t *field_slots; /* stream_count rows of field_count; UINT32_MAX: none */
    tw_rule_test **tests;
    uint32_t test_count;
} tw_rule_file;

struct tw_rule_files {
    atomic_uint refs;
    tw_rule_file *files;
    uint32_t file_count;
    tw_rule **rules; /* sorted by name, borrowed from the files */
    uint32_t rule_count;
    tw_rule_test **tests; /* borrowed from the files */
    uint32_t test_count;
    tw_rule_files *parent; /* of a selection: the files are its */
    struct tw_lua_script *
        *idle; /* of a selection, by file: scripts that wait to be used again */
    struct tw_coverage *coverage; /* NULL: nobody wants to know */
    const tw_streams *streams;
    tw_sandbox_limits limits;
    void (*log)(void *self, const char *rule_file, const char *message);
    void *log_self;
};

/* ---- one file (load.c) */

/* The bytes of a file; NULL with err. Caller frees. */
char *tw_rule_text_read(const char *path, size_t *out_size, tw_err *err);
/* Reads, runs and compiles one file into `out`; false when it had findings, and out is then empty. */
bool tw_rule_file_load(tw_rule_file *out, const char *path,
                       const tw_rule_options *options, const tw_sandbox_limits *limits,
                       tw_findings *findings);
/* From text in memory, which is copied. */
bool tw_rule_file_read(tw_rule_file *out, const char *path, const char *text, size_t size,
                       const tw_rule_options *options, const tw_sandbox_limits *limits,
                       tw_findings *findings);
void tw_rule_file_done(tw_rule_file *f);
/* Runs the file in a sandbox whose words are open, and reads its rules. `shape` gets their hash. */
int tw_rule_file_run(const tw_rule_file *f, tw_words *words, tw_arena *arena,
                     tw_tree ***out_rules, uint32_t *out_count, char shape[33],
                     tw_err *err);

/* ---- from rule to rule (chains.c) */

/* The names behind the word `to` in the text of files, NULL-terminated. Caller frees. */
char **tw_rules_emitted(char *const *paths, size_t count);
/* Streams that are read and emitted by nobody, and circles of rules, are errors. */
void tw_rules_check_chains(const tw_rule_files *set, const tw_rule_options *options,
                           tw_findings *findings);

/* Each name in `was` is that of no rule of the set, and of one heir only (plan_lineage.c). */
void tw_rules_check_was(const tw_rule_files *set, tw_findings *findings);

/* ---- which files (paths.c): every *.lua under the given paths, sorted, each once. Caller frees. */
char **tw_rule_paths(const char *const *paths, size_t count, tw_findings *findings,
                     size_t *out_count);

/* ---- this thread (threads.c) */

/* The guard of the calling thread; NULL when it has not entered (tw_rule_thread_enter). */
tw_watchdog_guard *tw_rule_thread_guard(void);

#endif

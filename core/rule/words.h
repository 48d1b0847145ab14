// SPDX-License-Identifier: Apache-2.0
/* The rule language in a sandbox: runs the prelude (scripts/prelude.lua) and then a rule file, and reads
 * what the file registered. Both the loader (once a file) and every lane (for the functions) do this,
 * so the functions have the same numbers everywhere. */
#ifndef TW_RULE_WORDS_H
#define TW_RULE_WORDS_H

#include "rule/sandbox.h"
#include "rule/tree.h"

enum { TW_WORDS_RULES = 10000 }; /* of one file */

/* A word that this version does not have, and the line of its call. */
typedef struct tw_refusal {
    char word[32];
    int line;
} tw_refusal;

typedef struct tw_words {
    tw_sandbox *box;
    int registered, refused, node_mt, tests; /* references into the registry */
    int null;
    int fns; /* reference of the table of functions, by number + 1 */
    int fn_count;
    int test_fns; /* the same for functions of tests, which lanes do not have */
    int test_fn_count;
    bool wants_tests; /* set before tw_words_open: tests can be read, not only counted */
    bool running;     /* the file is loaded; its functions are called from now on */
    /* Gives the value of a parameter while running: pushes one value, may raise. */
    int (*param)(lua_State *L, void *self);
    void *param_self;
} tw_words;

/* Opens the language in a fresh sandbox; w must stay where it is while the sandbox lives. */
int tw_words_open(tw_words *w, tw_sandbox *box, tw_err *err);
tw_words *tw_words_of(lua_State *L);
void tw_words_push_null(lua_State *L, const tw_words *w);

/* After tw_sandbox_load: how many rules were registered, and rule i as a tree. Rules must be read in
 * order, since their functions are numbered on the way. */
int tw_words_count(tw_words *w, uint32_t *out_count, tw_err *err);
int tw_words_rule(tw_words *w, uint32_t i, tw_arena *arena, tw_tree **out, tw_err *err);
/* The same of tests. Their functions have numbers of their own. */
int tw_words_test_count(tw_words *w, uint32_t *out_count, tw_err *err);
int tw_words_test(tw_words *w, uint32_t i, tw_arena *arena, tw_tree **out, tw_err *err);
/* What a function of a test gives for a repetition (from 1) and its second of the test. */
int tw_words_test_call(tw_words *w, int fn, int64_t nth, double seconds, tw_arena *arena,
                       tw_tree **out, tw_err *err);
/* The words that were refused, in the order of their calls. Caller frees with tw_free. */
int tw_words_refusals(tw_words *w, tw_refusal **out, uint32_t *out_count, tw_err *err);

/* The words a rule file may call, NULL-terminated: for "did you mean". */
extern const char *const tw_word_names[];

#endif

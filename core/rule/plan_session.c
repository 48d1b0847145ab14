// SPDX-License-Identifier: Apache-2.0
/* `session { gap = "10m" }`: what belongs together, what is measured of it, and which sessions are told. */
#include "flow/plan_session.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

typedef struct session_options {
    const tw_tree *of;
    int64_t gap_ms, max_ms;
    const char *split_on;
    int where_fn, emit;
} session_options;

static const char *const emits[] = {"close", "first", NULL};

#define AT(field) offsetof(session_options, field)
static const tw_option session_table[] = {
    {"gap", TW_OPTION_DURATION, AT(gap_ms), 1, 0, NULL},
    {"max", TW_OPTION_DURATION, AT(max_ms), 1, 0, NULL},
    {"of", TW_OPTION_ANY, AT(of), 0, 0, NULL},
    {"where", TW_OPTION_FUNCTION, AT(where_fn), 0, 0, NULL},
    {"emit", TW_OPTION_CHOICE, AT(emit), 0, 0, emits},
    {"split_on", TW_OPTION_TEXT, AT(split_on), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void compile_split(tw_compiler *c, tw_session_plan *p, const tw_tree *at,
                          const char *path)
{
    const tw_rule *r = c->rule;
    size_t mistakes = c->mistakes;

    p->split_slots = tw_calloc(r->input_count + 1, sizeof *p->split_slots);
    for (uint32_t i = 0; i < r->input_count && c->mistakes == mistakes; i++) {
        if (r->inputs[i].stream &&
            tw_compile_path(c, at, r->inputs[i].stream, path, &p->split_slots[i]))
            tw_compile_reads(c, i, p->split_slots[i]);
    }
}

/* The session's own numbers stand beside the named ones. */
static void check_names(tw_compiler *c, const tw_tree *of)
{
    static const char *const own[] = {"count", "start", "stop", "closed"};

    for (uint32_t i = 0; i < c->rule->level.value_count; i++)
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
            if (strcmp(c->rule->level.value_names[i], own[k]) == 0)
                tw_compile_say(c, of,
                               "'%s' is what a session has anyway; take another name",
                               own[k]);
}

void tw_compile_session(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"of", "split_on", NULL};
    const tw_tree *table = tw_compile_word_table(c, word);
    session_options o = {.where_fn = TW_NO_FN};
    tw_session_plan *p;

    if (!table || c->rule->input_count == 0)
        return;
    tw_options_no_items(c, table, "session");
    bool all_known = tw_options_read(c, table, "session", session_table, &o);
    c->rule->detector = TW_DETECT_SESSION;
    c->rule->detail = p = tw_alloc(sizeof *p);
    c->rule->detail_free = tw_session_plan_free;
    c->shaping = shaping;
    c->keeps = true;
    tw_compile_fact(c, "closed");
    *p = (tw_session_plan){.gap_ms = o.gap_ms,
                           .max_ms = o.max_ms,
                           .where_fn = o.where_fn,
                           .emit = (tw_session_emit)o.emit};
    if (!tw_tree_get(table, "gap") && all_known)
        tw_compile_say(c, word, "session needs gap = \"10m\": the silence that ends it");
    if (o.max_ms > 0 && o.max_ms < o.gap_ms)
        tw_compile_say(c, tw_tree_get(table, "max"),
                       "max is shorter than gap, which then never ends a session");
    if (o.of)
        tw_compile_values(c, o.of);
    check_names(c, o.of);
    if (c->rule->level.window.prev)
        tw_compile_say(c, o.of, "prev is of the window before; a session has none");
    if (o.split_on)
        compile_split(c, p, tw_tree_get(table, "split_on"), o.split_on);
    c->rule->span_ms = o.max_ms > o.gap_ms ? o.max_ms : o.gap_ms;
}

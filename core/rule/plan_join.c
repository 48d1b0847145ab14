// SPDX-License-Identifier: Apache-2.0
/* The join detector: which inputs stand left and right, how far apart a pair may be, and what is told
 * when. What contradicts itself is told at the option that does. */
#include "flow/plan_join.h"

#include <stddef.h>

#include "base/mem.h"
#include "rule/compile.h"

#define DEFAULT_MAX 1000
#define MOST 1000000

typedef struct join_options {
    const tw_tree *left, *right, *within, *need;
    int where_fn, kind, emit; /* emit: -1, not said */
    int64_t max;
} join_options;

enum { KIND_INNER, KIND_LEFT, KIND_ANTI };
enum { EMIT_EACH, EMIT_FIRST, EMIT_ON_CLOSE };
static const char *const kinds[] = {"inner", "left", "anti", NULL};
static const char *const emits[] = {"each", "first", "on_close", NULL};

#define AT(field) offsetof(join_options, field)
static const tw_option join_table[] = {
    {"left", TW_OPTION_ANY, AT(left), 0, 0, NULL},
    {"right", TW_OPTION_ANY, AT(right), 0, 0, NULL},
    {"within", TW_OPTION_ANY, AT(within), 0, 0, NULL},
    {"where", TW_OPTION_FUNCTION, AT(where_fn), 0, 0, NULL},
    {"kind", TW_OPTION_CHOICE, AT(kind), 0, 0, kinds},
    {"emit", TW_OPTION_CHOICE, AT(emit), 0, 0, emits},
    {"need", TW_OPTION_TABLE, AT(need), 0, 0, NULL},
    {"max", TW_OPTION_WHOLE, AT(max), 1, MOST, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct within_options {
    int64_t before_ms, after_ms;
} within_options;

static const tw_option within_table[] = {
    {"before", TW_OPTION_DURATION, offsetof(within_options, before_ms), 0, 0, NULL},
    {"after", TW_OPTION_DURATION, offsetof(within_options, after_ms), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

typedef struct need_options {
    int64_t left, right;
} need_options;

static const tw_option need_table[] = {
    {"left", TW_OPTION_WHOLE, offsetof(need_options, left), 1, MOST, NULL},
    {"right", TW_OPTION_WHOLE, offsetof(need_options, right), 1, MOST, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* ---- the two sides ----------------------------------------------------------------- */

/* `join { "a", "b", ... }` is left = "a", right = "b". */
static void read_list(tw_compiler *c, const tw_tree *table, join_options *o)
{
    if (table->item_count == 0)
        return;
    if (table->item_count != 2 || o->left || o->right) {
        tw_compile_say(
            c, table->items[0],
            "join takes two inputs: join { \"left\", \"right\", ... }, or left "
            "= \"a\", right = \"b\"");
        return;
    }
    o->left = table->items[0];
    o->right = table->items[1];
}

static bool read_sides(tw_compiler *c, const tw_tree *word, const join_options *o,
                       bool all_known, tw_join_plan *plan)
{
    if (!o->left || !o->right) {
        if (all_known)
            tw_compile_say(c, word,
                           "join needs two inputs: join { left = \"a\", right = \"b\", "
                           "within = \"5m\" }");
        return false;
    }
    int left = tw_compile_input_number(c, o->left, o->left);
    int right = tw_compile_input_number(c, o->right, o->right);
    if (left < 0 || right < 0)
        return false;
    tw_compile_input_order(c, (uint32_t[]){(uint32_t)left, (uint32_t)right}, 2);
    plan->left = 0;
    plan->right = left != right;
    return true;
}

/* ---- within ------------------------------------------------------------------------ */

/* A plain duration reaches both ways. */
static void read_within(tw_compiler *c, const tw_tree *word, const tw_tree *written,
                        tw_join_plan *plan)
{
    const tw_tree *v = written ? tw_compile_value(c, written) : NULL;
    within_options o = {0};

    if (!v) {
        tw_compile_say(c, word,
                       "join needs a bound: within = { after = \"5m\" }, how long after "
                       "(or `before`) the left event the right one may come");
        return;
    }
    if (v->type != TW_TREE_TABLE) {
        if (tw_compile_duration(c, v, "within", &o.before_ms))
            plan->before_ms = plan->after_ms = o.before_ms;
        return;
    }
    tw_options_no_items(c, v, "within");
    bool all_known = tw_options_read(c, v, "within", within_table, &o);
    if (all_known && !tw_tree_get(v, "before") && !tw_tree_get(v, "after"))
        tw_compile_say(c, v, "within needs before or after: within = { after = \"5m\" }");
    plan->before_ms = o.before_ms;
    plan->after_ms = o.after_ms;
}

/* ---- what is told ------------------------------------------------------------------ */

static void read_need(tw_compiler *c, const join_options *o, tw_join_plan *plan)
{
    need_options need = {1, 1};

    if (o->need) {
        tw_options_no_items(c, o->need, "need");
        tw_options_read(c, o->need, "need", need_table, &need);
    }
    plan->need_left = (uint32_t)need.left;
    plan->need_right = (uint32_t)need.right;
    plan->max = (uint32_t)o->max;
    if (need.left > o->max || need.right > o->max)
        tw_compile_say(c, o->need,
                       "need is above max (%lld): a key never keeps that many",
                       (long long)o->max);
}

/* kind = "left" and "anti" are told at the end of the span and nowhere else. */
static void read_tells(tw_compiler *c, const tw_tree *table, const join_options *o,
                       tw_join_plan *plan)
{
    static const tw_join_tells of_emit[] = {TW_JOIN_EACH, TW_JOIN_COMPLETE,
                                            TW_JOIN_ON_CLOSE};
    bool several = plan->need_left > 1 || plan->need_right > 1;

    if (o->kind != KIND_INNER) {
        plan->tells = o->kind == KIND_ANTI ? TW_JOIN_MISSING : TW_JOIN_ALWAYS;
        if (o->emit >= 0 && o->emit != EMIT_ON_CLOSE)
            tw_compile_say(c, tw_tree_get(table, "emit"),
                           "kind = \"%s\" is told when the span of the left event has "
                           "passed; leave emit out",
                           kinds[o->kind]);
        if (several && o->kind == KIND_LEFT)
            tw_compile_say(c, o->need,
                           "kind = \"left\" is told in any case, need changes nothing");
    } else {
        plan->tells = o->emit >= 0 ? of_emit[o->emit]
                      : several    ? TW_JOIN_COMPLETE
                                   : TW_JOIN_EACH;
        if (several && o->emit == EMIT_EACH)
            tw_compile_say(c, tw_tree_get(table, "emit"),
                           "need above one is told once, when it is complete; leave emit "
                           "out, or take \"on_close\"");
    }
    if (plan->need_left > 1 && plan->tells != TW_JOIN_COMPLETE)
        tw_compile_say(c, o->need,
                       "need.left above one is told when it is complete: it goes with "
                       "kind = \"inner\" and without emit = \"on_close\"");
    if (plan->need_left > 1 && plan->left == plan->right)
        tw_compile_say(c, o->need, "need.left above one takes two different inputs");
}

/* Events of one instant are together by chance. */
static void check_span(tw_compiler *c, const tw_tree *within, const tw_join_plan *plan,
                       size_t mistakes)
{
    if (within && c->mistakes == mistakes && plan->before_ms + plan->after_ms == 0)
        tw_compile_say(c, within,
                       "within must be longer than zero: how far apart the events of a "
                       "pair may be");
}

static void check_where(tw_compiler *c, const tw_tree *table, const tw_join_plan *plan)
{
    if (plan->need_left > 1 && plan->where_fn != TW_NO_FN)
        tw_compile_say(c, tw_tree_get(table, "where"),
                       "where(l, r) is about one left event; for several take together { "
                       "..., where = function(g) ... end }");
}

static void declare_roles(tw_compiler *c, const tw_tree *word, const tw_join_plan *plan)
{
    bool at_end = plan->tells != TW_JOIN_EACH && plan->tells != TW_JOIN_COMPLETE;

    tw_compile_role(c, word, "left", plan->need_left > 1, UINT64_C(1) << plan->left);
    tw_compile_role(c, word, "right", at_end || plan->need_right > 1,
                    UINT64_C(1) << plan->right);
}

void tw_compile_join(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"left", "right",  "kind", "emit",
                                          "need", "within", NULL};
    join_options o = {.where_fn = TW_NO_FN, .emit = -1, .max = DEFAULT_MAX};
    const tw_tree *table = tw_compile_word_table(c, word);

    if (!table)
        return;
    tw_join_plan *plan = tw_alloc(sizeof *plan);
    c->rule->detector = TW_DETECT_JOIN;
    c->rule->detail = plan;
    c->rule->detail_free = tw_free;
    c->shaping = shaping;
    bool all_known = tw_options_read(c, table, "join", join_table, &o);
    read_list(c, table, &o);
    read_sides(c, word, &o, all_known && table->item_count == 0, plan);
    size_t mistakes = c->mistakes;
    if (o.within || all_known)
        read_within(c, word, o.within, plan);
    check_span(c, o.within, plan, mistakes);
    plan->where_fn = o.where_fn;
    read_need(c, &o, plan);
    read_tells(c, table, &o, plan);
    check_where(c, table, plan);
    tw_compile_event_reads(c, tw_tree_get(table, "where"), 0, UINT64_C(1) << plan->left);
    tw_compile_event_reads(c, tw_tree_get(table, "where"), 1, UINT64_C(1) << plan->right);
    declare_roles(c, word, plan);
    tw_compile_no_when(c, "narrow a join by where = function(l, r) ... end");
    c->rule->span_ms = plan->before_ms + plan->after_ms;
    c->keeps = true;
    c->keeps_for_functions = o.where_fn != TW_NO_FN;
}

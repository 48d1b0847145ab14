// SPDX-License-Identifier: Apache-2.0
/* The together detector: which inputs, how many of each, within which span. */
#include "flow/plan_together.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

#define DEFAULT_MAX 1000
#define MOST 1000000

typedef struct together_options {
    const tw_tree *need;
    int where_fn;
    int64_t within_ms, max;
} together_options;

#define AT(field) offsetof(together_options, field)
static const tw_option together_table[] = {
    {"within", TW_OPTION_DURATION, AT(within_ms), 1, 0, NULL},
    {"where", TW_OPTION_FUNCTION, AT(where_fn), 0, 0, NULL},
    {"need", TW_OPTION_TABLE, AT(need), 0, 0, NULL},
    {"max", TW_OPTION_WHOLE, AT(max), 1, MOST, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* ---- the list ---------------------------------------------------------------------- */

static bool is_listed(const tw_together_plan *plan, uint32_t input)
{
    for (uint32_t n = 0; n < plan->count; n++)
        if (plan->inputs[n] == input)
            return true;
    return false;
}

static void add_input(tw_compiler *c, const tw_tree *item, tw_together_plan *plan)
{
    int input = tw_compile_input_number(c, item, item);

    if (input < 0)
        return;
    if (is_listed(plan, (uint32_t)input)) {
        const char *name = c->rule->inputs[input].name;
        tw_compile_say(c, item,
                       "'%s' is listed twice; two of a kind are need = { %s = 2 }", name,
                       name);
        return;
    }
    if (plan->count == TW_MAX_ROLES) {
        tw_compile_say(c, item, "together takes at most %d inputs", TW_MAX_ROLES);
        return;
    }
    plan->need[plan->count] = 1;
    plan->inputs[plan->count++] = (uint32_t)input;
}

static void read_list(tw_compiler *c, const tw_tree *word, const tw_tree *table,
                      tw_together_plan *plan)
{
    if (table->item_count == 0)
        tw_compile_say(c, word,
                       "together lists its inputs: together { \"a\", \"b\", within = "
                       "\"2m\" }");
    for (uint32_t i = 0; i < table->item_count; i++)
        add_input(c, table->items[i], plan);
    tw_compile_input_order(c, plan->inputs, plan->count);
    for (uint32_t n = 0; n < plan->count; n++)
        plan->inputs[n] = n;
}

/* ---- need -------------------------------------------------------------------------- */

static void read_one_need(tw_compiler *c, const tw_tree_entry *e, int64_t max,
                          tw_together_plan *plan)
{
    const char *names[TW_MAX_ROLES];
    const tw_tree *v = tw_compile_value(c, e->value);

    for (uint32_t n = 0; n < plan->count; n++) {
        names[n] = c->rule->inputs[n].name;
        if (strcmp(names[n], e->key) != 0)
            continue;
        if (v->type != TW_TREE_INT || v->i < 1 || v->i > max)
            tw_compile_say(c, e->value, "need.%s is a whole number from 1 to max (%lld)",
                           e->key, (long long)max);
        else
            plan->need[n] = (uint32_t)v->i;
        return;
    }
    tw_compile_say(c, e->value, "need: '%s' is not among the inputs listed%s", e->key,
                   tw_compile_hint(c, e->key, names, plan->count));
}

static void read_need(tw_compiler *c, const tw_tree *word, const together_options *o,
                      uint32_t items, tw_together_plan *plan)
{
    if (o->need)
        tw_options_no_items(c, o->need, "need");
    for (uint32_t i = 0; o->need && i < o->need->entry_count; i++)
        read_one_need(c, &o->need->entries[i], o->max, plan);
    if (items == 1 && plan->count == 1 && plan->need[0] == 1)
        tw_compile_say(c, word,
                       "together needs two events at least: another input, or need = { "
                       "%s = 2 }",
                       c->rule->inputs[0].name);
}

void tw_compile_together(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"within", NULL}; /* the list does anyway */
    together_options o = {.where_fn = TW_NO_FN, .max = DEFAULT_MAX};
    const tw_tree *table = tw_compile_word_table(c, word);

    if (!table)
        return;
    tw_together_plan *plan = tw_alloc(sizeof *plan);
    c->rule->detector = TW_DETECT_TOGETHER;
    c->rule->detail = plan;
    c->rule->detail_free = tw_free;
    c->shaping = shaping;
    bool all_known = tw_options_read(c, table, "together", together_table, &o);
    read_list(c, word, table, plan);
    read_need(c, word, &o, table->item_count, plan);
    if (!tw_tree_get(table, "within") && all_known)
        tw_compile_say(
            c, word,
            "together needs a bound: within = \"2m\", the span in which all of "
            "it happens");
    plan->within_ms = o.within_ms;
    plan->where_fn = o.where_fn;
    plan->max = (uint32_t)o.max;
    for (uint32_t n = 0; n < plan->count; n++)
        tw_compile_role(c, word, c->rule->inputs[n].name, plan->need[n] > 1,
                        UINT64_C(1) << n);
    tw_compile_role_reads(c, tw_tree_get(table, "where"), 0);
    tw_compile_no_when(c, "narrow together by where = function(g) ... end");
    c->rule->span_ms = plan->within_ms;
    c->keeps = true;
    c->keeps_for_functions = o.where_fn != TW_NO_FN;
}

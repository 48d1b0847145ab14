// SPDX-License-Identifier: Apache-2.0
/* The sequence detector: its steps, what they are called, and what would make it a sequence that never
 * matches or a match that never ends. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "flow/plan_seq.h"
#include "rule/compile.h"

#define MAX_TIMES 1000000
#define MAX_OPEN 4096
#define MAX_ORDER 256

typedef struct step_options {
    const tw_tree *any, *absent;
    const char *as;
    int where_fn;
    int64_t within_ms, lasting_ms, times, at_least, at_most;
    bool optional, strict, run;
} step_options;

#define AT(field) offsetof(step_options, field)
static const tw_option step_table[] = {
    {"as", TW_OPTION_TEXT, AT(as), 0, 0, NULL},
    {"where", TW_OPTION_FUNCTION, AT(where_fn), 0, 0, NULL},
    {"within", TW_OPTION_DURATION, AT(within_ms), 1, 0, NULL},
    {"times", TW_OPTION_WHOLE, AT(times), 1, MAX_TIMES, NULL},
    {"at_least", TW_OPTION_WHOLE, AT(at_least), 1, MAX_TIMES, NULL},
    {"at_most", TW_OPTION_WHOLE, AT(at_most), 1, MAX_TIMES, NULL},
    {"optional", TW_OPTION_FLAG, AT(optional), 0, 0, NULL},
    {"strict", TW_OPTION_FLAG, AT(strict), 0, 0, NULL},
    {"run", TW_OPTION_FLAG, AT(run), 0, 0, NULL},
    {"any", TW_OPTION_TABLE, AT(any), 0, 0, NULL},
    {"absent", TW_OPTION_ANY, AT(absent), 0, 0, NULL},
    {"lasting", TW_OPTION_DURATION, AT(lasting_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct seq_options {
    int64_t within_ms, max_open;
    int overlap, on_timeout;
    const tw_tree *stop_on;
} seq_options;

static const char *const overlaps[] = {"newest", "oldest", "every", "past_last", NULL};
static const char *const timeouts[] = {"emit", NULL};

#define AT(field) offsetof(seq_options, field)
static const tw_option seq_table[] = {
    {"within", TW_OPTION_DURATION, AT(within_ms), 1, 0, NULL},
    {"overlap", TW_OPTION_CHOICE, AT(overlap), 0, 0, overlaps},
    {"stop_on", TW_OPTION_ANY, AT(stop_on), 0, 0, NULL},
    {"on_timeout", TW_OPTION_CHOICE, AT(on_timeout), 0, 0, timeouts},
    {"max_open", TW_OPTION_WHOLE, AT(max_open), 1, MAX_OPEN, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* What was written of a step, while the sequence is put together. */
typedef struct written {
    const tw_tree *at;
    const char *as;    /* NULL: not said */
    const char *input; /* of a step of one input */
} written;

/* ---- one step ---------------------------------------------------------------------- */

/* An input or a list of them. */
static uint64_t read_inputs(tw_compiler *c, const tw_tree *v, const char **out_name)
{
    const tw_tree *one = tw_compile_value(c, v);
    uint64_t inputs = 0;

    *out_name = NULL;
    if (one->type != TW_TREE_TABLE) {
        int number = tw_compile_input_number(c, v, v);
        *out_name = number >= 0 ? one->text : NULL;
        return number >= 0 ? UINT64_C(1) << number : 0;
    }
    if (one->item_count == 0 || one->entry_count > 0)
        tw_compile_say(c, v, "a list of inputs is written { \"a\", \"b\" }");
    for (uint32_t i = 0; i < one->item_count; i++) {
        int number = tw_compile_input_number(c, one->items[i], one->items[i]);
        inputs |= number >= 0 ? UINT64_C(1) << number : 0;
    }
    return inputs;
}

static void read_counts(tw_compiler *c, const tw_tree *at, const step_options *o,
                        tw_seq_step *step)
{
    if (o->times > 0 && (o->at_least > 0 || o->at_most > 0)) {
        tw_compile_say(c, at,
                       "times = %lld is an exact number; take it, or at_least and "
                       "at_most",
                       (long long)o->times);
        return;
    }
    if (o->at_most > 0 && o->at_most < o->at_least) {
        tw_compile_say(c, at, "the step can never match: at_most is below at_least");
        return;
    }
    step->min = (uint32_t)(o->times > 0 ? o->times : o->at_least > 0 ? o->at_least : 1);
    step->max = o->at_most > 0    ? (uint32_t)o->at_most
                : o->at_least > 0 ? UINT32_MAX
                                  : step->min;
    if (step->run && step->max == 1)
        tw_compile_say(c, at,
                       "run says that nothing comes between repetitions; it needs times "
                       "or at_least");
}

/* What an event step says that an absent one cannot. */
static void refuse_of_absent(tw_compiler *c, const tw_tree *table)
{
    static const char *const names[] = {
        "as", "within", "times", "at_least", "at_most", "optional", "run", "any", NULL};

    for (int i = 0; names[i]; i++) {
        const tw_tree *v = tw_tree_get(table, names[i]);
        if (v)
            tw_compile_say(c, v, "a step that is absent has no '%s'", names[i]);
    }
}

static void absent_step(tw_compiler *c, const tw_tree *table, const step_options *o,
                        tw_seq_step *step)
{
    const char *name;

    step->kind = o->lasting_ms > 0 ? TW_SEQ_WAIT : TW_SEQ_GUARD;
    step->lasting_ms = o->lasting_ms;
    step->inputs = read_inputs(c, o->absent, &name);
    refuse_of_absent(c, table);
    if (table->item_count > 0)
        tw_compile_say(c, table->items[0],
                       "a step is an input that comes or one that is absent, not both");
    if (step->strict && o->lasting_ms > 0)
        tw_compile_say(c, table,
                       "strict is about the very next event and lasting about a time; "
                       "take one");
}

static void event_step(tw_compiler *c, const tw_tree *table, const step_options *o,
                       tw_seq_step *step, written *w)
{
    const tw_tree *lasting = tw_tree_get(table, "lasting");

    if (table->item_count > 1 || (table->item_count == 0) == !o->any) {
        tw_compile_say(c, table,
                       "a step names one input: { \"deploy\" }, { any = { \"a\", \"b\" } "
                       "} or { absent = \"x\" }");
        return;
    }
    if (o->any && o->any->type != TW_TREE_TABLE)
        return; /* which has been told */
    step->inputs = read_inputs(c, o->any ? o->any : table->items[0], &w->input);
    if (lasting)
        tw_compile_say(c, lasting, "lasting stands with absent");
    read_counts(c, table, o, step);
}

static void compile_step(tw_compiler *c, const tw_tree *written_step, tw_seq_step *step,
                         written *w)
{
    const tw_tree *v = tw_compile_value(c, written_step);
    step_options o = {.where_fn = TW_NO_FN, .within_ms = TW_SEQ_UNBOUND};

    *step = (tw_seq_step){
        .where_fn = TW_NO_FN, .within_ms = TW_SEQ_UNBOUND, .min = 1, .max = 1};
    *w = (written){.at = written_step};
    if (v->type == TW_TREE_STRING) {
        step->inputs = read_inputs(c, v, &w->input);
        return;
    }
    if (v->type != TW_TREE_TABLE) {
        tw_compile_say(c, written_step,
                       "a step is a table like { \"deploy\", as = \"d\" "
                       "}, not %s",
                       tw_tree_name(v));
        return;
    }
    tw_options_read(c, v, "a step", step_table, &o);
    step->where_fn = o.where_fn;
    step->within_ms = tw_tree_get(v, "within") && o.within_ms == TW_SEQ_UNBOUND
                          ? 0 /* which has been told */
                          : o.within_ms;
    step->optional = o.optional;
    step->strict = o.strict;
    step->run = o.run;
    w->as = o.as;
    if (o.absent)
        absent_step(c, v, &o, step);
    else
        event_step(c, v, &o, step, w);
    c->keeps_for_functions = c->keeps_for_functions || step->where_fn != TW_NO_FN;
}

/* ---- names ------------------------------------------------------------------------- */

static bool is_only_one(const written *steps, uint32_t count, uint32_t n)
{
    for (uint32_t i = 0; i < count; i++)
        if (i != n && !steps[i].as && steps[i].input &&
            strcmp(steps[i].input, steps[n].input) == 0)
            return false;
    return true;
}

/* A step without a name of its own is called by its input, where that is one step's alone; else it has a
 * name that nobody writes. */
static void compile_roles(tw_compiler *c, tw_seq_plan *plan, const written *steps)
{
    char number[16];

    for (uint32_t n = 0; n < plan->step_count; n++) {
        const written *w = &steps[n];
        const char *name = w->as;
        if (plan->steps[n].kind != TW_SEQ_EVENT)
            continue;
        snprintf(number, sizeof number, "#%u", n + 1);
        if (!name)
            name =
                w->input && is_only_one(steps, plan->step_count, n) ? w->input : number;
        int role = tw_compile_role(c, w->at, name, plan->steps[n].max > 1,
                                   plan->steps[n].inputs);
        plan->steps[n].role = role < 0 ? 0 : (uint32_t)role;
    }
}

static void check_functions(tw_compiler *c, const tw_tree *table, const tw_seq_plan *plan)
{
    for (uint32_t n = 0; n < plan->step_count; n++) {
        const tw_tree *where = tw_tree_get(tw_compile_value(c, table->items[n]), "where");
        tw_compile_event_reads(c, where, 0, plan->steps[n].inputs);
        tw_compile_role_reads(c, where, 1);
    }
}

/* ---- can it match, and does it end ------------------------------------------------- */

static void check_first(tw_compiler *c, const tw_seq_plan *plan, const written *w)
{
    uint32_t n = 0;

    while (n + 1 < plan->step_count && plan->steps[n].optional)
        n++;
    if (plan->steps[n].kind != TW_SEQ_EVENT)
        tw_compile_say(c, w[n].at,
                       "the first step is an event; what must not have come before it is "
                       "not known");
    if (plan->steps[0].strict)
        tw_compile_say(c, w[0].at,
                       "nothing comes before the first step: strict says "
                       "nothing there");
    if (plan->steps[0].within_ms != TW_SEQ_UNBOUND && plan->steps[0].max == 1)
        tw_compile_say(c, w[0].at,
                       "nothing comes before the first step: its within bounds its "
                       "repetitions, and it has none");
}

static void check_last(tw_compiler *c, const tw_seq_plan *plan, const written *w)
{
    uint32_t n = plan->step_count - 1;

    if (plan->steps[n].kind == TW_SEQ_GUARD)
        tw_compile_say(
            c, w[n].at,
            "absent as the last step needs lasting = \"10m\": how long it must "
            "stay away");
    else if (plan->steps[n].optional)
        tw_compile_say(c, w[n].at,
                       "an optional last step changes nothing: the match is complete "
                       "before it");
}

/* Must it be passed by another event, when it is not the first? */
static void check_inputs(tw_compiler *c, const tw_seq_plan *plan, const written *w,
                         uint32_t n)
{
    const tw_seq_step *step = &plan->steps[n], *next = step + 1;
    bool is_last = n + 1 == plan->step_count;

    if (step->kind == TW_SEQ_EVENT && !step->optional && (n > 0 || step->min > 1) &&
        (step->inputs & ~plan->stop_inputs) == 0 && step->inputs)
        tw_compile_say(c, w[n].at,
                       "the step can never match: stop_on ends the match "
                       "first");
    if (step->kind != TW_SEQ_GUARD || is_last)
        return;
    if (next->kind == TW_SEQ_WAIT)
        tw_compile_say(c, w[n].at,
                       "absent without lasting guards the way to an event, and a wait "
                       "follows; give it lasting too, or name both: absent = { \"a\", "
                       "\"b\" }");
    if (next->kind == TW_SEQ_EVENT && !step->strict && step->where_fn == TW_NO_FN &&
        next->inputs && (next->inputs & ~step->inputs) == 0)
        tw_compile_say(
            c, w[n + 1].at,
            "the step can never match: what it waits for must be absent before "
            "it");
}

static bool waits_in(const tw_seq_plan *plan, uint32_t n)
{
    const tw_seq_step *step = &plan->steps[n];

    if (step->kind != TW_SEQ_EVENT)
        return false;
    return n > 0 || step->min > 1 ||
           (step->max > 1 && !step->before_wait && n + 1 < plan->step_count);
}

static void check_bounds(tw_compiler *c, const tw_tree *at, tw_seq_plan *plan,
                         const written *w)
{
    int64_t lasting_ms = 0, span_ms = 0;

    for (uint32_t n = 0; n < plan->step_count; n++) {
        const tw_seq_step *step = &plan->steps[n];
        bool is_bound = step->within_ms != TW_SEQ_UNBOUND;
        if (is_bound && step->within_ms > plan->within_ms)
            tw_compile_say(c, w[n].at,
                           "the step's within is longer than that of the whole sequence, "
                           "which counts from the first event: the match is over before");
        if (waits_in(plan, n) && !is_bound && plan->within_ms == TW_SEQ_UNBOUND)
            tw_compile_say(
                c, w[n].at,
                "a match that waits for this step would live for ever: give it "
                "within = \"5m\", or the whole sequence");
        if (__builtin_add_overflow(lasting_ms, step->lasting_ms, &lasting_ms) ||
            __builtin_add_overflow(span_ms, is_bound ? step->within_ms : 0, &span_ms) ||
            __builtin_add_overflow(span_ms, step->lasting_ms, &span_ms))
            lasting_ms = span_ms = INT64_MAX / 4;
    }
    if (lasting_ms > plan->within_ms)
        tw_compile_say(c, at,
                       "the sequence can never match: its absent steps last longer than "
                       "its within");
    bool whole = plan->within_ms != TW_SEQ_UNBOUND;
    c->rule->span_ms = whole ? plan->within_ms : span_ms;
}

static void mark_before_wait(tw_seq_plan *plan)
{
    for (uint32_t n = 0; n < plan->step_count; n++) {
        uint32_t j = n + 1;
        while (j < plan->step_count && plan->steps[j].optional)
            j++;
        plan->steps[n].before_wait =
            j < plan->step_count && plan->steps[j].kind == TW_SEQ_WAIT;
    }
}

/* ---- the whole --------------------------------------------------------------------- */

/* The number of an input that is named rightly, else no number. */
static uint32_t number_of(tw_compiler *c, const tw_tree *name)
{
    uint32_t n = 0;

    while (n < c->rule->input_count && (name->type != TW_TREE_STRING ||
                                        strcmp(name->text, c->rule->inputs[n].name) != 0))
        n++;
    return n;
}

static void add_order(tw_compiler *c, const tw_tree *inputs, uint32_t *order,
                      uint32_t *count)
{
    uint32_t n = number_of(c, tw_compile_value(c, inputs));
    bool is_list = inputs->type == TW_TREE_TABLE;

    if (n < c->rule->input_count && *count < MAX_ORDER)
        order[(*count)++] = n;
    for (uint32_t i = 0; is_list && i < inputs->item_count; i++) {
        n = number_of(c, tw_compile_value(c, inputs->items[i]));
        if (n < c->rule->input_count && *count < MAX_ORDER)
            order[(*count)++] = n;
    }
}

/* Events of one time are judged in the order of the steps that wait for them. */
static void order_inputs(tw_compiler *c, const tw_tree *table)
{
    uint32_t order[MAX_ORDER], count = 0;

    for (uint32_t n = 0; n < table->item_count; n++) {
        const tw_tree *step = table->items[n];
        const tw_tree *any = tw_tree_get(step, "any"), *not = tw_tree_get(step, "absent");
        add_order(c, any ? any : not ? not : step, order, &count);
    }
    tw_compile_input_order(c, order, count);
}

static void compile_steps(tw_compiler *c, const tw_tree *word, const tw_tree *table,
                          tw_seq_plan *plan)
{
    written steps[TW_SEQ_MAX_STEPS];

    if (table->item_count == 0 || table->item_count > TW_SEQ_MAX_STEPS) {
        tw_compile_say(c, word,
                       "seq has %s: seq { { \"deploy\" }, { \"err\", within = "
                       "\"5m\" } }",
                       table->item_count == 0 ? "no steps"
                                              : "too many steps (32 at most)");
        return;
    }
    plan->step_count = table->item_count;
    for (uint32_t n = 0; n < plan->step_count; n++)
        compile_step(c, table->items[n], &plan->steps[n], &steps[n]);
    compile_roles(c, plan, steps);
    check_functions(c, table, plan);
    mark_before_wait(plan);
    check_first(c, plan, steps);
    check_last(c, plan, steps);
    for (uint32_t n = 0; n < plan->step_count; n++)
        check_inputs(c, plan, steps, n);
    check_bounds(c, word, plan, steps);
}

void tw_compile_seq(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {NULL}; /* the steps always do */
    seq_options o = {.within_ms = TW_SEQ_UNBOUND, .max_open = 64, .on_timeout = -1};
    const tw_tree *table = tw_compile_word_table(c, word);
    const char *name;

    if (!table)
        return;
    order_inputs(c, table);
    tw_options_read(c, table, "seq", seq_table, &o);
    tw_seq_plan *plan = tw_seq_plan_new(c->rule);
    c->shaping = shaping;
    c->keeps = true;
    plan->within_ms = o.within_ms;
    if (tw_tree_get(table, "within") && o.within_ms == TW_SEQ_UNBOUND)
        plan->within_ms = INT64_MAX / 4; /* which has been told */
    plan->overlap = (tw_seq_overlap)o.overlap;
    plan->emit_timeouts = o.on_timeout == 0;
    plan->max_open = (uint32_t)o.max_open;
    plan->stop_inputs = o.stop_on ? read_inputs(c, o.stop_on, &name) : 0;
    compile_steps(c, word, table, plan);
    if (plan->emit_timeouts)
        tw_compile_fact(c, "timed_out");
    tw_compile_no_when(c, "narrow a step by where = function(e, m) ... end");
}

// SPDX-License-Identifier: Apache-2.0
/* `of`: aggregates and the arithmetic over them, as nodes in post-order. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_AGGREGATES 64
#define MAX_VALUES 16
#define BAD UINT32_MAX

/* What stands behind the input, in order: f field or mapper, F the same if there is one, s a second
 * field, S the same if there is one, d a duration, q a number from 0 to 1, k how many. Last, always, a
 * table of matchers. */
typedef struct aggregate_word {
    const char *name;
    tw_agg_kind kind;
    const char *takes, *shown;
} aggregate_word;

/* `rate` is here once: of events, and with a field of a counter. */
static const aggregate_word aggregate_words[] = {
    {"count", TW_AGG_COUNT, "", "count \"%s\""},
    {"sum", TW_AGG_SUM, "f", "sum(\"%s\", \"field\")"},
    {"avg", TW_AGG_AVG, "f", "avg(\"%s\", \"field\")"},
    {"min", TW_AGG_MIN, "f", "min(\"%s\", \"field\")"},
    {"max", TW_AGG_MAX, "f", "max(\"%s\", \"field\")"},
    {"first", TW_AGG_FIRST, "f", "first(\"%s\", \"field\")"},
    {"last", TW_AGG_LAST, "f", "last(\"%s\", \"field\")"},
    {"delta", TW_AGG_DELTA, "f", "delta(\"%s\", \"field\")"},
    {"rate", TW_AGG_RATE_EVENTS, "F", "rate \"%s\""},
    {"stddev", TW_AGG_STDDEV, "f", "stddev(\"%s\", \"field\")"},
    {"increase", TW_AGG_INCREASE, "f", "increase(\"%s\", \"field\")"},
    {"changes", TW_AGG_CHANGES, "f", "changes(\"%s\", \"field\")"},
    {"resets", TW_AGG_RESETS, "f", "resets(\"%s\", \"field\")"},
    {"elapsed", TW_AGG_ELAPSED, "", "elapsed \"%s\""},
    {"trend", TW_AGG_TREND, "f", "trend(\"%s\", \"field\")"},
    {"ewma", TW_AGG_EWMA, "fd", "ewma(\"%s\", \"field\", \"1m\")"},
};

static const aggregate_word *find_aggregate(const tw_tree *v)
{
    size_t count = sizeof aggregate_words / sizeof aggregate_words[0];
    for (size_t i = 0; i < count; i++)
        if (tw_tree_is_word(v, aggregate_words[i].name))
            return &aggregate_words[i];
    return NULL;
}

/* ---- arguments --------------------------------------------------------------------- */

/* A field or a mapper. True when it was one. */
static bool read_field(tw_compiler *c, const tw_tree *v, tw_stream *stream,
                       tw_aggregate *agg)
{
    const tw_tree *field = tw_compile_value(c, v);

    if (field->type == TW_TREE_FUNCTION) {
        agg->fn = field->fn;
        return true;
    }
    if (field->type != TW_TREE_STRING)
        return false;
    agg->has_field = true;
    if (stream)
        tw_compile_path(c, v, stream, field->text, &agg->slot);
    return true;
}

static void read_half_life(tw_compiler *c, const tw_tree *v, tw_aggregate *agg)
{
    int64_t ms = 0;

    if (!tw_compile_duration(c, tw_compile_value(c, v), "the half-life", &ms))
        return;
    if (ms == 0)
        tw_compile_say(c, v, "the half-life of ewma must be longer than zero");
    agg->param = (double)ms;
}

/* False: what stands there is something else. */
static bool read_argument(tw_compiler *c, char what, const tw_tree *v, tw_stream *stream,
                          tw_aggregate *agg)
{
    switch (what) {
    case 'f':
    case 'F':
        return read_field(c, v, stream, agg);
    case 'd':
        if (tw_compile_value(c, v)->type != TW_TREE_STRING)
            return false;
        read_half_life(c, v, agg);
        return true;
    }
    return false;
}

static void say_usage(tw_compiler *c, const tw_tree *at, const aggregate_word *w,
                      const tw_aggregate *agg)
{
    char shown[256];
    const char *input = c->rule->inputs[agg->input].name;
    const char *hole = strstr(w->shown, "%s");

    snprintf(shown, sizeof shown, "%.*s%s%s", (int)(hole - w->shown), w->shown, input,
             hole + 2);
    tw_compile_say(c, at, "%s is written %s, behind which a table of matchers may stand",
                   w->name, shown);
}

static void read_arguments(tw_compiler *c, const tw_tree *word, const aggregate_word *w,
                           tw_aggregate *agg)
{
    tw_stream *stream = c->rule->inputs[agg->input].stream;
    uint32_t next = 1;

    for (const char *what = w->takes; *what; what++) {
        bool there = next < word->item_count &&
                     read_argument(c, *what, word->items[next], stream, agg);
        if (!there && *what >= 'a') {
            if (*what == 'f' && next == 1)
                tw_compile_say(c, word, "%s needs a field: %s(\"%s\", \"field\")",
                               w->name, w->name, c->rule->inputs[agg->input].name);
            else
                say_usage(c, word, w, agg);
            return;
        }
        next += there;
    }
    if (word->item_count > next) {
        if (stream)
            agg->match = tw_compile_match(c, word->items[next], stream, NULL);
        next++;
    }
    if (word->item_count > next)
        say_usage(c, word->items[next], w, agg);
}

/* ---- aggregates -------------------------------------------------------------------- */

static uint32_t put_aggregate(tw_compiler *c, const tw_tree *at, tw_aggregate agg)
{
    tw_level_plan *level = &c->rule->level;

    if (level->agg_count == MAX_AGGREGATES) {
        tw_match_table_free(agg.match);
        tw_compile_say(c, at, "a rule may have %d aggregates", MAX_AGGREGATES);
        return BAD;
    }
    level->aggs = tw_realloc(level->aggs, (level->agg_count + 1) * sizeof *level->aggs);
    level->aggs[level->agg_count] = agg;
    return level->agg_count++;
}

/* Number of the new aggregate. */
static uint32_t add_aggregate(tw_compiler *c, const tw_tree *word,
                              const aggregate_word *w)
{
    tw_aggregate agg = {.kind = w->kind, .fn = TW_NO_FN};

    if (word->item_count == 0) {
        tw_compile_say(c, word, "%s takes the name of an input: %s \"ev\"", w->name,
                       w->name);
        return BAD;
    }
    int input = tw_compile_input_number(c, word, word->items[0]);
    if (input < 0)
        return BAD;
    agg.input = (uint32_t)input;
    read_arguments(c, word, w, &agg);
    if (agg.kind == TW_AGG_RATE_EVENTS && (agg.has_field || agg.fn != TW_NO_FN))
        agg.kind = TW_AGG_RATE_COUNTER;
    return put_aggregate(c, word, agg);
}

/* ---- expressions ------------------------------------------------------------------- */

static uint32_t add_node(tw_expr *e, tw_expr_node node)
{
    e->nodes = tw_realloc(e->nodes, (e->count + 1) * sizeof *e->nodes);
    e->nodes[e->count] = node;
    return e->count++;
}

static bool operator_of(const tw_tree *v, tw_expr_op *out)
{
    static const struct {
        const char *word;
        tw_expr_op op;
    } operators[] = {{"+", TW_EXPR_ADD},
                     {"-", TW_EXPR_SUB},
                     {"*", TW_EXPR_MUL},
                     {"/", TW_EXPR_DIV},
                     {"negate", TW_EXPR_NEG}};

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (tw_tree_is_word(v, operators[i].word)) {
            *out = operators[i].op;
            return true;
        }
    }
    return false;
}

static uint32_t build_expr(tw_compiler *c, const tw_tree *written, tw_expr *e)
{
    const tw_tree *v = tw_compile_value(c, written);
    const aggregate_word *w = find_aggregate(v);
    tw_expr_op op;
    double number;

    if (tw_tree_number(v, &number)) {
        if (!isfinite(number))
            tw_compile_say(c, written, "a number in `of` is not finite");
        return add_node(e, (tw_expr_node){.op = TW_EXPR_NUMBER, .number = number});
    }
    if (w) {
        uint32_t agg = add_aggregate(c, v, w);
        return agg == BAD ? BAD
                          : add_node(e, (tw_expr_node){.op = TW_EXPR_AGG, .agg = agg});
    }
    if (operator_of(v, &op)) {
        uint32_t left = build_expr(c, v->items[0], e);
        uint32_t right = v->item_count > 1 ? build_expr(c, v->items[1], e) : left;
        return left == BAD || right == BAD
                   ? BAD
                   : add_node(e, (tw_expr_node){.op = op, .left = left, .right = right});
    }
    tw_compile_say(
        c, v, "`of` is an aggregate like count \"ev\" or arithmetic over such, not %s",
        tw_tree_name(v));
    return BAD;
}

static void add_value(tw_compiler *c, const char *name, const tw_tree *written)
{
    tw_level_plan *level = &c->rule->level;
    uint32_t aggs = level->agg_count;
    level->value_names =
        tw_realloc(level->value_names, (level->value_count + 1) * sizeof(char *));
    level->values =
        tw_realloc(level->values, (level->value_count + 1) * sizeof *level->values);
    level->value_names[level->value_count] = tw_strdup(name);
    level->values[level->value_count] = (tw_expr){0};
    tw_expr *e = &level->values[level->value_count++];
    if (build_expr(c, written, e) != BAD && level->agg_count == aggs)
        tw_compile_say(c, written, "'%s' is always the same; it needs an aggregate",
                       name);
}

void tw_compile_values(tw_compiler *c, const tw_tree *of)
{
    if (of->type != TW_TREE_TABLE) {
        add_value(c, "value", of);
        return;
    }
    if (of->item_count > 0)
        tw_compile_say(c, of->items[0],
                       "a value in a table needs a name: of = { errors = "
                       "count \"ev\" }");
    else if (of->entry_count == 0)
        tw_compile_say(c, of, "`of` is empty");
    else if (of->entry_count > MAX_VALUES)
        tw_compile_say(c, of, "`of` may have %d values", MAX_VALUES);
    else
        for (uint32_t i = 0; i < of->entry_count; i++)
            add_value(c, of->entries[i].key, of->entries[i].value);
}

// SPDX-License-Identifier: Apache-2.0
/* `of`: aggregates and the arithmetic over them, as nodes in post-order. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_AGGREGATES 64
#define MAX_VALUES 16
#define BAD UINT32_MAX

/* What stands behind the input, in order: f field or mapper, F the same if there is one, t field, s a
 * second field, S the same if there is one, d a duration, q a number from 0 to 1, k how many. Last,
 * always, a table of matchers. */
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
    {"latest", TW_AGG_LATEST, "fs", "latest(\"%s\", \"field\", \"sub_key\")"},
    {"distinct", TW_AGG_DISTINCT, "f", "distinct(\"%s\", \"field\")"},
    {"quantile", TW_AGG_QUANTILE, "fq", "quantile(\"%s\", \"field\", 0.99)"},
    {"topk", TW_AGG_TOPK, "tkS", "topk(\"%s\", \"field\", 5)"},
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

static bool takes_numbers(tw_agg_kind kind)
{
    return kind != TW_AGG_FIRST && kind != TW_AGG_LAST && kind != TW_AGG_CHANGES &&
           kind != TW_AGG_LATEST && kind != TW_AGG_DISTINCT && kind != TW_AGG_TOPK;
}

/* A field or a mapper. True when it was one. */
static bool read_field(tw_compiler *c, const tw_tree *v, tw_stream *stream,
                       tw_aggregate *agg)
{
    const tw_tree *field = tw_compile_value(c, v);

    if (field->type == TW_TREE_FUNCTION) {
        agg->fn = field->fn;
        tw_compile_event_reads(c, field, 0, UINT64_C(1) << agg->input);
        return true;
    }
    if (field->type != TW_TREE_STRING)
        return false;
    agg->has_field = true;
    if (stream && tw_compile_path(c, v, stream, field->text, &agg->slot) &&
        takes_numbers(agg->kind))
        tw_compile_type(c, v, stream, agg->slot, TW_DECLARED_NUMBER, "this takes");
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

static void read_number(tw_compiler *c, const tw_tree *v, double least, double most,
                        const char *what, double *out)
{
    double d;

    if (!tw_tree_number(tw_compile_value(c, v), &d))
        return;
    if (!(d >= least && d <= most))
        tw_compile_say(c, v, "%s", what);
    *out = d;
}

static void read_top(tw_compiler *c, const tw_tree *v, tw_aggregate *agg)
{
    double top = 1;

    read_number(c, v, 1, TW_MAX_TOP, "topk takes how many to list, from 1 to 64", &top);
    agg->top = (uint32_t)top;
}

/* False: what stands there is something else. */
static bool read_argument(tw_compiler *c, char what, const tw_tree *v, tw_stream *stream,
                          tw_aggregate *agg)
{
    const tw_tree *given = tw_compile_value(c, v);
    bool is_text = given->type == TW_TREE_STRING;
    double number;

    switch (what) {
    case 't':
        return is_text && read_field(c, v, stream, agg);
    case 's':
    case 'S':
        if (is_text && stream)
            tw_compile_path(c, v, stream, given->text, &agg->second);
        agg->has_second = agg->has_second || is_text;
        return is_text;
    case 'd':
        if (is_text)
            read_half_life(c, v, agg);
        return is_text;
    case 'q':
        read_number(c, v, 0, 1, "a quantile is a number from 0 to 1, as 0.99",
                    &agg->param);
        return tw_tree_number(given, &number);
    case 'k':
        read_top(c, v, agg);
        return tw_tree_number(given, &number);
    }
    return read_field(c, v, stream, agg);
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

static uint32_t read_aggregate(tw_compiler *c, const tw_tree *word,
                               const aggregate_word *w, tw_agg_kind fold)
{
    tw_aggregate agg = {.kind = w->kind, .fn = TW_NO_FN, .fold = fold};

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
    /* Which quantile is asked of a sketch; it is the same for all. */
    agg.id = tw_compile_identity(c, w->name, word->items, word->item_count,
                                 w->kind == TW_AGG_QUANTILE ? 2 : UINT32_MAX);
    if (agg.kind == TW_AGG_RATE_EVENTS && (agg.has_field || agg.fn != TW_NO_FN))
        agg.kind = TW_AGG_RATE_COUNTER;
    return put_aggregate(c, word, agg);
}

static bool folds(tw_agg_kind kind)
{
    return kind == TW_AGG_SUM || kind == TW_AGG_AVG || kind == TW_AGG_MIN ||
           kind == TW_AGG_MAX || kind == TW_AGG_COUNT;
}

/* Number of the new aggregate. alone: nothing is done with its value. */
static uint32_t add_aggregate(tw_compiler *c, const tw_tree *word,
                              const aggregate_word *w, bool alone)
{
    const tw_tree *inner =
        word->item_count == 1 ? tw_compile_value(c, word->items[0]) : NULL;

    if (inner && tw_tree_is_word(inner, "latest") && folds(w->kind))
        return read_aggregate(c, inner, find_aggregate(inner), w->kind);
    if (w->kind == TW_AGG_LATEST)
        tw_compile_say(c, word,
                       "latest is a number for each sub-key; say what of them: "
                       "sum(latest(...)), or avg, min, max, count");
    if (w->kind == TW_AGG_TOPK && !alone)
        tw_compile_say(c, word,
                       "topk is a list, with which there is no arithmetic; give it a "
                       "name: of = { top = topk(...) }");
    return read_aggregate(c, word, w, TW_AGG_SUM);
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

typedef struct place {
    tw_expr *e;
    bool prev;  /* inside prev(...) */
    bool alone; /* all of a value */
} place;

static uint32_t build_expr(tw_compiler *c, const tw_tree *written, place at);

static uint32_t build_operator(tw_compiler *c, const tw_tree *v, tw_expr_op op, place at)
{
    at.alone = false;
    uint32_t left = build_expr(c, v->items[0], at);
    uint32_t right = v->item_count > 1 ? build_expr(c, v->items[1], at) : left;

    return left == BAD || right == BAD
               ? BAD
               : add_node(at.e, (tw_expr_node){.op = op, .left = left, .right = right});
}

static uint32_t build_prev(tw_compiler *c, const tw_tree *v, place at)
{
    if (v->item_count != 1 || at.prev) {
        tw_compile_say(c, v,
                       "prev takes one expression and gives it of the window before: "
                       "prev(count \"ev\")");
        return BAD;
    }
    c->rule->level.window.prev = true;
    return build_expr(c, v->items[0], (place){.e = at.e, .prev = true});
}

static uint32_t build_expr(tw_compiler *c, const tw_tree *written, place at)
{
    const tw_tree *v = tw_compile_value(c, written);
    const aggregate_word *w = find_aggregate(v);
    tw_expr_op op;
    double number;

    if (tw_tree_number(v, &number)) {
        if (!isfinite(number))
            tw_compile_say(c, written, "a number in `of` is not finite");
        return add_node(at.e, (tw_expr_node){.op = TW_EXPR_NUMBER, .number = number});
    }
    if (w) {
        uint32_t agg = add_aggregate(c, v, w, at.alone);
        tw_expr_node node = {.op = TW_EXPR_AGG, .agg = agg, .prev = at.prev};
        return agg == BAD ? BAD : add_node(at.e, node);
    }
    if (operator_of(v, &op))
        return build_operator(c, v, op, at);
    if (tw_tree_is_word(v, "prev"))
        return build_prev(c, v, at);
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
    if (build_expr(c, written, (place){.e = e, .alone = true}) != BAD &&
        level->agg_count == aggs)
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

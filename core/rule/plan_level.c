// SPDX-License-Identifier: Apache-2.0
/* The level detector: what it measures, in which window, and the levels with their bounds, holds and
 * clears. Contradictions are told at the option that makes them. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_SAMPLES 1000000
#define MAX_EXACT 65536
#define MAX_LAST 100000 /* as its windows */

typedef struct level_options {
    const tw_tree *of, *at, *clear, *nodata;
    const tw_tree *levels[TW_LEVELS];
    tw_window_options window;
    int64_t min, hold_ms, clear_hold_ms;
} level_options;

static const char *const aligns[] = {"epoch", "first", NULL};

#define AT(field) offsetof(level_options, field)
static const tw_option level_table[] = {
    {"of", TW_OPTION_ANY, AT(of), 0, 0, NULL},
    {"over", TW_OPTION_DURATION, AT(window.over_ms), 1, 0, NULL},
    {"every", TW_OPTION_ANY, AT(window.every), 0, 0, NULL},
    {"last", TW_OPTION_WHOLE, AT(window.last), 1, MAX_LAST, NULL},
    {"exact", TW_OPTION_WHOLE, AT(window.exact), 1, MAX_EXACT, NULL},
    {"full", TW_OPTION_FLAG, AT(window.full), 0, 0, NULL},
    {"align", TW_OPTION_CHOICE, AT(window.align), 0, 0, aligns},
    {"at", TW_OPTION_ANY, AT(at), 0, 0, NULL},
    {"min", TW_OPTION_WHOLE, AT(min), 1, MAX_SAMPLES, NULL},
    {"info", TW_OPTION_ANY, AT(levels[TW_LEVEL_INFO]), 0, 0, NULL},
    {"warn", TW_OPTION_ANY, AT(levels[TW_LEVEL_WARN]), 0, 0, NULL},
    {"crit", TW_OPTION_ANY, AT(levels[TW_LEVEL_CRIT]), 0, 0, NULL},
    {"hold", TW_OPTION_DURATION, AT(hold_ms), 0, 0, NULL},
    {"clear", TW_OPTION_ANY, AT(clear), 0, 0, NULL},
    {"clear_hold", TW_OPTION_DURATION, AT(clear_hold_ms), 0, 0, NULL},
    {"nodata", TW_OPTION_ANY, AT(nodata), 0, 0, NULL},
    {"zone", TW_OPTION_ANY, AT(window.zone), 0, 0, NULL},
    {"gap", TW_OPTION_DURATION, AT(window.gap_ms), 1, 0, NULL},
    {"max", TW_OPTION_DURATION, AT(window.max_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct spec_options {
    tw_bound above, at_least, below, at_most;
    const tw_tree *outside, *clear;
    int when_fn;
    int64_t hold_ms, clear_hold_ms;
} spec_options;

#define AT(field) offsetof(spec_options, field)
static const tw_option spec_table[] = {
    {"above", TW_OPTION_NUMBER, AT(above), 0, 0, NULL},
    {"at_least", TW_OPTION_NUMBER, AT(at_least), 0, 0, NULL},
    {"below", TW_OPTION_NUMBER, AT(below), 0, 0, NULL},
    {"at_most", TW_OPTION_NUMBER, AT(at_most), 0, 0, NULL},
    {"outside", TW_OPTION_TABLE, AT(outside), 0, 0, NULL},
    {"when", TW_OPTION_FUNCTION, AT(when_fn), 0, 0, NULL},
    {"hold", TW_OPTION_DURATION, AT(hold_ms), 0, 0, NULL},
    {"clear", TW_OPTION_ANY, AT(clear), 0, 0, NULL},
    {"clear_hold", TW_OPTION_DURATION, AT(clear_hold_ms), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct nodata_options {
    int64_t after_ms;
    int be;
} nodata_options;

static const char *const nodata_choices[] = {"ok", "keep", "unknown", "alert", NULL};

static const tw_option nodata_table[] = {
    {"after", TW_OPTION_DURATION, offsetof(nodata_options, after_ms), 1, 0, NULL},
    {"be", TW_OPTION_CHOICE, offsetof(nodata_options, be), 0, 0, nodata_choices},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* Two numbers in a list, lower first. */
static bool read_pair(tw_compiler *c, const tw_tree *at, const char *name,
                      const tw_tree *v, double *out_lo, double *out_hi)
{
    if (tw_compile_is_told(v))
        return false;
    bool pair = v->type == TW_TREE_TABLE && v->item_count == 2 && v->entry_count == 0;
    const tw_tree *lo = pair ? tw_compile_value(c, v->items[0]) : NULL;
    const tw_tree *hi = pair ? tw_compile_value(c, v->items[1]) : NULL;
    if (tw_compile_is_told(lo) || tw_compile_is_told(hi))
        return false;
    if (!tw_tree_number(lo, out_lo) || !tw_tree_number(hi, out_hi)) {
        tw_compile_say(c, at, "%s is a list of two numbers: %s = { 10, 90 }", name, name);
        return false;
    }
    if (*out_lo > *out_hi) {
        tw_compile_say(c, at, "%s takes the lower number first", name);
        return false;
    }
    return true;
}

/* ---- clear: on the far side of the bound ------------------------------------------- */

static void clear_outside(tw_compiler *c, const tw_tree *at, tw_level_spec *s)
{
    const tw_tree *v = tw_compile_value(c, at);

    if (!read_pair(c, at, "clear of a level with outside", v, &s->clear_lo, &s->clear_hi))
        return;
    s->clear.set = true;
    if (s->clear_lo < s->outside_lo || s->clear_hi > s->outside_hi)
        tw_compile_say(c, at,
                       "clear must lie within outside: the level ends when the value "
                       "is back between both");
}

static void read_clear(tw_compiler *c, const tw_tree *at, tw_level_spec *s)
{
    const tw_tree *v = tw_compile_value(c, at);
    bool upper = s->above.set || s->at_least.set, lower = s->below.set || s->at_most.set;

    if (s->outside) {
        clear_outside(c, at, s);
        return;
    }
    if (s->when_fn != TW_NO_FN || (upper && lower)) {
        tw_compile_say(c, at, "clear needs one bound it is on the other side of");
        return;
    }
    if (!tw_tree_number(v, &s->clear.value)) {
        tw_compile_say(c, v, "clear is a number, not %s", tw_tree_name(v));
        return;
    }
    s->clear.set = true;
    double bound = s->above.set      ? s->above.value
                   : s->at_least.set ? s->at_least.value
                   : s->below.set    ? s->below.value
                                     : s->at_most.value;
    if (upper && s->clear.value > bound)
        tw_compile_say(c, at,
                       "clear (%g) must not be above the bound (%g): the level ends when "
                       "the value has come down to it",
                       s->clear.value, bound);
    if (lower && s->clear.value < bound)
        tw_compile_say(c, at,
                       "clear (%g) must not be below the bound (%g): the level ends when "
                       "the value has come up to it",
                       s->clear.value, bound);
}

/* ---- one level --------------------------------------------------------------------- */

static void check_bounds(tw_compiler *c, const tw_tree *at, const char *name,
                         const tw_level_spec *s)
{
    int bounds = s->above.set + s->at_least.set + s->below.set + s->at_most.set;
    bool when = s->when_fn != TW_NO_FN;

    if (bounds == 0 && !s->outside && !when)
        tw_compile_say(c, at,
                       "%s has no condition: above, at_least, below, at_most, outside or "
                       "when",
                       name);
    else if (when && (bounds > 0 || s->outside))
        tw_compile_say(c, at, "%s has bounds and `when`; take one", name);
    else if (s->outside && bounds > 0)
        tw_compile_say(c, at, "%s has outside and another bound; take one", name);
    else if (s->above.set && s->at_least.set)
        tw_compile_say(c, at, "%s has above and at_least; take one", name);
    else if (s->below.set && s->at_most.set)
        tw_compile_say(c, at, "%s has below and at_most; take one", name);
    else if (bounds == 2) {
        double low = s->above.set ? s->above.value : s->at_least.value;
        double high = s->below.set ? s->below.value : s->at_most.value;
        if (low > high || (low == high && (s->above.set || s->below.set)))
            tw_compile_say(c, at, "%s can never hold: no value is %s %g and %s %g", name,
                           s->above.set ? "above" : "at least", low,
                           s->below.set ? "below" : "at most", high);
    }
}

static void compile_spec(tw_compiler *c, const tw_tree *v, tw_level number,
                         const level_options *shared)
{
    const char *name = tw_level_name(number);
    tw_level_spec *s = &c->rule->level.levels[number];
    spec_options o = {.when_fn = TW_NO_FN,
                      .hold_ms = shared->hold_ms,
                      .clear = shared->clear,
                      .clear_hold_ms = shared->clear_hold_ms};

    if (v->type != TW_TREE_TABLE) {
        tw_compile_say(c, v, "%s is a table like { above = 5, hold = \"2m\" }, not %s",
                       name, tw_tree_name(v));
        return;
    }
    tw_options_no_items(c, v, name);
    bool all_known = tw_options_read(c, v, name, spec_table, &o);
    *s = (tw_level_spec){.used = true,
                         .above = o.above,
                         .at_least = o.at_least,
                         .below = o.below,
                         .at_most = o.at_most,
                         .when_fn = o.when_fn,
                         .hold_ms = o.hold_ms,
                         .clear_hold_ms = o.clear_hold_ms};
    s->outside = o.outside && read_pair(c, o.outside, "outside", o.outside,
                                        &s->outside_lo, &s->outside_hi);
    if (all_known && (!o.outside || s->outside))
        check_bounds(c, v, name, s);
    if (o.clear && (!o.outside || s->outside))
        read_clear(c, o.clear, s);
    if (c->rule->level.value_count == 1 && tw_level_list(&c->rule->level, 0) &&
        s->when_fn == TW_NO_FN)
        tw_compile_say(c, v,
                       "%s: a level over a list is decided by when = function(v) ... end",
                       name);
    if (c->rule->level.value_count > 1 && s->when_fn == TW_NO_FN)
        tw_compile_say(c, v,
                       "%s: a level over several named values is decided by "
                       "when = function(v) ... end",
                       name);
}

static void compile_nodata(tw_compiler *c, const tw_tree *v)
{
    tw_level_plan *level = &c->rule->level;
    nodata_options o = {.be = TW_NODATA_UNKNOWN};

    if (v->type != TW_TREE_TABLE) {
        tw_compile_say(c, v, "nodata is a table: { after = \"5m\", be = \"unknown\" }");
        return;
    }
    tw_options_no_items(c, v, "nodata");
    tw_options_read(c, v, "nodata", nodata_table, &o);
    if (!tw_tree_get(v, "after"))
        tw_compile_say(c, v, "nodata needs after = \"5m\": how long to wait for a value");
    level->has_nodata = true;
    level->nodata_after_ms = o.after_ms;
    level->nodata_be = (tw_nodata_be)o.be;
}

/* The bound of a level that has one, by its direction: 1 up, -1 down, 0 none or another condition. */
static int bound_of(const tw_level_spec *s, double *out_value)
{
    const tw_bound *up = s->above.set ? &s->above : &s->at_least;
    const tw_bound *down = s->below.set ? &s->below : &s->at_most;

    if (!s->used || s->outside || s->when_fn != TW_NO_FN || up->set == down->set)
        return 0;
    *out_value = up->set ? up->value : down->value;
    return up->set ? 1 : -1;
}

/* A graver level that holds wherever the lesser one does: nobody ever sees the lesser. */
static void check_order(tw_compiler *c, const level_options *o)
{
    const tw_level_spec *levels = c->rule->level.levels;

    for (int low = TW_LEVEL_INFO; low < TW_LEVEL_CRIT; low++) {
        for (int high = low + 1; high <= TW_LEVEL_CRIT; high++) {
            double a = 0, b = 0;
            int up = bound_of(&levels[low], &a);
            if (!up || bound_of(&levels[high], &b) != up || up * b >= up * a ||
                levels[high].hold_ms > levels[low].hold_ms)
                continue;
            tw_compile_warn(c, o->levels[high],
                            "%s (%g) begins before %s (%g), which is then never seen: "
                            "are they the wrong way round?",
                            tw_level_name((tw_level)high), b,
                            tw_level_name((tw_level)low), a);
        }
    }
}

static void compile_levels(tw_compiler *c, const tw_tree *table, const level_options *o,
                           bool all_known)
{
    int used = 0;
    for (int i = TW_LEVEL_INFO; i <= TW_LEVEL_CRIT; i++) {
        if (o->levels[i]) {
            compile_spec(c, o->levels[i], (tw_level)i, o);
            used++;
        }
    }
    check_order(c, o);
    if (used == 0 && all_known)
        tw_compile_say(c, table,
                       "level needs at least one of info, warn and crit, as "
                       "crit = { above = 5 }");
}

static void check_min(tw_compiler *c, const tw_tree *table, const level_options *o)
{
    tw_level_plan *level = &c->rule->level;

    level->min_samples = (uint32_t)o->min;
    if (level->window.kind == TW_WINDOW_COUNT && level->min_samples > level->window.last)
        tw_compile_say(c, tw_tree_get(table, "min"),
                       "min is above last: the window never holds that many events");
}

static bool has_aggregate(const tw_expr *e, uint32_t node)
{
    const tw_expr_node *n = &e->nodes[node];

    if (n->op == TW_EXPR_AGG || n->op == TW_EXPR_NUMBER)
        return n->op == TW_EXPR_AGG;
    return has_aggregate(e, n->left) ||
           (n->op != TW_EXPR_NEG && has_aggregate(e, n->right));
}

/* What is divided by what was counted has no value once nothing comes, and a level that is active then stays. */
static void check_ratio(tw_compiler *c, const tw_tree *of)
{
    const tw_level_plan *level = &c->rule->level;
    tw_window_kind kind = level->window.kind;
    bool is_timed = kind == TW_WINDOW_SLIDING || kind == TW_WINDOW_HOPPING ||
                    kind == TW_WINDOW_TUMBLING;

    for (uint32_t v = 0; is_timed && v < level->value_count; v++) {
        const tw_expr *e = &level->values[v];
        for (uint32_t i = 0; i < e->count; i++) {
            if (e->nodes[i].op != TW_EXPR_DIV || !has_aggregate(e, e->nodes[i].right))
                continue;
            tw_compile_warn(
                c, of,
                "this has no value when nothing comes any more, and a level that "
                "is active then stays: nodata = { after = \"10m\", be = \"ok\" } "
                "ends it, be = \"keep\" says that it is to stay");
            return;
        }
    }
}

void tw_compile_level(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"of",    "over", "every", "last", "exact",
                                          "align", "full", "at",    "zone", NULL};
    level_options o = {.window = {.exact = 128}};
    const tw_tree *table = tw_compile_word_table(c, word);

    if (!table)
        return;
    tw_options_no_items(c, table, "level");
    bool all_known = tw_options_read(c, table, "level", level_table, &o);
    c->rule->detector = TW_DETECT_LEVEL;
    c->shaping = shaping;
    if (o.of)
        tw_compile_values(c, o.of);
    else if (all_known)
        tw_compile_say(c, word,
                       "level needs `of`: what is measured, as of = count \"ev\"");
    o.window.incomplete = !all_known;
    tw_compile_window(c, table, &o.window);
    compile_levels(c, word, &o, all_known);
    check_min(c, table, &o);
    if (o.nodata)
        compile_nodata(c, o.nodata);
    else if (o.of && c->mistakes == 0)
        check_ratio(c, o.of);
    if (o.at)
        c->rule->level.at_input = tw_compile_input_number(c, o.at, o.at);
}

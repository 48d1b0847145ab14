// SPDX-License-Identifier: Apache-2.0
/* `change { "in", of = "state" }`: which fields are watched, and which of their changes count. */
#include "flow/plan_change.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

typedef struct change_options {
    const tw_tree *of, *from, *to, *initial;
    int64_t hold_ms;
} change_options;

#define AT(field) offsetof(change_options, field)
static const tw_option change_table[] = {
    {"of", TW_OPTION_ANY, AT(of), 0, 0, NULL},
    {"from", TW_OPTION_ANY, AT(from), 0, 0, NULL},
    {"to", TW_OPTION_ANY, AT(to), 0, 0, NULL},
    {"initial", TW_OPTION_ANY, AT(initial), 0, 0, NULL},
    {"hold", TW_OPTION_DURATION, AT(hold_ms), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static bool is_named(const tw_change_plan *p, const char *name)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (strcmp(p->names[i], name) == 0)
            return true;
    return false;
}

/* The field in the stream of every input that is watched. */
static bool find_slots(tw_compiler *c, tw_change_plan *p, const tw_tree *at,
                       const char *path)
{
    for (uint32_t i = 0; i < p->input_count; i++) {
        tw_stream *stream = c->rule->inputs[i].stream;
        uint32_t slot;
        if (!p->slots[i])
            continue;
        if (!stream || !tw_compile_path(c, at, stream, path, &slot))
            return false;
        if (slot < TW_SLOT_FIRST_FIELD) {
            tw_compile_say(c, at, "'%s' is not a field of the event", path);
            return false;
        }
        p->slots[i][p->count] = slot;
        tw_compile_reads(c, i, slot);
    }
    return true;
}

static void add_field(tw_compiler *c, tw_change_plan *p, const tw_tree *written)
{
    const tw_tree *v = tw_compile_value(c, written);

    if (v->type != TW_TREE_STRING)
        tw_compile_say(c, written,
                       "of is a field or a list of fields: of = \"state\", not %s",
                       tw_tree_name(v));
    else if (is_named(p, v->text))
        tw_compile_say(c, written, "of names '%s' twice", v->text);
    else if (p->count == TW_MAX_CHANGE_FIELDS)
        tw_compile_say(c, written, "change watches %d fields at most",
                       TW_MAX_CHANGE_FIELDS);
    else if (find_slots(c, p, written, v->text))
        p->names[p->count++] = tw_strdup(v->text);
}

static void compile_of(tw_compiler *c, tw_change_plan *p, const tw_tree *of)
{
    const tw_tree *v = tw_compile_value(c, of);

    if (v->type != TW_TREE_TABLE) {
        add_field(c, p, of);
        return;
    }
    if (v->item_count == 0 || v->entry_count > 0)
        tw_compile_say(c, of,
                       "of is a field or a list of fields: of = { \"state\", \"zone\" }");
    for (uint32_t i = 0; i < v->item_count; i++)
        add_field(c, p, v->items[i]);
}

static uint32_t first_input(const tw_change_plan *p)
{
    uint32_t i = 0;

    while (i < p->input_count && !p->slots[i])
        i++;
    return i;
}

/* `from` and `to` are what stands behind a field in a matcher table: of the first input's stream, as good
 * as any other for a value that is put in its place. */
static tw_match_table *compile_side(tw_compiler *c, const tw_change_plan *p,
                                    const char *name, const tw_tree *side)
{
    tw_stream *stream = p->count ? c->rule->inputs[first_input(p)].stream : NULL;
    tw_tree_entry entry = {p->count > 0 ? p->names[0] : name, (tw_tree *)(uintptr_t)side};
    tw_tree table = {.type = TW_TREE_TABLE,
                     .line = side->line,
                     .spot = side->spot,
                     .entries = &entry,
                     .entry_count = 1};

    if (p->count == 0 || !stream)
        return NULL; /* which has been told */
    if (side->type == TW_TREE_FUNCTION || tw_tree_is_word(side, "missing_field")) {
        tw_compile_say(c, side,
                       "%s is a value or a matcher of one that is there: %s = \"up\" or "
                       "%s = oneof(\"up\", \"idle\")",
                       name, name, name);
        return NULL;
    }
    return tw_compile_match(c, &table, stream, NULL);
}

static void check_sides(tw_compiler *c, const change_options *o)
{
    tw_value from, to;

    if (o->from && o->to && tw_compile_scalar(tw_compile_value(c, o->from), &from) &&
        tw_compile_scalar(tw_compile_value(c, o->to), &to) && tw_value_equal(from, to))
        tw_compile_say(c, o->to, "from and to are the same: that is no change");
}

static void compile_initial(tw_compiler *c, tw_change_plan *p, const tw_tree *initial)
{
    const tw_tree *v = tw_compile_value(c, initial);

    if (!tw_compile_scalar(v, &p->initial)) {
        tw_compile_say(c, initial,
                       "initial is a string, a number, true, false or null, not %s",
                       tw_tree_name(v));
        return;
    }
    p->has_initial = true;
    if (p->initial.type >= TW_STRING)
        p->initial.s = tw_strndup(p->initial.s, p->initial.len);
}

static void compile_inputs(tw_compiler *c, tw_change_plan *p, const tw_tree *table)
{
    p->input_count = c->rule->input_count;
    p->slots = tw_calloc(p->input_count + 1, sizeof *p->slots);
    if (table->item_count == 0)
        tw_compile_say(
            c, table,
            "change takes an input, or several: change { \"ev\", of = \"state\" }");
    for (uint32_t i = 0; i < table->item_count; i++) {
        int input = tw_compile_input_number(c, table->items[i], table->items[i]);
        if (input < 0)
            continue;
        if (p->slots[input])
            tw_compile_say(c, table->items[i], "change names the input twice");
        else
            p->slots[input] = tw_calloc(TW_MAX_CHANGE_FIELDS, sizeof **p->slots);
    }
}

void tw_compile_change(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"of", "to", NULL};
    static const char *const facts[] = {"from", "to", "field"};
    const tw_tree *table = tw_compile_word_table(c, word);
    tw_change_plan *p;
    change_options o = {0};

    if (!table || c->rule->input_count == 0)
        return;
    c->rule->detector = TW_DETECT_CHANGE;
    c->rule->detail = p = tw_alloc(sizeof *p);
    c->rule->detail_free = tw_change_plan_free;
    c->shaping = shaping;
    c->keeps = true;
    for (size_t i = 0; i < TW_CHANGE_FACTS; i++)
        tw_compile_fact(c, facts[i]);
    compile_inputs(c, p, table);
    bool all_known = tw_options_read(c, table, "change", change_table, &o);
    if (o.of)
        compile_of(c, p, o.of);
    else if (all_known)
        tw_compile_say(c, word, "change needs of = \"field\": what is watched");
    if (first_input(p) == p->input_count)
        return; /* which has been told */
    if (p->count > 0)
        p->side_slot = p->slots[first_input(p)][0];
    p->from = o.from ? compile_side(c, p, "from", o.from) : NULL;
    p->to = o.to ? compile_side(c, p, "to", o.to) : NULL;
    check_sides(c, &o);
    if (o.initial)
        compile_initial(c, p, o.initial);
    p->hold_ms = c->rule->span_ms = o.hold_ms;
    tw_compile_no_when(c, "narrow a change by from, to or the matchers of its inputs");
}

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

static void add_field(tw_compiler *c, tw_change_plan *p, const tw_tree *written)
{
    const tw_tree *v = tw_compile_value(c, written);
    tw_stream *stream = c->rule->inputs[p->input].stream;
    uint32_t slot;

    if (v->type != TW_TREE_STRING) {
        tw_compile_say(c, written,
                       "of is a field or a list of fields: of = \"state\", not %s",
                       tw_tree_name(v));
    } else if (is_named(p, v->text)) {
        tw_compile_say(c, written, "of names '%s' twice", v->text);
    } else if (p->count == TW_MAX_CHANGE_FIELDS) {
        tw_compile_say(c, written, "change watches %d fields at most",
                       TW_MAX_CHANGE_FIELDS);
    } else if (stream && tw_compile_path(c, written, stream, v->text, &slot)) {
        if (slot < TW_SLOT_FIRST_FIELD) {
            tw_compile_say(c, written, "'%s' is not a field of the event", v->text);
            return;
        }
        p->names[p->count] = tw_strdup(v->text);
        p->slots[p->count++] = slot;
        tw_compile_reads(c, p->input, slot);
    }
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

/* `from` and `to` are what stands behind a field in a matcher table. */
static tw_match_table *compile_side(tw_compiler *c, const tw_change_plan *p,
                                    const char *name, const tw_tree *side)
{
    tw_stream *stream = c->rule->inputs[p->input].stream;
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

static void compile_input(tw_compiler *c, tw_change_plan *p, const tw_tree *table)
{
    int input = -1;

    if (table->item_count == 1)
        input = tw_compile_input_number(c, table->items[0], table->items[0]);
    else
        tw_compile_say(c, table,
                       "change takes one input: change { \"ev\", of = \"state\" }");
    p->input = input < 0 ? 0 : (uint32_t)input;
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
    compile_input(c, p, table);
    bool all_known = tw_options_read(c, table, "change", change_table, &o);
    if (o.of)
        compile_of(c, p, o.of);
    else if (all_known)
        tw_compile_say(c, word, "change needs of = \"field\": what is watched");
    p->from = o.from ? compile_side(c, p, "from", o.from) : NULL;
    p->to = o.to ? compile_side(c, p, "to", o.to) : NULL;
    check_sides(c, &o);
    if (o.initial)
        compile_initial(c, p, o.initial);
    p->hold_ms = c->rule->span_ms = o.hold_ms;
    tw_compile_no_when(c, "narrow a change by from, to or the matchers of its input");
}

// SPDX-License-Identifier: Apache-2.0
/* `emit = to "stream" { field = "${...}", ... }`: the stream, and what its events are made of. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "flow/plan_emit.h"
#include "rule/compile.h"

#define MAX_TEXT_BYTES 65536

/* A field before it has its place among objects. */
typedef struct emit_field {
    const char *path;
    const tw_tree *at; /* NULL: one that every event gets */
    tw_emit_step step;
    const tw_field *steps;
    bool placed;
} emit_field;

typedef struct emit_fields {
    emit_field items[TW_MAX_EMIT_FIELDS];
    uint32_t count;
} emit_fields;

typedef struct throttle_options {
    int64_t max, per_ms;
} throttle_options;

static const tw_option throttle_table[] = {
    {"max", TW_OPTION_WHOLE, offsetof(throttle_options, max), 1, 1000000000, NULL},
    {"per", TW_OPTION_DURATION, offsetof(throttle_options, per_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* ---- the fields -------------------------------------------------------------------- */

static emit_field *find_field(emit_fields *f, const char *path)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].path, path) == 0)
            return &f->items[i];
    return NULL;
}

static emit_field *add_field(tw_compiler *c, emit_fields *f, const tw_tree *at,
                             const char *path, tw_emit_kind kind)
{
    tw_stream *stream = c->rule->emit->stream;
    tw_err err;
    int slot = tw_fields_slot(stream->fields, path, &err);

    if (slot < 0 || slot < TW_SLOT_FIRST_FIELD) {
        tw_compile_say(c, at, "'%s' cannot be the name of a field: %s", path,
                       slot < 0 ? err.text : "names with @ are the engine's");
        return NULL;
    }
    if (f->count == TW_MAX_EMIT_FIELDS) {
        tw_compile_say(c, at, "an emitted event may have %d fields", TW_MAX_EMIT_FIELDS);
        return NULL;
    }
    emit_field *field = &f->items[f->count++];
    *field = (emit_field){.path = path,
                          .at = at,
                          .step = {.kind = kind},
                          .steps = tw_fields_at(stream->fields, (uint32_t)slot)};
    return field;
}

static void read_field(tw_compiler *c, emit_fields *f, const tw_tree_entry *e)
{
    const tw_tree *v = tw_compile_value(c, e->value);
    emit_field *field = add_field(c, f, e->value, e->key, TW_EMIT_LITERAL);
    tw_value scalar;
    tw_buf text;

    if (!field)
        return;
    if (v->type == TW_TREE_STRING) {
        field->step.kind = TW_EMIT_TEMPLATE;
        if (tw_compile_template(c, e->value, v->text, &field->step.value))
            tw_compile_check_text(c, e->value, &field->step.value);
        return;
    }
    if (!tw_compile_scalar(v, &scalar)) {
        tw_compile_say(
            c, e->value,
            "'%s' is text with ${path} in it, a number, true or false, not %s; "
            "a name with dots makes an object: [\"a.b\"] = ...",
            e->key, tw_tree_name(v));
        return;
    }
    tw_buf_init(&text, MAX_TEXT_BYTES);
    tw_value_write_json(scalar, &text);
    field->step.literal = tw_buf_take(&text, NULL);
}

/* Those from `at` on before the others. */
static void put_first(emit_fields *f, uint32_t at)
{
    emit_fields before = *f;
    uint32_t moved = f->count - at;

    memcpy(f->items, before.items + at, moved * sizeof *f->items);
    memcpy(f->items + moved, before.items, at * sizeof *f->items);
}

/* What is measured, under its names. */
static void add_values(tw_compiler *c, emit_fields *f)
{
    const tw_level_plan *plan = &c->rule->level;

    for (uint32_t i = 0; i < plan->value_count; i++) {
        if (find_field(f, plan->value_names[i]))
            continue;
        emit_field *field = add_field(c, f, NULL, plan->value_names[i], TW_EMIT_TEMPLATE);
        char *text = tw_asprintf("${%s}", plan->value_names[i]);
        if (field)
            tw_compile_template(c, c->body, text, &field->step.value);
        tw_free(text);
    }
}

/* What every event gets, unless the rule says otherwise under the same name. */
static void add_own(tw_compiler *c, emit_fields *f)
{
    const tw_rule *r = c->rule;
    emit_field *field;
    uint32_t said = f->count;

    if (!find_field(f, "time"))
        add_field(c, f, NULL, "time", TW_EMIT_TIME);
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (find_field(f, r->key_names[i]))
            continue;
        field = add_field(c, f, NULL, r->key_names[i], TW_EMIT_KEY);
        if (field)
            field->step.index = i;
    }
    bool has_level = r->detector == TW_DETECT_LEVEL || r->detector == TW_DETECT_CHANGE ||
                     r->detector == TW_DETECT_MISSING || r->detector == TW_DETECT_HANDLER;
    if (has_level && !find_field(f, "level"))
        add_field(c, f, NULL, "level", TW_EMIT_LEVEL);
    if (r->detector == TW_DETECT_MEASURE)
        add_values(c, f);
    put_first(f, said);
}

/* An event that goes out as it came, with nothing said: each look-up's row under its name. */
static void add_rows(tw_compiler *c, emit_fields *f)
{
    for (uint32_t i = 0; i < c->rule->lookup_count; i++) {
        emit_field *field = add_field(c, f, NULL, c->rule->lookups[i].name, TW_EMIT_ROW);
        if (field)
            field->step.index = i;
    }
}

/* ---- their places ------------------------------------------------------------------ */

static void append(tw_emit_plan *plan, tw_emit_step step, const tw_path_step *name)
{
    tw_buf text;

    if (name) {
        tw_buf_init(&text, MAX_TEXT_BYTES);
        tw_buf_add_json_string(&text, name->name, name->name_len);
        tw_buf_add_char(&text, ':');
        step.name_len = (uint32_t)text.len;
        step.name = tw_buf_take(&text, NULL);
    }
    plan->steps = tw_realloc(plan->steps, (plan->step_count + 1) * sizeof *plan->steps);
    plan->steps[plan->step_count++] = step;
}

static bool same_step(const tw_path_step *a, const tw_path_step *b)
{
    return a->name && b->name && a->name_len == b->name_len &&
           memcmp(a->name, b->name, a->name_len) == 0;
}

static bool same_path(const tw_field *a, const tw_field *b, uint32_t depth)
{
    if (depth > 0 && (a->step_count < depth || b->step_count < depth))
        return false;
    for (uint32_t i = 0; i < depth; i++)
        if (!same_step(&a->steps[i], &b->steps[i]))
            return false;
    return true;
}

/* Appends what lies in the object that `first` names with its first `depth` steps. */
static void place(tw_compiler *c, emit_fields *f, const tw_field *first, uint32_t depth)
{
    tw_emit_plan *plan = c->rule->emit;

    for (uint32_t i = 0; i < f->count; i++) {
        emit_field *field = &f->items[i];
        const tw_field *at = field->steps;
        if (field->placed || !same_path(at, first, depth))
            continue;
        if (at->step_count == depth + 1) {
            field->placed = true;
            append(plan, field->step, &at->steps[depth]);
            continue;
        }
        append(plan, (tw_emit_step){.kind = TW_EMIT_OPEN}, &at->steps[depth]);
        place(c, f, at, depth + 1);
        append(plan, (tw_emit_step){.kind = TW_EMIT_CLOSE}, NULL);
    }
}

/* A name cannot be a field and hold fields, and an element of an array cannot stand alone. */
static bool names_are_good(tw_compiler *c, const emit_fields *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const emit_field *a = &f->items[i];
        for (uint32_t k = 0; k < a->steps->step_count; k++) {
            if (!a->steps->steps[k].name) {
                tw_compile_say(c, a->at ? a->at : c->body,
                               "'%s' is an element of an array; an emitted field needs a "
                               "name of its own",
                               a->path);
                return false;
            }
        }
        for (uint32_t k = 0; k < f->count; k++) {
            const emit_field *b = &f->items[k];
            if (i != k && same_path(a->steps, b->steps, a->steps->step_count)) {
                tw_compile_say(c, b->at ? b->at : c->body,
                               "'%s' cannot be a field and lie around '%s'", a->path,
                               b->path);
                return false;
            }
        }
    }
    return true;
}

static void list_members(tw_emit_plan *plan, const emit_fields *f)
{
    plan->members = tw_calloc(f->count + 1, sizeof *plan->members);
    for (uint32_t i = 0; i < f->count; i++) {
        const tw_path_step *step = &f->items[i].steps->steps[0];
        plan->members[plan->member_count++] =
            tw_asprintf("\"%.*s\"", (int)step->name_len, step->name);
    }
}

/* ---- the stream -------------------------------------------------------------------- */

static bool open_stream(tw_compiler *c, const tw_tree *written)
{
    tw_emit_plan *plan = c->rule->emit;
    const tw_tree *name = written;

    if (name->type != TW_TREE_STRING || name->size == 0 || name->size > 200) {
        tw_compile_say(
            c, written,
            "to takes the name of a stream, written out: to \"errors\" { ... }");
        return false;
    }
    if (name->text[0] == '@') {
        tw_compile_say(c, written, "names of streams that begin with @ are the engine's");
        return false;
    }
    plan->stream = tw_streams_find(c->options->streams, name->text);
    if (plan->stream && !plan->stream->on_demand) {
        tw_compile_say(c, written,
                       "stream '%s' is one of the configuration; what a rule emits needs "
                       "a name of its own",
                       name->text);
        return false;
    }
    if (!plan->stream) {
        plan->stream = tw_streams_add(c->options->streams, name->text);
        plan->stream->on_demand = true;
    }
    plan->stream->future_ms = TW_FUTURE_ANY;
    plan->leaves = !c->options->sends ||
                   c->options->sends(c->options->sends_self, plan->stream->name);
    return true;
}

static void read_throttle(tw_compiler *c, const tw_tree *table)
{
    tw_emit_plan *plan = c->rule->emit;
    const tw_tree *throttle = tw_tree_get(table, "throttle");
    throttle_options o = {0};

    if (!throttle)
        return;
    if (throttle->type != TW_TREE_TABLE) {
        tw_compile_say(c, throttle, "throttle is a table: { max = 10, per = \"1m\" }");
        return;
    }
    tw_options_no_items(c, throttle, "throttle");
    tw_options_read(c, throttle, "throttle", throttle_table, &o);
    if (!tw_tree_get(throttle, "max") || !tw_tree_get(throttle, "per"))
        tw_compile_say(c, throttle, "throttle needs both: { max = 10, per = \"1m\" }");
    plan->throttle_max = (uint32_t)o.max;
    plan->throttle_per_ms = o.per_ms;
}

void tw_compile_emit(tw_compiler *c, const tw_tree *word)
{
    emit_fields fields = {0};

    if (!tw_tree_is_word(word, "to") || word->item_count != 2 ||
        word->items[1]->type != TW_TREE_TABLE) {
        tw_compile_say(c, word, "emit is to \"stream\" { field = \"${path}\" }%s%s",
                       tw_tree_is_word(word, "to") ? "" : ", not ",
                       tw_tree_is_word(word, "to") ? "" : tw_tree_name(word));
        return;
    }
    const tw_tree *table = word->items[1];
    tw_emit_plan *plan = c->rule->emit = tw_alloc(sizeof *plan);
    plan->passes = c->rule->detector == TW_DETECT_PASS;
    if (!open_stream(c, word->items[0]))
        return;
    tw_options_no_items(c, table, "to");
    read_throttle(c, table);
    for (uint32_t i = 0; i < table->entry_count; i++)
        if (strcmp(table->entries[i].key, "throttle") != 0)
            read_field(c, &fields, &table->entries[i]);
    if (!plan->passes)
        add_own(c, &fields);
    else if (fields.count == 0)
        add_rows(c, &fields);
    if (plan->passes)
        list_members(plan, &fields);
    if (names_are_good(c, &fields))
        place(c, &fields, NULL, 0);
    for (uint32_t i = 0; i < fields.count; i++) {
        if (!fields.items[i].placed) {
            tw_template_done(&fields.items[i].step.value);
            tw_free(fields.items[i].step.literal);
        }
    }
}

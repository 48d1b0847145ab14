// SPDX-License-Identifier: Apache-2.0
/* Inputs (`from "stream" { matchers }`) and the key of a rule, whose fields are found in each input's
 * stream. */
#include <string.h>

#include "base/nearest.h"
#include "rule/compile.h"

#define MAX_INPUTS 64

static const char *unknown_stream_hint(tw_compiler *c, const char *name)
{
    const char *const *emitted = c->options->emitted;
    uint32_t count = tw_streams_count(c->options->streams), known = 0, more = 0;

    while (emitted && emitted[more])
        more++;
    const char **names = tw_arena_alloc(c->arena, (count + more + 1) * sizeof *names);
    for (uint32_t i = 0; i < count; i++) {
        const tw_stream *stream = tw_streams_at(c->options->streams, i);
        if (!stream->on_demand)
            names[known++] = stream->name;
    }
    for (uint32_t i = 0; i < more; i++)
        names[known++] = emitted[i];
    return tw_compile_hint(c, name, names, known);
}

/* Some rule of the load seems to emit it; tw_rules_check_chains sees whether one does. */
static bool is_emitted(const tw_compiler *c, const char *name)
{
    const char *const *emitted = c->options->emitted;

    for (uint32_t i = 0; emitted && emitted[i]; i++)
        if (strcmp(emitted[i], name) == 0)
            return true;
    return false;
}

static tw_stream *find_stream(tw_compiler *c, const tw_tree *name)
{
    const tw_tree *v = tw_compile_value(c, name);
    if (v->type != TW_TREE_STRING || v->size == 0) {
        tw_compile_say(c, v, "from takes the name of a stream: from \"requests\" {}");
        return NULL;
    }
    tw_stream *stream = tw_streams_find(c->options->streams, v->text);
    if (stream && !stream->on_demand)
        return stream;
    if (!c->options->any_stream && !is_emitted(c, v->text)) {
        tw_compile_say(c, v, "there is no stream '%s'%s", v->text,
                       unknown_stream_hint(c, v->text));
        return NULL;
    }
    stream = tw_streams_add(c->options->streams, v->text);
    stream->on_demand = true;
    return stream;
}

static void compile_input(tw_compiler *c, const tw_tree_entry *e, const char *time_path)
{
    const tw_tree *v = e->value;
    tw_input *input = &c->rule->inputs[c->rule->input_count++];

    *input = (tw_input){.name = tw_strdup(e->key), .where_fn = TW_NO_FN};
    if (!tw_tree_is_word(v, "from")) {
        tw_compile_say(c, v, "input '%s' is from \"stream\" { matchers }, not %s", e->key,
                       tw_tree_name(v));
        return;
    }
    if (v->item_count < 1 || v->item_count > 2) {
        tw_compile_say(c, v, "from takes the name of a stream and a table of matchers");
        return;
    }
    input->stream = find_stream(c, v->items[0]);
    if (!input->stream)
        return;
    tw_compile_place(c, v->items[0], &input->line, &input->column);
    if (v->item_count == 2) {
        input->match = tw_compile_match(c, v->items[1], input->stream, &input->where_fn);
        tw_compile_event_reads(c, tw_tree_get(v->items[1], "where"), 0,
                               UINT64_C(1) << (c->rule->input_count - 1));
    }
    /* What a rule emits has the time at which it did, and comes in its order. */
    if (time_path && !is_emitted(c, input->stream->name))
        tw_compile_slot(c, v, input->stream, time_path, &input->time_slot);
}

void tw_compile_inputs(tw_compiler *c, const tw_tree *inputs, const char *time_path)
{
    if (!inputs || inputs->type != TW_TREE_TABLE) {
        tw_compile_say(c, inputs ? inputs : c->body,
                       "a rule needs inputs = { name = from \"stream\" {} }");
        return;
    }
    if (inputs->item_count > 0)
        tw_compile_say(c, inputs->items[0],
                       "an input needs a name: inputs = { ev = from ... }");
    else if (inputs->entry_count == 0)
        tw_compile_say(
            c, inputs,
            "inputs is empty; it needs at least one name = from \"stream\" {}");
    if (inputs->entry_count > MAX_INPUTS) {
        tw_compile_say(c, inputs, "a rule may have %d inputs", MAX_INPUTS);
        return;
    }
    c->rule->inputs = tw_calloc(inputs->entry_count, sizeof *c->rule->inputs);
    for (uint32_t i = 0; i < inputs->entry_count; i++)
        compile_input(c, &inputs->entries[i], time_path);
    tw_err err;
    if (time_path && tw_compile_some_field(c, 0, time_path, &err) < 0)
        tw_compile_say(c, tw_tree_get(tw_tree_get(c->body, "clock"), "time"), "%s",
                       err.text);
}

int tw_compile_input_number(tw_compiler *c, const tw_tree *at, const tw_tree *name)
{
    const char *names[MAX_INPUTS];
    const tw_tree *v = tw_compile_value(c, name);

    if (v->type != TW_TREE_STRING) {
        tw_compile_say(c, at, "an input is named by a string, not %s", tw_tree_name(v));
        return -1;
    }
    if (c->rule->input_count == 0)
        return -1; /* which has been told */
    for (uint32_t i = 0; i < c->rule->input_count; i++) {
        names[i] = c->rule->inputs[i].name;
        if (strcmp(names[i], v->text) == 0)
            return (int)i;
    }
    const char *hint = tw_compile_hint(c, v->text, names, c->rule->input_count);
    if (*hint || c->rule->input_count > 1)
        tw_compile_say(c, at, "'%s' is not an input of the rule%s", v->text, hint);
    else
        tw_compile_say(c, at, "'%s' is not an input of the rule; its one input is '%s'",
                       v->text, names[0]);
    return -1;
}

void tw_compile_input_order(tw_compiler *c, const uint32_t *first, uint32_t count)
{
    tw_rule *r = c->rule;
    uint32_t order[MAX_INPUTS], placed = 0;
    bool taken[MAX_INPUTS] = {false};

    if (r->input_count == 0)
        return;
    for (uint32_t i = 0; i < count + r->input_count; i++) {
        uint32_t n = i < count ? first[i] : i - count;
        if (!taken[n])
            order[placed++] = n;
        taken[n] = true;
    }
    tw_input *inputs = tw_calloc(r->input_count, sizeof *inputs);
    uint32_t *slots = tw_calloc((size_t)r->input_count * r->key_count + 1, sizeof *slots);
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = r->inputs[order[i]];
        for (uint32_t k = 0; r->key_slots && k < r->key_count; k++)
            slots[i * r->key_count + k] = r->key_slots[order[i] * r->key_count + k];
    }
    tw_free(r->inputs);
    tw_free(r->key_slots);
    r->inputs = inputs;
    r->key_slots = slots;
}

/* ---- key --------------------------------------------------------------------------- */

static void add_key_name(tw_compiler *c, const tw_tree *at, const char *name)
{
    tw_rule *r = c->rule;
    if (r->key_count == TW_MAX_KEY_FIELDS) {
        tw_compile_say(c, at, "a key may have %d fields", TW_MAX_KEY_FIELDS);
        return;
    }
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (strcmp(r->key_names[i], name) == 0) {
            tw_compile_say(c, at, "the key names '%s' twice", name);
            return;
        }
    }
    r->key_names[r->key_count++] = tw_strdup(name);
}

static void read_key(tw_compiler *c, const tw_tree *key)
{
    if (key->type == TW_TREE_STRING) {
        add_key_name(c, key, key->text);
        return;
    }
    if (key->type != TW_TREE_TABLE || key->entry_count > 0) {
        tw_compile_say(c, key, "key is a field or a list of fields: key = { \"host\" }");
        return;
    }
    for (uint32_t i = 0; i < key->item_count; i++) {
        const tw_tree *v = tw_compile_value(c, key->items[i]);
        if (v->type == TW_TREE_STRING)
            add_key_name(c, v, v->text);
        else
            tw_compile_say(c, v, "key is a list of field names, not of %s",
                           tw_tree_name(v));
    }
}

/* Without `key`, the default key of the streams, when they agree on one. */
static void default_key(tw_compiler *c)
{
    const char *path = NULL;
    for (uint32_t i = 0; i < c->rule->input_count; i++) {
        const tw_stream *stream = c->rule->inputs[i].stream;
        if (!stream)
            return;
        if (!stream->key_path) {
            tw_compile_say(
                c, c->body,
                "the rule needs a key, as key = { \"host\" }: it keeps state, and "
                "stream '%s' has no default key (key = {} is one state for all)",
                stream->name);
            return;
        }
        if (path && strcmp(path, stream->key_path) != 0) {
            tw_compile_say(c, c->body,
                           "the rule needs a key: the default keys of its streams differ "
                           "('%s' and '%s')",
                           path, stream->key_path);
            return;
        }
        path = stream->key_path;
    }
    if (path)
        add_key_name(c, c->body, path);
}

void tw_compile_key(tw_compiler *c, const tw_tree *key)
{
    tw_rule *r = c->rule;

    if (key)
        read_key(c, tw_compile_value(c, key));
    else
        default_key(c);
    r->key_slots =
        tw_calloc((size_t)r->input_count * r->key_count + 1, sizeof *r->key_slots);
    for (uint32_t i = 0; i < r->input_count; i++)
        for (uint32_t k = 0; k < r->key_count && r->inputs[i].stream; k++)
            tw_compile_path(c, key ? key : c->body, r->inputs[i].stream, r->key_names[k],
                            &r->key_slots[i * r->key_count + k]);
}

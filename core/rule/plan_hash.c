// SPDX-License-Identifier: Apache-2.0
/* The two hashes of a rule, over a canonical text of what was written. Parameters count with their
 * values, functions with the text they stand in: the whole file for `hash` (a function may call any
 * other of its file), its own lines for `state_hash`. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "rule/compile.h"

#define MAX_TEXT_BYTES (8 * 1024 * 1024)

static bool has_function(const tw_tree *t)
{
    if (t->type == TW_TREE_FUNCTION)
        return true;
    for (uint32_t i = 0; i < t->item_count; i++)
        if (has_function(t->items[i]))
            return true;
    for (uint32_t i = 0; i < t->entry_count; i++)
        if (has_function(t->entries[i].value))
            return true;
    return false;
}

static void write_params(const tw_rule *r, tw_buf *out)
{
    char *text = json_dumps(r->params, JSON_COMPACT | JSON_SORT_KEYS);
    tw_buf_add_str(out, text ? text : "");
    free(text); /* jansson's own allocator */
}

/* The values of the parameters that a part names. */
static void write_used_params(const tw_compiler *c, const tw_tree *t, tw_buf *out)
{
    if (tw_tree_is_word(t, "P") && t->item_count == 1 &&
        t->items[0]->type == TW_TREE_STRING) {
        const tw_tree *v = tw_tree_get(c->params, t->items[0]->text);
        if (v)
            tw_tree_write(v, NULL, 0, out);
        tw_buf_add_char(out, ',');
    }
    for (uint32_t i = 0; i < t->item_count; i++)
        write_used_params(c, t->items[i], out);
    for (uint32_t i = 0; i < t->entry_count; i++)
        write_used_params(c, t->entries[i].value, out);
}

static void write_option(const tw_compiler *c, const tw_tree *table, const char *name,
                         tw_buf *out)
{
    const tw_tree *v = tw_tree_get(table, name);
    if (!v)
        return;
    tw_buf_printf(out, "%s=", name);
    tw_tree_write(v, c->source->text, c->source->size, out);
    write_used_params(c, v, out);
    tw_buf_add_char(out, '\n');
}

/* Everything a rule does. */
static void write_rule(const tw_compiler *c, tw_buf *out)
{
    tw_buf_printf(out, "%s\n", c->rule->name);
    for (uint32_t i = 0; i < c->rule->key_count; i++)
        tw_buf_printf(out, "%s,", c->rule->key_names[i]);
    tw_tree_write(c->body, c->source->text, c->source->size, out);
    write_params(c->rule, out);
    if (has_function(c->body))
        tw_buf_add(out, c->source->text, c->source->size);
}

/* What shapes the state: not thresholds, holds, texts and routes, and not the name, which may change. */
static void write_state(const tw_compiler *c, tw_buf *out)
{
    const tw_tree *detect = tw_tree_get(c->body, "detect");
    const tw_tree *table = detect && detect->item_count == 1 ? detect->items[0] : NULL;

    for (uint32_t i = 0; i < c->rule->key_count; i++)
        tw_buf_printf(out, "%s,", c->rule->key_names[i]);
    /* Which events an input takes is not kept anywhere; which input they came by is. */
    for (uint32_t i = 0; i < c->rule->input_count; i++)
        tw_buf_printf(out, "%s=%s\n", c->rule->inputs[i].name,
                      c->rule->inputs[i].stream->name);
    write_option(c, tw_tree_get(c->body, "clock"), "time", out);
    tw_buf_printf(out, "%s\n", detect ? detect->text : "");
    if (c->rule->level.window.kind == TW_WINDOW_SESSION) /* gap and max may be edited */
        tw_buf_add_str(out, "sessions\n");
    for (size_t i = 0; c->shaping && c->shaping[i]; i++)
        write_option(c, table, c->shaping[i], out);
    for (uint32_t i = 0; table && i < table->item_count; i++) {
        tw_tree_write(table->items[i], c->source->text, c->source->size, out);
        write_used_params(c, table->items[i], out);
    }
}

uint64_t tw_compile_identity(const tw_compiler *c, const char *name,
                             tw_tree *const *parts, uint32_t count, uint32_t but)
{
    tw_buf text;

    tw_buf_init(&text, MAX_TEXT_BYTES);
    tw_buf_add_str(&text, name);
    for (uint32_t i = 0; i < count; i++) {
        tw_buf_add_char(&text, ',');
        if (i == but)
            continue;
        tw_tree_write(parts[i], c->source->text, c->source->size, &text);
        write_used_params(c, parts[i], &text);
    }
    uint64_t id = tw_hash_stable(text.data, text.len);
    tw_buf_done(&text);
    return id;
}

static void hash_parts(tw_compiler *c, tw_buf *text)
{
    tw_rule *r = c->rule;

    r->parts = tw_calloc(c->body->entry_count + 1, sizeof *r->parts);
    for (uint32_t i = 0; i < c->body->entry_count; i++) {
        const tw_tree_entry *e = &c->body->entries[i];
        tw_buf_reset(text);
        write_option(c, c->body, e->key, text);
        r->parts[r->part_count++] = (tw_rule_part){
            .name = tw_strdup(e->key), .hash = tw_hash_stable(text->data, text->len)};
    }
}

void tw_compile_hashes(tw_compiler *c)
{
    tw_buf text;

    tw_buf_init(&text, MAX_TEXT_BYTES);
    hash_parts(c, &text);
    tw_buf_reset(&text);
    write_rule(c, &text);
    tw_hash_hex128(text.data, text.len, c->rule->hash);
    tw_buf_reset(&text);
    write_state(c, &text);
    tw_hash_hex128(text.data, text.len, c->rule->state_hash);
    tw_buf_done(&text);
}

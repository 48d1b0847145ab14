// SPDX-License-Identifier: Apache-2.0
/* `enrich = { owner = lookup { "service_owner", key = "service" } }`. */
#include <stddef.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_LOOKUPS 16

typedef struct lookup_options {
    const char *key;
    const tw_tree *miss;
    int as_of;
} lookup_options;

enum { AS_OF_EVENT };
static const char *const as_of_choices[] = {[AS_OF_EVENT] = "event", NULL};

static const tw_option lookup_table[] = {
    {"key", TW_OPTION_TEXT, offsetof(lookup_options, key), 0, 0, NULL},
    {"miss", TW_OPTION_ANY, offsetof(lookup_options, miss), 0, 0, NULL},
    {"as_of", TW_OPTION_CHOICE, offsetof(lookup_options, as_of), 0, 0, as_of_choices},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* Its number in the options, or -1: not known, or not there, which is told. */
static int check_table(tw_compiler *c, const tw_tree *at, const char *name)
{
    const char *const *tables = c->options->tables;
    size_t count = 0;

    if (!tables)
        return -1;
    for (; tables[count]; count++)
        if (strcmp(tables[count], name) == 0)
            return (int)count;
    tw_compile_say(c, at, "there is no table '%s'%s", name,
                   tw_compile_hint(c, name, tables, count));
    return -1;
}

static void read_as_of(tw_compiler *c, const tw_tree *at, int number, tw_lookup *l)
{
    l->as_of_event = true;
    if (number >= 0 && c->options->table_history && !c->options->table_history[number])
        tw_compile_say(c, at,
                       "as_of needs a table that keeps history, and '%s' keeps none: the "
                       "configuration says so by tables.%s.since, the column of when a "
                       "row begins, or for a topic by 'versions'",
                       l->table, l->table);
}

static void read_miss(tw_compiler *c, const tw_tree *written, tw_lookup *l)
{
    const tw_tree *v = tw_compile_value(c, written);

    if (v->type == TW_TREE_STRING && strcmp(v->text, "keep") == 0) {
        l->miss = TW_MISS_KEEP;
    } else if (v->type == TW_TREE_STRING && strcmp(v->text, "drop") == 0) {
        l->miss = TW_MISS_DROP;
    } else {
        l->miss = TW_MISS_DEFAULT;
        l->fallback = tw_compile_json(v);
        if (!l->fallback)
            tw_compile_say(c, written,
                           "miss is \"keep\", \"drop\" or a value to take instead, "
                           "not %s",
                           tw_tree_name(v));
    }
}

/* A field, or text with `${...}` in it. */
static void read_key(tw_compiler *c, const tw_tree *at, const char *key, tw_lookup *l)
{
    char *text = strstr(key, "${") ? tw_strdup(key) : tw_asprintf("${%s}", key);
    c->lookup = l->name;
    if (tw_compile_template(c, at, text, &l->key))
        tw_compile_check_text(c, at, &l->key);
    c->lookup = NULL;
    tw_free(text);
}

static void compile_lookup(tw_compiler *c, const tw_tree_entry *e)
{
    const tw_tree *word = e->value, *table;
    lookup_options o = {.as_of = -1};
    tw_lookup *l = &c->rule->lookups[c->rule->lookup_count++];

    *l = (tw_lookup){.name = tw_strdup(e->key)};
    if (tw_tree_is_word(word, "context")) {
        tw_compile_context(c, word, l);
        return;
    }
    if (!tw_tree_is_word(word, "lookup")) {
        tw_compile_say(c, word,
                       "enrich takes lookup { \"table\", key = \"field\" } or context "
                       "{ \"changes\" }, not %s",
                       tw_tree_name(word));
        return;
    }
    table = word->item_count == 1 ? word->items[0] : word;
    if (table->type != TW_TREE_TABLE || table->item_count != 1 ||
        table->items[0]->type != TW_TREE_STRING) {
        tw_compile_say(c, word,
                       "lookup takes the name of a table and a key: lookup { "
                       "\"service_owner\", key = \"service\" }");
        return;
    }
    l->table = tw_strdup(table->items[0]->text);
    int number = check_table(c, table->items[0], l->table);
    tw_options_read(c, table, "lookup", lookup_table, &o);
    if (o.key)
        read_key(c, tw_tree_get(table, "key"), o.key, l);
    else if (!tw_tree_get(table, "key"))
        tw_compile_say(c, word, "lookup needs key = \"field\"");
    if (o.as_of == AS_OF_EVENT)
        read_as_of(c, tw_tree_get(table, "as_of"), number, l);
    if (o.miss)
        read_miss(c, o.miss, l);
}

/* ---- look-ups that use others ------------------------------------------------------ */

static int number_of(const tw_rule *r, const char *path)
{
    size_t n = strcspn(path, ".[");

    for (uint32_t i = 0; i < r->lookup_count; i++)
        if (strlen(r->lookups[i].name) == n && memcmp(r->lookups[i].name, path, n) == 0)
            return (int)i;
    return -1;
}

/* Whether the key of `from`, or of one that it is made of, is made of `to`; at most every look-up is
 * passed once. */
static bool reaches(const tw_rule *r, uint32_t from, uint32_t to, uint32_t *seen)
{
    const tw_template *key = &r->lookups[from].key;

    for (uint32_t i = 0; i < key->count; i++) {
        int next =
            key->parts[i].kind == TW_PART_ENRICH ? number_of(r, key->parts[i].text) : -1;
        if (next < 0 || *seen & 1u << next)
            continue;
        *seen |= 1u << next;
        if ((uint32_t)next == to || reaches(r, (uint32_t)next, to, seen))
            return true;
    }
    return false;
}

/* Each is done when it is first asked for, so their order is right by itself. */
static void check_circles(tw_compiler *c, const tw_tree *enrich)
{
    const tw_rule *r = c->rule;

    for (uint32_t i = 0; i < r->lookup_count; i++) {
        uint32_t seen = 0;
        if (!reaches(r, i, i, &seen))
            continue;
        tw_compile_say(c, enrich->entries[i].value,
                       "the key of look-up '%s' is made of its own row, by way of other "
                       "look-ups: they go round in a circle",
                       r->lookups[i].name);
        return;
    }
}

/* Each may use one that comes behind it, so this waits until all are there. */
static void check_columns(tw_compiler *c, const tw_tree *enrich)
{
    const tw_rule *r = c->rule;
    tw_err err;

    for (uint32_t i = 0; i < r->lookup_count; i++) {
        const tw_template *key = &r->lookups[i].key;
        const tw_tree *word = enrich->entries[i].value;
        const tw_tree *table = word->item_count == 1 ? word->items[0] : word;
        for (uint32_t k = 0; k < key->count; k++)
            if (key->parts[k].kind == TW_PART_ENRICH &&
                tw_compile_looked_up(c, key->parts[k].text, &err) < 0)
                tw_compile_say(c, tw_tree_get(table, "key"), "%s", err.text);
    }
}

void tw_compile_enrich(tw_compiler *c, const tw_tree *enrich)
{
    if (enrich->type != TW_TREE_TABLE || enrich->item_count > 0) {
        tw_compile_say(c, enrich, "enrich is a table: { name = lookup { ... } }");
        return;
    }
    if (enrich->entry_count > MAX_LOOKUPS) {
        tw_compile_say(c, enrich, "a rule may have %d look-ups", MAX_LOOKUPS);
        return;
    }
    c->rule->lookups = tw_calloc(enrich->entry_count + 1, sizeof *c->rule->lookups);
    for (uint32_t i = 0; i < enrich->entry_count; i++)
        compile_lookup(c, &enrich->entries[i]);
    check_circles(c, enrich);
    check_columns(c, enrich);
}

// SPDX-License-Identifier: Apache-2.0
/* Matcher tables: `{ severity = "error", code = gte(500), any_of { ... } }`. Matchers are put together
 * on scratch memory; tw_match_table_add copies and checks them. */
#include <string.h>

#include "base/nearest.h"
#include "rule/compile.h"

#define ANY_NUMBER 10000

typedef struct matcher_word {
    const char *name;
    tw_match_op op;
    uint32_t least, most;
} matcher_word;

static const matcher_word matcher_words[] = {
    {"oneof", TW_MATCH_ONEOF, 1, ANY_NUMBER},
    {"gt", TW_MATCH_GT, 1, 1},
    {"gte", TW_MATCH_GTE, 1, 1},
    {"lt", TW_MATCH_LT, 1, 1},
    {"lte", TW_MATCH_LTE, 1, 1},
    {"between", TW_MATCH_BETWEEN, 2, 2},
    {"prefix", TW_MATCH_PREFIX, 1, 1},
    {"suffix", TW_MATCH_SUFFIX, 1, 1},
    {"contains", TW_MATCH_CONTAINS, 1, 1},
    {"has", TW_MATCH_HAS, 1, ANY_NUMBER},
    {"matches", TW_MATCH_REGEX, 1, 1},
    {"exists", TW_MATCH_EXISTS, 0, 0},
    {"missing_field", TW_MATCH_MISSING, 0, 0},
};

/* The field that is matched. */
typedef struct matched {
    const char *path;
    const tw_stream *stream;
    uint32_t slot;
} matched;

static bool build_match(tw_compiler *c, const matched *f, const tw_tree *written,
                        tw_match *out);

/* '@tme'. Events may have fields that begin with @, as '@timestamp'; what is nearly one of the event's
 * own paths is a slip, unless it is quoted as a field: '["@times"]'. */
static const char *meant_by(const char *path)
{
    static const char *const own[] = {"@time", "@stream", "@partition", "@offset"};
    size_t count = sizeof own / sizeof own[0];

    for (size_t i = 0; i < count; i++)
        if (strcmp(path, own[i]) == 0)
            return NULL;
    return path[0] == '@' ? tw_nearest(path, own, count) : NULL;
}

bool tw_compile_slot(tw_compiler *c, const tw_tree *at, tw_stream *stream,
                     const char *path, uint32_t *out_slot)
{
    tw_err err;
    const char *meant = meant_by(path);

    if (meant) {
        tw_compile_say(c, at, "there is no '%s' (did you mean '%s'?)", path, meant);
        return false;
    }
    int slot = tw_fields_slot(stream->fields, path, &err);
    if (slot < 0) {
        tw_compile_say(c, at, "%s", err.text);
        return false;
    }
    *out_slot = (uint32_t)slot;
    return true;
}

bool tw_compile_path(tw_compiler *c, const tw_tree *at, tw_stream *stream,
                     const char *path, uint32_t *out_slot)
{
    return tw_compile_slot(c, at, stream, path, out_slot) &&
           tw_compile_declared(c, at, stream, *out_slot);
}

static const matcher_word *find_matcher(const tw_tree *v)
{
    size_t count = sizeof matcher_words / sizeof matcher_words[0];
    for (size_t i = 0; i < count; i++)
        if (tw_tree_is_word(v, matcher_words[i].name))
            return &matcher_words[i];
    return NULL;
}

/* `oneof("a", "b")` and `oneof { "a", "b" }` are the same. */
static const tw_tree *list_of(const tw_tree *word)
{
    if (word->item_count == 1 && word->items[0]->type == TW_TREE_TABLE)
        return word->items[0];
    return word;
}

static bool add_values(tw_compiler *c, const tw_tree *word, const matcher_word *w,
                       tw_match *out)
{
    const tw_tree *list = list_of(word);

    if (list->item_count < w->least || list->item_count > w->most) {
        const char *wanted = w->most == 0   ? "nothing"
                             : w->most == 1 ? "one value"
                             : w->most == 2 ? "two values"
                                            : "one or more values";
        tw_compile_say(c, word, "%s takes %s, not %u", w->name, wanted, list->item_count);
        return false;
    }
    out->values = tw_arena_alloc(c->arena, (list->item_count + 1) * sizeof *out->values);
    for (uint32_t i = 0; i < list->item_count; i++) {
        const tw_tree *v = tw_compile_value(c, list->items[i]);
        if (!tw_compile_scalar(v, &out->values[out->value_count++])) {
            tw_compile_say(c, v, "%s takes strings, numbers, true, false or null, not %s",
                           w->name, tw_tree_name(v));
            return false;
        }
    }
    return true;
}

static bool build_except(tw_compiler *c, const matched *f, const tw_tree *word,
                         tw_match *out)
{
    out->op = TW_MATCH_EXCEPT;
    if (word->item_count != 1 || tw_tree_is_word(word->items[0], "any_of")) {
        tw_compile_say(c, word,
                       "except takes one value or one matcher, as except \"a\" or "
                       "except(gte(500))");
        return false;
    }
    out->child = tw_arena_alloc(c->arena, sizeof *out->child);
    if (tw_tree_is_word(word->items[0], "exists")) {
        tw_compile_say(c, word,
                       "this can never hold: except asks for a field that is there; one "
                       "that is not is missing_field()");
        return false;
    }
    return build_match(c, f, word->items[0], out->child);
}

static bool add_or_say(tw_compiler *c, const tw_tree *at, const char *path,
                       tw_match_table *t, const tw_match *m)
{
    tw_err err;
    if (tw_match_table_add(t, m, &err) == TW_OK)
        return true;
    tw_compile_say(c, at, "%s: %s", path, err.text);
    return false;
}

static void free_tables(tw_match *m)
{
    for (uint32_t i = 0; i < m->table_count; i++)
        tw_match_table_free(m->tables[i]);
    m->table_count = 0;
}

/* `state = any_of { missing_field(), except "up" }`: alternatives for one field. */
static bool build_field_any_of(tw_compiler *c, const matched *f, const tw_tree *word,
                               tw_match *out)
{
    const tw_tree *list = list_of(word);
    bool good = list->item_count > 0;

    out->op = TW_MATCH_ANY_OF;
    if (!good)
        tw_compile_say(c, word, "any_of takes at least one alternative");
    out->tables = tw_arena_alloc(c->arena, (list->item_count + 1) * sizeof *out->tables);
    for (uint32_t i = 0; good && i < list->item_count; i++) {
        tw_match m;
        tw_match_table *t = out->tables[out->table_count++] = tw_match_table_new();
        bool built = build_match(c, f, list->items[i], &m);
        good = built && add_or_say(c, list->items[i], f->path, t, &m);
        if (built && m.op == TW_MATCH_ANY_OF)
            free_tables(&m);
    }
    if (!good)
        free_tables(out);
    return good;
}

static bool say_no_matcher(tw_compiler *c, const char *path, const tw_tree *v)
{
    if (v->type == TW_TREE_TABLE)
        tw_compile_say(c, v,
                       "%s: several values are written oneof(\"a\", \"b\"); fields of an "
                       "object as [\"%s.name\"] = value",
                       path, path);
    else if (v->type == TW_TREE_FUNCTION)
        tw_compile_say(c, v, "%s: a function stands only in where = function(e) ... end",
                       path);
    else
        tw_compile_say(c, v, "%s: '%s' is not a matcher", path, tw_tree_name(v));
    return false;
}

/* What the field must be for the matcher ever to hold; ANY: anything. */
static tw_declared_type wanted_type(const tw_match *m)
{
    switch (m->op) {
    case TW_MATCH_PREFIX:
    case TW_MATCH_SUFFIX:
    case TW_MATCH_CONTAINS:
    case TW_MATCH_REGEX:
        return TW_DECLARED_TEXT;
    case TW_MATCH_HAS:
        return TW_DECLARED_LIST;
    case TW_MATCH_EQ:
    case TW_MATCH_ONEOF:
    case TW_MATCH_GT:
    case TW_MATCH_GTE:
    case TW_MATCH_LT:
    case TW_MATCH_LTE:
    case TW_MATCH_BETWEEN:
    case TW_MATCH_EXISTS:
    case TW_MATCH_MISSING:
    case TW_MATCH_EXCEPT:
    case TW_MATCH_ANY_OF:
        break; /* that of its first value, if it has one */
    }
    if (m->value_count == 0 || m->values[0].type == TW_NULL)
        return TW_DECLARED_ANY;
    return m->values[0].type == TW_STRING ? TW_DECLARED_TEXT
           : m->values[0].type == TW_BOOL ? TW_DECLARED_BOOL
                                          : TW_DECLARED_NUMBER;
}

/* What is written behind `path =`. On failure nothing is left to free. */
static bool build_match(tw_compiler *c, const matched *f, const tw_tree *written,
                        tw_match *out)
{
    const tw_tree *v = tw_compile_value(c, written);
    const matcher_word *w = find_matcher(v);
    bool good;

    *out = (tw_match){.op = TW_MATCH_EQ, .slot = f->slot};
    if (tw_tree_is_word(v, "except"))
        return build_except(c, f, v, out);
    if (tw_tree_is_word(v, "any_of"))
        return build_field_any_of(c, f, v, out);
    if (w) {
        out->op = w->op;
        good = add_values(c, v, w, out);
    } else {
        out->values = tw_arena_alloc(c->arena, sizeof *out->values);
        out->value_count = 1;
        good = tw_compile_scalar(v, out->values) || say_no_matcher(c, f->path, v);
    }
    return good && tw_compile_type(c, written, f->stream, f->slot, wanted_type(out),
                                   "this matches");
}

/* `any_of { { a = 1 }, { b = 2 } }` in the list part of a matcher table. */
static void add_any_of(tw_compiler *c, const tw_tree *word, tw_stream *stream,
                       tw_match_table *t)
{
    const tw_tree *list =
        word->item_count == 1 && word->items[0]->entry_count == 0 ? list_of(word) : word;
    tw_match m = {.op = TW_MATCH_ANY_OF};

    if (list->item_count == 0) {
        tw_compile_say(c, word, "any_of takes at least one matcher table");
        return;
    }
    m.tables = tw_arena_alloc(c->arena, list->item_count * sizeof *m.tables);
    for (uint32_t i = 0; i < list->item_count; i++) {
        tw_match_table *one = tw_compile_match(c, list->items[i], stream, NULL);
        m.tables[m.table_count++] = one ? one : tw_match_table_new();
    }
    add_or_say(c, word, "any_of", t, &m);
    free_tables(&m);
}

static void add_field(tw_compiler *c, const tw_tree_entry *e, tw_stream *stream,
                      tw_match_table *t)
{
    matched f = {.path = e->key, .stream = stream};
    tw_match m;

    if (!tw_compile_path(c, e->value, stream, e->key, &f.slot))
        return;
    if (!build_match(c, &f, e->value, &m))
        return;
    add_or_say(c, e->value, e->key, t, &m);
    if (m.op == TW_MATCH_ANY_OF)
        free_tables(&m);
}

tw_match_table *tw_compile_match(tw_compiler *c, const tw_tree *table, tw_stream *stream,
                                 int *out_where)
{
    if (table->type != TW_TREE_TABLE) {
        tw_compile_say(c, table,
                       "matchers are a table like { severity = \"error\" }, not %s",
                       tw_tree_name(table));
        return NULL;
    }
    tw_match_table *t = tw_match_table_new();
    for (uint32_t i = 0; i < table->item_count; i++) {
        if (tw_tree_is_word(table->items[i], "any_of"))
            add_any_of(c, table->items[i], stream, t);
        else
            tw_compile_say(c, table->items[i],
                           "a matcher needs the field it is for: name = %s; only any_of "
                           "stands without",
                           tw_tree_name(table->items[i]));
    }
    for (uint32_t i = 0; i < table->entry_count; i++) {
        const tw_tree_entry *e = &table->entries[i];
        bool is_where =
            strcmp(e->key, "where") == 0 && e->value->type == TW_TREE_FUNCTION;
        if (is_where && out_where)
            *out_where = e->value->fn;
        else if (is_where)
            tw_compile_say(c, e->value, "where stands only in the table of an input");
        else
            add_field(c, e, stream, t);
    }
    if (t->count == 0) {
        tw_match_table_free(t);
        return NULL;
    }
    return t;
}

// SPDX-License-Identifier: Apache-2.0
/* `tables = { owners = { cart = { team = "a" } } }` of a test: rows by key. A row may be a list of versions,
 * what it was at first and then by time: { { team = "a" }, { "10m", { team = "b" } }, { "20m" } }. Kept as
 * JSON, as tw_rows_of_json reads it. */
#include "rule/plan_test.h"

static bool is_plain(const tw_tree *v)
{
    for (uint32_t i = 0; i < v->item_count; i++)
        if (!is_plain(v->items[i]))
            return false;
    for (uint32_t i = 0; i < v->entry_count; i++)
        if (!is_plain(v->entries[i].value))
            return false;
    return v->type != TW_TREE_FUNCTION && v->type != TW_TREE_WORD &&
           v->type != TW_TREE_OTHER;
}

static bool is_row(const tw_tree *v)
{
    return v->type == TW_TREE_TABLE && v->item_count == 0;
}

/* One of a list: [since, row] with since null for ever, or [since] for the end. NULL with a finding. */
static json_t *version_json(tw_test_compiler *t, const tw_tree *v, bool is_first,
                            int64_t *io_since_ms)
{
    int64_t since_ms;

    if (is_row(v) && is_first)
        return json_pack("[n, o]", tw_compile_json(v));
    if (v->type != TW_TREE_TABLE || v->item_count < 1 || v->item_count > 2 ||
        v->entry_count || (v->item_count == 2 && !is_row(v->items[1]))) {
        tw_compile_say(
            t->c, v,
            "a version of a row is { \"10m\", { team = \"b\" } }, from when on "
            "and what, or { \"20m\" } where the row ends; the first may be the "
            "row alone");
        return NULL;
    }
    if (!tw_compile_test_time(t, v->items[0], "a version", &since_ms))
        return NULL;
    if (since_ms <= *io_since_ms) {
        tw_compile_say(t->c, v, "versions of a row stand in the order of their times");
        return NULL;
    }
    *io_since_ms = since_ms;
    return v->item_count == 2
               ? json_pack("[I, o]", (json_int_t)since_ms, tw_compile_json(v->items[1]))
               : json_pack("[I]", (json_int_t)since_ms);
}

static void compile_versions(tw_test_compiler *t, json_t *rows, const tw_tree_entry *e)
{
    json_t *versions = json_array();
    int64_t since_ms = -1;

    if (e->value->entry_count)
        tw_compile_say(t->c, e->value,
                       "the row of '%s' is a row or a list of versions, not both",
                       e->key);
    for (uint32_t i = 0; i < e->value->item_count; i++) {
        json_t *v = version_json(t, e->value->items[i], i == 0, &since_ms);
        if (v)
            json_array_append_new(versions, v);
    }
    json_object_set_new(rows, e->key, versions);
}

void tw_compile_test_tables(tw_test_compiler *t, const tw_tree *tables)
{
    tw_options_no_items(t->c, tables, "tables");
    if (is_plain(tables))
        t->test->tables = tw_compile_json(tables);
    for (uint32_t i = 0; i < tables->entry_count; i++) {
        const tw_tree *table = tables->entries[i].value;
        if (table->type != TW_TREE_TABLE || table->item_count || !is_plain(table)) {
            tw_compile_say(t->c, table,
                           "table '%s' is rows by key: { cart = { team = \"a\" } }",
                           tables->entries[i].key);
            continue;
        }
        json_t *rows = json_object_get(t->test->tables, tables->entries[i].key);
        for (uint32_t k = 0; rows && k < table->entry_count; k++)
            if (table->entries[k].value->type == TW_TREE_TABLE &&
                table->entries[k].value->item_count)
                compile_versions(t, rows, &table->entries[k]);
    }
    t->test->tables_place = tw_compile_test_place(t, tables);
}

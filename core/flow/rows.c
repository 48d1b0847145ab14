// SPDX-License-Identifier: Apache-2.0
/* Rows by key; see rows.h. Without history the map holds the rows themselves, with it what a key had. */
#include "flow/rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "flow/row_tree.h"

#define MAX_ROWS 1000000

typedef struct history {
    tw_row_version *items; /* sorted once all are there */
    uint32_t count;
} history;

struct tw_rows {
    atomic_uint refs;
    bool has_history;
    size_t version_count;
    tw_declared *columns; /* NULL: none was told */
    tw_map *by_key;       /* json_t, or history; NULL: those of the tree */
    tw_row_tree tree;     /* always with history, if of one version */
    size_t tree_keys;
};

json_t *tw_row_versions_at(const tw_row_version *versions, uint32_t count, int64_t at_ms)
{
    uint32_t low = 0, high = count;

    if (count && at_ms == TW_ROW_NEWEST)
        return versions[count - 1].row;
    while (low < high) { /* the first that begins later */
        uint32_t middle = low + (high - low) / 2;
        if (versions[middle].since_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low && at_ms < versions[low - 1].until_ms ? versions[low - 1].row : NULL;
}

/* ---- filling ----------------------------------------------------------------------- */

static void free_row(void *row)
{
    json_decref(row);
}

static void free_history(void *value)
{
    history *h = value;

    for (uint32_t i = 0; i < h->count; i++)
        json_decref(h->items[i].row);
    tw_free(h->items);
    tw_free(h);
}

tw_rows *tw_rows_new(bool has_history)
{
    tw_rows *rows = tw_alloc(sizeof *rows);

    atomic_init(&rows->refs, 1);
    rows->has_history = has_history;
    rows->by_key = tw_map_new(has_history ? free_history : free_row);
    return rows;
}

static void add_version(tw_rows *rows, const char *key, size_t n, tw_row_version v)
{
    history *h = tw_map_get_n(rows->by_key, key, n);

    if (!h) {
        h = tw_alloc(sizeof *h);
        tw_map_put_n(rows->by_key, key, n, h);
    }
    if ((h->count & (h->count - 1)) == 0) /* full: 0, 1, 2, 4, .. */
        h->items = tw_realloc(h->items, (h->count ? 2 * h->count : 1) * sizeof *h->items);
    h->items[h->count++] = v;
}

int tw_rows_add(tw_rows *rows, const char *key, size_t n, tw_row_version v, int line,
                tw_err *err)
{
    int rc = TW_OK;

    if (n == 0)
        rc = tw_err_at(err, TW_EPARSE, NULL, line, 0, "a row has no key");
    else if (!rows->has_history && tw_map_get_n(rows->by_key, key, n))
        rc = tw_err_at(err, TW_EPARSE, NULL, line, 0,
                       "the key \"%.*s\" comes twice; of a table that keeps history the "
                       "configuration says by tables.NAME.since when each row begins "
                       "(replay: -c FILE)",
                       (int)(n < 100 ? n : 100), key);
    else if (v.until_ms <= v.since_ms)
        rc = tw_err_at(err, TW_EPARSE, NULL, line, 0,
                       "the row of \"%.*s\" ends before it begins",
                       (int)(n < 100 ? n : 100), key);
    else if (rows->version_count >= MAX_ROWS)
        rc = tw_err_at(err, TW_ELIMIT, NULL, line, 0, "more than %d rows", MAX_ROWS);
    if (rc < 0) {
        json_decref(v.row);
        return rc;
    }
    rows->version_count++;
    if (rows->has_history)
        add_version(rows, key, n, v);
    else
        tw_map_put_n(rows->by_key, key, n, v.row);
    return TW_OK;
}

void tw_rows_add_column(tw_rows *rows, const char *name)
{
    if (!rows->columns)
        rows->columns = tw_declared_new();
    tw_declared_add(rows->columns, name, TW_DECLARED_ANY);
}

const tw_declared *tw_rows_columns(const tw_rows *rows)
{
    return rows->columns;
}

static int by_since(const void *pa, const void *pb)
{
    const tw_row_version *a = pa, *b = pb;

    return (a->since_ms > b->since_ms) - (a->since_ms < b->since_ms);
}

int tw_rows_finish(tw_rows *rows, tw_err *err)
{
    const char *key;
    void *value;

    if (!rows->has_history)
        return TW_OK;
    for (size_t i = 0; tw_map_next(rows->by_key, &i, &key, &value);) {
        history *h = value;
        qsort(h->items, h->count, sizeof *h->items, by_since);
        for (uint32_t k = 1; k < h->count; k++) {
            if (h->items[k].since_ms == h->items[k - 1].since_ms)
                return tw_err_set(err, TW_EPARSE,
                                  "two rows of the key \"%.100s\" begin at one time",
                                  key);
        }
    }
    return TW_OK;
}

/* ---- of a test --------------------------------------------------------------------- */

static bool any_list(json_t *object)
{
    const char *key;
    json_t *row;

    json_object_foreach(object, key, row)
    {
        if (json_is_array(row))
            return true;
    }
    return false;
}

static void add_listed(tw_rows *rows, const char *key, json_t *list, int64_t start_ms)
{
    size_t i;
    json_t *version;

    json_array_foreach(list, i, version)
    {
        const json_t *since = json_array_get(version, 0);
        int64_t since_ms =
            json_is_integer(since) ? start_ms + json_integer_value(since) : TW_ROW_ALWAYS;
        tw_rows_add(rows, key, strlen(key),
                    (tw_row_version){since_ms, TW_ROW_FOR_EVER,
                                     json_incref(json_array_get(version, 1))},
                    0, NULL);
    }
}

tw_rows *tw_rows_of_json(json_t *object, int64_t start_ms)
{
    tw_rows *rows = tw_rows_new(any_list(object));
    const char *key;
    json_t *row;

    json_object_foreach(object, key, row)
    {
        if (json_is_array(row))
            add_listed(rows, key, row, start_ms);
        else
            tw_rows_add(
                rows, key, strlen(key),
                (tw_row_version){TW_ROW_ALWAYS, TW_ROW_FOR_EVER, json_incref(row)}, 0,
                NULL);
    }
    tw_rows_finish(rows, NULL); /* the test has been checked */
    return rows;
}

tw_rows *tw_rows_of_tree(const tw_row_tree *tree, size_t keys)
{
    tw_rows *rows = tw_alloc(sizeof *rows);

    atomic_init(&rows->refs, 1);
    rows->has_history = true;
    rows->tree = tw_row_tree_copy(tree);
    rows->tree_keys = keys;
    return rows;
}

/* ---- reading ----------------------------------------------------------------------- */

tw_rows *tw_rows_ref(tw_rows *rows)
{
    if (rows)
        atomic_fetch_add_explicit(&rows->refs, 1, memory_order_relaxed);
    return rows;
}

void tw_rows_unref(tw_rows *rows)
{
    if (!rows || atomic_fetch_sub_explicit(&rows->refs, 1, memory_order_acq_rel) != 1)
        return;
    tw_map_free(rows->by_key);
    tw_declared_free(rows->columns);
    tw_row_tree_done(&rows->tree);
    tw_free(rows);
}

static json_t *in_tree(const tw_rows *rows, const char *key, int64_t at_ms)
{
    const tw_row_leaf *leaf = tw_row_tree_find(&rows->tree, key, strlen(key));

    return leaf ? tw_row_versions_at(leaf->versions, leaf->count, at_ms) : NULL;
}

static json_t *row_at(const tw_rows *rows, void *value, int64_t at_ms)
{
    const history *h = value;

    if (!value || !rows->has_history)
        return value;
    return tw_row_versions_at(h->items, h->count, at_ms);
}

json_t *tw_rows_at(const tw_rows *rows, const char *key, int64_t at_ms)
{
    if (!rows)
        return NULL;
    return rows->by_key ? row_at(rows, tw_map_get(rows->by_key, key), at_ms)
                        : in_tree(rows, key, at_ms);
}

json_t *tw_rows_get(const tw_rows *rows, const char *key)
{
    return tw_rows_at(rows, key, TW_ROW_NEWEST);
}

bool tw_rows_have_history(const tw_rows *rows)
{
    return rows && rows->has_history;
}

size_t tw_rows_count(const tw_rows *rows)
{
    if (!rows)
        return 0;
    return rows->by_key ? tw_map_count(rows->by_key) : rows->tree_keys;
}

typedef struct tree_walk {
    void (*row)(void *self, const char *key, json_t *value);
    void *self;
} tree_walk;

static void on_leaf(void *self, const tw_row_leaf *leaf)
{
    const tree_walk *w = self;
    json_t *newest = leaf->versions[leaf->count - 1].row;

    if (newest)
        w->row(w->self, leaf->key, newest);
}

void tw_rows_each(const tw_rows *rows,
                  void (*row)(void *self, const char *key, json_t *value), void *self)
{
    const char *key;
    void *value;

    if (rows && !rows->by_key)
        tw_row_tree_each(&rows->tree, on_leaf, &(tree_walk){row, self});
    for (size_t i = 0;
         rows && rows->by_key && tw_map_next(rows->by_key, &i, &key, &value);) {
        json_t *newest = row_at(rows, value, TW_ROW_NEWEST);
        if (newest)
            row(self, key, newest);
    }
}

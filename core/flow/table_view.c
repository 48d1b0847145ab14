// SPDX-License-Identifier: Apache-2.0
/* Views of tables; see table_view.h. */
#include "flow/table_view.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

typedef struct seen {
    char *name;
    tw_rows *rows;
    tw_live_rows *live; /* or these */
} seen;

struct tw_table_view {
    atomic_uint refs;
    uint32_t count;
    seen tables[];
};

static tw_table_view *new_view(uint32_t count)
{
    tw_table_view *view = tw_alloc(sizeof *view + count * sizeof(seen));

    atomic_init(&view->refs, 1);
    view->count = count;
    return view;
}

tw_table_view *tw_table_view_of_json(json_t *tables, int64_t start_ms)
{
    tw_table_view *view = new_view((uint32_t)json_object_size(tables));
    const char *name;
    json_t *rows;
    uint32_t i = 0;

    json_object_foreach(tables, name, rows)
    {
        view->tables[i++] =
            (seen){tw_strdup(name), tw_rows_of_json(rows, start_ms), NULL};
    }
    return view;
}

tw_table_view *tw_table_view_new(tw_table *const *tables, uint32_t count)
{
    tw_table_view *view = new_view(count);

    for (uint32_t i = 0; i < count; i++)
        view->tables[i] = (seen){tw_strdup(tw_table_name(tables[i])),
                                 tw_rows_ref(tw_table_rows(tables[i])), NULL};
    return view;
}

tw_table_view *tw_table_view_of(const tw_table_part *parts, uint32_t count)
{
    tw_table_view *view = new_view(count);

    for (uint32_t i = 0; i < count; i++)
        view->tables[i] = (seen){tw_strdup(parts[i].name), tw_rows_ref(parts[i].rows),
                                 tw_live_rows_ref(parts[i].live)};
    return view;
}

tw_table_view *tw_table_view_ref(tw_table_view *view)
{
    if (view)
        atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void tw_table_view_unref(tw_table_view *view)
{
    if (!view || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < view->count; i++) {
        tw_free(view->tables[i].name);
        tw_rows_unref(view->tables[i].rows);
        tw_live_rows_unref(view->tables[i].live);
    }
    tw_free(view);
}

static const seen *find(const tw_table_view *view, const char *name)
{
    for (uint32_t i = 0; view && i < view->count; i++) {
        if (strcmp(view->tables[i].name, name) == 0)
            return &view->tables[i];
    }
    return NULL;
}

const tw_rows *tw_table_view_rows(const tw_table_view *view, const char *name)
{
    const seen *s = find(view, name);

    if (!s)
        return NULL;
    return s->live ? tw_live_rows_now(s->live) : s->rows;
}

tw_live_rows *tw_table_view_live(const tw_table_view *view, const char *name)
{
    const seen *s = find(view, name);

    return s ? s->live : NULL;
}

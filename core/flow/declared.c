// SPDX-License-Identifier: Apache-2.0
/* A map from names to types; see declared.h. The value of an entry is its type, plus one. */
#include "flow/declared.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/nearest.h"

#define MOST 10000 /* names of a table whose rows are all different say nothing */

const char *const tw_declared_types[] = {[TW_DECLARED_ANY] = "any",
                                         [TW_DECLARED_TEXT] = "text",
                                         [TW_DECLARED_NUMBER] = "number",
                                         [TW_DECLARED_BOOL] = "bool",
                                         [TW_DECLARED_LIST] = "list",
                                         [TW_DECLARED_MAP] = "map",
                                         NULL};

struct tw_declared {
    tw_map *by_path;
    bool given_up;
};

tw_declared *tw_declared_new(void)
{
    tw_declared *d = tw_alloc(sizeof *d);

    d->by_path = tw_map_new(NULL);
    return d;
}

tw_declared *tw_declared_copy(const tw_declared *d)
{
    const char *path;
    void *value;

    if (!d)
        return NULL;
    tw_declared *copy = tw_declared_new();
    for (size_t i = 0; tw_map_next(d->by_path, &i, &path, &value);)
        tw_map_put(copy->by_path, path, value);
    copy->given_up = d->given_up;
    return copy;
}

void tw_declared_free(tw_declared *d)
{
    if (!d)
        return;
    tw_map_free(d->by_path);
    tw_free(d);
}

void tw_declared_add(tw_declared *d, const char *path, tw_declared_type type)
{
    if (d->given_up || tw_map_get(d->by_path, path))
        return;
    d->given_up = tw_map_count(d->by_path) == MOST;
    if (!d->given_up)
        tw_map_put(d->by_path, path, (void *)((uintptr_t)type + 1));
}

bool tw_declared_known(const tw_declared *d)
{
    return d && !d->given_up && tw_map_count(d->by_path) > 0;
}

bool tw_declared_has_column(const tw_declared *d, const char *name, size_t n)
{
    return tw_map_get_n(d->by_path, name, n) != NULL;
}

static bool may_hold_others(tw_declared_type type)
{
    return type == TW_DECLARED_ANY || type == TW_DECLARED_LIST || type == TW_DECLARED_MAP;
}

/* Whether `inner` is a path into what `outer` names; both are canonical. */
static bool lies_in(const char *inner, const char *outer)
{
    size_t n = strlen(outer);

    return strncmp(inner, outer, n) == 0 && (inner[n] == '.' || inner[n] == '[');
}

bool tw_declared_has(const tw_declared *d, const tw_field *field)
{
    const char *path;
    void *value;

    if (tw_map_get(d->by_path, field->path))
        return true;
    for (size_t i = 0; tw_map_next(d->by_path, &i, &path, &value);) {
        tw_declared_type type = (tw_declared_type)((uintptr_t)value - 1);
        if ((may_hold_others(type) && lies_in(field->path, path)) ||
            lies_in(path, field->path))
            return true;
    }
    return false;
}

tw_declared_type tw_declared_type_of(const tw_declared *d, const char *path)
{
    void *value = tw_map_get(d->by_path, path);

    return value ? (tw_declared_type)((uintptr_t)value - 1) : TW_DECLARED_ANY;
}

const char *tw_declared_nearest(const tw_declared *d, const char *name)
{
    size_t count = 0;
    const char *path, **names = tw_calloc(tw_map_count(d->by_path) + 1, sizeof *names);
    void *value;

    for (size_t i = 0; tw_map_next(d->by_path, &i, &path, &value);)
        names[count++] = path;
    const char *nearest = tw_nearest(name, names, count);
    tw_free(names);
    return nearest;
}

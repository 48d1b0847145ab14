// SPDX-License-Identifier: Apache-2.0
/* See replay_names.h. A name that has a dot in itself is passed over: its path would be written another way. */
#include "replay_names.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"

#define MOST_RECORDS 100
#define MOST_EVENTS 10 /* of a record */
#define MOST_NAMES 1000
#define DEEPEST 4
#define LONGEST 256

struct tw_replay_names {
    json_t *names; /* an object: each once */
    int records;
};

tw_replay_names *tw_replay_names_new(void)
{
    tw_replay_names *n = tw_alloc(sizeof *n);

    n->names = json_object();
    return n;
}

void tw_replay_names_free(tw_replay_names *n)
{
    if (!n)
        return;
    json_decref(n->names);
    tw_free(n);
}

static void take_members(tw_replay_names *n, json_t *object, const char *before,
                         int depth)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        char path[LONGEST];
        int length = snprintf(path, sizeof path, "%s%s", before, name);
        if (strchr(name, '.') || length < 0 || (size_t)length + 1 >= sizeof path ||
            json_object_size(n->names) >= MOST_NAMES)
            continue;
        json_object_set_new(n->names, path, json_true());
        if (!json_is_object(value) || depth == DEEPEST)
            continue;
        snprintf(path + length, sizeof path - (size_t)length, ".");
        take_members(n, value, path, depth + 1);
    }
}

void tw_replay_names_take(tw_replay_names *n, const void *data, size_t size)
{
    json_t *record = n->records++ < MOST_RECORDS ? json_loadb(data, size, 0, NULL) : NULL;
    size_t events = json_is_array(record) ? json_array_size(record) : 0;

    if (n->records > MOST_RECORDS)
        n->records = MOST_RECORDS;
    for (size_t i = 0; i < events && i < MOST_EVENTS; i++)
        take_members(n, json_array_get(record, i), "", 1);
    take_members(n, record, "", 1);
    json_decref(record);
}

const char *tw_replay_names_nearest(const tw_replay_names *n, const char *path)
{
    const char **names = tw_calloc(json_object_size(n->names) + 1, sizeof *names);
    const char *name;
    size_t count = 0;
    json_t *value;

    json_object_foreach(n->names, name, value)
    {
        names[count++] = name;
    }
    const char *nearest = tw_nearest(path, names, count);
    tw_free(names);
    return nearest;
}

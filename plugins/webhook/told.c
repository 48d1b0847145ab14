// SPDX-License-Identifier: Apache-2.0
/* See told.h. Bounded, since an end that was given up never arrives here. */
#include "webhook/told.h"

#include <stdlib.h>

#define MOST_TOLD 50000

void told_init(told *t)
{
    t->alerts = json_object();
    if (!t->alerts)
        abort();
}

void told_done(told *t)
{
    json_decref(t->alerts);
}

json_t *told_of(const told *t, const char *incident)
{
    return json_object_get(t->alerts, incident);
}

void told_put(told *t, const char *incident, json_t *alert)
{
    json_object_del(t->alerts, incident); /* so that it goes to the end */
    if (!alert)
        return;
    json_object_set(t->alerts, incident, alert);
    if (json_object_size(t->alerts) > MOST_TOLD)
        json_object_del(t->alerts, json_object_iter_key(json_object_iter(t->alerts)));
}

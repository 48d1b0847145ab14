// SPDX-License-Identifier: Apache-2.0
/* Events as JSON; see event.h. */
#include "demo/event.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void set_text(json_t *o, const char *name, const char *text)
{
    if (text)
        json_object_set_new(o, name, json_string(text));
}

static void set_whole(json_t *o, const char *name, int64_t v)
{
    if (v)
        json_object_set_new(o, name, json_integer(v));
}

/* To a tenth of a millisecond, as a clock would give it. */
static void set_ms(json_t *o, const char *name, double ms)
{
    if (ms > 0)
        json_object_set_new(o, name, json_real((double)(int64_t)(ms * 10) / 10));
}

static void set_identity(json_t *o, uint64_t id, int64_t now_ms)
{
    char text[48], stamp[40];
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm at = {0};

    gmtime_r(&seconds, &at);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &at);
    snprintf(text, sizeof text, "%s.%03dZ", stamp, (int)(now_ms % 1000));
    json_object_set_new(o, "time", json_string(text));
    snprintf(text, sizeof text, "demo-%" PRIu64, id);
    json_object_set_new(o, "id", json_string(text));
}

char *demo_event_json(const demo_event *e, uint64_t id, int64_t now_ms)
{
    json_t *o = json_object();

    set_identity(o, id, now_ms);
    set_text(o, "type", e->type);
    set_text(o, "source", e->source);
    set_text(o, "service", e->service);
    set_text(o, "host", e->host);
    set_text(o, "node", e->node);
    set_text(o, "pod", e->pod);
    set_text(o, "cluster", "shop-1");
    set_text(o, "region", "eu-1");
    set_text(o, "az", e->az);
    set_text(o, "version", e->version);
    set_text(o, "action", e->action);
    set_text(o, "result", e->result);
    set_text(o, "reason", e->reason);
    set_text(o, "severity", e->severity);
    set_text(o, "path", e->path);
    set_text(o, "name", e->name);
    set_whole(o, "from", e->from);
    set_whole(o, "to", e->to);
    set_whole(o, "code", e->code);
    set_ms(o, "latency_ms", e->latency_ms);
    set_ms(o, "duration_ms", e->duration_ms);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(8));
    json_decref(o);
    if (!text)
        abort();
    return text;
}

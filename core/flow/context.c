// SPDX-License-Identifier: Apache-2.0
/* See context.h. Pure but for the port. */
#include "flow/context.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"

#define MOST_LISTED 50
#define MOST_LINE_FIELDS 6
#define MAX_LINE_BYTES 240

void tw_context_plan_free(tw_context_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->of_count; i++) {
        tw_free(plan->of[i]);
        tw_template_done(&plan->values[i]);
    }
    tw_free(plan->of);
    tw_free(plan->values);
    tw_free(plan);
}

static json_t *read_list(const tw_context_port *port, const tw_context_query *q)
{
    bool asks = port && port->read && q->entity_count > 0;

    return asks ? port->read(port->self, q) : json_array();
}

json_t *tw_context_gather(const tw_context_port *port, const tw_context_plan *plan,
                          const char *rule, char *const *values, int64_t at_ms)
{
    tw_entity entities[TW_MAX_CONTEXT_FIELDS];
    tw_context_query q = {.entities = entities,
                          .from_ms = at_ms - plan->since_ms,
                          .to_ms = at_ms,
                          .most = MOST_LISTED,
                          .not_rule = rule};
    json_t *all = json_object();

    for (uint32_t i = 0; i < plan->of_count; i++)
        if (values[i] && *values[i])
            entities[q.entity_count++] = (tw_entity){.name = plan->of[i],
                                                     .value = values[i],
                                                     .name_len = strlen(plan->of[i]),
                                                     .value_len = strlen(values[i])};
    if (plan->changes)
        json_object_set_new(all, "changes", read_list(port, &q));
    q.kind = TW_CONTEXT_ALERTS;
    if (plan->alerts)
        json_object_set_new(all, "alerts", read_list(port, &q));
    return all;
}

/* ---- paths ------------------------------------------------------------------------- */

static const json_t *of_list(const json_t *list, const char *name, size_t n)
{
    size_t count = json_array_size(list);

    if (n == 5 && memcmp(name, "first", n) == 0)
        return json_array_get(list, 0);
    if (n == 4 && memcmp(name, "last", n) == 0)
        return count > 0 ? json_array_get(list, count - 1) : NULL;
    return NULL;
}

const json_t *tw_enrich_walk(const json_t *at, const char *path, int64_t *out_count)
{
    *out_count = -1;
    while (at && *path) {
        size_t n = strcspn(path, ".");
        if (json_is_array(at) && strcmp(path, "count") == 0) {
            *out_count = (int64_t)json_array_size(at);
            return NULL;
        }
        const json_t *whole = json_object_get(at, path);
        if (whole)
            return whole;
        at = json_is_array(at) ? of_list(at, path, n) : json_object_getn(at, path, n);
        path += n + (path[n] == '.');
    }
    return at;
}

/* ---- lines ------------------------------------------------------------------------- */

static bool is_place(const char *name)
{
    static const char *const places[] = {"time", "stream", "partition", "offset"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(name, places[i]) == 0)
            return true;
    return false;
}

static void add_value(tw_buf *out, const json_t *v)
{
    char *text = json_is_string(v)
                     ? NULL
                     : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    const char *plain = text ? text : json_string_value(v);

    for (const char *p = plain ? plain : ""; *p; p++)
        tw_buf_add_char(out, (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
    free(text); /* jansson's own allocator */
}

char *tw_change_line(const json_t *change, int64_t at_ms)
{
    int64_t time_ms = json_integer_value(json_object_get(change, "time"));
    const char *stream = json_string_value(json_object_get(change, "stream")), *name;
    char ago[32];
    uint32_t fields = 0;
    json_t *v;
    tw_buf out;

    tw_buf_init(&out, MAX_LINE_BYTES * 8);
    tw_duration_format((at_ms - time_ms) / 1000 * 1000, ago, sizeof ago);
    tw_buf_printf(&out, "%s before: %s", ago, stream ? stream : "");
    json_object_foreach((json_t *)(uintptr_t)change, name, v)
    {
        if (is_place(name) || fields++ >= MOST_LINE_FIELDS || out.len > MAX_LINE_BYTES)
            continue;
        tw_buf_printf(&out, " %s=", name);
        add_value(&out, v);
    }
    return tw_buf_take(&out, NULL);
}

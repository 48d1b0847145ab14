// SPDX-License-Identifier: Apache-2.0
/* See replay_signal.h. */
#include "replay_signal.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "flow/plan_emit.h"
#include "flow/value_json.h"

/* Never NULL: what there is not is null. */
static json_t *value_json(tw_value v)
{
    json_t *member = v.type == TW_DOUBLE ? tw_number_json(v.d) : tw_value_json(v);

    return member ? member : json_null();
}

static json_t *key_json(const tw_signal *s)
{
    tw_value values[TW_MAX_KEY_FIELDS];
    uint32_t count = tw_key_values(s->key.data, s->key.len, values, TW_MAX_KEY_FIELDS);
    json_t *key = json_object();

    for (uint32_t n = 0; n < count && n < s->rule->key_count; n++)
        json_object_set_new(key, s->rule->key_names[n], value_json(values[n]));
    return key;
}

static json_t *list_json(const tw_top *list)
{
    json_t *items = json_array();

    for (uint32_t n = 0; n < list->count; n++)
        json_array_append_new(items, json_pack("{s:o, s:o}", "value",
                                               value_json(list->items[n].value), "count",
                                               tw_number_json(list->items[n].count)));
    return items;
}

static json_t *result_json(const tw_result *result, uint32_t n)
{
    if (result->tops && result->tops[n].items)
        return list_json(&result->tops[n]);
    return result->has[n] ? tw_number_json(result->values[n]) : json_null();
}

static json_t *values_json(const tw_result *result)
{
    json_t *values = json_object();

    for (uint32_t n = 0; n < result->count; n++)
        json_object_set_new(values, result->names[n], result_json(result, n));
    return values;
}

static json_t *facts_json(const tw_signal *s)
{
    json_t *facts = json_object();

    for (uint32_t n = 0; n < s->rule->fact_count; n++)
        json_object_set_new(facts, s->rule->facts[n], value_json(s->facts[n]));
    return facts;
}

static json_t *roles_json(const tw_signal *s)
{
    json_t *roles = json_object();

    for (uint32_t n = 0; n < s->rule->role_count; n++) {
        const tw_role_found *found = &s->roles[n];
        json_t *role = json_pack("{s:I}", "count", (json_int_t)found->count);
        if (found->count > 0) {
            json_object_set_new(role, "first_ms", json_integer(found->first_ms));
            json_object_set_new(role, "last_ms", json_integer(found->last_ms));
        }
        json_object_set_new(roles, s->rule->roles[n].name, role);
    }
    return roles;
}

json_t *tw_replay_signal(const tw_signal *s)
{
    static const char *const kinds[] = {[TW_SIGNAL_LEVEL] = "level",
                                        [TW_SIGNAL_OCCURRENCE] = "occurrence",
                                        [TW_SIGNAL_RESOLVE] = "resolve",
                                        [TW_SIGNAL_PENDING] = "pending"};
    json_t *line = json_pack(
        "{s:I, s:s, s:s, s:o, s:s, s:s, s:s}", "at", (json_int_t)s->at_ms, "type",
        "signal", "rule", s->rule->name, "key", key_json(s), "kind", kinds[s->kind],
        "from", tw_level_name(s->from), "level", tw_level_name(s->level));

    if (s->start_ms != TW_TIME_NONE)
        json_object_set_new(line, "start", json_integer(s->start_ms));
    if (s->stop_ms != TW_TIME_NONE)
        json_object_set_new(line, "stop", json_integer(s->stop_ms));
    if (s->result.count > 0)
        json_object_set_new(line, "values", values_json(&s->result));
    if (s->facts && s->rule->fact_count > 0)
        json_object_set_new(line, "facts", facts_json(s));
    if (s->roles && s->rule->role_count > 0)
        json_object_set_new(line, "roles", roles_json(s));
    if (s->approx)
        json_object_set_new(line, "approx", json_true());
    if (s->warming_until_ms > 0)
        json_object_set_new(line, "warming_until", json_integer(s->warming_until_ms));
    if (s->reason)
        json_object_set_new(line, "reason", json_string(s->reason));
    return line;
}

char *tw_replay_emitted(const tw_emitted *e)
{
    const char *stream = e->rule->emit->stream->name;
    tw_buf line;

    tw_buf_init(&line, SIZE_MAX / 2);
    tw_buf_printf(&line,
                  "{\"at\":%lld,\"type\":\"event\",\"stream\":", (long long)e->time_ms);
    tw_buf_add_json_string(&line, stream, strlen(stream));
    tw_buf_add_str(&line, ",\"event\":");
    tw_buf_add(&line, e->json, e->json_size);
    tw_buf_add_char(&line, '}');
    return tw_buf_take(&line, NULL);
}

char *tw_replay_emitted_text(const tw_emitted *e)
{
    char when[40] = "?";

    tw_time_format_rfc3339(e->time_ms, when, sizeof when);
    return tw_asprintf("%s  EVENT    %s  %.*s", when, e->rule->emit->stream->name,
                       (int)e->json_size, e->json);
}

/* Numbers beyond 64 bits are none for jansson; it then reads all as reals. */
json_t *tw_replay_emitted_json(const tw_emitted *e)
{
    json_t *event = json_loadb(e->json, e->json_size, JSON_ALLOW_NUL, NULL);

    if (!event)
        event = json_loadb(e->json, e->json_size,
                           JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    return json_pack("{s:I, s:s, s:s, s:o}", "at", (json_int_t)e->time_ms, "type",
                     "event", "stream", e->rule->emit->stream->name, "event",
                     event ? event : json_null());
}

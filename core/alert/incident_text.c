// SPDX-License-Identifier: Apache-2.0
/* What an incident says: the values its templates see, its labels, and the notification
 * made of them. Look-ups are done once a signal and remembered in the view. Shore thread
 * only. */
#include <stdlib.h>
#include <string.h>

#include "alert/incident_impl.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "flow/rows.h"
#include "flow/value_json.h"

#define MAX_TEXT_BYTES 65536
#define MAX_LABEL_BYTES 1024

/* ---- look-ups ---------------------------------------------------------------------- */

static json_t *get_part(void *self, const tw_part *part);

static json_t *look_up(tw_signal_view *v, const tw_lookup *l)
{
    tw_template_values values = {get_part, v};
    tw_buf key;
    json_t *row = NULL;

    if (l->context)
        return tw_signal_context(v, l->context);
    tw_buf_init(&key, MAX_LABEL_BYTES);
    tw_template_render(&l->key, &values, &key);
    if (v->in->options.lookup.row)
        row = v->in->options.lookup.row(
            v->in->options.lookup.self, l->table, key.data ? key.data : "",
            l->as_of_event ? v->signal->at_ms : TW_ROW_NEWEST);
    tw_buf_done(&key);
    if (!row && l->miss == TW_MISS_DEFAULT)
        row = json_incref(l->fallback);
    if (!row && l->miss == TW_MISS_DROP)
        v->missed = true;
    return row ? row : json_null();
}

static json_t *looked_up(tw_signal_view *v, const char *name, size_t name_len)
{
    const tw_rule *rule = v->signal->rule;

    json_t *row = json_object_getn(v->enrich, name, name_len);
    if (row)
        return row;
    for (uint32_t i = 0; i < rule->lookup_count; i++) {
        const tw_lookup *l = &rule->lookups[i];
        if (strlen(l->name) != name_len || memcmp(l->name, name, name_len) != 0)
            continue;
        json_object_setn_new(v->enrich, name, name_len, look_up(v, l));
        return json_object_getn(v->enrich, name, name_len);
    }
    return NULL;
}

/* "owner.team": the row of look-up `owner`, then member by member. */
static json_t *get_enrich(tw_signal_view *v, const char *path)
{
    size_t n = strcspn(path, ".");
    json_t *at = looked_up(v, path, n);

    int64_t count = -1;
    const json_t *found = at;
    if (at && path[n] == '.')
        found = tw_enrich_walk(at, path + n + 1, &count);
    if (count >= 0)
        return json_integer(count);
    return found && !json_is_null(found) ? json_incref((json_t *)(uintptr_t)found) : NULL;
}

/* ---- template values --------------------------------------------------------------- */

static json_t *top_json(const tw_top *top)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < top->count; i++) {
        json_t *item = json_object(), *value = tw_value_json(top->items[i].value);
        json_object_set_new(item, "value", value ? value : json_null());
        json_object_set_new(item, "count", tw_number_json(top->items[i].count));
        json_array_append_new(list, item);
    }
    return list;
}

/* NULL: it has none. */
static json_t *result_json(const tw_result *r, uint32_t n)
{
    if (r->tops && r->tops[n].items)
        return top_json(&r->tops[n]);
    return r->has[n] ? tw_number_json(r->values[n]) : NULL;
}

/* `[0].value` behind the name of a list. */
static json_t *top_member(const tw_top *top, const char *path)
{
    char *end;
    unsigned long n = strtoul(path + 1, &end, 10);

    if (n >= top->count || *end != ']')
        return NULL;
    if (strcmp(end, "].value") == 0)
        return tw_value_json(top->items[n].value);
    return strcmp(end, "].count") == 0 ? tw_number_json(top->items[n].count) : NULL;
}

static json_t *get_result(const tw_signal *s, const char *name)
{
    size_t len = strcspn(name, "[");

    for (uint32_t i = 0; i < s->result.count; i++) {
        const char *own = s->result.names[i];
        if (strcmp(own, name) == 0)
            return result_json(&s->result, i);
        if (name[len] == '[' && strlen(own) == len && memcmp(own, name, len) == 0)
            return s->result.tops && s->result.tops[i].items
                       ? top_member(&s->result.tops[i], name + len)
                       : NULL;
    }
    if (strcmp(name, "level") == 0)
        return json_string(tw_level_name(s->level));
    if (strcmp(name, "from") == 0)
        return json_string(tw_level_name(s->from));
    if (strcmp(name, "warming_until") == 0 && s->warming_until_ms > 0)
        return json_integer(s->warming_until_ms);
    if (strcmp(name, "start") == 0 && s->start_ms != TW_TIME_NONE)
        return json_integer(s->start_ms);
    if (strcmp(name, "stop") == 0 && s->stop_ms != TW_TIME_NONE)
        return json_integer(s->stop_ms);
    return NULL;
}

static json_t *get_role(const tw_role_found *r, const tw_part *part)
{
    const tw_value *values = part->first ? r->first : r->last;

    if (part->kind == TW_PART_ROLE_COUNT)
        return json_integer(r->count);
    if (r->count == 0)
        return NULL;
    if (part->kind == TW_PART_ROLE_TIME)
        return json_integer(part->first ? r->first_ms : r->last_ms);
    return values ? tw_value_json(values[part->index]) : NULL;
}

static json_t *get_part(void *self, const tw_part *part)
{
    tw_signal_view *v = self;
    const tw_signal *s = v->signal;

    switch (part->kind) {
    case TW_PART_LITERAL:
        return json_string(part->text);
    case TW_PART_RESULT:
        return get_result(s, part->text);
    case TW_PART_KEY:
        return part->index < v->key_count ? tw_value_json(v->key[part->index]) : NULL;
    case TW_PART_ENRICH:
        return get_enrich(v, part->text);
    case TW_PART_FIELD:
        return s->fields ? tw_value_json(s->fields[part->index]) : NULL;
    case TW_PART_FIRST:
        return s->first_fields ? tw_value_json(s->first_fields[part->index]) : NULL;
    case TW_PART_FACT:
        return s->facts ? tw_value_json(s->facts[part->index]) : NULL;
    case TW_PART_ROLE:
    case TW_PART_ROLE_COUNT:
    case TW_PART_ROLE_TIME:
        return s->roles ? get_role(&s->roles[part->role], part) : NULL;
    }
    return NULL;
}

void tw_signal_view_init(tw_signal_view *v, tw_incidents *in, const tw_signal *s)
{
    *v = (tw_signal_view){.in = in, .signal = s, .enrich = json_object()};
    v->key_count = tw_key_values(s->key.data, s->key.len, v->key, TW_MAX_KEY_FIELDS);
}

void tw_signal_view_done(tw_signal_view *v)
{
    json_decref(v->enrich);
}

void tw_signal_view_enrich(tw_signal_view *v)
{
    const tw_rule *rule = v->signal->rule;

    for (uint32_t i = 0; i < rule->lookup_count; i++)
        looked_up(v, rule->lookups[i].name, strlen(rule->lookups[i].name));
}

json_t *tw_signal_part(tw_signal_view *v, const tw_part *part)
{
    return get_part(v, part);
}

char *tw_signal_text(tw_signal_view *v, const tw_template *t, size_t max)
{
    tw_template_values values = {get_part, v};
    tw_buf out;

    tw_buf_init(&out, MAX_TEXT_BYTES);
    tw_template_render(t, &values, &out);
    return tw_buf_take_text(&out, max);
}

static char *say(tw_signal_view *v, const tw_template *t)
{
    tw_template_values values = {get_part, v};
    tw_buf out;

    tw_buf_init(&out, MAX_TEXT_BYTES);
    tw_template_say(t, &values, &out);
    return tw_buf_take_text(&out, MAX_TEXT_BYTES);
}

/* An option of ctx.fire{...} in place of the rule's own template. */
static char *fired_text(const tw_signal *s, const char *option)
{
    const json_t *value = s->fire ? json_object_get(s->fire, option) : NULL;
    tw_buf text;

    if (!json_is_string(value))
        return NULL;
    tw_buf_init(&text, SIZE_MAX / 2);
    tw_buf_add(&text, json_string_value(value), json_string_length(value));
    return tw_buf_take_text(&text, SIZE_MAX / 2);
}

char *tw_signal_incident_id(tw_signal_view *v)
{
    char *id = fired_text(v->signal, "id");
    /* Cut, two incidents would be one. */
    return id ? id : tw_signal_text(v, &v->signal->rule->incident.id, MAX_TEXT_BYTES);
}

static void set_label(json_t *labels, const char *name, char *text)
{
    if (text && *text)
        json_object_set_new(labels, name, json_string(text));
    tw_free(text);
}

static char *value_text(tw_value value)
{
    tw_buf b;
    tw_buf_init(&b, MAX_TEXT_BYTES);
    tw_value_write_text(value, &b);
    return tw_buf_take_text(&b, MAX_LABEL_BYTES);
}

json_t *tw_signal_labels(tw_signal_view *v)
{
    const tw_rule *rule = v->signal->rule;
    json_t *labels = json_object();
    json_t *fired = v->signal->fire ? json_object_get(v->signal->fire, "labels") : NULL;
    const char *name;
    json_t *value;

    for (uint32_t i = 0; i < v->key_count && i < rule->key_count; i++)
        set_label(labels, rule->key_names[i], value_text(v->key[i]));
    for (uint32_t i = 0; i < rule->incident.label_count; i++)
        set_label(labels, rule->incident.labels[i].name,
                  tw_signal_text(v, &rule->incident.labels[i].value, MAX_LABEL_BYTES));
    json_object_foreach(fired, name, value)
    {
        if (json_is_string(value)) {
            json_object_set(labels, name, value);
        } else {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
            json_object_set_new(labels, name, json_string(text));
            free(text);
        }
    }
    return labels;
}

/* ---- an incident's words ----------------------------------------------------------- */

static json_t *values_json(const tw_signal *s)
{
    json_t *values = json_object();

    for (uint32_t i = 0; i < s->result.count; i++) {
        json_t *value = result_json(&s->result, i);
        json_object_set_new(values, s->result.names[i], value ? value : json_null());
    }
    for (uint32_t i = 0; s->facts && i < s->rule->fact_count; i++) {
        json_t *fact = tw_value_json(s->facts[i]);
        json_object_set_new(values, s->rule->facts[i], fact ? fact : json_null());
    }
    if (s->approx)
        json_object_set_new(values, "approx", json_true());
    if (s->warming_until_ms > 0)
        json_object_set_new(values, "warming_until", json_integer(s->warming_until_ms));
    return values;
}

static json_t *place_json(const tw_incidents *in, const tw_origin *o)
{
    const tw_stream *stream = tw_streams_at(in->options.streams, o->stream);

    return json_pack("{s:s, s:i, s:I}", "stream", stream ? stream->name : "", "partition",
                     o->partition, "offset", (json_int_t)o->offset);
}

/* Of an emitted event its rule and time say which it is, and `origin` what led to it. */
static json_t *emitted_json(const tw_incidents *in, const tw_origin *o, int64_t time_ms)
{
    const tw_stream *into;
    const char *rule = tw_streams_emitter_of(in->options.streams, o->via, &into);
    json_t *item = json_object();

    if (rule) {
        json_object_set_new(item, "stream", json_string(into->name));
        json_object_set_new(item, "rule", json_string(rule));
    }
    json_object_set_new(item, "time", json_integer(time_ms));
    if (o->partition >= 0)
        json_object_set_new(item, "origin", place_json(in, o));
    return item;
}

static void add_evidence(const tw_incidents *in, json_t *list, const tw_origin *o,
                         int64_t time_ms)
{
    if (o->via)
        json_array_append_new(list, emitted_json(in, o, time_ms));
    else if (o->partition >= 0)
        json_array_append_new(list, place_json(in, o));
}

static json_t *evidence_json(const tw_incidents *in, const tw_signal *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; s->evidence && i < s->evidence_count; i++)
        add_evidence(in, list, &s->evidence[i].origin, s->evidence[i].time_ms);
    if (!s->evidence)
        add_evidence(in, list, &s->newest, s->newest_ms);
    return list;
}

/* "team/rule key1=value1 key2=value2", where the rule gives no title. */
static char *plain_title(const tw_signal_view *v)
{
    const tw_rule *rule = v->signal->rule;
    tw_buf b;

    tw_buf_init(&b, MAX_LABEL_BYTES);
    tw_buf_add_str(&b, rule->name);
    for (uint32_t i = 0; i < v->key_count && i < rule->key_count; i++) {
        tw_buf_add_char(&b, ' ');
        tw_buf_add_str(&b, rule->key_names[i]);
        tw_buf_add_char(&b, '=');
        tw_value_write_text(v->key[i], &b);
    }
    return tw_buf_take_text(&b, MAX_LABEL_BYTES);
}

static void replace(char **text, char *with)
{
    tw_free(*text);
    *text = with;
}

void tw_incident_render(tw_incident *inc, tw_signal_view *v)
{
    const tw_signal *s = v->signal;
    const tw_incident_plan *plan = &s->rule->incident;
    char *title = fired_text(s, "title");
    char *body = fired_text(s, "body");

    /* A route named by the signal that opened it stays: a resolve goes where the alert
     * went. */
    if (!inc->route && plan->has_route)
        inc->route = tw_signal_text(v, &plan->route, MAX_LABEL_BYTES);
    if (!title)
        title = plan->has_title ? say(v, &plan->title) : plain_title(v);
    replace(&inc->title, title);
    if (!body && plan->has_body)
        body = say(v, &plan->body);
    replace(&inc->body, body ? body : tw_strdup(""));
    json_decref(inc->values);
    inc->values = values_json(s);
    json_decref(inc->evidence);
    inc->evidence = evidence_json(v->in, s);
    json_decref(inc->enrich);
    inc->enrich = json_incref(v->enrich);
}

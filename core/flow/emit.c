// SPDX-License-Identifier: Apache-2.0
/* Signals to events; see emit.h. */
#include "flow/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/emit_members.h"

/* One event being written; look-ups are done when first asked for. */
typedef struct writing {
    const tw_signal *signal;
    const tw_rule *rule;
    const tw_rows *const *rows;
    const tw_context_port *context;
    tw_value key[TW_MAX_KEY_FIELDS];
    uint32_t key_count;
    const json_t *found[TW_MAX_LOOKUPS];
    bool looked[TW_MAX_LOOKUPS];
    bool missed;
    tw_buf *scratch, *out;
} writing;

/* A value of the event, or of a table; absent and NULL: nothing there. */
typedef struct thing {
    tw_value value;
    const json_t *json;
} thing;

static thing of_part(writing *w, const tw_part *part);

static thing of_value(tw_value v)
{
    return (thing){.value = v};
}

static bool is_nothing(thing t)
{
    return !t.json && t.value.type == TW_ABSENT;
}

/* Whole ones are written without a fraction, as alerts have them. */
static tw_value of_double(double v)
{
    return v > -1e15 && v < 1e15 && v == (double)(int64_t)v ? tw_value_int((int64_t)v)
                                                            : tw_value_double(v);
}

static tw_value of_text(const char *text)
{
    return tw_value_string(text, strlen(text));
}

/* Scalars of tables are values like any other. */
static thing of_json(const json_t *v)
{
    switch (v ? json_typeof(v) : JSON_NULL) {
    case JSON_STRING:
        return of_value(tw_value_string(json_string_value(v), json_string_length(v)));
    case JSON_INTEGER:
        return of_value(tw_value_int(json_integer_value(v)));
    case JSON_REAL:
        return of_value(tw_value_double(json_real_value(v)));
    case JSON_TRUE:
    case JSON_FALSE:
        return of_value(tw_value_bool(json_is_true(v)));
    case JSON_NULL:
        return of_value(tw_value_absent());
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return (thing){.json = v};
}

static void write_json(thing t, tw_buf *out)
{
    if (t.json)
        tw_json_write(t.json, out);
    else
        tw_value_write_json(t.value, out);
}

static void write_text(thing t, tw_buf *out)
{
    if (t.json)
        write_json(t, out);
    else if (t.value.type != TW_NULL)
        tw_value_write_text(t.value, out);
}

static void write_part(writing *w, const tw_part *part)
{
    thing t = of_part(w, part);

    if (part->format.set && !t.json && t.value.type == TW_INT)
        tw_number_format_write(part->format, (double)t.value.i, w->scratch);
    else if (part->format.set && !t.json && t.value.type == TW_DOUBLE)
        tw_number_format_write(part->format, t.value.d, w->scratch);
    else
        write_text(t, w->scratch);
}

/* ---- look-ups ---------------------------------------------------------------------- */

static char *text_of(writing *w, const tw_template *t)
{
    tw_buf_reset(w->scratch);
    for (uint32_t i = 0; i < t->count; i++)
        write_part(w, &t->parts[i]);
    return tw_strndup(w->scratch->data, w->scratch->len);
}

/* Made anew for this event; freed behind it. */
static const json_t *remember(writing *w, uint32_t number)
{
    const tw_context_plan *plan = w->rule->lookups[number].context;
    char *values[TW_MAX_CONTEXT_FIELDS];

    for (uint32_t i = 0; i < plan->of_count; i++)
        values[i] = text_of(w, &plan->values[i]);
    w->found[number] =
        tw_context_gather(w->context, plan, w->rule->name, values, w->signal->at_ms);
    for (uint32_t i = 0; i < plan->of_count; i++)
        tw_free(values[i]);
    return w->found[number];
}

static void forget_remembered(writing *w)
{
    for (uint32_t i = 0; i < w->rule->lookup_count; i++)
        if (w->rule->lookups[i].context)
            json_decref((json_t *)(uintptr_t)w->found[i]);
}

static const json_t *look_up(writing *w, uint32_t number)
{
    const tw_lookup *l = &w->rule->lookups[number];

    if (w->looked[number])
        return w->found[number];
    w->looked[number] = true;
    if (l->context)
        return remember(w, number);
    for (uint32_t i = 0; i < l->key.count;
         i++) /* those that the key is of write there, too */
        of_part(w, &l->key.parts[i]);
    tw_buf_reset(w->scratch);
    for (uint32_t i = 0; i < l->key.count; i++)
        write_part(w, &l->key.parts[i]);
    const json_t *row =
        tw_rows_at(w->rows[number], w->scratch->len > 0 ? w->scratch->data : "",
                   l->as_of_event ? w->signal->at_ms : TW_ROW_NEWEST);
    if (!row && l->miss == TW_MISS_DEFAULT)
        row = l->fallback;
    w->missed = w->missed || (!row && l->miss == TW_MISS_DROP);
    w->found[number] = row;
    return row;
}

/* "owner.team": the row of look-up `owner`, then member by member. */
static thing of_enrich(writing *w, const char *path)
{
    size_t n = strcspn(path, ".");
    const json_t *at = NULL;

    for (uint32_t i = 0; i < w->rule->lookup_count; i++) {
        const char *name = w->rule->lookups[i].name;
        if (strlen(name) == n && memcmp(name, path, n) == 0)
            at = look_up(w, i);
    }
    int64_t count = -1;
    if (at && path[n] == '.')
        at = tw_enrich_walk(at, path + n + 1, &count);
    return count >= 0 ? of_value(tw_value_int(count)) : of_json(at);
}

/* ---- parts of templates ------------------------------------------------------------ */

static tw_value of_time(int64_t ms)
{
    return ms == TW_TIME_NONE ? tw_value_absent() : tw_value_int(ms);
}

static tw_value of_result(const tw_signal *s, const char *name)
{
    for (uint32_t i = 0; i < s->result.count; i++) {
        if (strcmp(s->result.names[i], name) == 0)
            return s->result.has[i] ? of_double(s->result.values[i]) : tw_value_absent();
    }
    if (strcmp(name, "level") == 0)
        return of_text(tw_level_name(s->level));
    if (strcmp(name, "from") == 0)
        return of_text(tw_level_name(s->from));
    if (strcmp(name, "warming_until") == 0)
        return s->warming_until_ms > 0 ? of_time(s->warming_until_ms) : tw_value_absent();
    if (strcmp(name, "start") == 0)
        return of_time(s->start_ms);
    return strcmp(name, "stop") == 0 ? of_time(s->stop_ms) : tw_value_absent();
}

static tw_value of_role(const tw_role_found *r, const tw_part *part)
{
    const tw_value *values = part->first ? r->first : r->last;

    if (part->kind == TW_PART_ROLE_COUNT)
        return tw_value_int(r->count);
    if (r->count == 0)
        return tw_value_absent();
    if (part->kind == TW_PART_ROLE_TIME)
        return tw_value_int(part->first ? r->first_ms : r->last_ms);
    return values ? values[part->index] : tw_value_absent();
}

static tw_value at_index(const tw_value *values, uint32_t index)
{
    return values ? values[index] : tw_value_absent();
}

static thing of_part(writing *w, const tw_part *part)
{
    const tw_signal *s = w->signal;

    switch (part->kind) {
    case TW_PART_LITERAL:
        return of_value(of_text(part->text));
    case TW_PART_RESULT:
        return of_value(of_result(s, part->text));
    case TW_PART_KEY:
        return of_value(part->index < w->key_count ? w->key[part->index]
                                                   : tw_value_absent());
    case TW_PART_ENRICH:
        return of_enrich(w, part->text);
    case TW_PART_FIELD:
        return of_value(at_index(s->fields, part->index));
    case TW_PART_FIRST:
        return of_value(at_index(s->first_fields, part->index));
    case TW_PART_FACT:
        return of_value(at_index(s->facts, part->index));
    case TW_PART_ROLE:
    case TW_PART_ROLE_COUNT:
    case TW_PART_ROLE_TIME:
        return of_value(s->roles ? of_role(&s->roles[part->role], part)
                                 : tw_value_absent());
    }
    return of_value(tw_value_absent());
}

/* ---- the event --------------------------------------------------------------------- */

static void put_name(writing *w, const tw_emit_step *step)
{
    char before = w->out->data[w->out->len - 1];

    if (before != '{')
        tw_buf_add_char(w->out, ',');
    tw_buf_add(w->out, step->name, step->name_len);
}

static void put_thing(writing *w, const tw_emit_step *step, thing t)
{
    if (is_nothing(t))
        return;
    put_name(w, step);
    write_json(t, w->out);
}

/* Look-ups write into the scratch buffer, so all of the text's are done before it is put together. */
static void put_text(writing *w, const tw_emit_step *step)
{
    const tw_template *t = &step->value;
    bool one = tw_template_is_path(t);

    for (uint32_t i = 0; i < t->count && !one; i++)
        of_part(w, &t->parts[i]);
    if (one) {
        put_thing(w, step, of_part(w, &t->parts[0]));
        return;
    }
    tw_buf_reset(w->scratch);
    for (uint32_t i = 0; i < t->count; i++)
        write_part(w, &t->parts[i]);
    put_thing(w, step, of_value(tw_value_string(w->scratch->data, w->scratch->len)));
}

static void put_step(writing *w, const tw_emit_step *step)
{
    const tw_signal *s = w->signal;

    switch (step->kind) {
    case TW_EMIT_OPEN:
        put_name(w, step);
        tw_buf_add_char(w->out, '{');
        break;
    case TW_EMIT_CLOSE:
        tw_buf_add_char(w->out, '}');
        break;
    case TW_EMIT_LITERAL:
        put_name(w, step);
        tw_buf_add_str(w->out, step->literal);
        break;
    case TW_EMIT_TEMPLATE:
        put_text(w, step);
        break;
    case TW_EMIT_KEY:
        put_thing(w, step, of_value(at_index(w->key, step->index)));
        break;
    case TW_EMIT_LEVEL:
        if (s->kind == TW_SIGNAL_LEVEL || s->kind == TW_SIGNAL_RESOLVE ||
            s->rule->detector == TW_DETECT_HANDLER)
            put_thing(w, step, of_value(of_text(tw_level_name(s->level))));
        break;
    case TW_EMIT_TIME:
        put_thing(w, step, of_value(tw_value_int(s->at_ms)));
        break;
    case TW_EMIT_ROW:
        put_thing(w, step, of_json(look_up(w, step->index)));
        break;
    }
}

bool tw_emit_wants(const tw_signal *s)
{
    bool has_levels =
        s->rule->detector == TW_DETECT_LEVEL || s->rule->detector == TW_DETECT_CHANGE ||
        s->rule->detector == TW_DETECT_MISSING || s->rule->detector == TW_DETECT_HANDLER;

    if (!s->rule->emit || s->kind == TW_SIGNAL_PENDING || s->kind == TW_SIGNAL_NEWS)
        return false;
    return s->kind != TW_SIGNAL_RESOLVE || has_levels;
}

static tw_emit_outcome write_event(writing *w)
{
    const tw_signal *s = w->signal;
    const tw_emit_plan *plan = s->rule->emit;
    tw_buf *out = w->out;
    size_t before = out->len;

    w->key_count = tw_key_values(s->key.data, s->key.len, w->key, TW_MAX_KEY_FIELDS);
    for (uint32_t i = 0; i < s->rule->lookup_count; i++) {
        if (s->rule->lookups[i].miss == TW_MISS_DROP)
            look_up(w, i);
    }
    if (w->missed)
        return TW_EMIT_MISSED;
    tw_buf_add_char(out, '{');
    if (plan->passes && s->event)
        tw_emit_members(s->event, plan, out);
    for (uint32_t i = 0; i < plan->step_count && !out->failed; i++)
        put_step(w, &plan->steps[i]);
    tw_buf_add_char(out, '}');
    if (out->failed)
        out->len = before;
    bool good = !out->failed;
    out->failed = false;
    return good ? TW_EMIT_WRITTEN : TW_EMIT_TOO_LARGE;
}

tw_emit_outcome tw_emit_write(const tw_signal *s, const tw_rows *const *rows,
                              const tw_context_port *context, tw_buf *scratch,
                              tw_buf *out)
{
    writing w = {.signal = s,
                 .rule = s->rule,
                 .rows = rows,
                 .context = context,
                 .scratch = scratch,
                 .out = out};
    tw_emit_outcome outcome = write_event(&w);

    forget_remembered(&w);
    return outcome;
}

// SPDX-License-Identifier: Apache-2.0
#include "flow/plan_missing.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

tw_missing_plan *tw_missing_plan_new(void)
{
    tw_missing_plan *p = tw_alloc(sizeof *p);

    p->stop_input = -1;
    p->days = TW_ALL_DAYS;
    return p;
}

void tw_missing_plan_free(void *plan)
{
    tw_missing_plan *p = plan;

    if (!p) {
        return;
    }
    tw_zone_free(p->zone);
    tw_free(p->table);
    tw_match_table_free(p->where);
    tw_streams_free(p->streams);
    tw_free(p);
}

const tw_missing_plan *tw_missing_plan_of(const tw_rule *rule)
{
    return rule->detector == TW_DETECT_MISSING ? rule->detail : NULL;
}

/* ---- the keys of a table ----------------------------------------------------------- */

struct tw_expected {
    atomic_uint refs;
    tw_buf bytes;
    size_t *starts; /* count + 1 */
    uint32_t count, keyless;
};

static const json_t *step_into(const json_t *at, const tw_path_step *step)
{
    return step->name ? json_object_getn(at, step->name, step->name_len)
                      : json_array_get(at, step->index);
}

/* *out_text: of what JSON has no scalar for; the caller frees it. */
static tw_value value_of(const json_t *row, const tw_field *field, char **out_text)
{
    const json_t *at = row;

    for (uint32_t i = 0; at && i < field->step_count; i++) {
        at = step_into(at, &field->steps[i]);
    }
    if (!at) {
        return tw_value_absent();
    }
    switch (json_typeof(at)) {
    case JSON_STRING:
        return tw_value_string(json_string_value(at), json_string_length(at));
    case JSON_INTEGER:
        return tw_value_int(json_integer_value(at));
    case JSON_REAL:
        return tw_value_double(json_real_value(at));
    case JSON_TRUE:
    case JSON_FALSE:
        return tw_value_bool(json_is_true(at));
    case JSON_NULL:
        return (tw_value){.type = TW_NULL};
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    *out_text = json_dumps(at, JSON_COMPACT);
    tw_value v = tw_value_string(*out_text, strlen(*out_text));
    v.type = TW_JSON;
    return v;
}

static void add_key(tw_expected *e, const tw_key *key)
{
    e->starts = tw_realloc(e->starts, ((size_t)e->count + 2) * sizeof *e->starts);
    e->starts[e->count++] = e->bytes.len;
    tw_buf_add(&e->bytes, key->data, key->len);
    e->starts[e->count] = e->bytes.len;
}

/* A row looks to the matchers like an event whose fields are its columns. */
static void add_row(tw_expected *e, const tw_missing_plan *plan, const char *row_key,
                    const json_t *row)
{
    const tw_fields *fields = tw_streams_at(plan->streams, 0)->fields;
    uint32_t count = tw_fields_count(fields);
    tw_value *values = tw_calloc(count, sizeof *values);
    char **texts = tw_calloc(count, sizeof *texts);
    tw_projection projection = {.fields = fields, .slot_count = count};
    tw_event ev = {.projection = &projection, .slots = values};
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_key key;

    for (uint32_t slot = TW_SLOT_FIRST_FIELD; slot < count; slot++) {
        values[slot] = value_of(row, tw_fields_at(fields, slot), &texts[slot]);
    }
    if (tw_match_table_holds(plan->where, &ev)) {
        tw_value *first = &values[plan->columns[0]];
        if (plan->may_be_row_key && first->type == TW_ABSENT) {
            *first = tw_value_string(row_key, strlen(row_key));
        }
        if (tw_key_from_event(&ev, plan->columns, plan->column_count, scratch, &key)) {
            add_key(e, &key);
        } else {
            e->keyless++;
        }
    }
    for (uint32_t slot = 0; slot < count; slot++) {
        free(texts[slot]); /* jansson's own allocator */
    }
    tw_free(texts);
    tw_free(values);
}

typedef struct filling {
    tw_expected *set;
    const tw_missing_plan *plan;
} filling;

static void on_row(void *self, const char *key, json_t *row)
{
    filling *f = self;

    add_row(f->set, f->plan, key, row);
}

tw_expected *tw_expected_new(const tw_missing_plan *plan, const tw_rows *rows)
{
    tw_expected *e = tw_alloc(sizeof *e);
    filling f = {e, plan};

    atomic_init(&e->refs, 1);
    tw_buf_init(&e->bytes, SIZE_MAX);
    tw_rows_each(rows, on_row, &f);
    return e;
}

tw_expected *tw_expected_ref(tw_expected *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void tw_expected_unref(tw_expected *e)
{
    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    tw_buf_done(&e->bytes);
    tw_free(e->starts);
    tw_free(e);
}

uint32_t tw_expected_count(const tw_expected *e)
{
    return e->count;
}

tw_key tw_expected_key(const tw_expected *e, uint32_t number)
{
    size_t start = e->starts[number];

    return tw_key_from_bytes((const uint8_t *)e->bytes.data + start,
                             (uint32_t)(e->starts[number + 1] - start));
}

uint32_t tw_expected_keyless(const tw_expected *e)
{
    return e->keyless;
}

bool tw_missing_expects_nobody(const tw_rule *rule, const tw_rows *rows, tw_err *err)
{
    const tw_missing_plan *plan = tw_missing_plan_of(rule);
    tw_expected *set = plan && plan->table ? tw_expected_new(plan, rows) : NULL;
    bool nobody = set && set->count == 0;

    if (nobody && tw_rows_count(rows) == 0)
        tw_err_at(err, TW_EINVAL, rule->file, rule->line, 0,
                  "rule '%s' expects nobody: table '%s' has no rows", rule->name,
                  plan->table);
    else if (nobody)
        tw_err_at(err, TW_EINVAL, rule->file, rule->line, 0,
                  "rule '%s' expects nobody: of the %zu rows of table '%s' none %s",
                  rule->name, tw_rows_count(rows), plan->table,
                  set->keyless ? "has the columns of the key"
                               : "is what `where` asks for");
    tw_expected_unref(set);
    return nobody;
}

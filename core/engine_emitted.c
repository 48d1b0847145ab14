// SPDX-License-Identifier: Apache-2.0
/* What rules emit on its way to the shore, and the tables that it is enriched from. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine_impl.h"
#include "flow/plan_emit.h"
#include "flow/plan_missing.h"

#define MAX_KEY_TEXT 4096

uint32_t tw_engine_emitter(const tw_engine *e, const tw_rule *rule)
{
    return tw_streams_emitter(e->options.streams, rule->name, rule->emit->stream);
}

bool tw_engine_wants_emitted(const tw_engine *e, const tw_emit_plan *plan)
{
    return e->options.ports.emitted && (plan->leaves || e->options.tells_all_emitted);
}

/* "cart" or "cart/eu": what keyed destinations sort by. */
static char *key_text(const tw_signal *s)
{
    tw_value values[TW_MAX_KEY_FIELDS];
    uint32_t count = tw_key_values(s->key.data, s->key.len, values, TW_MAX_KEY_FIELDS);
    tw_buf text;

    tw_buf_init(&text, MAX_KEY_TEXT);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            tw_buf_add_char(&text, '/');
        tw_value_write_text(values[i], &text);
    }
    char *taken = tw_buf_take(&text, NULL);
    return taken ? taken : tw_strdup("");
}

/* The same rule saying the same at the same time of its events is the same event; two that pass
 * through alike are told apart by where they came from. */
static void make_id(const tw_signal *s, const char *json, size_t size, char out[33])
{
    tw_buf text;

    tw_buf_init(&text, SIZE_MAX / 2);
    tw_buf_printf(&text, "%s\n%lld\n", s->rule->name, (long long)s->at_ms);
    if (s->event)
        tw_buf_printf(&text, "%u %d %lld %u\n", s->event->stream,
                      (int)s->event->partition, (long long)s->event->offset,
                      s->event->index);
    tw_buf_add(&text, json, size);
    tw_hash_hex128(text.data, text.len, out);
    tw_buf_done(&text);
}

void tw_engine_on_emitted(tw_lane *lane, const tw_signal *s, int64_t order,
                          const char *json, size_t size)
{
    tw_emitted *e = tw_alloc(sizeof *e);

    *e = (tw_emitted){.rule = tw_rule_ref(s->rule),
                      .time_ms = s->at_ms,
                      .order = order,
                      .seq = s->seq,
                      .key = key_text(s),
                      .json = tw_strndup(json, size),
                      .json_size = size};
    make_id(s, json, size, e->id);
    tw_engine_tell(lane->engine, (tw_told){.emitted = e});
}

void tw_emitted_free(tw_emitted *e)
{
    if (!e)
        return;
    tw_rule_unref(e->rule);
    tw_free(e->key);
    tw_free(e->json);
    tw_free(e);
}

int tw_emitted_compare(const tw_emitted *a, const tw_emitted *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    int order = strcmp(a->rule->name, b->rule->name);
    if (order)
        return order;
    return (a->order > b->order) - (a->order < b->order);
}

const tw_table_view *tw_engine_tables(const tw_engine *e, uint64_t *out_generation)
{
    *out_generation = e->tables_generation;
    return e->tables;
}

bool tw_engine_expects(const tw_engine *e, const char *table)
{
    for (uint32_t i = 0; i < e->rules->rule_count; i++) {
        const tw_missing_plan *plan = tw_missing_plan_of(e->rules->rules[i]);
        if (plan && plan->table && strcmp(plan->table, table) == 0)
            return true;
    }
    return false;
}

void tw_engine_expect_again(tw_engine *e)
{
    bool was_paused = e->paused;

    if (!was_paused)
        tw_engine_pause_soon(e);
    tw_engine_expect_keys(e);
    if (!was_paused)
        tw_engine_resume(e);
}

tw_table_view *tw_engine_put_tables(tw_engine *e, tw_table_view *view)
{
    tw_table_view *old = e->tables;

    e->tables = view;
    e->tables_generation++;
    return old;
}

void tw_engine_set_tables(tw_engine *e, tw_table_view *view)
{
    bool was_paused = e->paused;

    if (!was_paused)
        tw_engine_pause_soon(e);
    tw_table_view *old = tw_engine_put_tables(e, view);
    tw_engine_expect_keys(e);
    if (!was_paused)
        tw_engine_resume(e);
    tw_table_view_unref(old);
}

bool tw_engine_is_one(const tw_engine *e)
{
    return e->one;
}

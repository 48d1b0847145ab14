// SPDX-License-Identifier: Apache-2.0
/* The life of a rule plan. A plan owns everything it points to but its streams. Any
 * thread may ref and unref; nobody changes a plan once core/rule has handed it out.
 * Freeing accepts half-built plans, because a load that fails drops them in any state. */
#include "flow/plan.h"

#include <string.h>

#include "base/mem.h"
#include "flow/context.h"
#include "flow/plan_emit.h"

tw_rule *tw_rule_new(void)
{
    tw_rule *r = tw_alloc(sizeof *r);
    atomic_init(&r->refs, 1);
    r->idle_ms = 5000;
    r->future_ms = TW_NO_FUTURE;
    r->max_keys = 100000;
    r->park_ms = 3600 * 1000;
    r->migrate_fn = TW_NO_FN;
    r->level.window.exact = 128;
    r->level.at_input = -1;
    for (int i = 0; i < TW_LEVELS; i++)
        r->level.levels[i].when_fn = TW_NO_FN;
    r->handler.event_fn = TW_NO_FN;
    r->handler.timer_fn = TW_NO_FN;
    r->incident.severity = TW_LEVEL_CRIT;
    r->incident.when_fn = TW_NO_FN;
    r->incident.resolve_after_ms = 3600 * 1000;
    return r;
}

int64_t tw_rule_future(const tw_rule *r, const tw_stream *stream)
{
    return stream->future_ms == TW_FUTURE_ANY || r->future_ms == stream->future_ms
               ? TW_NO_FUTURE
               : r->future_ms;
}

tw_rule *tw_rule_ref(tw_rule *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

bool tw_rule_was(const tw_rule *r, const char *name)
{
    for (uint32_t i = 0; i < r->was_count; i++)
        if (strcmp(r->was[i], name) == 0)
            return true;
    return false;
}

static void free_strings(char **strings, uint32_t count)
{
    for (uint32_t i = 0; strings && i < count; i++)
        tw_free(strings[i]);
    tw_free(strings);
}

static void free_inputs(tw_rule *r)
{
    for (uint32_t i = 0; r->inputs && i < r->input_count; i++) {
        tw_free(r->inputs[i].name);
        tw_match_table_free(r->inputs[i].match);
    }
    tw_free(r->inputs);
}

static void level_done(tw_level_plan *l)
{
    for (uint32_t i = 0; l->aggs && i < l->agg_count; i++)
        tw_match_table_free(l->aggs[i].match);
    tw_free(l->aggs);
    for (uint32_t i = 0; l->values && i < l->value_count; i++)
        tw_free(l->values[i].nodes);
    tw_free(l->values);
    free_strings(l->value_names, l->value_count);
    tw_zone_free(l->window.zone);
}

const tw_aggregate *tw_level_list(const tw_level_plan *l, uint32_t value)
{
    const tw_expr *e = &l->values[value];
    const tw_expr_node *last = e->count > 0 ? &e->nodes[e->count - 1] : NULL;

    if (!last || last->op != TW_EXPR_AGG || l->aggs[last->agg].kind != TW_AGG_TOPK)
        return NULL;
    return &l->aggs[last->agg];
}

static void free_lookups(tw_rule *r)
{
    for (uint32_t i = 0; r->lookups && i < r->lookup_count; i++) {
        tw_lookup *l = &r->lookups[i];
        tw_free(l->name);
        tw_free(l->table);
        tw_context_plan_free(l->context);
        tw_template_done(&l->key);
        json_decref(l->fallback);
    }
    tw_free(r->lookups);
    for (uint32_t i = 0; i < r->column_count; i++) {
        tw_free(r->columns[i].table);
        tw_free(r->columns[i].name);
    }
    tw_free(r->columns);
}

static void free_found(tw_rule *r)
{
    if (r->detail_free)
        r->detail_free(r->detail);
    for (uint32_t i = 0; r->reads && i < r->input_count; i++)
        tw_free(r->reads[i].slots);
    tw_free(r->reads);
    for (uint32_t i = 0; r->roles && i < r->role_count; i++)
        tw_free(r->roles[i].name);
    tw_free(r->roles);
    free_strings(r->facts, r->fact_count);
    free_strings(r->kept, r->kept_count);
    tw_free(r->kept_slots);
    tw_free(r->carried_kept);
    tw_free(r->carried_first_kept);
}

void tw_rule_unref(tw_rule *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    tw_free(r->name);
    tw_free(r->version);
    tw_free(r->owner);
    tw_free(r->doc);
    tw_free(r->file);
    free_strings(r->was, r->was_count);
    for (uint32_t i = 0; r->parts && i < r->part_count; i++)
        tw_free(r->parts[i].name);
    tw_free(r->parts);
    json_decref(r->params);
    for (int i = 0; i < TW_MAX_KEY_FIELDS; i++)
        tw_free(r->key_names[i]);
    free_found(r);
    free_inputs(r);
    tw_free(r->key_slots);
    level_done(&r->level);
    tw_incident_plan_done(&r->incident);
    tw_emit_plan_free(r->emit);
    if (r->dedup)
        tw_free(r->dedup->slots);
    tw_free(r->dedup);
    free_lookups(r);
    free_strings(r->carried, r->carried_count);
    free_strings(r->carried_first, r->carried_first_count);
    tw_free(r->carried_slots);
    tw_free(r->carried_first_slots);
    tw_free(r);
}

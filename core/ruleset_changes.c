// SPDX-License-Identifier: Apache-2.0
/* What is read of streams that tell of changes: a projection of its own, so that neither the rules of such a stream
 * nor any other stream carry its fields along. Built on the shore with the rule set, immutable. */
#include <string.h>

#include "base/mem.h"
#include "flow/context.h"
#include "ruleset.h"

/* Fields that rules of this set are keyed by, or ask about: whatever a thing is called there, its changes are found. */
static const char **list_keys(const tw_ruleset *set, uint32_t *out_count)
{
    uint32_t room = 1;

    for (uint32_t r = 0; r < set->rule_count; r++) {
        room += set->rules[r]->key_count;
        for (uint32_t i = 0; i < set->rules[r]->lookup_count; i++)
            room += TW_MAX_CONTEXT_FIELDS;
    }
    const char **keys = tw_calloc(room, sizeof *keys);
    uint32_t n = 0;
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const tw_rule *rule = set->rules[r];
        for (uint32_t i = 0; i < rule->key_count; i++)
            keys[n++] = rule->key_names[i];
        for (uint32_t i = 0; i < rule->lookup_count; i++)
            for (uint32_t k = 0;
                 rule->lookups[i].context && k < rule->lookups[i].context->of_count; k++)
                keys[n++] = rule->lookups[i].context->of[k];
    }
    *out_count = n;
    return keys;
}

static const tw_projection *project(const tw_change_fields *f, const tw_stream *stream,
                                    uint32_t time_slot, tw_ground *ground)
{
    uint32_t count = f->entity_count + f->told_count, n = 0;
    uint32_t *slots = tw_calloc(count + 1, sizeof *slots);

    for (uint32_t i = 0; i < f->entity_count; i++)
        slots[n++] = f->entities[i].slot;
    for (uint32_t i = 0; i < f->told_count; i++)
        slots[n++] = f->told[i].slot;
    if (time_slot != TW_SLOT_TIME)
        slots[n++] = time_slot;
    tw_projection *p = tw_projection_new(stream->fields, slots, n);
    tw_free(slots);
    return tw_ground_intern(ground, p);
}

tw_remembered_plan *tw_remembered_plan_new(const tw_ruleset *set, const tw_stream *stream,
                                           tw_ground *ground)
{
    uint32_t key_count;

    if (!stream->changes || stream->format != TW_FORMAT_JSON ||
        tw_ruleset_emits(set, stream))
        return NULL;
    const char **keys = list_keys(set, &key_count);
    tw_remembered_plan *plan = tw_alloc(sizeof *plan);
    int time = stream->time_path ? tw_fields_slot(stream->fields, stream->time_path, NULL)
                                 : TW_SLOT_TIME;
    uint32_t time_slot = time < 0 ? TW_SLOT_TIME : (uint32_t)time;
    plan->fields = tw_change_fields_new((tw_stream *)(uintptr_t)stream, stream->change_of,
                                        stream->change_of_count, keys, key_count);
    plan->projection = project(plan->fields, stream, time_slot, ground);
    plan->decode = tw_decode_plan_new(stream, plan->projection, time_slot);
    tw_free(keys);
    return plan;
}

void tw_remembered_plan_free(tw_remembered_plan *plan)
{
    if (!plan)
        return;
    tw_change_fields_free(plan->fields);
    tw_decode_plan_free(plan->decode);
    tw_free(plan);
}

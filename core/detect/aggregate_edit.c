// SPDX-License-Identifier: Apache-2.0
/* Aggregates of one version of a rule found again in another: by what they are, not by where they stand. Pure
 * functions, any thread. */
#include "detect/aggregate.h"
#include "detect/detector.h"

static bool is_same(const tw_rule *fresh, const tw_aggregate *a, const tw_rule *old,
                    const tw_aggregate *b)
{
    return a->id == b->id && a->kind == b->kind && a->fold == b->fold &&
           a->has_field == b->has_field && (!a->has_field || a->slot == b->slot) &&
           a->has_second == b->has_second && (!a->has_second || a->second == b->second) &&
           tw_edit_input(old, fresh, a->input) == (int)b->input;
}

uint32_t tw_aggs_found(const tw_rule *fresh, const tw_rule *old, int *out_from)
{
    uint32_t found = 0;

    for (uint32_t n = 0; n < fresh->level.agg_count; n++) {
        out_from[n] = -1;
        for (uint32_t o = 0; o < old->level.agg_count && out_from[n] < 0; o++) {
            if (is_same(fresh, &fresh->level.aggs[n], old, &old->level.aggs[o])) {
                out_from[n] = (int)o;
            }
        }
        found += out_from[n] >= 0;
    }
    return found;
}

uint32_t tw_aggs_gone(const tw_rule *fresh, const tw_rule *old)
{
    int from[TW_MAX_AGGS];

    return old->level.agg_count - tw_aggs_found(old, fresh, from);
}

// SPDX-License-Identifier: Apache-2.0
#include "detect/kept.h"

#include <string.h>

void tw_kept_put(tw_kept *to, tw_slab *slab, const tw_rule *rule, uint32_t input,
                 const tw_event *ev, int64_t time_ms)
{
    tw_carried *fields = to->fields;

    if (rule->kept_count > 0) {
        fields = tw_carried_put(slab, fields, ev,
                                rule->kept_slots + (size_t)input * rule->kept_count,
                                rule->kept_count);
    }
    *to = (tw_kept){.time_ms = time_ms,
                    .seq = ev->seq,
                    .origin = {.stream = ev->stream,
                               .partition = ev->partition,
                               .offset = ev->offset,
                               .index = ev->index},
                    .input = input,
                    .is_there = true,
                    .fields = fields};
}

void tw_kept_copy(tw_kept *to, tw_slab *slab, const tw_kept *from)
{
    tw_carried *fields = to->fields;

    if (from->fields) {
        fields = tw_carried_put_values(slab, fields, from->fields->values,
                                       from->fields->count);
    }
    *to = *from;
    to->fields = fields;
}

void tw_kept_give(tw_kept *k, tw_slab *slab)
{
    tw_carried_give(slab, k->fields);
    *k = (tw_kept){0};
}

tw_kept_view tw_kept_see(const tw_kept *k, const tw_rule *rule)
{
    tw_kept_view view = {.time_ms = k->time_ms, .origin = k->origin};

    if (k->is_there && k->fields && k->fields->count == rule->kept_count) {
        view.values = k->fields->values;
    }
    return view;
}

/* ---- bytes ------------------------------------------------------------------------- */

void tw_kept_save(const tw_kept *k, tw_buf *out)
{
    uint32_t count = k->fields ? k->fields->count : 0;

    tw_state_put_u64(out, k->is_there);
    if (!k->is_there) {
        return;
    }
    tw_state_put_i64(out, k->time_ms);
    tw_state_put_u64(out, k->seq);
    tw_state_put_u64(out, k->origin.stream);
    tw_state_put_i64(out, k->origin.partition);
    tw_state_put_i64(out, k->origin.offset);
    tw_state_put_u64(out, k->origin.index);
    tw_state_put_u64(out, k->input);
    tw_state_put_u64(out, count);
    for (uint32_t n = 0; n < count; n++) {
        tw_state_put_value(out, k->fields->values[n]);
    }
}

static bool load_fields(tw_kept *k, tw_slab *slab, tw_state_in *in)
{
    tw_value values[TW_MAX_KEPT];
    uint32_t count;

    if (!tw_state_take_u32(in, &count) || count > TW_MAX_KEPT) {
        in->broken = true;
        return false;
    }
    for (uint32_t n = 0; n < count; n++) {
        if (!tw_state_take_value(in, &values[n])) {
            return false;
        }
    }
    if (count > 0) {
        k->fields = tw_carried_put_values(slab, NULL, values, count);
    }
    return true;
}

bool tw_kept_load(tw_kept *k, tw_slab *slab, tw_state_in *in)
{
    uint64_t is_there;
    int64_t partition;

    *k = (tw_kept){0};
    if (!tw_state_take_u64(in, &is_there) || !is_there) {
        return !in->broken;
    }
    k->is_there = true;
    if (!tw_state_take_i64(in, &k->time_ms) || !tw_state_take_u64(in, &k->seq) ||
        !tw_state_take_u32(in, &k->origin.stream) || !tw_state_take_i64(in, &partition) ||
        !tw_state_take_i64(in, &k->origin.offset) ||
        !tw_state_take_u32(in, &k->origin.index) || !tw_state_take_u32(in, &k->input)) {
        return false;
    }
    k->origin.partition = (int32_t)partition;
    return load_fields(k, slab, in);
}

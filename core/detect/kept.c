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
                    .origin = tw_event_origin(ev),
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
    tw_kept_view view = {
        .time_ms = k->time_ms, .stream = k->origin.stream, .origin = k->origin};

    if (k->origin.via) {
        view.stream = rule->inputs[k->input].stream->id;
    }
    if (k->is_there && k->fields && k->fields->count == rule->kept_count) {
        view.values = k->fields->values;
    }
    return view;
}

/* ---- an edited rule ---------------------------------------------------------------- */

static bool is_name(const char *name, const void *text, size_t size)
{
    return strlen(name) == size && memcmp(name, text, size) == 0;
}

static tw_kept_change no_change(const tw_rule *rule, uint32_t old_count)
{
    tw_kept_change c = {.same = old_count == rule->kept_count,
                        .count = rule->kept_count,
                        .old_count = old_count};

    for (uint32_t n = 0; n < TW_MAX_KEPT; n++) {
        c.from[n] = -1;
    }
    return c;
}

/* Field `place` of the old rule is called so. */
static void find_place(tw_kept_change *c, const tw_rule *rule, uint32_t place,
                       const void *text, size_t size)
{
    for (uint32_t n = 0; n < rule->kept_count && n < TW_MAX_KEPT; n++) {
        if (is_name(rule->kept[n], text, size)) {
            c->from[n] = (int)place;
            c->same = c->same && n == place;
            return;
        }
    }
    c->same = false;
}

tw_kept_change tw_kept_change_of(char *const *old_names, uint32_t old_count,
                                 const tw_rule *rule)
{
    tw_kept_change c = no_change(rule, old_count);

    for (uint32_t n = 0; n < old_count; n++) {
        find_place(&c, rule, n, old_names[n], strlen(old_names[n]));
    }
    return c;
}

void tw_kept_follow(tw_kept *k, tw_slab *slab, const tw_kept_change *change)
{
    tw_value values[TW_MAX_KEPT];
    tw_carried *old = k->fields;

    if (change->same || !k->is_there) {
        return;
    }
    for (uint32_t n = 0; n < change->count; n++) {
        bool was = old && change->from[n] >= 0 && old->count == change->old_count;
        values[n] = was ? old->values[change->from[n]] : tw_value_absent();
    }
    k->fields = NULL;
    if (change->count > 0) {
        k->fields = tw_carried_put_values(slab, NULL, values, change->count);
    }
    tw_carried_give(slab, old);
}

void tw_kept_names_save(const tw_rule *rule, tw_buf *out)
{
    tw_state_put_u64(out, rule->kept_count);
    for (uint32_t n = 0; n < rule->kept_count; n++) {
        tw_state_put_bytes(out, rule->kept[n], strlen(rule->kept[n]));
    }
}

bool tw_kept_names_load(tw_state_in *in, const tw_rule *rule, tw_kept_change *out)
{
    uint32_t count;
    const void *text;
    size_t size;

    if (!tw_state_take_u32(in, &count) || count > TW_MAX_KEPT) {
        in->broken = true;
        return false;
    }
    *out = no_change(rule, count);
    for (uint32_t n = 0; n < count; n++) {
        if (!tw_state_take_bytes(in, &text, &size)) {
            return false;
        }
        find_place(out, rule, n, text, size);
    }
    return true;
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
    tw_state_put_origin(out, &k->origin);
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

bool tw_kept_load(tw_kept *k, tw_slab *slab, const tw_kept_change *change,
                  tw_state_in *in)
{
    uint64_t is_there;

    *k = (tw_kept){0};
    if (!tw_state_take_u64(in, &is_there) || !is_there) {
        return !in->broken;
    }
    k->is_there = true;
    if (!tw_state_take_i64(in, &k->time_ms) || !tw_state_take_u64(in, &k->seq) ||
        !tw_state_take_origin(in, &k->origin) || !tw_state_take_u32(in, &k->input)) {
        return false;
    }
    if (!load_fields(k, slab, in)) {
        return false;
    }
    tw_kept_follow(k, slab, change);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* State that passes to a newer version of the rule or through bytes. On the lane's thread or, while it is
 * paused, on the shore. */
#include <math.h>
#include "detect/impact_impl.h"

enum { STATE_VERSION = 1 };

void impact_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_impact_plan *a = fresh->detail, *b = old->detail;

    if (tw_edit_input(old, fresh, a->event) != (int)b->event) {
        tw_edit_add(out, TW_FATE_COLD, 0, "other events are judged");
        return;
    }
    if (tw_edit_input(old, fresh, a->metric) != (int)b->metric ||
        a->metric_id != b->metric_id || a->slot != b->slot) {
        tw_edit_add(out, TW_FATE_COLD, 0, "the metric is another one");
        return;
    }
    tw_edit_span(out, a->before_ms + a->settle_ms + a->after_ms,
                 b->before_ms + b->settle_ms + b->after_ms,
                 "samples from before the edit do not reach back so far",
                 "samples that no verdict asks for are dropped");
}

static void follow_fields(impact *d, impact_key *k, const tw_kept_change *change)
{
    for (uint32_t i = 0; i < k->open_count; i++) {
        tw_kept_follow(&k->open[i], d->slab, change);
    }
}

void impact_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    impact *d = (impact *)base, *old = (impact *)base_old;

    if (base_old->cls != &tw_impact_class) {
        return;
    }
    impact fresh = *d;
    tw_kept_change change =
        tw_kept_change_of(old->rule->kept, old->rule->kept_count, d->rule);
    d->slab = old->slab;
    d->keys = old->keys;
    d->timers = old->timers;
    d->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->timers = fresh.timers;
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        follow_fields(d, tw_keyed_at(d->keys, n), &change);
        tw_timers_set(d->timers, n, TW_TIMER_OFF);
        impact_key_arm(d, n); /* spans may be others now */
    }
    if (d->env.keys) {
        tw_gauge_set(d->env.keys,
                     tw_keyed_count(d->keys)); /* one gauge, the new owner's */
    }
}

/* ---- bytes ------------------------------------------------------------------------- */

static void save_key(const impact *d, uint32_t number, tw_buf *out)
{
    const impact_key *k = tw_keyed_at(d->keys, number);
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &len);

    tw_state_put_bytes(out, bytes, len);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_i64(out, k->open_until_ms);
    tw_state_put_u64(out, k->entry_count);
    for (uint32_t i = 0; i < k->entry_count; i++) {
        const impact_entry *e = &k->entries[i];
        tw_state_put_i64(out, e->from_ms);
        tw_state_put_u64(out, (uint64_t)(e->to_ms - e->from_ms));
        tw_state_put_u64(out, e->of.count);
        tw_state_put_double(out, e->of.mean);
        tw_state_put_double(out, e->of.m2);
    }
    tw_state_put_u64(out, k->open_count);
    for (uint32_t i = 0; i < k->open_count; i++) {
        tw_kept_save(&k->open[i], out);
    }
}

void impact_save(const tw_detector *base, tw_buf *out)
{
    const impact *d = (const impact *)base;

    tw_state_put_u64(out, STATE_VERSION);
    tw_kept_names_save(d->rule, out);
    tw_state_put_i64(out, d->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(d->keys));
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        save_key(d, n, out);
    }
}

static bool load_entries(impact *d, impact_key *k, tw_state_in *in)
{
    uint64_t entries, width;

    if (!tw_state_take_u64(in, &entries) || entries > MAX_ENTRIES) {
        return false;
    }
    for (uint64_t i = 0; i < entries; i++) {
        impact_entry e;
        if (!tw_state_take_i64(in, &e.from_ms) || !tw_state_take_u64(in, &width) ||
            !tw_state_take_u64(in, &e.of.count) ||
            !tw_state_take_double(in, &e.of.mean) ||
            !tw_state_take_double(in, &e.of.m2) || width > INT64_MAX ||
            __builtin_add_overflow(e.from_ms, (int64_t)width, &e.to_ms)) {
            return false;
        }
        impact_entries_reserve(d, k, k->entry_count + 1);
        k->entries[k->entry_count++] = e;
    }
    return true;
}

static bool load_key(impact *d, const tw_kept_change *kept, tw_state_in *in)
{
    const void *bytes;
    size_t size;
    int64_t newest_ms, open_until_ms;
    uint64_t open;

    if (!tw_state_take_bytes(in, &bytes, &size) || size > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(in, &newest_ms) || !tw_state_take_i64(in, &open_until_ms)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)size);
    if (tw_keyed_find(d->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = impact_key_add(d, &key, newest_ms);
    impact_key *k = tw_keyed_at(d->keys, number);
    k->open_until_ms = open_until_ms;
    if (!load_entries(d, k, in) || !tw_state_take_u64(in, &open) || open > MAX_OPEN) {
        return false;
    }
    for (uint64_t i = 0; i < open; i++) {
        impact_open_reserve(d, k, k->open_count + 1);
        if (!tw_kept_load(&k->open[k->open_count++], d->slab, kept, in)) {
            return false;
        }
    }
    impact_key_arm(d, number);
    return true;
}

int impact_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    impact *d = (impact *)base;
    uint64_t version, keys = 0;
    tw_kept_change kept;
    bool good = tw_state_take_u64(in, &version) && version == STATE_VERSION &&
                tw_kept_names_load(in, d->rule, &kept) &&
                tw_state_take_i64(in, &d->clock_ms) && tw_state_take_u64(in, &keys);

    for (uint64_t i = 0; good && i < keys; i++) {
        good = load_key(d, &kept, in);
    }
    if (!good) {
        return tw_err_set(err, TW_EPARSE, "%s: the state is not what was saved",
                          d->rule->name);
    }
    return TW_OK;
}

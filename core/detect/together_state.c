// SPDX-License-Identifier: Apache-2.0
/* The together operator's state under an edited rule, and as bytes. One lane's thread. */
#include "detect/together_impl.h"

/* ---- reload ---- */

void together_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_together_plan *a = tw_rule_together(fresh), *b = tw_rule_together(old);
    bool same = tw_edit_same_inputs(fresh, old) && a->count == b->count;

    for (uint32_t i = 0; same && i < a->count; i++) {
        same = a->inputs[i] == b->inputs[i];
    }
    if (!same) {
        tw_edit_add(out, TW_FATE_COLD, 0, "other inputs are listed");
        return;
    }
    tw_edit_span(out, a->within_ms, b->within_ms,
                 "within reaches further than what is remembered", "within holds less");
}

/* What waits now waits as long as the new `within` says. */
void together_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    together *t = (together *)base, *old = (together *)base_old;

    if (base_old->cls != &tw_together_class || t->plan->count != old->plan->count) {
        return;
    }
    together fresh = *t;
    t->slab = old->slab;
    t->keys = old->keys;
    t->wheel = old->wheel;
    t->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->wheel = fresh.wheel;
    tw_kept_change change =
        tw_kept_change_of(old->rule->kept, old->rule->kept_count, t->rule);
    for (uint32_t n = tw_keyed_next(t->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(t->keys, n)) {
        together_key *k = together_key_at(t, n);
        for (uint32_t i = 0; i < t->plan->count && !change.same; i++) {
            for (uint32_t at = 0; at < k->kinds[i].count; at++) {
                tw_kept_follow(&tw_kept_ring_at(&k->kinds[i], at)->kept, t->slab,
                               &change);
            }
        }
        together_key_settle(t, n);
    }
    if (t->env.keys) {
        tw_gauge_set(t->env.keys,
                     tw_keyed_count(t->keys)); /* one gauge, the new owner's */
    }
}

/* ---- bytes ---- */

void together_save(const tw_detector *base, tw_buf *out)
{
    const together *t = (const together *)base;

    tw_kept_names_save(t->rule, out);
    tw_state_put_i64(out, t->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(t->keys));
    for (uint32_t n = tw_keyed_next(t->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(t->keys, n)) {
        const together_key *k = together_key_at(t, n);
        uint32_t len;
        const uint8_t *bytes = tw_keyed_bytes(t->keys, n, &len);
        tw_state_put_bytes(out, bytes, len);
        tw_state_put_i64(out, k->newest_ms);
        tw_state_put_i64(out, k->open_until_ms);
        for (uint32_t i = 0; i < t->plan->count; i++) {
            tw_state_put_u64(out, k->kinds[i].count);
            for (uint32_t at = 0; at < k->kinds[i].count; at++) {
                tw_kept_save(&tw_kept_ring_at(&k->kinds[i], at)->kept, out);
            }
        }
    }
}

static bool load_kind(together *t, tw_kept_ring *kind, const tw_kept_change *change,
                      tw_state_in *in)
{
    uint32_t count;

    if (!tw_state_take_u32(in, &count)) {
        return false;
    }
    for (uint32_t n = 0; n < count; n++) {
        tw_kept_item item = {.more = NULL};
        if (!tw_kept_load(&item.kept, t->slab, change, in) || !item.kept.is_there) {
            return false;
        }
        tw_kept_ring_add(kind, t->slab, &item);
    }
    return true;
}

static bool load_key(together *t, const tw_kept_change *change, tw_state_in *in)
{
    const void *bytes;
    size_t len;
    int64_t newest_ms, open_until_ms;

    if (!tw_state_take_bytes(in, &bytes, &len) || len > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(in, &newest_ms) || !tw_state_take_i64(in, &open_until_ms)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
    if (tw_keyed_find(t->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = together_key_add(t, &key, newest_ms);
    together_key *k = together_key_at(t, number);
    k->open_until_ms = open_until_ms;
    for (uint32_t i = 0; i < t->plan->count; i++) {
        if (!load_kind(t, &k->kinds[i], change, in)) {
            return false;
        }
    }
    together_key_settle(t, number);
    return true;
}

int together_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    together *t = (together *)base;
    tw_kept_change change;
    uint32_t count = 0;

    bool ok = tw_kept_names_load(in, t->rule, &change) &&
              tw_state_take_i64(in, &t->clock_ms) && tw_state_take_u32(in, &count);
    for (uint32_t n = 0; ok && n < count; n++) {
        ok = load_key(t, &change, in);
    }
    return ok ? TW_OK
              : tw_err_set(err, TW_EPARSE, "%s: the state of together is damaged",
                           t->rule->name);
}

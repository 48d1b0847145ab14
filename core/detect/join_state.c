// SPDX-License-Identifier: Apache-2.0
/* The join operator's state under an edited rule, and as bytes. One lane's thread. */
#include "detect/join_impl.h"

/* ---- reload ---- */

void join_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_join_plan *a = tw_rule_join(fresh), *b = tw_rule_join(old);

    if (!tw_edit_same_inputs(fresh, old)) {
        tw_edit_add(out, TW_FATE_COLD, 0, "the inputs are others");
    } else if (a->left != b->left || a->right != b->right || a->tells != b->tells ||
               a->need_left != b->need_left || a->need_right != b->need_right) {
        tw_edit_add(out, TW_FATE_COLD, 0, "the join waits for something else");
    } else {
        tw_edit_span(out, a->before_ms, b->before_ms,
                     "before reaches further than what is remembered",
                     "before holds less");
        tw_edit_span(out, a->after_ms, b->after_ms,
                     "after reaches further than what is remembered", "after holds less");
    }
}

static void follow_side(join *j, tw_kept_ring *side, const tw_kept_change *change)
{
    for (uint32_t n = 0; n < side->count; n++) {
        tw_kept_item *item = tw_kept_ring_at(side, n);
        join_found *found = item->more;
        tw_kept_follow(&item->kept, j->slab, change);
        if (found) {
            tw_kept_follow(&found->first, j->slab, change);
            tw_kept_follow(&found->last, j->slab, change);
        }
    }
}

/* `within` may be another: what waits now waits as long as the new one says. */
void join_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    join *j = (join *)base, *old = (join *)base_old;

    if (base_old->cls != &tw_join_class) {
        return;
    }
    join fresh = *j;
    j->slab = old->slab;
    j->keys = old->keys;
    j->wheel = old->wheel;
    j->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    j->edited_ms = old->edited_ms > clock_ms ? old->edited_ms : clock_ms;
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->wheel = fresh.wheel;
    tw_kept_change change =
        tw_kept_change_of(old->rule->kept, old->rule->kept_count, j->rule);
    for (uint32_t n = tw_keyed_next(j->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(j->keys, n)) {
        join_key *k = join_key_at(j, n);
        if (!change.same) {
            follow_side(j, &k->left, &change);
            follow_side(j, &k->right, &change);
        }
        join_key_settle(j, n);
    }
    if (j->env.keys) {
        tw_gauge_set(j->env.keys,
                     tw_keyed_count(j->keys)); /* one gauge, the new owner's */
    }
}

/* ---- bytes ---- */

static void save_side(const tw_kept_ring *side, tw_buf *out)
{
    tw_state_put_u64(out, side->count);
    for (uint32_t n = 0; n < side->count; n++) {
        const tw_kept_item *item = tw_kept_ring_at(side, n);
        const join_found *found = item->more;
        tw_kept_save(&item->kept, out);
        tw_state_put_u64(out, found ? found->count : 0);
        if (found) {
            tw_kept_save(&found->first, out);
            tw_kept_save(&found->last, out);
        }
    }
}

void join_save(const tw_detector *base, tw_buf *out)
{
    const join *j = (const join *)base;

    tw_kept_names_save(j->rule, out);
    tw_state_put_i64(out, j->clock_ms);
    tw_state_put_i64(out, j->edited_ms);
    tw_state_put_u64(out, tw_keyed_count(j->keys));
    for (uint32_t n = tw_keyed_next(j->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(j->keys, n)) {
        const join_key *k = join_key_at(j, n);
        uint32_t len;
        const uint8_t *bytes = tw_keyed_bytes(j->keys, n, &len);
        tw_state_put_bytes(out, bytes, len);
        tw_state_put_i64(out, k->newest_ms);
        tw_state_put_i64(out, k->open_until_ms);
        save_side(&k->left, out);
        save_side(&k->right, out);
    }
}

static bool load_found(join *j, tw_kept_item *item, const tw_kept_change *change,
                       tw_state_in *in)
{
    uint32_t count;

    if (!tw_state_take_u32(in, &count) || count == 0) {
        return !in->broken;
    }
    join_found *found = item->more = tw_slab_take(j->slab, sizeof *found);
    *found = (join_found){.count = count};
    return tw_kept_load(&found->first, j->slab, change, in) && found->first.is_there &&
           tw_kept_load(&found->last, j->slab, change, in) &&
           found->last.is_there == (count > 1);
}

static bool load_side(join *j, tw_kept_ring *side, const tw_kept_change *change,
                      tw_state_in *in)
{
    uint32_t count;

    if (!tw_state_take_u32(in, &count)) {
        return false;
    }
    for (uint32_t n = 0; n < count; n++) {
        tw_kept_item item = {.more = NULL};
        if (!tw_kept_load(&item.kept, j->slab, change, in) || !item.kept.is_there ||
            !load_found(j, &item, change, in)) {
            return false; /* what was made of it is the slab's */
        }
        tw_kept_ring_add(side, j->slab, &item);
    }
    return true;
}

static bool load_key(join *j, const tw_kept_change *change, tw_state_in *in)
{
    const void *bytes;
    size_t len;
    int64_t newest_ms, open_until_ms;
    uint32_t number;

    if (!tw_state_take_bytes(in, &bytes, &len) || len > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(in, &newest_ms) || !tw_state_take_i64(in, &open_until_ms)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
    if (tw_keyed_find(j->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    join_key_take(j, &key, newest_ms, &number);
    join_key *k = join_key_at(j, number);
    k->open_until_ms = open_until_ms;
    if (!load_side(j, &k->left, change, in) || !load_side(j, &k->right, change, in)) {
        return false;
    }
    join_key_settle(j, number);
    return true;
}

int join_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    join *j = (join *)base;
    tw_kept_change change;
    uint32_t count = 0;

    bool ok = tw_kept_names_load(in, j->rule, &change) &&
              tw_state_take_i64(in, &j->clock_ms) &&
              tw_state_take_i64(in, &j->edited_ms) && tw_state_take_u32(in, &count);
    for (uint32_t n = 0; ok && n < count; n++) {
        ok = load_key(j, &change, in);
    }
    return ok ? TW_OK
              : tw_err_set(err, TW_EPARSE, "%s: the state of the join is damaged",
                           j->rule->name);
}

// SPDX-License-Identifier: Apache-2.0
/* The sequence operator's state: as bytes, and in the hands of a newer version of its rule. The same
 * list of steps is a condition of both; `within` and `overlap` of the whole may differ, and
 * what is kept of events. One lane's thread. */
#include <string.h>

#include "detect/seq_impl.h"

/* ---- reload ------------------------------------------------------------------------ */

/* Where each field that is kept now was before; UINT32_MAX: it was not. */
static void map_fields(const tw_rule *now, const tw_rule *old, uint32_t *out)
{
    for (uint32_t n = 0; n < now->kept_count; n++) {
        out[n] = UINT32_MAX;
        for (uint32_t k = 0; k < old->kept_count; k++) {
            if (strcmp(now->kept[n], old->kept[k]) == 0) {
                out[n] = k;
            }
        }
    }
}

static void remap(seq *s, tw_kept *kept, const uint32_t *from)
{
    tw_value values[TW_MAX_KEPT];
    const tw_carried *old = kept->fields;

    if (!kept->is_there) {
        return;
    }
    for (uint32_t n = 0; n < s->rule->kept_count; n++) {
        bool is_there = old && from[n] < old->count;
        values[n] = is_there ? old->values[from[n]] : tw_value_absent();
    }
    tw_carried *fields = NULL;
    if (s->rule->kept_count > 0) {
        fields = tw_carried_put_values(s->slab, NULL, values, s->rule->kept_count);
    }
    tw_carried_give(s->slab, kept->fields);
    kept->fields = fields;
}

static void remap_key(seq *s, seq_key *k, const uint32_t *from)
{
    for (seq_match *m = k->oldest; m; m = m->next) {
        for (uint32_t r = 0; r < s->rule->role_count; r++) {
            tw_kept *kept = seq_match_kept(s, m, r);
            for (uint32_t n = 0; n < m->counts[r] && n < 2; n++) {
                remap(s, &kept[n], from);
            }
        }
    }
}

/* As many as the plan allows now: under `oldest` the oldest, else the newest. */
static void trim(seq *s, seq_key *k)
{
    bool one = s->plan->overlap == TW_SEQ_NEWEST || s->plan->overlap == TW_SEQ_OLDEST;
    uint32_t most = one ? 1 : s->plan->max_open;

    while (k->open > most) {
        seq_match **link = &k->oldest;
        if (s->plan->overlap == TW_SEQ_OLDEST) {
            link = &k->oldest->next;
        }
        seq_match *m = *link;
        *link = m->next;
        k->open--;
        seq_match_give(s, m);
    }
}

void seq_adopt(tw_detector *base, tw_detector *base_old)
{
    seq *s = (seq *)base, *old = (seq *)base_old;
    uint32_t from[TW_MAX_KEPT];

    if (base_old->cls != &tw_seq_class) {
        return;
    }
    seq fresh = *s;
    s->slab = old->slab;
    s->keys = old->keys;
    s->wheel = old->wheel;
    s->clock_ms = old->clock_ms;
    s->taken = old->taken;
    s->has_taken = old->has_taken;
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->wheel = fresh.wheel;
    map_fields(s->rule, old->rule, from);
    for (uint32_t n = tw_keyed_next(s->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(s->keys, n)) {
        seq_key *k = tw_keyed_at(s->keys, n);
        remap_key(s, k, from);
        trim(s, k);
        seq_rearm(s, n);
    }
    seq_show_count(s);
}

/* ---- to bytes ---------------------------------------------------------------------- */

static void save_match(const seq *s, const seq_match *m, tw_buf *out)
{
    tw_state_put_u64(out, m->at);
    tw_state_put_u64(out, m->barrier);
    tw_state_put_u64(out, m->skipped);
    tw_state_put_i64(out, m->start_ms);
    tw_state_put_i64(out, m->base_ms);
    tw_state_put_i64(out, m->last_ms);
    tw_state_put_u64(out, m->first_tick);
    tw_state_put_u64(out, m->last_tick);
    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        tw_state_put_u64(out, m->counts[r]);
        const tw_kept *kept = seq_match_kept(s, m, r);
        for (uint32_t n = 0; n < m->counts[r] && n < 2; n++) {
            tw_kept_save(&kept[n], out);
        }
    }
}

static void save_key(const seq *s, uint32_t number, tw_buf *out)
{
    const seq_key *k = tw_keyed_at(s->keys, number);
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(s->keys, number, &len);

    tw_state_put_bytes(out, bytes, len);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_u64(out, k->tick);
    tw_state_put_u64(out, k->open);
    for (const seq_match *m = k->oldest; m; m = m->next) {
        save_match(s, m, out);
    }
}

void seq_save(const tw_detector *base, tw_buf *out)
{
    const seq *s = (const seq *)base;

    tw_state_put_i64(out, s->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(s->keys));
    for (uint32_t n = tw_keyed_next(s->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(s->keys, n)) {
        save_key(s, n, out);
    }
}

/* ---- from bytes -------------------------------------------------------------------- */

/* A match can stand at a step that has taken something, or at a wait that is over. */
static bool is_place(const seq *s, uint32_t at, uint32_t barrier)
{
    return at < s->plan->step_count && s->plan->steps[at].kind != TW_SEQ_GUARD &&
           (barrier == SEQ_NO_BARRIER || (barrier > at && barrier < s->plan->step_count));
}

static bool load_role(seq *s, seq_match *m, uint32_t role, tw_state_in *in)
{
    bool is_list = s->rule->roles[role].is_list;
    bool reached = s->layout.kept_at[role] < seq_match_bytes(s, m);
    tw_kept *kept = seq_match_kept(s, m, role);
    uint32_t count;

    if (!tw_state_take_u32(in, &count) || (count > 0 && !reached) ||
        (count > 1 && !is_list)) {
        in->broken = true;
        return false;
    }
    for (uint32_t n = 0; n < count && n < 2; n++) {
        if (!tw_kept_load(&kept[n], s->slab, in) || !kept[n].is_there ||
            kept[n].input >= s->rule->input_count) {
            in->broken = true;
            return false;
        }
    }
    m->counts[role] = count;
    return true;
}

/* On failure what was made of it stays in the slab, which goes as a whole. */
static seq_match *load_match(seq *s, tw_state_in *in)
{
    uint32_t at, barrier, skipped;

    if (!tw_state_take_u32(in, &at) || !tw_state_take_u32(in, &barrier) ||
        !tw_state_take_u32(in, &skipped) || !is_place(s, at, barrier)) {
        return NULL;
    }
    seq_match *m = seq_match_new(s, at);
    m->barrier = (uint8_t)barrier;
    m->skipped = skipped != 0;
    if (!tw_state_take_i64(in, &m->start_ms) || !tw_state_take_i64(in, &m->base_ms) ||
        !tw_state_take_i64(in, &m->last_ms) || !tw_state_take_u32(in, &m->first_tick) ||
        !tw_state_take_u32(in, &m->last_tick)) {
        return NULL;
    }
    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        if (!load_role(s, m, r, in)) {
            return NULL;
        }
    }
    const tw_seq_step *step = &s->plan->steps[at];
    return step->kind != TW_SEQ_EVENT || m->counts[step->role] > 0 ? m : NULL;
}

static bool load_key(seq *s, tw_state_in *in)
{
    const void *bytes;
    size_t len;
    int64_t newest_ms;
    uint32_t tick, open;

    if (!tw_state_take_bytes(in, &bytes, &len) || len > UINT32_MAX ||
        !tw_state_take_i64(in, &newest_ms) || !tw_state_take_u32(in, &tick) ||
        !tw_state_take_u32(in, &open) || open == 0) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
    if (tw_keyed_find(s->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = tw_keyed_add(s->keys, &key);
    seq_key *k = tw_keyed_at(s->keys, number);
    tw_timer_init(&k->timer);
    k->newest_ms = newest_ms;
    k->tick = tick;
    for (seq_match **link = &k->oldest; k->open < open; link = &(*link)->next) {
        *link = load_match(s, in);
        if (!*link) {
            return false;
        }
        k->open++;
    }
    seq_rearm(s, number);
    return true;
}

int seq_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    seq *s = (seq *)base;
    uint64_t count;
    bool good = tw_state_take_i64(in, &s->clock_ms) && tw_state_take_u64(in, &count);

    for (uint64_t n = 0; good && n < count; n++) {
        good = load_key(s, in);
    }
    if (!good) {
        return tw_err_set(err, TW_EPARSE, "%s: the state of its matches is not readable",
                          s->rule->name);
    }
    seq_show_count(s);
    return TW_OK;
}

// SPDX-License-Identifier: Apache-2.0
/* The sequence operator's state as bytes, key by key: what a match has come to, and what is kept of its
 * events. Deadlines follow from it. One lane's thread. */
#include "detect/seq_impl.h"

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

    tw_kept_names_save(s->rule, out);
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

static bool load_role(seq *s, seq_match *m, uint32_t role, const tw_kept_change *fields,
                      tw_state_in *in)
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
        if (!tw_kept_load(&kept[n], s->slab, fields, in) || !kept[n].is_there ||
            kept[n].input >= s->rule->input_count) {
            in->broken = true;
            return false;
        }
    }
    m->counts[role] = count;
    return true;
}

/* On failure what was made of it stays in the slab, which goes as a whole. */
static seq_match *load_match(seq *s, const tw_kept_change *fields, tw_state_in *in)
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
        if (!load_role(s, m, r, fields, in)) {
            return NULL;
        }
    }
    const tw_seq_step *step = &s->plan->steps[at];
    return step->kind != TW_SEQ_EVENT || m->counts[step->role] > 0 ? m : NULL;
}

static bool load_key(seq *s, const tw_kept_change *fields, tw_state_in *in)
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
        *link = load_match(s, fields, in);
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
    tw_kept_change fields;
    bool good = tw_kept_names_load(in, s->rule, &fields) &&
                tw_state_take_i64(in, &s->clock_ms) && tw_state_take_u64(in, &count);

    for (uint64_t n = 0; good && n < count; n++) {
        good = load_key(s, &fields, in);
    }
    if (!good) {
        return tw_err_set(err, TW_EPARSE, "%s: the state of its matches is not readable",
                          s->rule->name);
    }
    seq_show_count(s);
    return TW_OK;
}

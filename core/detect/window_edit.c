// SPDX-License-Identifier: Apache-2.0
/* The windows of one version of a rule in those of a newer one. What is held is put in anew, entry by entry or
 * pane by pane, with the aggregates that both versions have; so it makes no difference in which form either
 * keeps it. The shore's thread, while the lane stands still.
 *
 * A pane is of one piece: in a sliding window it goes to the new pane of its newest entry, which leaves it
 * neither too early nor later than that; on a grid it is carried over only where no new edge cuts it. */
#include "detect/detector.h"
#include "detect/window_impl.h"

/* ---- what may be carried over ------------------------------------------------------ */

bool tw_window_same_grid(const tw_window *a, const tw_window *b)
{
    return a->align_first == b->align_first && tw_zone_equal(a->zone, b->zone) &&
           b->every_ms > 0 && a->every_ms % b->every_ms == 0 &&
           a->over_ms % b->every_ms == 0;
}

static bool same_aggs(const tw_windows_edit *e)
{
    const tw_aggs *a = e->to->aggs, *b = e->from->aggs;

    for (uint32_t n = 0; n < a->count; n++) {
        if (e->agg_from[n] != (int)n) {
            return false;
        }
    }
    return a->count == b->count && a->mask_bytes == b->mask_bytes &&
           a->columns == b->columns;
}

static bool same_windows(const tw_windows *a, const tw_windows *b)
{
    return a->kind == b->kind && a->over_ms == b->over_ms && a->every_ms == b->every_ms &&
           a->last == b->last && a->prev == b->prev && a->exact >= b->exact &&
           a->entry_bytes == b->entry_bytes && a->pane_bytes == b->pane_bytes;
}

void tw_windows_edit_init(tw_windows_edit *e, tw_windows *to, const tw_rule *fresh,
                          tw_windows *from, const tw_rule *old)
{
    const tw_window *a = &fresh->level.window, *b = &old->level.window;

    *e = (tw_windows_edit){.to = to, .from = from};
    tw_aggs_found(fresh, old, e->agg_from);
    e->anew = tw_is_grid(to) ? !tw_is_grid(from) || !tw_window_same_grid(a, b)
                             : to->kind != from->kind;
    e->same = !e->anew && same_windows(to, from) && same_aggs(e);
    for (uint32_t n = 0; n < from->aggs->count; n++) {
        uint32_t input = from->aggs->list[n].input;
        int now = tw_edit_input(fresh, old, input);
        e->read_on |= now >= 0 && to->aggs->inputs[now].reads != 0 ? 1ull << n : 0;
    }
}

/* ---- entries ----------------------------------------------------------------------- */

static void column_follow(tw_sample *out, uint8_t to, const tw_sample *in, uint8_t from)
{
    if (to != TW_NO_COLUMN && from != TW_NO_COLUMN) {
        out->values[to] = in->values[from];
        out->names[to] = in->names[from];
    }
}

/* The sample as the new aggregates take it. False: nobody reads it any more. */
static bool sample_follow(const tw_windows_edit *e, const tw_sample *in, tw_sample *out)
{
    const tw_aggs *to = e->to->aggs, *from = e->from->aggs;

    out->taken = 0;
    for (uint32_t c = 0; c < to->columns; c++) {
        out->values[c] = 0;
        out->names[c] = tw_value_absent();
    }
    for (uint32_t n = 0; n < to->count; n++) {
        int was = e->agg_from[n];
        if (was >= 0 && in->taken >> was & 1) {
            out->taken |= 1ull << n;
            column_follow(out, to->column[n], in, from->column[was]);
            column_follow(out, to->column2[n], in, from->column2[was]);
        }
    }
    if (e->to->kind != TW_WINDOW_COUNT) {
        return out->taken != 0;
    }
    /* The last N events of an input count, taken or not. */
    return out->taken != 0 || in->taken == 0 || (in->taken & e->read_on) != 0;
}

/* ---- panes ------------------------------------------------------------------------- */

static tw_acc *acc_of(const tw_windows *ws, const tw_pane *pane, uint32_t agg)
{
    return (tw_acc *)(void *)((char *)(uintptr_t)pane + ws->acc_at[agg]);
}

static void pane_follow(const tw_windows_edit *e, tw_window_state *to, int64_t id,
                        const tw_pane *from)
{
    tw_windows *ws = e->to;
    tw_pane *pane = tw_panes_make(ws, to, id);

    pane->samples += from->samples;
    pane->first_ms = from->first_ms < pane->first_ms ? from->first_ms : pane->first_ms;
    pane->last_ms = from->last_ms > pane->last_ms ? from->last_ms : pane->last_ms;
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        if (e->agg_from[n] >= 0) {
            tw_agg_merge(ws->aggs, ws->slab, n, acc_of(ws, pane, n),
                         acc_of(e->from, from, (uint32_t)e->agg_from[n]));
        }
    }
    tw_panes_sum_place(ws, to)->id = 0; /* the sum is made anew */
}

/* ---- a window ---------------------------------------------------------------------- */

typedef struct moving {
    const tw_windows_edit *e;
    tw_window_state *to;
    int64_t newest_ms, origin_ms, at_ms;
} moving;

/* Which of a sliding window's two states holds this time now; NULL: none does. */
static tw_window_state *part_of(const moving *m, int64_t time_ms)
{
    const tw_windows *ws = m->e->to;
    int64_t age_ms = m->at_ms - time_ms;

    if (ws->kind != TW_WINDOW_SLIDING || age_ms < ws->over_ms) {
        return m->to;
    }
    return ws->prev && age_ms < 2 * ws->over_ms ? tw_window_before(ws, m->to) : NULL;
}

static void entries_follow(const moving *m, const tw_window_state *from)
{
    tw_windows *ws = m->e->from;
    tw_sample in, out;

    for (uint32_t n = 0; n < from->count; n++) {
        int64_t time_ms = tw_entries_time(ws, from, n, m->newest_ms);
        tw_window_state *to = part_of(m, time_ms);
        tw_entries_sample(ws, from, n, &in);
        if (to && sample_follow(m->e, &in, &out)) {
            tw_window_add(m->e->to, to, &out, time_ms, m->newest_ms, m->origin_ms);
        }
    }
}

static int64_t pane_id(const moving *m, const tw_pane *pane)
{
    const tw_windows *ws = m->e->to;

    if (ws->kind == TW_WINDOW_SLIDING) {
        return tw_floor_div(pane->last_ms, ws->pane_ms);
    }
    return tw_is_grid(ws) ? tw_grid_slice(ws, m->origin_ms, pane->first_ms) : 0;
}

static void panes_follow(const moving *m, const tw_window_state *from)
{
    for (uint32_t n = 0; n < from->count; n++) {
        const tw_pane *pane = tw_panes_at(m->e->from, from, n);
        tw_window_state *to = part_of(m, pane->last_ms);
        if (!to) {
            continue;
        }
        if (to->mode != TW_MODE_PANES && to->count > 0) {
            tw_entries_to_panes(m->e->to, to, m->newest_ms);
        }
        pane_follow(m->e, to, pane_id(m, pane), pane);
    }
}

static void state_follow(const moving *m, const tw_window_state *from)
{
    if (from->mode == TW_MODE_PANES) {
        panes_follow(m, from);
    } else {
        entries_follow(m, from);
    }
}

/* Of a session each state for itself: those that ended stay ended. */
static void befores_follow(const moving *m, const tw_window_state *from)
{
    const tw_windows_edit *e = m->e;

    for (uint32_t n = 0; n < tw_windows_befores(e->from); n++) {
        moving one = *m;
        if (e->to->kind == TW_WINDOW_SESSION && n >= tw_windows_befores(e->to)) {
            return;
        }
        if (e->to->kind == TW_WINDOW_SESSION) {
            one.to = tw_window_before_at(e->to, m->to, n);
        }
        state_follow(&one, tw_window_before_at(e->from, from, n));
    }
}

void tw_window_follow(const tw_windows_edit *e, tw_window_state *to,
                      tw_window_state *from, int64_t newest_ms, int64_t origin_ms,
                      int64_t at_ms)
{
    moving m = {e, to, newest_ms, origin_ms, at_ms};

    if (!e->anew) {
        befores_follow(&m, from);
        state_follow(&m, from);
        if (tw_is_grid(e->to)) {
            tw_window_leave(e->to, to, at_ms, newest_ms, origin_ms);
        }
    }
    tw_window_clear(e->from, from);
}

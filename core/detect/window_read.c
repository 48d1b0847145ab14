// SPDX-License-Identifier: Apache-2.0
/* What a window comes to. One lane's thread. */
#include "detect/topk.h"
#include "detect/window_impl.h"

/* Where the values of a part of what is held go: 0, or TW_PREV_AGGS. */
typedef struct part {
    tw_window_values *out;
    uint32_t at;
    int64_t span_ms;
} part;

/* ---- one aggregate ---- */

static void keep_list(tw_windows *ws, uint32_t agg, const tw_acc *acc)
{
    tw_window_top *top = &ws->tops->by_agg[agg];

    top->count = tw_topk_list(acc->sketch, top->items, ws->aggs->list[agg].top);
}

static void read_acc(tw_windows *ws, uint32_t agg, const tw_acc *acc, const part *p)
{
    tw_window_values *out = p->out;
    uint32_t at = p->at + agg;

    if (!(ws->aggs->heavy >> agg & 1)) {
        out->has[at] =
            tw_acc_value(ws->aggs->list[agg].kind, acc, p->span_ms, &out->values[at]);
        return;
    }
    out->has[at] = tw_agg_value(ws->aggs, agg, acc, p->span_ms, &out->values[at]);
    out->approx = out->approx || tw_agg_approx(ws->aggs, agg, acc);
    if (ws->aggs->list[agg].kind == TW_AGG_TOPK && p->at == 0) {
        keep_list(ws, agg, acc);
    }
}

static uint64_t read_pane(tw_windows *ws, const tw_pane *pane, const part *p)
{
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        read_acc(ws, n, (const void *)((const char *)pane + ws->acc_at[n]), p);
    }
    return pane->samples;
}

static uint64_t read_entries(tw_windows *ws, const tw_window_state *w, uint32_t first,
                             uint32_t count, int64_t newest_ms, const part *p)
{
    tw_acc acc;

    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        if (ws->aggs->plain >> n & 1) { /* the most common aggregate */
            p->out->values[p->at + n] = count;
            p->out->has[p->at + n] = true;
            continue;
        }
        tw_entries_acc(ws, w, n, first, count, newest_ms, &acc);
        read_acc(ws, n, &acc, p);
        if (!(ws->aggs->heavy >> n & 1)) {
            continue;
        }
        if (ws->aggs->list[n].kind == TW_AGG_TOPK && p->at == 0) {
            ws->tops->by_agg[n].held = acc;
        } else {
            tw_agg_clear(ws->aggs, ws->slab, n, &acc);
        }
    }
    return count;
}

static uint64_t read_nothing(tw_windows *ws, const part *p)
{
    static const tw_acc nothing = {0};

    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        read_acc(ws, n, &nothing, p);
    }
    return 0;
}

/* ---- by kind of window ---- */

static uint64_t read_sliding(tw_windows *ws, const tw_window_state *w, int64_t newest_ms,
                             const part *p)
{
    if (w->count == 0) {
        return read_nothing(ws, p);
    }
    if (w->mode == TW_MODE_PANES) {
        return read_pane(ws, tw_panes_total(ws, w), p);
    }
    return read_entries(ws, w, 0, w->count, newest_ms, p);
}

static uint64_t read_grid(tw_windows *ws, const tw_window_state *w, int64_t end_ms,
                          int64_t origin_ms, part *p)
{
    int64_t start_ms = tw_windows_start(ws, end_ms);
    int64_t from = tw_grid_slice(ws, origin_ms, start_ms);

    p->span_ms = end_ms - start_ms;
    if (w->count == 0) {
        return read_nothing(ws, p);
    }
    return read_pane(ws, tw_panes_sum(ws, w, from, tw_grid_slice(ws, origin_ms, end_ms)),
                     p);
}

static void span_of(const tw_windows *ws, const tw_window_state *w, uint32_t first,
                    uint32_t count, int64_t *out_from, int64_t *out_to)
{
    int64_t from = INT64_MAX, to = INT64_MIN;

    for (uint32_t n = first; n < first + count; n++) {
        int64_t time_ms = tw_entries_time(ws, w, n, 0);
        from = time_ms < from ? time_ms : from;
        to = time_ms > to ? time_ms : to;
    }
    *out_from = from;
    *out_to = to;
}

static uint64_t read_count(tw_windows *ws, const tw_window_state *w, uint32_t first,
                           uint32_t count, part *p)
{
    int64_t from, to;

    if (count == 0) {
        return read_nothing(ws, p);
    }
    if (ws->needs_span) {
        span_of(ws, w, first, count, &from, &to);
        p->span_ms = to - from;
    }
    return read_entries(ws, w, first, count, 0, p);
}

/* Entries that belong to the window before. */
static uint32_t count_before(const tw_windows *ws, const tw_window_state *w)
{
    return w->count > ws->last ? w->count - ws->last : 0;
}

static uint64_t read_session(tw_windows *ws, const tw_window_state *w, part *p)
{
    return w->count > 0 ? read_pane(ws, tw_panes_at(ws, w, 0), p) : read_nothing(ws, p);
}

static void read_prev(tw_windows *ws, const tw_window_state *w, int64_t end_ms,
                      int64_t newest_ms, int64_t origin_ms, part p)
{
    p.at = TW_PREV_AGGS;
    if (ws->kind == TW_WINDOW_SLIDING) {
        p.out->prev_samples = read_sliding(ws, tw_window_before(ws, w), newest_ms, &p);
    } else if (ws->kind == TW_WINDOW_SESSION) {
        p.span_ms = ws->prev_session_ms;
        p.out->prev_samples = read_session(ws, tw_window_before_at(ws, w, 1), &p);
    } else if (ws->kind == TW_WINDOW_COUNT) {
        p.out->prev_samples = read_count(ws, w, 0, count_before(ws, w), &p);
    } else {
        int64_t start_ms = tw_windows_start(ws, end_ms);
        p.out->prev_samples = read_grid(ws, w, start_ms, origin_ms, &p);
    }
}

void tw_window_read(tw_windows *ws, const tw_window_state *w, int64_t end_ms,
                    int64_t newest_ms, int64_t origin_ms, tw_window_values *out)
{
    part p = {.out = out, .span_ms = ws->over_ms};

    out->approx = false;
    if (ws->tops) {
        tw_windows_rest(ws);
    }
    if (ws->prev && ws->kind != TW_WINDOW_NONE) { /* first: lists are of what is now */
        read_prev(ws, w, end_ms, newest_ms, origin_ms, p);
    }
    switch (ws->kind) {
    case TW_WINDOW_SLIDING:
        out->samples = read_sliding(ws, w, newest_ms, &p);
        break;
    case TW_WINDOW_HOPPING:
    case TW_WINDOW_TUMBLING:
        out->samples = read_grid(ws, w, end_ms, origin_ms, &p);
        break;
    case TW_WINDOW_COUNT:
        out->samples =
            read_count(ws, w, count_before(ws, w), w->count - count_before(ws, w), &p);
        break;
    case TW_WINDOW_SESSION:
        p.span_ms = ws->session_ms;
        out->samples = read_session(ws, tw_window_before(ws, w), &p);
        break;
    case TW_WINDOW_NONE:
        p.span_ms = 0;
        out->samples = w->count > 0 ? read_pane(ws, tw_panes_at(ws, w, 0), &p)
                                    : read_nothing(ws, &p);
        break;
    }
}

tw_top tw_window_list(const tw_windows *ws, uint32_t agg)
{
    return (tw_top){ws->tops->by_agg[agg].items, ws->tops->by_agg[agg].count};
}

void tw_windows_rest(tw_windows *ws)
{
    for (uint32_t n = 0; ws->tops && n < ws->aggs->count; n++) {
        if (ws->aggs->list[n].kind == TW_AGG_TOPK) {
            tw_agg_clear(ws->aggs, ws->slab, n, &ws->tops->by_agg[n].held);
            ws->tops->by_agg[n].count = 0;
        }
    }
    tw_panes_rest(ws);
}

/* ---- what else one asks of it ---- */

uint64_t tw_window_samples(const tw_windows *ws, const tw_window_state *w)
{
    uint64_t samples = 0;

    if (w->mode != TW_MODE_PANES) {
        return w->count;
    }
    for (uint32_t n = 0; n < w->count; n++) {
        samples += tw_panes_at(ws, w, n)->samples;
    }
    return samples;
}

uint64_t tw_window_entries(const tw_windows *ws, const tw_window_state *w)
{
    const tw_pane *total;

    if (w->mode != TW_MODE_PANES) {
        return w->count;
    }
    total = tw_panes_sum_place(ws, w);
    return total->id != 0 ? total->samples : UINT64_MAX;
}

void tw_window_span(const tw_windows *ws, const tw_window_state *w, int64_t *out_from,
                    int64_t *out_to)
{
    uint32_t first = count_before(ws, w);

    span_of(ws, w, first, w->count - first, out_from, out_to);
}

static bool panes_approx(const tw_windows *ws, const tw_window_state *w)
{
    for (uint32_t n = 0; w->mode == TW_MODE_PANES && n < w->count; n++) {
        const tw_pane *pane = tw_panes_at(ws, w, n);
        if (pane->first_ms != pane->last_ms) {
            return true;
        }
    }
    return false;
}

bool tw_window_approx(const tw_windows *ws, const tw_window_state *w)
{
    if (ws->kind != TW_WINDOW_SLIDING) {
        return false;
    }
    return panes_approx(ws, w) || (ws->prev && panes_approx(ws, tw_window_before(ws, w)));
}

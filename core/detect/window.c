// SPDX-License-Identifier: Apache-2.0
/* Windows of one operator: which store a window uses, and the grid of time. One lane's
 * thread; owns a scratch pane. */
#include "detect/window.h"

#include "detect/window_impl.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_grid(const tw_windows *ws)
{
    return ws->kind == TW_WINDOW_HOPPING || ws->kind == TW_WINDOW_TUMBLING;
}

/* ---- set-up ---- */

static int check_limits(const tw_windows *ws, const tw_rule *rule, tw_err *err)
{
    const char *wrong = NULL;
    int code = TW_EINVAL;

    if ((ws->kind == TW_WINDOW_SLIDING || is_grid(ws)) && ws->over_ms <= 0) {
        wrong = "a window needs a span above zero";
    } else if (is_grid(ws) && ws->every_ms <= 0) {
        wrong = "`every` must be above zero";
    } else if (ws->kind == TW_WINDOW_COUNT && ws->last == 0) {
        wrong = "`last` must be above zero";
    } else if (is_grid(ws) && ws->over_ms / ws->every_ms > TW_MAX_HOPS) {
        code = TW_ELIMIT;
        wrong = "`over` is more than 4096 times `every`";
    } else if (ws->kind == TW_WINDOW_COUNT && ws->last > TW_MAX_LAST) {
        code = TW_ELIMIT;
        wrong = "`last` is above 100000";
    }
    if (!wrong) {
        return TW_OK;
    }
    return tw_err_at(err, code, rule->file, rule->line, 0, "%s: %s", rule->name, wrong);
}

static void shape_entries(tw_windows *ws)
{
    bool narrow = ws->kind == TW_WINDOW_SLIDING && ws->over_ms < INT32_MAX;

    ws->time_bytes = narrow ? 4 : 8;
    ws->entry_bytes = ws->time_bytes + ws->aggs->mask_bytes +
                      ws->aggs->columns * (uint32_t)sizeof(double);
    ws->inside_room = 16 / ws->entry_bytes;
    ws->block_room = 4;
    while (ws->block_room * 2 * ws->entry_bytes <= 64) {
        ws->block_room *= 2;
    }
}

static bool is_lasting(tw_agg_kind kind)
{
    return kind == TW_AGG_LAST || kind == TW_AGG_EWMA || kind == TW_AGG_ELAPSED ||
           kind == TW_AGG_LATEST;
}

static void shape_panes(tw_windows *ws)
{
    ws->pane_ms = (ws->over_ms + TW_SLIDING_PANES - 1) / TW_SLIDING_PANES;
    ws->pane_bytes = sizeof(tw_pane);
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        ws->needs_span = ws->needs_span || (ws->kind == TW_WINDOW_COUNT &&
                                            ws->aggs->list[n].kind == TW_AGG_RATE_EVENTS);
        ws->lasting |= is_lasting(ws->aggs->list[n].kind) ? 1ull << n : 0;
        ws->acc_at[n] = ws->pane_bytes;
        ws->pane_bytes += (uint32_t)tw_acc_bytes(ws->aggs->list[n].kind);
    }
    ws->scratch = tw_alloc(ws->pane_bytes);
}

int tw_windows_init(tw_windows *ws, const tw_rule *rule, const tw_aggs *aggs,
                    tw_slab *slab, tw_err *err)
{
    const tw_window *plan = &rule->level.window;

    *ws = (tw_windows){.kind = plan->kind,
                       .over_ms = plan->over_ms,
                       .every_ms = plan->every_ms,
                       .last = plan->last,
                       .exact = plan->exact,
                       .aggs = aggs,
                       .slab = slab};
    if (ws->kind == TW_WINDOW_TUMBLING) {
        ws->over_ms = ws->every_ms;
    }
    if (ws->exact == 0) {
        ws->exact = 128;
    }
    if (ws->exact > TW_MAX_EXACT) {
        ws->exact = TW_MAX_EXACT;
    }
    int rc = check_limits(ws, rule, err);
    if (rc == TW_OK) {
        shape_entries(ws);
        shape_panes(ws);
    }
    return rc;
}

void tw_windows_done(tw_windows *ws)
{
    tw_free(ws->scratch);
    ws->scratch = NULL;
}

/* ---- the grid ---- */

int64_t tw_windows_end_from(const tw_windows *ws, int64_t origin_ms, int64_t now_ms)
{
    int64_t first = origin_ms + ws->over_ms;

    return first - floor_div(first - now_ms, ws->every_ms) * ws->every_ms;
}

int64_t tw_windows_last_end(const tw_windows *ws, int64_t origin_ms, int64_t time_ms)
{
    int64_t start =
        origin_ms + floor_div(time_ms - origin_ms, ws->every_ms) * ws->every_ms;

    return start + ws->over_ms;
}

/* Slices lie between starts (phase 0) and ends (phase over mod every) of windows. */
static int64_t slice_of(const tw_windows *ws, int64_t origin_ms, int64_t time_ms)
{
    int64_t edge = ws->over_ms % ws->every_ms;
    int64_t turn = floor_div(time_ms - origin_ms, ws->every_ms);
    int64_t phase = time_ms - origin_ms - turn * ws->every_ms;

    return edge == 0 ? turn : 2 * turn + (phase >= edge);
}

/* ---- what goes in ---- */

static void entries_to_panes(tw_windows *ws, tw_window_state *w, int64_t newest_ms)
{
    tw_window_state old = *w;
    tw_sample sample;

    *w = (tw_window_state){.count = 0};
    for (uint32_t n = 0; n < old.count; n++) {
        int64_t time_ms = tw_entries_time(ws, &old, n, newest_ms);
        tw_entries_sample(ws, &old, n, &sample);
        tw_panes_add(ws, w, floor_div(time_ms, ws->pane_ms), &sample, time_ms);
    }
    tw_entries_free(ws, &old);
}

static void sliding_add(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                        int64_t time_ms, int64_t newest_ms)
{
    if (w->mode != TW_MODE_PANES && w->count >= ws->exact) {
        entries_to_panes(ws, w, newest_ms);
    }
    if (w->mode == TW_MODE_PANES) {
        tw_panes_add(ws, w, floor_div(time_ms, ws->pane_ms), sample, time_ms);
    } else if (time_ms >= newest_ms) {
        tw_entries_append(ws, w, sample, time_ms);
    } else {
        tw_entries_insert(ws, w, sample, time_ms, newest_ms);
    }
}

void tw_window_add(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                   int64_t time_ms, int64_t newest_ms, int64_t origin_ms)
{
    switch (ws->kind) {
    case TW_WINDOW_SLIDING:
        sliding_add(ws, w, sample, time_ms, newest_ms);
        break;
    case TW_WINDOW_COUNT:
        if (w->count == ws->last) {
            tw_entries_drop(ws, w, 1);
        }
        tw_entries_append(ws, w, sample, time_ms);
        break;
    case TW_WINDOW_HOPPING:
    case TW_WINDOW_TUMBLING:
        tw_panes_add(ws, w, slice_of(ws, origin_ms, time_ms), sample, time_ms);
        break;
    case TW_WINDOW_NONE:
        tw_panes_replace(ws, w, sample, time_ms);
        break;
    }
}

/* ---- what goes out ---- */

static uint32_t panes_left(const tw_windows *ws, const tw_window_state *w, int64_t now_ms)
{
    uint32_t n = 0;

    while (n < w->count && tw_panes_at(ws, w, n)->last_ms <= now_ms - ws->over_ms) {
        n++;
    }
    return n;
}

static uint32_t slices_left(const tw_windows *ws, const tw_window_state *w, int64_t first)
{
    uint32_t n = 0;

    while (n < w->count && tw_panes_at(ws, w, n)->id < first) {
        n++;
    }
    return n;
}

static uint32_t entries_left(const tw_windows *ws, const tw_window_state *w,
                             int64_t now_ms, int64_t newest_ms)
{
    uint32_t n = 0;

    while (n < w->count && tw_entries_time(ws, w, n, newest_ms) <= now_ms - ws->over_ms) {
        n++;
    }
    return n;
}

void tw_window_leave(tw_windows *ws, tw_window_state *w, int64_t now_ms,
                     int64_t newest_ms, int64_t origin_ms)
{
    if (w->count == 0) {
        return;
    }
    if (is_grid(ws)) {
        int64_t first = slice_of(ws, origin_ms, now_ms - ws->over_ms);
        tw_panes_drop(ws, w, slices_left(ws, w, first));
    } else if (ws->kind != TW_WINDOW_SLIDING) {
        return;
    } else if (w->mode == TW_MODE_PANES) {
        tw_panes_drop(ws, w, panes_left(ws, w, now_ms));
    } else {
        uint32_t left = entries_left(ws, w, now_ms, newest_ms);
        if (left > 0) {
            tw_entries_drop(ws, w, left);
        }
    }
}

int64_t tw_window_next_leave(const tw_windows *ws, const tw_window_state *w,
                             int64_t newest_ms)
{
    if (ws->kind != TW_WINDOW_SLIDING || w->count == 0) {
        return INT64_MAX;
    }
    if (w->mode == TW_MODE_PANES) {
        return tw_panes_at(ws, w, 0)->last_ms + ws->over_ms;
    }
    return tw_entries_time(ws, w, 0, newest_ms) + ws->over_ms;
}

/* ---- what it comes to ---- */

static void read_pane(const tw_windows *ws, const tw_pane *pane, tw_window_values *out)
{
    int64_t span_ms = ws->kind == TW_WINDOW_NONE ? 0 : ws->over_ms;

    out->samples = pane->samples;
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        const void *acc = (const char *)pane + ws->acc_at[n];
        out->has[n] = tw_agg_value(ws->aggs, n, acc, span_ms, &out->values[n]);
    }
}

static void read_entries(const tw_windows *ws, const tw_window_state *w,
                         int64_t newest_ms, tw_window_values *out)
{
    int64_t span_ms = ws->over_ms, from, to;
    tw_acc acc;

    out->samples = w->count;
    if (ws->needs_span && w->count > 0) {
        tw_window_span(ws, w, &from, &to);
        span_ms = to - from;
    }
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        tw_entries_acc(ws, w, n, newest_ms, &acc);
        out->has[n] = tw_agg_value(ws->aggs, n, &acc, span_ms, &out->values[n]);
        if (ws->aggs->heavy >> n & 1) {
            tw_agg_clear(ws->aggs, ws->slab, n, &acc);
        }
    }
}

static void read_nothing(const tw_windows *ws, tw_window_values *out)
{
    static const tw_acc nothing = {0};

    out->samples = 0;
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        out->has[n] = tw_agg_value(ws->aggs, n, &nothing, 0, &out->values[n]);
    }
}

void tw_window_read(tw_windows *ws, const tw_window_state *w, int64_t end_ms,
                    int64_t newest_ms, int64_t origin_ms, tw_window_values *out)
{
    if (w->count == 0) {
        read_nothing(ws, out);
    } else if (is_grid(ws)) {
        int64_t from = slice_of(ws, origin_ms, end_ms - ws->over_ms);
        read_pane(ws, tw_panes_sum(ws, w, from, slice_of(ws, origin_ms, end_ms)), out);
    } else if (w->mode == TW_MODE_PANES) {
        const tw_pane *pane =
            ws->kind == TW_WINDOW_NONE ? tw_panes_at(ws, w, 0) : tw_panes_total(ws, w);
        read_pane(ws, pane, out);
    } else {
        read_entries(ws, w, newest_ms, out);
    }
}

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

void tw_window_span(const tw_windows *ws, const tw_window_state *w, int64_t *out_from,
                    int64_t *out_to)
{
    int64_t from = INT64_MAX, to = INT64_MIN;

    for (uint32_t n = 0; n < w->count; n++) {
        int64_t time_ms = tw_entries_time(ws, w, n, 0);
        from = time_ms < from ? time_ms : from;
        to = time_ms > to ? time_ms : to;
    }
    *out_from = from;
    *out_to = to;
}

bool tw_window_approx(const tw_windows *ws, const tw_window_state *w)
{
    if (ws->kind != TW_WINDOW_SLIDING || w->mode != TW_MODE_PANES) {
        return false;
    }
    for (uint32_t n = 0; n < w->count; n++) {
        const tw_pane *pane = tw_panes_at(ws, w, n);
        if (pane->first_ms != pane->last_ms) {
            return true;
        }
    }
    return false;
}

void tw_window_clear(tw_windows *ws, tw_window_state *w)
{
    if (w->mode == TW_MODE_PANES) {
        tw_panes_free(ws, w);
    } else {
        tw_entries_free(ws, w);
    }
}

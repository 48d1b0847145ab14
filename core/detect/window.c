// SPDX-License-Identifier: Apache-2.0
/* Windows of one operator: which store a window uses, what goes in and what goes out. One
 * lane's thread; owns a scratch pane and what was read last. */
#include "detect/window.h"

#include "detect/window_impl.h"

/* ---- set-up ---- */

static int check_limits(const tw_windows *ws, const tw_rule *rule, tw_err *err)
{
    const char *wrong = NULL;
    int code = TW_EINVAL;

    if ((ws->kind == TW_WINDOW_SLIDING || tw_is_grid(ws)) && ws->over_ms <= 0) {
        wrong = "a window needs a span above zero";
    } else if (tw_is_grid(ws) && ws->every_ms <= 0) {
        wrong = "`every` must be above zero";
    } else if (ws->kind == TW_WINDOW_COUNT && ws->last == 0) {
        wrong = "`last` must be above zero";
    } else if (tw_is_grid(ws) && ws->over_ms / ws->every_ms > TW_MAX_HOPS) {
        code = TW_ELIMIT;
        wrong = "`over` is more than 4096 times `every`";
    } else if (ws->kind == TW_WINDOW_COUNT && ws->last > TW_MAX_LAST) {
        code = TW_ELIMIT;
        wrong = "`last` is above 100000";
    } else if (tw_is_grid(ws) && ws->prev && ws->over_ms % ws->every_ms != 0) {
        wrong = "with prev `over` must be a multiple of `every`";
    }
    if (!wrong) {
        return TW_OK;
    }
    return tw_err_at(err, code, rule->file, rule->line, 0, "%s: %s", rule->name, wrong);
}

static void shape_entries(tw_windows *ws)
{
    bool narrow = ws->kind == TW_WINDOW_SLIDING &&
                  ws->over_ms < (ws->prev ? INT32_MAX / 2 : INT32_MAX);

    ws->time_bytes = narrow ? 4 : 8;
    ws->entry_bytes = ws->time_bytes + ws->aggs->mask_bytes +
                      ws->aggs->columns * (uint32_t)sizeof(double);
    ws->bare = ws->entry_bytes == 4; /* no mask and no column leave but the time */
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
        if (ws->aggs->list[n].kind == TW_AGG_TOPK && !ws->tops) {
            ws->tops = tw_alloc(sizeof *ws->tops);
        }
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
                       .prev = plan->prev,
                       .zone = plan->zone,
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
    tw_free(ws->tops);
    ws->scratch = NULL;
    ws->tops = NULL;
}

/* ---- what goes in ---- */

void tw_entries_to_panes(tw_windows *ws, tw_window_state *w, int64_t newest_ms)
{
    tw_window_state old = *w;
    tw_sample sample;

    *w = (tw_window_state){.count = 0};
    for (uint32_t n = 0; n < old.count; n++) {
        int64_t time_ms = tw_entries_time(ws, &old, n, newest_ms);
        tw_entries_sample(ws, &old, n, &sample);
        tw_panes_add(ws, w, tw_floor_div(time_ms, ws->pane_ms), &sample, time_ms);
    }
    tw_entries_free(ws, &old);
}

/* An entry that is not older than `behind_ms` goes behind all others. */
static void sliding_add(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                        int64_t time_ms, int64_t behind_ms, int64_t newest_ms)
{
    if (w->mode != TW_MODE_PANES && w->count >= ws->exact) {
        tw_entries_to_panes(ws, w, newest_ms);
    }
    if (w->mode == TW_MODE_PANES) {
        tw_panes_add(ws, w, tw_floor_div(time_ms, ws->pane_ms), sample, time_ms);
    } else if (time_ms >= behind_ms) {
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
        sliding_add(ws, w, sample, time_ms, newest_ms, newest_ms);
        break;
    case TW_WINDOW_COUNT:
        if (w->count == ws->last * (ws->prev ? 2 : 1)) {
            tw_entries_drop(ws, w, 1);
        }
        tw_entries_append(ws, w, sample, time_ms);
        break;
    case TW_WINDOW_HOPPING:
    case TW_WINDOW_TUMBLING:
        tw_panes_add(ws, w, tw_grid_slice(ws, origin_ms, time_ms), sample, time_ms);
        break;
    case TW_WINDOW_SESSION:
        tw_panes_add(ws, w, 0, sample, time_ms);
        break;
    case TW_WINDOW_NONE:
        tw_panes_replace(ws, w, sample, time_ms);
        break;
    }
}

void tw_window_hint(const tw_windows *ws, const tw_window_state *w)
{
    const char *block = w->block;

    if (w->mode == TW_MODE_PANES) {
        __builtin_prefetch(block + (size_t)w->head * ws->pane_bytes, 1);
        __builtin_prefetch(block + (size_t)(w->head + w->count) * ws->pane_bytes - 1, 1);
        __builtin_prefetch(block + (size_t)w->room * ws->pane_bytes, 1);
    } else if (w->mode == TW_MODE_ENTRIES) {
        __builtin_prefetch(block, 1);
        __builtin_prefetch(block + (size_t)w->room * ws->entry_bytes - 1, 1);
    }
}

/* ---- what goes out ---- */

static uint32_t panes_left(const tw_windows *ws, const tw_window_state *w,
                           int64_t from_ms)
{
    uint32_t n = 0;

    while (n < w->count && tw_panes_at(ws, w, n)->last_ms <= from_ms) {
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
                             int64_t from_ms, int64_t newest_ms)
{
    uint32_t n = 0;

    while (n < w->count && tw_entries_time(ws, w, n, newest_ms) <= from_ms) {
        n++;
    }
    return n;
}

static void entries_move_on(tw_windows *ws, tw_window_state *w, uint32_t left,
                            int64_t newest_ms)
{
    tw_sample sample;

    for (uint32_t n = 0; n < left; n++) {
        int64_t time_ms = tw_entries_time(ws, w, n, newest_ms);
        tw_entries_sample(ws, w, n, &sample);
        sliding_add(ws, tw_window_before(ws, w), &sample, time_ms, INT64_MIN, newest_ms);
    }
}

static void panes_move_on(tw_windows *ws, tw_window_state *w, uint32_t left,
                          int64_t newest_ms)
{
    tw_window_state *before = tw_window_before(ws, w);

    if (left > 0 && before->mode != TW_MODE_PANES && before->count > 0) {
        tw_entries_to_panes(ws, before, newest_ms);
    }
    for (uint32_t n = 0; n < left; n++) {
        tw_panes_take(ws, before, tw_panes_at(ws, w, n));
    }
}

/* Drops what is not behind from_ms; on: what is dropped is the window's before. */
static void sliding_leave(tw_windows *ws, tw_window_state *w, int64_t from_ms,
                          int64_t newest_ms, bool on)
{
    if (w->count == 0) {
        return;
    }
    if (w->mode == TW_MODE_PANES) {
        uint32_t left = panes_left(ws, w, from_ms);
        if (on) {
            panes_move_on(ws, w, left, newest_ms);
        }
        tw_panes_drop(ws, w, left);
        return;
    }
    uint32_t left = entries_left(ws, w, from_ms, newest_ms);
    if (left > 0) {
        if (on) {
            entries_move_on(ws, w, left, newest_ms);
        }
        tw_entries_drop(ws, w, left);
    }
}

static void grid_leave(tw_windows *ws, tw_window_state *w, int64_t now_ms,
                       int64_t origin_ms)
{
    int64_t start_ms = now_ms - ws->over_ms;

    if (w->count == 0) {
        return;
    }
    if (ws->zone) {
        start_ms = tw_windows_start(ws, tw_windows_end_from(ws, origin_ms, now_ms));
    }
    if (ws->prev) {
        start_ms = tw_windows_start(ws, start_ms);
    }
    tw_panes_drop(ws, w, slices_left(ws, w, tw_grid_slice(ws, origin_ms, start_ms)));
}

static int64_t oldest_of(const tw_windows *ws, const tw_window_state *w,
                         int64_t newest_ms)
{
    return w->mode == TW_MODE_PANES ? tw_panes_at(ws, w, 0)->last_ms
                                    : tw_entries_time(ws, w, 0, newest_ms);
}

void tw_window_leave(tw_windows *ws, tw_window_state *w, int64_t now_ms,
                     int64_t newest_ms, int64_t origin_ms)
{
    if (tw_is_grid(ws)) {
        grid_leave(ws, w, now_ms, origin_ms);
    } else if (ws->kind == TW_WINDOW_SLIDING && w->count > 0 && !ws->prev &&
               oldest_of(ws, w, newest_ms) > now_ms - ws->over_ms) {
        return; /* as nearly always */
    } else if (ws->kind == TW_WINDOW_SLIDING) {
        sliding_leave(ws, w, now_ms - ws->over_ms, newest_ms, ws->prev);
        if (ws->prev) {
            sliding_leave(ws, tw_window_before(ws, w), now_ms - 2 * ws->over_ms,
                          newest_ms, false);
        }
    }
}

int64_t tw_window_next_leave(const tw_windows *ws, const tw_window_state *w,
                             int64_t newest_ms)
{
    int64_t next_ms = INT64_MAX;

    if (ws->kind != TW_WINDOW_SLIDING) {
        return INT64_MAX;
    }
    if (w->count > 0) {
        next_ms = oldest_of(ws, w, newest_ms) + ws->over_ms;
    }
    if (ws->prev && tw_window_before(ws, w)->count > 0) {
        int64_t gone_ms =
            oldest_of(ws, tw_window_before(ws, w), newest_ms) + 2 * ws->over_ms;
        next_ms = gone_ms < next_ms ? gone_ms : next_ms;
    }
    return next_ms;
}

static void state_clear(tw_windows *ws, tw_window_state *w)
{
    if (w->mode == TW_MODE_PANES) {
        tw_panes_free(ws, w);
    } else {
        tw_entries_free(ws, w);
    }
}

void tw_window_end_session(tw_windows *ws, tw_window_state *w)
{
    uint32_t n = tw_windows_befores(ws) - 1;

    state_clear(ws, tw_window_before_at(ws, w, n));
    for (; n > 0; n--) {
        *tw_window_before_at(ws, w, n) = *tw_window_before_at(ws, w, n - 1);
    }
    *tw_window_before(ws, w) = *w;
    *w = (tw_window_state){.count = 0};
}

void tw_window_clear(tw_windows *ws, tw_window_state *w)
{
    state_clear(ws, w);
    for (uint32_t n = 0; n < tw_windows_befores(ws); n++) {
        state_clear(ws, tw_window_before_at(ws, w, n));
    }
}

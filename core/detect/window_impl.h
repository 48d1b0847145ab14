// SPDX-License-Identifier: Apache-2.0
/* Between window.c and its two stores. Internal to window*.c. */
#ifndef TW_DETECT_WINDOW_IMPL_H
#define TW_DETECT_WINDOW_IMPL_H

#include "detect/window.h"

typedef enum tw_window_mode {
    TW_MODE_INSIDE,
    TW_MODE_ENTRIES,
    TW_MODE_PANES
} tw_window_mode;

/* Header of a pane; accumulators follow. A block of panes begins with one that sums up all
 * (sliding and none), whose id is 0 while it is out of date. */
typedef struct tw_pane {
    int64_t id;
    uint64_t samples;
    int64_t first_ms, last_ms;
} tw_pane;

/* Lists of the last reading. */
typedef struct tw_window_top {
    tw_top_item items[TW_MAX_TOP];
    uint32_t count;
    tw_acc held; /* what their text is borrowed from, when it is not a pane */
} tw_window_top;
struct tw_window_tops {
    tw_window_top by_agg[TW_MAX_AGGS];
};

static inline int64_t tw_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static inline tw_window_state *tw_window_before(const tw_windows *ws,
                                                const tw_window_state *w)
{
    return (tw_window_state *)(uintptr_t)((const char *)w + ws->before_at);
}

/* number: below tw_windows_befores */
static inline tw_window_state *
tw_window_before_at(const tw_windows *ws, const tw_window_state *w, uint32_t number)
{
    return tw_window_before(ws, w) + number;
}

/* window_grid.c: numbers of slices; a window that ends at end_ms has those from
 * tw_grid_slice(start) to before tw_grid_slice(end). */
static inline bool tw_is_grid(const tw_windows *ws)
{
    return ws->kind == TW_WINDOW_HOPPING || ws->kind == TW_WINDOW_TUMBLING;
}
int64_t tw_grid_slice(const tw_windows *ws, int64_t origin_ms, int64_t time_ms);

/* window.c */
void tw_entries_to_panes(tw_windows *ws, tw_window_state *w, int64_t newest_ms);

/* window_entries.c */
void tw_entries_append(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                       int64_t time_ms);
void tw_entries_insert(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                       int64_t time_ms, int64_t newest_ms);
void tw_entries_drop(tw_windows *ws, tw_window_state *w, uint32_t count);
int64_t tw_entries_time(const tw_windows *ws, const tw_window_state *w, uint32_t n,
                        int64_t newest_ms);
void tw_entries_sample(const tw_windows *ws, const tw_window_state *w, uint32_t n,
                       tw_sample *out);
/* Of `count` entries from the n-th on. */
void tw_entries_acc(const tw_windows *ws, const tw_window_state *w, uint32_t agg,
                    uint32_t n, uint32_t count, int64_t newest_ms, tw_acc *out);
void tw_entries_free(tw_windows *ws, tw_window_state *w);

/* window_panes.c; n counts from the oldest */
void tw_panes_add(tw_windows *ws, tw_window_state *w, int64_t id, const tw_sample *sample,
                  int64_t time_ms);
void tw_panes_replace(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                      int64_t time_ms);
const tw_pane *tw_panes_at(const tw_windows *ws, const tw_window_state *w, uint32_t n);
/* Adds what a pane of another window holds to the pane of the same id. */
void tw_panes_take(tw_windows *ws, tw_window_state *w, const tw_pane *pane);
void tw_panes_drop(tw_windows *ws, tw_window_state *w, uint32_t count);
const tw_pane *tw_panes_total(tw_windows *ws, const tw_window_state *w);
/* Of panes with from <= id < to; in ws->scratch. */
const tw_pane *tw_panes_sum(tw_windows *ws, const tw_window_state *w, int64_t from,
                            int64_t to);
/* For loading: a new pane, behind all others; and the place of the sum. */
tw_pane *tw_panes_make(tw_windows *ws, tw_window_state *w, int64_t id);
tw_pane *tw_panes_sum_place(const tw_windows *ws, const tw_window_state *w);
void tw_panes_rest(tw_windows *ws); /* the scratch pane owns nothing any more */
void tw_panes_free(tw_windows *ws, tw_window_state *w);

#endif

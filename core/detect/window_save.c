// SPDX-License-Identifier: Apache-2.0
/* Windows as bytes: how it is kept (0 nothing, 1 entries, 2 panes), how many, then each. One
 * lane's thread.
 *
 *   entry   time, mask (where entries have one), a double or a name a column
 *   pane    id, samples, first and last time, an accumulator an aggregate
 *
 * The sum of a sliding window's panes is written, too: made anew it could differ in the last
 * bit, and a level with it. */
#include <string.h>

#include "detect/window_impl.h"

enum { SAVED_NOTHING, SAVED_ENTRIES, SAVED_PANES };

/* ---- out ---- */

static void entry_save(const tw_windows *ws, const tw_window_state *w, uint32_t n,
                       int64_t newest_ms, tw_buf *out)
{
    tw_sample sample;

    tw_entries_sample(ws, w, n, &sample);
    tw_state_put_i64(out, tw_entries_time(ws, w, n, newest_ms));
    if (ws->aggs->mask_bytes > 0) {
        tw_state_put_u64(out, sample.taken);
    }
    for (uint32_t c = 0; c < ws->aggs->columns; c++) {
        if (ws->aggs->named >> c & 1) {
            tw_state_put_value(out, sample.names[c]);
        } else {
            tw_state_put_double(out, sample.values[c]);
        }
    }
}

static void pane_save(const tw_windows *ws, const tw_pane *pane, tw_buf *out)
{
    tw_state_put_i64(out, pane->id);
    tw_state_put_u64(out, pane->samples);
    tw_state_put_i64(out, pane->first_ms);
    tw_state_put_i64(out, pane->last_ms);
    for (uint32_t n = 0; n < ws->aggs->count; n++) {
        tw_agg_save(ws->aggs, n, (const void *)((const char *)pane + ws->acc_at[n]), out);
    }
}

static void state_save(const tw_windows *ws, const tw_window_state *w, int64_t newest_ms,
                       tw_buf *out)
{
    bool panes = w->mode == TW_MODE_PANES;

    if (w->count == 0) {
        tw_state_put_u64(out, SAVED_NOTHING);
        return;
    }
    tw_state_put_u64(out, panes ? SAVED_PANES : SAVED_ENTRIES);
    tw_state_put_u64(out, w->count);
    for (uint32_t n = 0; n < w->count; n++) {
        if (panes) {
            pane_save(ws, tw_panes_at(ws, w, n), out);
        } else {
            entry_save(ws, w, n, newest_ms, out);
        }
    }
    if (panes && ws->kind == TW_WINDOW_SLIDING) {
        const tw_pane *sum = tw_panes_sum_place(ws, w);
        tw_state_put_u64(out, sum->id != 0);
        if (sum->id != 0) {
            pane_save(ws, sum, out);
        }
    }
}

void tw_window_save(const tw_windows *ws, const tw_window_state *w, int64_t newest_ms,
                    tw_buf *out)
{
    state_save(ws, w, newest_ms, out);
    for (uint32_t n = 0; n < tw_windows_befores(ws); n++) {
        state_save(ws, tw_window_before_at(ws, w, n), newest_ms, out);
    }
}

/* ---- in ---- */

static bool column_load(const tw_windows *ws, uint32_t c, tw_state_in *in,
                        tw_sample *sample)
{
    if (!(ws->aggs->named >> c & 1)) {
        return tw_state_take_double(in, &sample->values[c]);
    }
    if (!tw_state_take_value(in, &sample->names[c])) {
        return false;
    }
    sample->names[c] = tw_name_cut(sample->names[c]);
    uint64_t hash = tw_name_hash(sample->names[c]);
    memcpy(&sample->values[c], &hash, sizeof hash);
    return true;
}

static bool entries_load(tw_windows *ws, tw_window_state *w, uint32_t count,
                         tw_state_in *in)
{
    int64_t time_ms;
    tw_sample sample;

    for (uint32_t n = 0; n < count; n++) {
        sample.taken = ws->aggs->all;
        if (!tw_state_take_i64(in, &time_ms) ||
            (ws->aggs->mask_bytes > 0 && !tw_state_take_u64(in, &sample.taken))) {
            return false;
        }
        for (uint32_t c = 0; c < ws->aggs->columns; c++) {
            if (!column_load(ws, c, in, &sample)) {
                return false;
            }
        }
        tw_entries_append(ws, w, &sample, time_ms);
    }
    return true;
}

static bool pane_load(tw_windows *ws, tw_pane *pane, tw_state_in *in)
{
    bool good = tw_state_take_u64(in, &pane->samples) &&
                tw_state_take_i64(in, &pane->first_ms) &&
                tw_state_take_i64(in, &pane->last_ms);

    for (uint32_t n = 0; n < ws->aggs->count && good; n++) {
        good = tw_agg_load(ws->aggs, ws->slab, n, in,
                           (void *)((char *)pane + ws->acc_at[n]));
    }
    return good;
}

static bool panes_load(tw_windows *ws, tw_window_state *w, uint32_t count,
                       tw_state_in *in)
{
    int64_t id, last_id = INT64_MIN;
    uint64_t summed = 0;

    for (uint32_t n = 0; n < count; n++) {
        if (!tw_state_take_i64(in, &id) || (n > 0 && id <= last_id) ||
            !pane_load(ws, tw_panes_make(ws, w, id), in)) {
            return false;
        }
        last_id = id;
    }
    if (ws->kind != TW_WINDOW_SLIDING) {
        return true;
    }
    if (!tw_state_take_u64(in, &summed)) {
        return false;
    }
    return summed == 0 || (tw_state_take_i64(in, &tw_panes_sum_place(ws, w)->id) &&
                           pane_load(ws, tw_panes_sum_place(ws, w), in));
}

static uint32_t most_entries(const tw_windows *ws)
{
    if (ws->kind == TW_WINDOW_COUNT) {
        return ws->last * (ws->prev ? 2 : 1);
    }
    return ws->kind == TW_WINDOW_SLIDING ? ws->exact : 0;
}

static uint32_t most_panes(const tw_windows *ws)
{
    if (ws->kind == TW_WINDOW_SLIDING || tw_is_grid(ws)) {
        return 4 * (TW_MAX_HOPS + TW_SLIDING_PANES);
    }
    return ws->kind == TW_WINDOW_NONE || ws->kind == TW_WINDOW_SESSION ? 1 : 0;
}

static bool state_load(tw_windows *ws, tw_window_state *w, tw_state_in *in)
{
    uint64_t how;
    uint32_t count;

    if (!tw_state_take_u64(in, &how) || how == SAVED_NOTHING) {
        return !in->broken;
    }
    if (!tw_state_take_u32(in, &count) || count == 0) {
        return false;
    }
    if (how == SAVED_ENTRIES && count <= most_entries(ws)) {
        return entries_load(ws, w, count, in);
    }
    return how == SAVED_PANES && count <= most_panes(ws) && panes_load(ws, w, count, in);
}

bool tw_window_load(tw_windows *ws, tw_window_state *w, tw_state_in *in)
{
    bool good = state_load(ws, w, in);

    for (uint32_t n = 0; n < tw_windows_befores(ws) && good; n++) {
        good = state_load(ws, tw_window_before_at(ws, w, n), in);
    }
    return good;
}

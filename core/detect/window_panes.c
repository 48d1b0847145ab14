// SPDX-License-Identifier: Apache-2.0
/* Panes: accumulators of the samples between two edges of time, sorted by id in one block
 * of the slab, in use from `head` for `count`; behind them, at the end of the block, the sum
 * of all (for sliding windows, which are read at every event). One lane's thread.
 *
 * Invariant: the sum is right or its id is 0. It is added to in step and made anew only
 * after a pane has left, so floating error does not pile up. */
#include <string.h>

#include "detect/window_impl.h"

enum { PANES_FIRST = 4 };

static inline tw_pane *pane_at(const tw_windows *ws, const tw_window_state *w,
                               uint32_t place)
{
    return (tw_pane *)(void *)((char *)w->block + (size_t)place * ws->pane_bytes);
}

/* The sum has the place behind the last. */
static inline tw_pane *total_of(const tw_windows *ws, const tw_window_state *w)
{
    return pane_at(ws, w, w->room);
}

static inline size_t block_bytes(const tw_windows *ws, uint32_t room)
{
    return ((size_t)room + 1) * ws->pane_bytes;
}

static inline tw_acc *acc_of(const tw_windows *ws, const tw_pane *pane, uint32_t agg)
{
    return (tw_acc *)(void *)((char *)(uintptr_t)pane + ws->acc_at[agg]);
}

static void pane_reset(const tw_windows *ws, tw_pane *pane, int64_t id)
{
    memset(pane, 0, ws->pane_bytes);
    pane->id = id;
    pane->first_ms = INT64_MAX;
    pane->last_ms = INT64_MIN;
}

static void pane_add(const tw_windows *ws, tw_pane *pane, const tw_sample *sample,
                     int64_t time_ms)
{
    pane->samples++;
    pane->first_ms = time_ms < pane->first_ms ? time_ms : pane->first_ms;
    pane->last_ms = time_ms > pane->last_ms ? time_ms : pane->last_ms;
    for (uint64_t rest = sample->taken & ~ws->aggs->heavy; rest != 0; rest &= rest - 1) {
        uint32_t agg = (uint32_t)__builtin_ctzll(rest);
        uint8_t column = ws->aggs->column[agg];
        double value = column == TW_NO_COLUMN ? 0 : sample->values[column];
        tw_acc_add(ws->aggs->list[agg].kind, acc_of(ws, pane, agg), value, time_ms);
    }
    for (uint64_t rest = sample->taken & ws->aggs->heavy; rest != 0; rest &= rest - 1) {
        uint32_t agg = (uint32_t)__builtin_ctzll(rest);
        tw_agg_arg arg = tw_agg_arg_of(ws->aggs, agg, sample);
        tw_agg_add(ws->aggs, ws->slab, agg, acc_of(ws, pane, agg), &arg, time_ms);
    }
}

/* What its accumulators own. */
static void pane_release(const tw_windows *ws, tw_pane *pane)
{
    for (uint64_t rest = ws->aggs->heavy; rest != 0; rest &= rest - 1) {
        uint32_t agg = (uint32_t)__builtin_ctzll(rest);
        tw_agg_clear(ws->aggs, ws->slab, agg, acc_of(ws, pane, agg));
    }
}

static void pane_merge(const tw_windows *ws, tw_pane *pane, const tw_pane *later)
{
    pane->samples += later->samples;
    pane->first_ms = later->first_ms < pane->first_ms ? later->first_ms : pane->first_ms;
    pane->last_ms = later->last_ms > pane->last_ms ? later->last_ms : pane->last_ms;
    for (uint32_t agg = 0; agg < ws->aggs->count; agg++) {
        tw_agg_merge(ws->aggs, ws->slab, agg, acc_of(ws, pane, agg),
                     acc_of(ws, later, agg));
    }
}

static void panes_resize(tw_windows *ws, tw_window_state *w, uint32_t room)
{
    tw_window_state old = *w;

    w->block = tw_slab_take(ws->slab, block_bytes(ws, room));
    w->room = room;
    w->head = 0;
    w->mode = TW_MODE_PANES;
    if (old.mode != TW_MODE_PANES) {
        w->count = 0;
        pane_reset(ws, total_of(ws, w), 0);
        return;
    }
    memcpy(w->block, pane_at(ws, &old, old.head), (size_t)old.count * ws->pane_bytes);
    memcpy(total_of(ws, w), total_of(ws, &old), ws->pane_bytes);
    tw_slab_give(ws->slab, old.block, block_bytes(ws, old.room));
}

static void make_room(tw_windows *ws, tw_window_state *w)
{
    if (w->mode != TW_MODE_PANES) {
        panes_resize(ws, w, PANES_FIRST);
    } else if (w->head + w->count == w->room) {
        if (w->count <= w->room / 2) {
            memmove(w->block, pane_at(ws, w, w->head), (size_t)w->count * ws->pane_bytes);
            w->head = 0;
        } else {
            panes_resize(ws, w, w->room * 2);
        }
    }
}

/* The pane of an id, made in its place when it is not there. */
static tw_pane *pane_for(tw_windows *ws, tw_window_state *w, int64_t id)
{
    uint32_t after = w->mode == TW_MODE_PANES ? w->count : 0;

    while (after > 0 && pane_at(ws, w, w->head + after - 1)->id > id) {
        after--;
    }
    if (after > 0 && pane_at(ws, w, w->head + after - 1)->id == id) {
        return pane_at(ws, w, w->head + after - 1);
    }
    make_room(ws, w);
    tw_pane *pane = pane_at(ws, w, w->head + after);
    memmove((char *)pane + ws->pane_bytes, pane,
            (size_t)(w->count - after) * ws->pane_bytes);
    pane_reset(ws, pane, id);
    w->count++;
    return pane;
}

/* A counter cannot take a sample between two others into a sum. */
static bool sum_takes(const tw_windows *ws, const tw_pane *total, int64_t time_ms)
{
    return time_ms >= total->last_ms || ws->aggs->steps == 0;
}

void tw_panes_add(tw_windows *ws, tw_window_state *w, int64_t id, const tw_sample *sample,
                  int64_t time_ms)
{
    bool fresh = w->mode != TW_MODE_PANES;

    pane_add(ws, pane_for(ws, w, id), sample, time_ms);
    if (ws->kind != TW_WINDOW_SLIDING) {
        return;
    }
    tw_pane *total = total_of(ws, w);
    total->id = fresh || (total->id != 0 && sum_takes(ws, total, time_ms));
    if (total->id != 0) {
        pane_add(ws, total, sample, time_ms);
    }
}

void tw_panes_replace(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                      int64_t time_ms)
{
    tw_pane *pane = pane_for(ws, w, 0);

    for (uint64_t rest = sample->taken & ~ws->lasting; rest != 0; rest &= rest - 1) {
        uint32_t agg = (uint32_t)__builtin_ctzll(rest);
        tw_agg_clear(ws->aggs, ws->slab, agg, acc_of(ws, pane, agg));
    }
    pane->samples = 0;
    pane_add(ws, pane, sample, time_ms);
}

void tw_panes_take(tw_windows *ws, tw_window_state *w, const tw_pane *pane)
{
    pane_merge(ws, pane_for(ws, w, pane->id), pane);
    total_of(ws, w)->id = 0;
}

tw_pane *tw_panes_make(tw_windows *ws, tw_window_state *w, int64_t id)
{
    return pane_for(ws, w, id);
}

tw_pane *tw_panes_sum_place(const tw_windows *ws, const tw_window_state *w)
{
    return total_of(ws, w);
}

void tw_panes_rest(tw_windows *ws)
{
    pane_release(ws, ws->scratch);
}

const tw_pane *tw_panes_at(const tw_windows *ws, const tw_window_state *w, uint32_t n)
{
    return pane_at(ws, w, w->head + n);
}

void tw_panes_drop(tw_windows *ws, tw_window_state *w, uint32_t count)
{
    if (count == 0) {
        return;
    }
    if (count == w->count) {
        tw_panes_free(ws, w);
        return;
    }
    for (uint32_t n = 0; n < count; n++) {
        pane_release(ws, pane_at(ws, w, w->head + n));
    }
    w->head = (w->head + count) & 0x3fffffff;
    w->count -= count;
    total_of(ws, w)->id = 0;
}

const tw_pane *tw_panes_total(tw_windows *ws, const tw_window_state *w)
{
    tw_pane *total = total_of(ws, w);

    if (total->id == 0) {
        pane_release(ws, total);
        pane_reset(ws, total, 1);
        for (uint32_t n = 0; n < w->count; n++) {
            pane_merge(ws, total, tw_panes_at(ws, w, n));
        }
    }
    return total;
}

const tw_pane *tw_panes_sum(tw_windows *ws, const tw_window_state *w, int64_t from,
                            int64_t to)
{
    pane_release(ws, ws->scratch);
    pane_reset(ws, ws->scratch, 0);
    for (uint32_t n = 0; n < w->count; n++) {
        const tw_pane *pane = tw_panes_at(ws, w, n);
        if (pane->id >= from && pane->id < to) {
            pane_merge(ws, ws->scratch, pane);
        }
    }
    return ws->scratch;
}

void tw_panes_free(tw_windows *ws, tw_window_state *w)
{
    for (uint32_t n = 0; n < w->count; n++) {
        pane_release(ws, pane_at(ws, w, w->head + n));
    }
    pane_release(ws, total_of(ws, w));
    tw_slab_give(ws->slab, w->block, block_bytes(ws, w->room));
    w->mode = TW_MODE_INSIDE;
    w->head = 0;
    w->count = 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Entries of sliding and count windows: columns side by side in one piece of memory,
 *
 *     values of column 0 .. | column 1 .. | times .. | masks ..
 *
 * in use from `head` for `count`. Appending goes on behind; when the end is reached the rest
 * moves to the front if a quarter is free there, else the piece doubles, so an append costs
 * a few moved entries at most on average; what half fills the window itself moves back there.
 * One lane's thread.
 *
 * Invariant: head + count <= room; entries of a sliding window are sorted by time. */
#include <string.h>

#include "detect/window_impl.h"

static inline uint32_t room_of(const tw_windows *ws, const tw_window_state *w)
{
    return w->mode == TW_MODE_INSIDE ? ws->inside_room : w->room;
}

static inline uint8_t *memory_of(const tw_window_state *w)
{
    return w->mode == TW_MODE_INSIDE ? (uint8_t *)w->inside : w->block;
}

static inline double *column_at(uint8_t *memory, uint32_t room, uint32_t column)
{
    return (double *)(void *)memory + (size_t)room * column;
}

static inline uint8_t *times_at(const tw_windows *ws, uint8_t *memory, uint32_t room)
{
    return memory + (size_t)room * ws->aggs->columns * sizeof(double);
}

static inline uint8_t *masks_at(const tw_windows *ws, uint8_t *memory, uint32_t room)
{
    return times_at(ws, memory, room) + (size_t)room * ws->time_bytes;
}

static uint64_t mask_get(const tw_windows *ws, const uint8_t *masks, uint32_t at)
{
    uint64_t mask = 0;

    if (ws->aggs->mask_bytes == 0) {
        return ws->aggs->all;
    }
    if (ws->aggs->mask_bytes == 1) {
        return masks[at];
    }
    memcpy(&mask, masks + (size_t)at * ws->aggs->mask_bytes, ws->aggs->mask_bytes);
    return mask; /* little end first, as on every machine we build for */
}

static inline int64_t time_get(const tw_windows *ws, const uint8_t *times, uint32_t at,
                               int64_t newest_ms)
{
    if (ws->time_bytes == 4) {
        uint32_t low;
        memcpy(&low, times + (size_t)at * 4, sizeof low);
        return newest_ms - (int64_t)((uint32_t)newest_ms - low);
    }
    int64_t whole;
    memcpy(&whole, times + (size_t)at * 8, sizeof whole);
    return whole;
}

/* Names of an entry stand in their column as pointers. */
static tw_name *name_get(const double *column, uint32_t at)
{
    tw_name *name;

    memcpy(&name, &column[at], sizeof name);
    return name;
}

static void names_put(tw_windows *ws, uint8_t *memory, uint32_t room, uint32_t at,
                      const tw_sample *sample)
{
    for (uint64_t rest = ws->aggs->named; rest != 0; rest &= rest - 1) {
        uint32_t c = (uint32_t)__builtin_ctzll(rest);
        tw_name *name = NULL;
        if (sample->names[c].type != TW_ABSENT) {
            uint64_t hash;
            memcpy(&hash, &sample->values[c], sizeof hash);
            name = tw_name_new(ws->slab, hash, sample->names[c]);
        }
        memcpy(&column_at(memory, room, c)[at], &name, sizeof name);
    }
}

static void names_release(tw_windows *ws, tw_window_state *w, uint32_t count)
{
    for (uint64_t rest = ws->aggs->named; rest != 0; rest &= rest - 1) {
        uint32_t c = (uint32_t)__builtin_ctzll(rest);
        const double *column = column_at(memory_of(w), room_of(ws, w), c);
        for (uint32_t n = w->head; n < w->head + count; n++) {
            tw_name_give(ws->slab, name_get(column, n));
        }
    }
}

static void entry_put(tw_windows *ws, tw_window_state *w, uint32_t at,
                      const tw_sample *sample, int64_t time_ms)
{
    uint8_t *memory = memory_of(w);
    uint32_t room = room_of(ws, w);

    if (ws->bare) {
        uint32_t low = (uint32_t)time_ms;
        memcpy(memory + (size_t)at * sizeof low, &low, sizeof low);
        return;
    }
    for (uint32_t c = 0; c < ws->aggs->columns; c++) {
        column_at(memory, room, c)[at] = sample->values[c];
    }
    names_put(ws, memory, room, at, sample);
    memcpy(times_at(ws, memory, room) + (size_t)at * ws->time_bytes, &time_ms,
           ws->time_bytes);
    if (ws->aggs->mask_bytes > 0) {
        memcpy(masks_at(ws, memory, room) + (size_t)at * ws->aggs->mask_bytes,
               &sample->taken, ws->aggs->mask_bytes);
    }
}

/* Moves `count` entries from one place to another, each column for itself. */
static void entries_move(const tw_windows *ws, uint8_t *to, uint32_t to_room,
                         uint32_t to_at, uint8_t *from, uint32_t from_room,
                         uint32_t from_at, uint32_t count)
{
    size_t time = ws->time_bytes, mask = ws->aggs->mask_bytes;

    if (count == 0) {
        return;
    }
    for (uint32_t c = 0; c < ws->aggs->columns; c++) {
        memmove(column_at(to, to_room, c) + to_at,
                column_at(from, from_room, c) + from_at, count * sizeof(double));
    }
    memmove(times_at(ws, to, to_room) + to_at * time,
            times_at(ws, from, from_room) + from_at * time, count * time);
    if (mask > 0) {
        memmove(masks_at(ws, to, to_room) + to_at * mask,
                masks_at(ws, from, from_room) + from_at * mask, count * mask);
    }
}

/* The memory alone; the entries have moved. */
static void block_free(tw_windows *ws, tw_window_state *w)
{
    if (w->mode == TW_MODE_ENTRIES) {
        tw_slab_give(ws->slab, w->block, (size_t)w->room * ws->entry_bytes);
    }
    w->mode = TW_MODE_INSIDE;
    w->head = 0;
    w->count = 0;
}

static void entries_resize(tw_windows *ws, tw_window_state *w, uint32_t room)
{
    uint8_t *block = tw_slab_take(ws->slab, (size_t)room * ws->entry_bytes);
    uint32_t count = w->count;

    entries_move(ws, block, room, 0, memory_of(w), room_of(ws, w), w->head, count);
    block_free(ws, w);
    w->mode = TW_MODE_ENTRIES;
    w->block = block;
    w->room = room;
    w->count = count;
}

/* There is a free place behind the last entry. */
static void make_room(tw_windows *ws, tw_window_state *w)
{
    uint32_t room = room_of(ws, w);

    if (w->head + w->count < room) {
        return;
    }
    if (w->count <= room - (room + 3) / 4 && w->head > 0) {
        entries_move(ws, memory_of(w), room, 0, memory_of(w), room, w->head, w->count);
        w->head = 0;
        return;
    }
    entries_resize(ws, w, w->mode == TW_MODE_INSIDE ? ws->block_room : room * 2);
}

void tw_entries_append(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                       int64_t time_ms)
{
    make_room(ws, w);
    entry_put(ws, w, w->head + w->count, sample, time_ms);
    w->count++;
}

void tw_entries_insert(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                       int64_t time_ms, int64_t newest_ms)
{
    make_room(ws, w);

    uint8_t *memory = memory_of(w);
    uint32_t room = room_of(ws, w);
    uint8_t *times = times_at(ws, memory, room);
    uint32_t at = w->head + w->count;

    while (at > w->head && time_get(ws, times, at - 1, newest_ms) > time_ms) {
        at--;
    }
    entries_move(ws, memory, room, at + 1, memory, room, at, w->head + w->count - at);
    entry_put(ws, w, at, sample, time_ms);
    w->count++;
}

/* Few are left: they live in the window itself again, where reading them costs no cache miss
 * of its own. */
static void entries_go_inside(tw_windows *ws, tw_window_state *w)
{
    _Alignas(8) uint8_t inside[sizeof w->inside] = {0};
    uint32_t count = w->count;

    entries_move(ws, inside, ws->inside_room, 0, w->block, w->room, w->head, count);
    block_free(ws, w);
    memcpy(w->inside, inside, sizeof w->inside);
    w->count = count;
}

void tw_entries_drop(tw_windows *ws, tw_window_state *w, uint32_t count)
{
    names_release(ws, w, count);
    w->count -= count;
    if (w->count == 0) {
        block_free(ws, w);
        return;
    }
    w->head = (w->head + count) & 0x3fffffff;
    if (w->mode == TW_MODE_ENTRIES && w->count * 2 <= ws->inside_room) {
        entries_go_inside(ws, w);
    } else if (w->mode == TW_MODE_ENTRIES && w->room > 4 * ws->block_room &&
               w->count * 8 < w->room) {
        entries_resize(ws, w, w->room / 4);
    }
}

int64_t tw_entries_time(const tw_windows *ws, const tw_window_state *w, uint32_t n,
                        int64_t newest_ms)
{
    const uint8_t *memory = memory_of(w);

    if (!ws->bare) {
        memory = times_at(ws, memory_of(w), room_of(ws, w));
    }
    return time_get(ws, memory, w->head + n, newest_ms);
}

void tw_entries_sample(const tw_windows *ws, const tw_window_state *w, uint32_t n,
                       tw_sample *out)
{
    uint8_t *memory = memory_of(w);
    uint32_t room = room_of(ws, w);

    out->taken = mask_get(ws, masks_at(ws, memory, room), w->head + n);
    for (uint32_t c = 0; c < ws->aggs->columns; c++) {
        out->values[c] = column_at(memory, room, c)[w->head + n];
    }
    for (uint64_t rest = ws->aggs->named; rest != 0; rest &= rest - 1) {
        uint32_t c = (uint32_t)__builtin_ctzll(rest);
        const tw_name *name = name_get(column_at(memory, room, c), w->head + n);
        out->names[c] = name ? name->value : tw_value_absent();
        if (name) {
            memcpy(&out->values[c], &name->hash, sizeof name->hash);
        }
    }
}

static void acc_heavy(const tw_windows *ws, const tw_window_state *w, uint32_t agg,
                      uint32_t first, uint32_t count, int64_t newest_ms, tw_acc *out)
{
    tw_sample sample;

    for (uint32_t n = first; n < first + count; n++) {
        tw_entries_sample(ws, w, n, &sample);
        if (sample.taken >> agg & 1) {
            tw_agg_arg arg = tw_agg_arg_of(ws->aggs, agg, &sample);
            tw_agg_add(ws->aggs, ws->slab, agg, out, &arg,
                       tw_entries_time(ws, w, n, newest_ms));
        }
    }
}

void tw_entries_acc(const tw_windows *ws, const tw_window_state *w, uint32_t agg,
                    uint32_t first, uint32_t count, int64_t newest_ms, tw_acc *out)
{
    uint8_t *memory = memory_of(w);
    uint32_t room = room_of(ws, w), from = w->head + first, end = from + count;
    const uint8_t *masks = masks_at(ws, memory, room);
    const uint8_t *times = times_at(ws, memory, room);
    tw_agg_kind kind = ws->aggs->list[agg].kind;
    uint8_t column = ws->aggs->column[agg];

    *out = (tw_acc){0};
    if (ws->aggs->heavy >> agg & 1) {
        acc_heavy(ws, w, agg, first, count, newest_ms, out);
        return;
    }
    if (column == TW_NO_COLUMN && kind != TW_AGG_ELAPSED) {
        if (ws->aggs->mask_bytes == 0) {
            out->n = count;
            return;
        }
        for (uint32_t n = from; n < end; n++) {
            out->n += mask_get(ws, masks, n) >> agg & 1;
        }
        return;
    }
    const double *values =
        column == TW_NO_COLUMN ? NULL : column_at(memory, room, column);
    for (uint32_t n = from; n < end; n++) {
        if (mask_get(ws, masks, n) >> agg & 1) {
            tw_acc_add(kind, out, values ? values[n] : 0,
                       time_get(ws, times, n, newest_ms));
        }
    }
}

void tw_entries_free(tw_windows *ws, tw_window_state *w)
{
    names_release(ws, w, w->count);
    block_free(ws, w);
}

// SPDX-License-Identifier: Apache-2.0
/* The grid of hopping and tumbling windows: edges at whole steps from the origin or, in a time
 * zone, at midnights there, so that a day has 23 to 25 hours. Pure functions, any thread. */
#include "detect/window_impl.h"

/* ---- edges of a zone ---- */

static int64_t zone_edge(const tw_windows *ws, int64_t number)
{
    return tw_zone_instant_ms(ws->zone, number * ws->every_ms);
}

/* Of the last edge that is not behind time_ms. */
static int64_t zone_number(const tw_windows *ws, int64_t time_ms)
{
    int64_t wall_ms = time_ms + tw_zone_offset_ms(ws->zone, time_ms);
    int64_t number = tw_floor_div(wall_ms, ws->every_ms);

    while (zone_edge(ws, number) > time_ms) { /* a wall that went back over midnight */
        number--;
    }
    while (zone_edge(ws, number + 1) <= time_ms) {
        number++;
    }
    return number;
}

static int64_t steps_of(const tw_windows *ws)
{
    return ws->over_ms / ws->every_ms;
}

/* ---- windows ---- */

int64_t tw_windows_end_from(const tw_windows *ws, int64_t origin_ms, int64_t now_ms)
{
    int64_t first = origin_ms + ws->over_ms;

    if (ws->zone) {
        int64_t number = zone_number(ws, now_ms);
        return zone_edge(ws, number) == now_ms ? now_ms : zone_edge(ws, number + 1);
    }
    return first - tw_floor_div(first - now_ms, ws->every_ms) * ws->every_ms;
}

int64_t tw_windows_last_end(const tw_windows *ws, int64_t origin_ms, int64_t time_ms)
{
    if (ws->zone) {
        return zone_edge(ws, zone_number(ws, time_ms) + steps_of(ws));
    }
    int64_t start =
        origin_ms + tw_floor_div(time_ms - origin_ms, ws->every_ms) * ws->every_ms;

    return start + ws->over_ms;
}

int64_t tw_windows_end_after(const tw_windows *ws, int64_t end_ms)
{
    return ws->zone ? zone_edge(ws, zone_number(ws, end_ms) + 1) : end_ms + ws->every_ms;
}

int64_t tw_windows_end_before(const tw_windows *ws, int64_t end_ms)
{
    return ws->zone ? zone_edge(ws, zone_number(ws, end_ms) - 1) : end_ms - ws->every_ms;
}

int64_t tw_windows_start(const tw_windows *ws, int64_t end_ms)
{
    return ws->zone ? zone_edge(ws, zone_number(ws, end_ms) - steps_of(ws))
                    : end_ms - ws->over_ms;
}

/* ---- slices: between starts (phase 0) and ends (phase over mod every) of windows ---- */

int64_t tw_grid_slice(const tw_windows *ws, int64_t origin_ms, int64_t time_ms)
{
    if (ws->zone) {
        return zone_number(ws, time_ms);
    }
    int64_t edge = ws->over_ms % ws->every_ms;
    int64_t turn = tw_floor_div(time_ms - origin_ms, ws->every_ms);
    int64_t phase = time_ms - origin_ms - turn * ws->every_ms;

    return edge == 0 ? turn : 2 * turn + (phase >= edge);
}

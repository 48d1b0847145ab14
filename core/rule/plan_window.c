// SPDX-License-Identifier: Apache-2.0
/* Which window a level's options mean, and what does not go together. */
#include <math.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_COUNT 1000000
#define MAX_HOPS 4096 /* as the windows of the level operator */

static bool needs_window(tw_agg_kind kind)
{
    return kind != TW_AGG_LAST && kind != TW_AGG_LATEST && kind != TW_AGG_EWMA &&
           kind != TW_AGG_ELAPSED;
}

static bool any_needs_window(const tw_rule *r)
{
    for (uint32_t i = 0; i < r->level.agg_count; i++)
        if (needs_window(r->level.aggs[i].kind))
            return true;
    return false;
}

/* `every` of a time window. Zero when it is wrong, which has been told. */
static int64_t every_ms(tw_compiler *c, const tw_tree *every)
{
    const tw_tree *v = tw_compile_value(c, every);
    int64_t ms = 0;
    if (!tw_compile_duration(c, v, "every", &ms))
        return 0;
    if (ms == 0)
        tw_compile_say(c, every, "every must be longer than zero");
    return ms;
}

static void time_window(tw_compiler *c, const tw_tree *level,
                        const tw_window_options *given)
{
    tw_window *w = &c->rule->level.window;

    w->over_ms = given->over_ms;
    w->kind = TW_WINDOW_SLIDING;
    if (!given->every)
        return;
    w->every_ms = every_ms(c, given->every);
    if (w->over_ms == 0 || w->over_ms == w->every_ms) {
        w->kind = TW_WINDOW_TUMBLING;
        w->over_ms = w->every_ms;
        return;
    }
    w->kind = TW_WINDOW_HOPPING;
    if (w->every_ms > 0 && w->over_ms % w->every_ms != 0)
        tw_compile_say(
            c, tw_tree_get(level, "over"),
            "over must be a multiple of every, so that windows are made of whole steps");
    else if (w->every_ms > 0 && w->over_ms / w->every_ms > MAX_HOPS)
        tw_compile_say(c, tw_tree_get(level, "over"),
                       "over is more than %d times every; that many windows would hold "
                       "each event",
                       MAX_HOPS);
}

static void count_window(tw_compiler *c, const tw_tree *level,
                         const tw_window_options *given)
{
    tw_window *w = &c->rule->level.window;
    double every;

    w->kind = TW_WINDOW_COUNT;
    w->last = (uint32_t)given->last;
    if (given->full)
        tw_compile_say(c, tw_tree_get(level, "full"),
                       "full is for time windows; a count window waits until it is full, "
                       "which `min` lowers");
    if (!given->every)
        return;
    const tw_tree *v = tw_compile_value(c, given->every);
    if (!tw_tree_number(v, &every) || every != floor(every) || every < 1 ||
        every > MAX_COUNT)
        tw_compile_say(c, given->every,
                       "every of a count window is a number of events from 1 to %d",
                       MAX_COUNT);
    else
        w->count_every = (uint32_t)every;
}

static void no_window(tw_compiler *c, const tw_tree *level,
                      const tw_window_options *given)
{
    c->rule->level.window.kind = TW_WINDOW_NONE;
    if (!given->incomplete && any_needs_window(c->rule))
        tw_compile_say(
            c, level,
            "level needs a window: over = \"5m\" (sliding), every = \"1m\" "
            "(tumbling), last = 100 (events) or gap = \"10m\" (sessions); only last, "
            "latest, ewma and elapsed stand without");
}

static void session_window(tw_compiler *c, const tw_tree *level,
                           const tw_window_options *given)
{
    tw_window *w = &c->rule->level.window;
    const tw_tree *max = tw_tree_get(level, "max");

    w->kind = TW_WINDOW_SESSION;
    w->gap_ms = given->gap_ms;
    w->max_ms = given->max_ms;
    if (max && w->max_ms > 0 && w->max_ms < w->gap_ms)
        tw_compile_say(c, max,
                       "max is shorter than gap, which then never ends a session");
}

#define DAY_MS 86400000

static void read_zone(tw_compiler *c, const tw_tree *zone, const tw_window_options *given)
{
    const tw_tree *v = tw_compile_value(c, zone);
    tw_window *w = &c->rule->level.window;
    tw_err err;

    if (v->type != TW_TREE_STRING) {
        tw_compile_say(c, zone, "zone is the name of a time zone, as \"Europe/Berlin\"");
        return;
    }
    if ((w->kind != TW_WINDOW_TUMBLING && w->kind != TW_WINDOW_HOPPING) ||
        w->every_ms <= 0 || w->every_ms % DAY_MS != 0)
        tw_compile_say(c, zone,
                       "zone is for windows of whole days: every = \"1d\", \"7d\"");
    else if (given->align == 1)
        tw_compile_say(c, zone,
                       "zone begins windows at midnight, align = \"first\" at the first "
                       "event; take one");
    else if (!(w->zone = tw_zone_open(v->text, &err)))
        tw_compile_say(c, zone, "zone: %s", err.text);
}

static void check_extras(tw_compiler *c, const tw_tree *level,
                         const tw_window_options *given)
{
    tw_window *w = &c->rule->level.window;
    const tw_tree *exact = tw_tree_get(level, "exact");
    const tw_tree *align = tw_tree_get(level, "align");
    const tw_tree *full = tw_tree_get(level, "full");
    const tw_tree *at = tw_tree_get(level, "at"), *max = tw_tree_get(level, "max");

    if (exact && w->kind != TW_WINDOW_SLIDING)
        tw_compile_say(c, exact, "exact is for sliding windows: over without every");
    if (align && w->kind != TW_WINDOW_TUMBLING && w->kind != TW_WINDOW_HOPPING)
        tw_compile_say(c, align, "align is for windows with every = \"...\"");
    if (full && (w->kind == TW_WINDOW_NONE || w->kind == TW_WINDOW_SESSION))
        tw_compile_say(c, full,
                       w->kind == TW_WINDOW_NONE
                           ? "full is for time windows, and there is none"
                           : "full is for windows of one length; a session has none");
    if (at && (w->kind == TW_WINDOW_SESSION || w->kind == TW_WINDOW_TUMBLING ||
               w->kind == TW_WINDOW_HOPPING))
        tw_compile_say(c, at,
                       "at is for windows that are judged at events; this one is judged "
                       "when it ends");
    if (max && w->kind != TW_WINDOW_SESSION)
        tw_compile_say(c, max,
                       "max is how long a session may last; that needs gap = \"10m\"");
    if (given->zone)
        read_zone(c, given->zone, given);
    if (w->prev && w->kind == TW_WINDOW_NONE && !given->incomplete)
        tw_compile_say(c, level, "prev needs a window, so that there is one before it");
    w->exact = (uint32_t)given->exact;
    w->align_first = given->align == 1;
    w->full = given->full;
}

void tw_compile_window(tw_compiler *c, const tw_tree *level,
                       const tw_window_options *given)
{
    const tw_tree *over = tw_tree_get(level, "over"), *last = tw_tree_get(level, "last");

    const tw_tree *gap = tw_tree_get(level, "gap");

    if (gap && (over || last || given->every))
        tw_compile_say(
            c, gap, "gap makes sessions, which are windows of their own; take it or %s",
            over   ? "over"
            : last ? "last"
                   : "every");
    if (gap)
        session_window(c, level, given);
    else if (over && last)
        tw_compile_say(c, last, "over and last are two kinds of windows; take one");
    else if (last)
        count_window(c, level, given);
    else if (over || given->every)
        time_window(c, level, given);
    else
        no_window(c, level, given);
    check_extras(c, level, given);
}

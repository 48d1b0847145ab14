// SPDX-License-Identifier: Apache-2.0
/* Rules of levels over windows, before and after an edit. */
#ifndef TW_TEST_LEVEL_EDIT_H
#define TW_TEST_LEVEL_EDIT_H

#include "detecting.h"

static inline tw_rule *windowed(tw_window_kind kind, int64_t over_ms, int64_t every_ms,
                                double crit)
{
    tw_rule *r = simple_rule(TW_AGG_COUNT, kind, over_ms, every_ms);

    at_least(r, TW_LEVEL_CRIT, crit);
    return r;
}

static inline tw_rule *sliding(int64_t over_ms, double crit)
{
    return windowed(TW_WINDOW_SLIDING, over_ms, 0, crit);
}

static inline tw_rule *last_of(uint32_t last, double crit)
{
    tw_rule *r = simple_rule(TW_AGG_SUM, TW_WINDOW_COUNT, 0, 0);

    r->level.window.last = last;
    at_least(r, TW_LEVEL_CRIT, crit);
    return r;
}

static inline tw_rule *hops_otherwise(bool newer)
{
    return newer ? windowed(TW_WINDOW_HOPPING, 4000, 2000, 3)
                 : windowed(TW_WINDOW_HOPPING, 6000, 1000, 3);
}

#endif

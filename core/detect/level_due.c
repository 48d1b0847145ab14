// SPDX-License-Identifier: Apache-2.0
/* What an edit of a level rule does at the moment it is taken over: limits that differ, and holds that have lasted
 * long enough by the new text. The shore's thread, while the lane stands still. */
#include <string.h>

#include "detect/level_impl.h"

static bool same_bound(const tw_bound *a, const tw_bound *b)
{
    return a->set == b->set && (!a->set || a->value == b->value);
}

static bool same_limits(const tw_level_spec *a, const tw_level_spec *b)
{
    return same_bound(&a->above, &b->above) && same_bound(&a->at_least, &b->at_least) &&
           same_bound(&a->below, &b->below) && same_bound(&a->at_most, &b->at_most) &&
           a->outside == b->outside && a->outside_lo == b->outside_lo &&
           a->outside_hi == b->outside_hi && same_bound(&a->clear, &b->clear);
}

void level_compare_levels(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    bool limits = false, holds = false;

    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        const tw_level_spec *a = &fresh->level.levels[lv], *b = &old->level.levels[lv];
        if (!a->used && !b->used) {
            continue;
        }
        limits = limits || a->used != b->used || !same_limits(a, b);
        holds =
            holds || (a->used && b->used &&
                      (a->hold_ms < b->hold_ms || a->clear_hold_ms < b->clear_hold_ms));
    }
    if (limits) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "a key is judged by the new limits when its window next changes");
    }
    if (holds) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "what has held as long as it now must is told at once");
    }
}

/* Whether a hold that began then is over by the new text. */
static bool is_over(uint8_t bits, uint32_t lv, int64_t since_ms, int64_t hold_ms,
                    int64_t clock_ms)
{
    return bits >> lv & 1 && since_ms + hold_ms <= clock_ms;
}

void level_count_due(const tw_detector *base, const tw_rule *fresh, int64_t clock_ms,
                     tw_due *out)
{
    const level *d = (const level *)base;

    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        const level_key *key = tw_keyed_at(d->keys, n);
        const level_open *open = key->open;
        bool fires = false, ends = false;
        for (uint32_t lv = TW_LEVEL_INFO; open && lv < TW_LEVELS; lv++) {
            const tw_level_spec *s = &fresh->level.levels[lv];
            fires = fires || (lv > key->told && s->used &&
                              is_over(open->pending, lv, open->since_ms[lv - 1],
                                      s->hold_ms, clock_ms));
            ends = ends || (lv == key->told && s->used &&
                            is_over(open->clearing, lv, open->clearing_ms[lv - 1],
                                    s->clear_hold_ms, clock_ms));
        }
        out->fires += fires;
        out->ends += ends;
    }
}

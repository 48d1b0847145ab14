// SPDX-License-Identifier: Apache-2.0
/* The level operator behind a hole that its windows bear: they stay, and every key is at rest, since the
 * incidents of before were ended. One lane's thread. */
#include "detect/level_impl.h"
#include "detect/wake_impl.h"

void level_wake(tw_detector *base)
{
    level *d = (level *)base;

    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        level_key *key = tw_keyed_at(d->keys, n);
        if (key->open) {
            tw_slab_give(d->slab, key->open, sizeof *key->open);
            key->open = NULL;
        }
        key->told = TW_LEVEL_OK;
        key->flags &= (uint8_t)~KEY_SETTLED;
        tw_timers_set(d->timers, n, TW_TIMER_OFF);
        level_key_arm(d, n, key);
    }
}

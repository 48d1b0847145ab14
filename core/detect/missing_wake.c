// SPDX-License-Identifier: Apache-2.0
/* The missing operator behind a hole: it knows whom it expects, and nobody's silence. Each is given its whole
 * time from the first clock on, as when time begins; so nobody is missed earlier than he would have been.
 * Where an input takes keys off the list, one may have been taken off unseen: they count again once they are
 * heard. One lane's thread. */
#include "detect/missing_impl.h"
#include "detect/wake_impl.h"

void missing_wake(tw_detector *base)
{
    missing *d = (missing *)base;

    d->clock_ms = d->wait_ms = TW_TIME_NONE;
    d->run_count = 0;
    d->source_told = false;
    d->source_ms = INT64_MIN;
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        missing_key *k = tw_keyed_at(d->keys, n);
        k->base_ms = TW_TIME_NONE;
        k->flags &= (uint8_t) ~(KEY_MISSING | KEY_TOLD);
        if (d->plan->stop_input >= 0) {
            k->flags |= KEY_STOPPED;
        }
        tw_timers_set(d->timers, n, TW_TIMER_OFF);
    }
}

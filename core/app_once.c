// SPDX-License-Identifier: Apache-2.0
/* What would be said too often, once: the first of each kind always, then each kind at most every second
 * with how many were left out. Kinds that come in a flood of their own displace one another and
 * are held to so many a second. Shore thread. */
#include <string.h>

#include "app_impl.h"
#include "base/mem.h"

#define EVERY_MS 1000

static bool is_kind(const tw_app_kind *k, const char *where, const char *reason)
{
    return k->reason && strcmp(k->reason, reason) == 0 && strcmp(k->where, where) == 0;
}

/* The kind, or the one to displace for it: free, else silent for the longest time. */
static tw_app_kind *find_kind(tw_app_once *o, const char *where, const char *reason)
{
    tw_app_kind *oldest = o->kinds;

    for (size_t i = 0; i < TW_APP_KINDS; i++) {
        tw_app_kind *k = &o->kinds[i];
        if (is_kind(k, where, reason))
            return k;
        if (oldest->reason && (!k->reason || k->logged_ms < oldest->logged_ms))
            oldest = k;
    }
    return oldest;
}

bool tw_app_say_once(tw_app_once *o, const char *where, const char *reason,
                     int64_t now_ms, uint64_t *out_left_out)
{
    tw_app_kind *k = find_kind(o, where, reason);
    bool known = is_kind(k, where, reason);

    if (k->reason && now_ms - k->logged_ms < EVERY_MS) {
        *(known ? &k->left_out : &o->left_out) += 1;
        return false;
    }
    *out_left_out = k->left_out + o->left_out;
    o->left_out = 0;
    if (!known) {
        tw_free(k->where);
        tw_free(k->reason);
        k->where = tw_strdup(where);
        k->reason = tw_strdup(reason);
    }
    k->left_out = 0;
    k->logged_ms = now_ms;
    return true;
}

void tw_app_once_done(tw_app_once *o)
{
    for (size_t i = 0; i < TW_APP_KINDS; i++) {
        tw_free(o->kinds[i].where);
        tw_free(o->kinds[i].reason);
    }
}

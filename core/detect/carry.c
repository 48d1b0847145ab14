// SPDX-License-Identifier: Apache-2.0
/* Carried fields. One lane's thread. Invariant: text of a block's values lies in the block. */
#include "detect/carry.h"

#include <string.h>

enum { VALUES_AT_ONCE = 256 };

static bool has_text(tw_value v)
{
    return v.type == TW_STRING || v.type == TW_DECIMAL || v.type == TW_JSON;
}

static tw_value bounded(tw_value v)
{
    if (!has_text(v) || v.len <= TW_MAX_CARRIED_TEXT) {
        return v;
    }
    if (v.type != TW_STRING) {
        return tw_value_absent();
    }
    v.len = TW_MAX_CARRIED_TEXT;
    while (v.len > 0 && ((uint8_t)v.s[v.len] & 0xc0) == 0x80) {
        v.len--; /* not in the middle of a character */
    }
    return v;
}

tw_carried *tw_carried_put_values(tw_slab *slab, tw_carried *old, const tw_value *values,
                                  uint32_t count)
{
    size_t bytes = sizeof(tw_carried) + count * sizeof(tw_value);

    for (uint32_t n = 0; n < count; n++) {
        tw_value v = bounded(values[n]);
        bytes += has_text(v) ? v.len : 0;
    }
    tw_carried *c = old;
    if (!old || old->bytes < bytes) {
        tw_carried_give(slab, old);
        bytes = (bytes + 63) & ~(size_t)63;
        c = tw_slab_take(slab, bytes);
        c->bytes = (uint32_t)bytes;
    }
    c->count = count;
    char *text = (char *)&c->values[count];
    for (uint32_t n = 0; n < count; n++) {
        c->values[n] = bounded(values[n]);
        if (has_text(c->values[n])) {
            if (c->values[n].len > 0) {
                memcpy(text, c->values[n].s, c->values[n].len);
            }
            c->values[n].s = text;
            text += c->values[n].len;
        }
    }
    return c;
}

tw_carried *tw_carried_put(tw_slab *slab, tw_carried *old, const tw_event *ev,
                           const uint32_t *slots, uint32_t count)
{
    tw_value values[VALUES_AT_ONCE];

    count = count < VALUES_AT_ONCE ? count : VALUES_AT_ONCE;
    for (uint32_t n = 0; n < count; n++) {
        values[n] = tw_event_slot(ev, slots[n]);
    }
    return tw_carried_put_values(slab, old, values, count);
}

void tw_carried_give(tw_slab *slab, tw_carried *c)
{
    if (c) {
        tw_slab_give(slab, c, c->bytes);
    }
}

// SPDX-License-Identifier: Apache-2.0
/* Copies of events. Any thread, as long as the event stays put during the call.
 *
 *     block:  tw_event | slots | raw bytes | text that lay outside the raw bytes
 *
 * Invariant: every pointer of a copy, but for projection and reader, points into its own
 * block, at a place that the event alone determines; so a block may be moved bytewise and
 * rebased. */
#include "flow/event.h"

#include <string.h>

static bool has_text(tw_value v)
{
    return v.type == TW_STRING || v.type == TW_DECIMAL || v.type == TW_JSON;
}

static bool is_in_raw(const tw_event *ev, tw_value v)
{
    uintptr_t at = (uintptr_t)v.s;
    uintptr_t raw = (uintptr_t)ev->raw;

    return v.len == 0 || (at >= raw && at + v.len <= raw + ev->raw_len);
}

static size_t slots_place(void)
{
    return (sizeof(tw_event) + 15) & ~(size_t)15;
}

static size_t raw_place(const tw_event *ev)
{
    return slots_place() + ev->projection->slot_count * sizeof(tw_value);
}

tw_value tw_event_get(const tw_event *ev, const tw_path_step *steps, uint32_t count)
{
    return ev->reader ? ev->reader->get(ev->reader_self, ev, steps, count)
                      : tw_value_absent();
}

size_t tw_event_copy_size(const tw_event *ev)
{
    size_t size = raw_place(ev) + ev->raw_len;

    for (uint32_t n = 0; n < ev->projection->count; n++) {
        tw_value v = ev->slots[ev->projection->slots[n]];
        if (has_text(v) && !is_in_raw(ev, v)) {
            size += v.len;
        }
    }
    return size;
}

tw_event *tw_event_copy_into(const tw_event *ev, void *block)
{
    tw_event *copy = block;
    tw_value *slots = (tw_value *)(void *)((char *)block + slots_place());
    char *raw = (char *)block + raw_place(ev);
    char *text = raw + ev->raw_len;

    *copy = *ev;
    memcpy(slots, ev->slots, ev->projection->slot_count * sizeof *slots);
    memcpy(raw, ev->raw, ev->raw_len);
    for (uint32_t n = 0; n < ev->projection->count; n++) {
        tw_value *v = &slots[ev->projection->slots[n]];
        if (!has_text(*v)) {
            continue;
        }
        if (v->len == 0) {
            v->s = raw;
        } else if (is_in_raw(ev, *v)) {
            v->s = raw + (v->s - ev->raw);
        } else {
            memcpy(text, v->s, v->len);
            v->s = text;
            text += v->len;
        }
    }
    copy->raw = raw;
    copy->slots = slots;
    copy->flags |= TW_EVENT_COPY;
    return copy;
}

tw_event *tw_event_copy(const tw_event *ev, tw_slab *slab)
{
    return tw_event_copy_into(ev, tw_slab_take(slab, tw_event_copy_size(ev)));
}

void tw_event_copy_give(tw_event *ev, tw_slab *slab)
{
    if (ev) {
        tw_slab_give(slab, ev, tw_event_copy_size(ev));
    }
}

tw_event *tw_event_rebase(void *block)
{
    tw_event *ev = block;
    tw_value *slots = (tw_value *)(void *)((char *)block + slots_place());
    char *raw = (char *)block + raw_place(ev);
    uintptr_t old = (uintptr_t)ev->raw;

    for (uint32_t n = 0; n < ev->projection->count; n++) {
        tw_value *v = &slots[ev->projection->slots[n]];
        if (has_text(*v)) {
            v->s = raw + ((uintptr_t)v->s - old);
        }
    }
    ev->raw = raw;
    ev->slots = slots;
    return ev;
}

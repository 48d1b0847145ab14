// SPDX-License-Identifier: Apache-2.0
/* One decoded event. Immutable. An event handed to a function is a loan for the duration of the
 * call: who keeps it copies it. The copy is one block that holds the raw bytes and every filled
 * slot, so it can cross a ring to another lane or wait in a buffer. */
#ifndef TW_FLOW_EVENT_H
#define TW_FLOW_EVENT_H

#include <stdint.h>

#include "base/mem.h"
#include "flow/fields.h"
#include "flow/value.h"

/* Which event it is, for ever. Of an event that a rule emitted: the event of a source that led to it, the
 * rule, and in `index` which of its events it is. */
typedef struct tw_origin {
    uint32_t stream;   /* tw_stream id */
    int32_t partition; /* -1: no event led to it */
    int64_t offset;
    uint32_t index;
    uint32_t via; /* the rule, as tw_streams_emitter numbers it; 0: none */
} tw_origin;

static inline bool tw_origin_is_same(const tw_origin *a, const tw_origin *b)
{
    return a->offset == b->offset && a->partition == b->partition &&
           a->stream == b->stream && a->index == b->index && a->via == b->via;
}

typedef struct tw_event {
    int64_t time_ms;  /* event time by the stream's time field, clamped */
    int64_t stamp_ms; /* the same as it was written */
    int64_t arrival_ms;
    int64_t offset;
    int32_t partition;
    uint32_t stream; /* tw_stream id */
    uint32_t index;  /* place within its record, 0 when the record is one event */
    uint32_t raw_len;
    const char *raw; /* this event's JSON text (or text line) */
    uint64_t seq;    /* arrival number in replay; 0 in live running */
    const tw_projection *projection;
    const tw_value *slots; /* projection->slot_count values, indexed by slot */
    const struct tw_event_reader *reader; /* reads paths that are not projected */
    void *reader_self;
    uint32_t flags;   /* TW_EVENT_* */
    tw_origin led_by; /* of an event that a rule emitted; via 0: it is of a source */
} tw_event;

static inline tw_origin tw_event_origin(const tw_event *ev)
{
    if (ev->led_by.via)
        return ev->led_by;
    return (tw_origin){.stream = ev->stream,
                       .partition = ev->partition,
                       .offset = ev->offset,
                       .index = ev->index};
}

enum {
    TW_EVENT_CLAMPED = 1, /* its stamp lay in the future and was set to arrival */
    TW_EVENT_COPY = 2     /* lives in a block of tw_event_copy */
};

/* How a decoder lends its knowledge of the bytes to whoever reads a path lazily. The result
 * lives until the next event of the same reader is decoded or read (its scratch memory). */
typedef struct tw_event_reader {
    tw_value (*get)(void *self, const tw_event *ev, const tw_path_step *steps,
                    uint32_t count);
} tw_event_reader;

/* The value of a slot; reserved slots come from the event itself. No parsing. @stream gives the
 * stream's number (INT); callers that show it translate. */
static inline tw_value tw_event_slot(const tw_event *ev, uint32_t slot)
{
    switch (slot) {
    case TW_SLOT_TIME:
        return tw_value_int(ev->time_ms);
    case TW_SLOT_STREAM:
        return tw_value_int(ev->stream);
    case TW_SLOT_PARTITION:
        return tw_value_int(ev->partition);
    case TW_SLOT_OFFSET:
        return tw_value_int(ev->offset);
    default:
        return slot < ev->projection->slot_count ? ev->slots[slot] : tw_value_absent();
    }
}

/* Any path, projected or not; parses lazily. */
tw_value tw_event_get(const tw_event *ev, const tw_path_step *steps, uint32_t count);

/* Size of the block a copy needs, and the copy into such a block (16-byte aligned). The copy has
 * the same reader. Text of slots that lay in scratch memory is copied too. */
size_t tw_event_copy_size(const tw_event *ev);
tw_event *tw_event_copy_into(const tw_event *ev, void *block);
/* The same with memory of a slab; given back by tw_event_copy_give. */
tw_event *tw_event_copy(const tw_event *ev, tw_slab *slab);
void tw_event_copy_give(tw_event *ev, tw_slab *slab);
/* A copy whose block has moved bytewise to `block` (a ring): makes its pointers point into it. */
tw_event *tw_event_rebase(void *block);

#endif

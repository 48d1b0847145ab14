// SPDX-License-Identifier: Apache-2.0
/* Frame to events: reads exactly the projected fields of a JSON object (or of each object of an
 * array), or makes one event of a text line. One decoder a lane; nothing is allocated per event
 * once its buffers have grown. simdjson's structural index does the scanning (simdjson.cc is the one
 * C++ file); the walk over it is ours.
 *
 * What is checked: UTF-8 of the whole text, balance and grammar of what lies between the structurals,
 * limits of size, depth and number of fields. Time stamps outside the years 1970 to 9999 and stamps
 * of a wrong type are bad frames; stamps ahead of arrival are clamped and flagged. */
#ifndef TW_DECODE_DECODE_H
#define TW_DECODE_DECODE_H

#include "base/err.h"
#include "flow/event.h"
#include "flow/stream.h"

typedef struct tw_decode_limits {
    size_t size_bytes; /* a frame (default 1 MiB) */
    uint32_t depth;    /* default 32 */
    uint32_t fields;   /* of one event, nested ones included (default 2,000) */
    uint32_t events;   /* of one frame (default 10,000) */
} tw_decode_limits;
#define TW_DECODE_LIMITS_DEFAULT                                                         \
    {                                                                                    \
        1048576, 32, 2000, 10000                                                         \
    }

/* Where a frame came from. */
typedef struct tw_decode_origin {
    int32_t partition;
    int64_t offset;
    int64_t time_ms; /* source's stamp or TW_TIME_NONE */
    int64_t arrival_ms;
    uint64_t seq;
} tw_decode_origin;

typedef struct tw_decoder tw_decoder;

tw_decoder *tw_decoder_new(const tw_decode_limits *limits);
void tw_decoder_free(tw_decoder *d);

/* Compiles a projection for a stream (time_slot: where the stream's event time is, or TW_SLOT_TIME for
 * none). Lives as long as the projection; made on the shore, used by any number of decoders. */
typedef struct tw_decode_plan tw_decode_plan;
tw_decode_plan *tw_decode_plan_new(const tw_stream *stream, const tw_projection *p,
                                   uint32_t time_slot);
void tw_decode_plan_free(tw_decode_plan *plan);

/* Calls `event` for each event of the frame, in order; an event is a loan until the callback
 * returns. Returns the number of events (an empty array gives 0), or a negative status with err
 * filled: TW_EPARSE, TW_ELIMIT; err->text is the dead letter's reason. Of an array with a bad
 * element the good ones before it have been delivered already; the frame counts as bad once.
 * data must be readable for size bytes; nothing is written. */
typedef struct tw_event_port {
    void (*event)(void *self, const tw_event *ev);
    void *self;
} tw_event_port;
int tw_decode(tw_decoder *d, const tw_decode_plan *plan, const tw_stream *stream,
              const char *data, size_t size, const tw_decode_origin *origin,
              const tw_event_port *port, tw_err *err);

/* A copy made on another lane reads paths that are not projected through that lane's decoder; the
 * lane that takes the copy over makes its own decoder the reader. */
void tw_decoder_adopt(tw_decoder *d, tw_event *copy);

/* Event time of a value by the rules of clock.time: RFC 3339 text or an epoch number by magnitude.
 * For rules whose time field is not the stream's. TW_EPARSE when it is neither. */
int tw_event_time(tw_value v, int64_t *out_ms);

#endif

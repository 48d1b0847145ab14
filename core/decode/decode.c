// SPDX-License-Identifier: Apache-2.0
/* Frames to events. One decoder a lane, called by nobody else. It owns its index, its
 * slots and its scratch memory, which grow to the largest frame seen and are never given
 * back; it borrows the frame, which is read in place. Invariant: between two events every
 * slot is absent, so a slot that the next plan does not want needs no clearing. */
#include "decode/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "decode/escape.h"
#include "decode/read.h"

#define MAX_SIZE_BYTES ((size_t)1 << 30)
#define MAX_DEPTH 512 /* the walk is recursive */
#define SHAPES 8

struct tw_decoder {
    tw_decode_limits limits;
    tw_structure *structure;
    tw_walk walk;
    tw_shape shapes[SHAPES]; /* of the plan whose number is the place, modulo SHAPES */
    size_t scratch_size;
    uint32_t slot_room;
    tw_buf text; /* of a text line as JSON */
    tw_event event;
    tw_decode_reader reader;
};

/* One call of tw_decode. */
typedef struct job {
    tw_decoder *d;
    const tw_decode_plan *plan;
    const tw_stream *stream;
    const tw_decode_origin *origin;
    const tw_event_port *port;
    tw_err *err;
} job;

static tw_decode_limits sane_limits(const tw_decode_limits *limits)
{
    tw_decode_limits l = *limits;

    l.size_bytes = l.size_bytes < MAX_SIZE_BYTES ? l.size_bytes : MAX_SIZE_BYTES;
    l.depth = l.depth < MAX_DEPTH ? l.depth : MAX_DEPTH;
    l.fields = l.fields < l.size_bytes ? l.fields : (uint32_t)l.size_bytes;
    return l;
}

tw_decoder *tw_decoder_new(const tw_decode_limits *limits)
{
    tw_decoder *d = tw_alloc(sizeof *d);

    d->limits = sane_limits(limits);
    d->structure = tw_structure_new();
    d->walk.limits = &d->limits;
    d->event.reader = &tw_decode_event_reader;
    d->event.reader_self = &d->reader;
    tw_buf_init(&d->text, 6 * d->limits.size_bytes + 64);
    if (!tw_decode_reader_init(&d->reader, &d->limits) || !d->structure) {
        tw_decoder_free(d);
        return NULL;
    }
    return d;
}

void tw_decoder_free(tw_decoder *d)
{
    if (!d) {
        return;
    }
    tw_decode_reader_done(&d->reader);
    tw_structure_free(d->structure);
    tw_buf_done(&d->text);
    tw_free(d->walk.slots);
    tw_free(d->walk.scratch);
    tw_free(d);
}

void tw_decoder_adopt(tw_decoder *d, tw_event *copy)
{
    copy->reader = &tw_decode_event_reader;
    copy->reader_self = &d->reader;
}

/* ---- event time -------------------------------------------------------------------- */

static int bad_time(const job *j, tw_value v)
{
    const char *name = j->stream->time_path ? j->stream->time_path : "time";
    tw_buf text;

    tw_buf_init(&text, 4096);
    (void)tw_value_write_json(v, &text);
    (void)tw_err_set(
        j->err, TW_EPARSE,
        "field %s: %.60s%s is no time: RFC 3339 text or an epoch number, in the "
        "years 1970 to 9999, is expected",
        name, text.data, text.len > 60 ? "..." : "");
    tw_buf_done(&text);
    return TW_EPARSE;
}

static int set_time(const job *j, tw_event *ev)
{
    tw_value v = j->plan->time_slot == TW_SLOT_TIME
                     ? tw_value_absent()
                     : j->d->walk.slots[j->plan->time_slot];
    int64_t stamp = j->origin->time_ms;
    int64_t arrival = j->origin->arrival_ms;

    if (v.type != TW_ABSENT && v.type != TW_NULL) {
        if (tw_event_time(v, &stamp) < 0) {
            return bad_time(j, v);
        }
    } else if (stamp < 0) { /* the source has none */
        stamp = arrival;
    }
    ev->stamp_ms = stamp;
    if (stamp - arrival > j->stream->future_ms) {
        stamp = arrival;
        ev->flags |= TW_EVENT_CLAMPED;
    }
    ev->time_ms = stamp;
    return TW_OK;
}

/* ---- one event --------------------------------------------------------------------- */

static void clear_slots(const job *j)
{
    for (uint32_t n = 0; n < j->plan->filled_count; n++) {
        j->d->walk.slots[j->plan->filled[n]] = tw_value_absent();
    }
}

/* Delivers the event whose slots are filled and whose raw bytes these are. */
static int deliver(const job *j, const char *raw, size_t raw_len, uint32_t index)
{
    tw_event *ev = &j->d->event;

    /* One by one: a literal would be zeroed first. The reader was set when the decoder was made. */
    ev->arrival_ms = j->origin->arrival_ms;
    ev->offset = j->origin->offset;
    ev->partition = j->origin->partition;
    ev->stream = j->stream->id;
    ev->index = index;
    ev->raw_len = (uint32_t)raw_len;
    ev->raw = raw;
    ev->seq = j->origin->seq;
    ev->projection = j->plan->projection;
    ev->slots = j->d->walk.slots;
    ev->flags = 0;
    int rc = set_time(j, ev);
    if (rc == TW_OK) {
        j->port->event(j->port->self, ev);
    }
    return rc;
}

/* The object at *s, filled, delivered and forgotten; NULL after a fault. end: where it
 * has to end, or NULL. */
static const uint32_t *decode_event(const job *j, const uint32_t *s, const uint32_t *end,
                                    uint32_t index)
{
    tw_decode_reader *reader = &j->d->reader;
    tw_walk *w = &j->d->walk;
    const char *raw = w->bytes + *s;

    s = tw_walk_event(w, s, j->plan->root);
    if (s && end && s != end) {
        s = tw_walk_fault(w, *s, "something follows the object");
    }
    if (s) {
        reader->now = w;
        reader->indexed = NULL;
        reader->now_raw = raw;
        reader->now_len = (uint32_t)(w->bytes + s[-1] + 1 - raw);
        if (deliver(j, raw, reader->now_len, index) < 0) {
            s = NULL;
        }
        reader->now = NULL;
    }
    clear_slots(j);
    return s;
}

/* ---- a frame of JSON --------------------------------------------------------------- */

static int decode_array(const job *j, const uint32_t *at, uint32_t count)
{
    tw_walk *w = &j->d->walk;
    const uint32_t *s = at + 1;
    uint32_t events = 0;
    char c = w->bytes[*s];

    if (c == ']') {
        s++;
    }
    while (c != ']') {
        if (w->bytes[*s] != '{') {
            tw_walk_fault(w, *s, "an array of events holds nothing but objects");
            return j->err->code;
        }
        if (events >= j->d->limits.events) {
            return tw_err_set(j->err, TW_ELIMIT, "more than %u events in one record",
                              j->d->limits.events);
        }
        s = decode_event(j, s, NULL, events++);
        if (!s) {
            return j->err->code;
        }
        c = w->bytes[*s++];
        if (c != ',' && c != ']') {
            tw_walk_fault(w, s[-1], "a comma or ] is expected");
            return j->err->code;
        }
    }
    if (s != at + count) {
        tw_walk_fault(w, *s, "something follows the array");
        return j->err->code;
    }
    return (int)events;
}

static int structure_fault(const job *j, tw_structure_status status, const char *data,
                           size_t size)
{
    switch (status) {
    case TW_STRUCTURE_EMPTY:
        return tw_err_set(j->err, TW_EPARSE, "an empty record");
    case TW_STRUCTURE_UTF8:
        return tw_err_set(j->err, TW_EPARSE, "broken UTF-8 at byte %zu",
                          tw_utf8_fault(data, size));
    case TW_STRUCTURE_UNCLOSED:
        return tw_err_set(j->err, TW_EPARSE, "not JSON: a string does not end");
    case TW_STRUCTURE_CONTROL:
        return tw_err_set(j->err, TW_EPARSE,
                          "not JSON: a control character in a string without an escape");
    case TW_STRUCTURE_NO_ROOM:
        return tw_err_set(j->err, TW_ELIMIT, "no memory for a record of %zu bytes", size);
    case TW_STRUCTURE_OK:
        break;
    }
    return TW_OK;
}

static void make_room(const job *j, size_t size)
{
    tw_decoder *d = j->d;

    if (size > d->scratch_size) {
        d->scratch_size = size < 16384 ? 16384 : size + size / 2;
        d->walk.scratch = tw_realloc(d->walk.scratch, d->scratch_size);
    }
    if (j->plan->slot_room > d->slot_room) {
        uint32_t room = j->plan->slot_room;
        d->walk.slots = tw_realloc(d->walk.slots, room * sizeof(tw_value));
        memset(d->walk.slots + d->slot_room, 0, (room - d->slot_room) * sizeof(tw_value));
        d->slot_room = room;
    }
}

static tw_shape *find_shape(tw_decoder *d, const tw_decode_plan *plan)
{
    tw_shape *shape = &d->shapes[plan->number % SHAPES];

    if (shape->plan != plan->number) {
        tw_shape_reset(shape, plan->number);
    }
    return shape;
}

static int decode_json(const job *j, const char *data, size_t size)
{
    uint32_t *at;
    uint32_t count;
    tw_walk *w = &j->d->walk;

    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3; /* a byte order mark; some producers write one */
        size -= 3;
    }
    tw_structure_status status =
        tw_structure_index(j->d->structure, data, size, &at, &count);
    if (status != TW_STRUCTURE_OK) {
        return structure_fault(j, status, data, size);
    }
    char first = data[at[0]];
    char last = data[at[count - 1]];
    at[count] = at[count + 1] = at[count + 2] = at[0];
    w->err = j->err;
    w->shape = find_shape(j->d, j->plan);
    tw_walk_begin(w, data, at, count);
    if (first == '{' && last == '}') {
        return decode_event(j, at, at + count, 0) ? 1 : j->err->code;
    }
    if (first == '[' && last == ']') {
        return decode_array(j, at, count);
    }
    return tw_err_set(j->err, TW_EPARSE, "%s",
                      first == '{'   ? "not JSON: the object does not end"
                      : first == '[' ? "not JSON: the array does not end"
                                     : "neither a JSON object nor an array of objects");
}

/* ---- a line of text ---------------------------------------------------------------- */

/* The raw bytes of such an event are JSON too, so that it can be forwarded like any
 * other. */
static int decode_text(const job *j, const char *data, size_t size)
{
    static const char head[] = "{\"message\":";
    tw_buf *text = &j->d->text;
    tw_value message;

    size -= data[size - 1] == '\n';
    size -= size > 0 && data[size - 1] == '\r';
    if (!tw_structure_is_utf8(data, size)) {
        return tw_err_set(j->err, TW_EPARSE, "broken UTF-8 at byte %zu",
                          tw_utf8_fault(data, size));
    }
    tw_buf_reset(text);
    (void)tw_buf_add(text, head, sizeof head - 1);
    (void)tw_buf_add_json_string(text, data, size);
    if (tw_buf_add_char(text, '}') < 0) {
        return tw_err_set(j->err, TW_ELIMIT, "a line of %zu bytes is too long", size);
    }
    bool is_plain = text->len == sizeof head - 1 + size + 3;
    message = tw_value_string(is_plain ? text->data + sizeof head : data, size);
    if (j->plan->message_slot != TW_NO_SLOT) {
        j->d->walk.slots[j->plan->message_slot] = message;
    }
    int rc = deliver(j, text->data, text->len, 0);
    clear_slots(j);
    return rc < 0 ? rc : 1;
}

int tw_decode(tw_decoder *d, const tw_decode_plan *plan, const tw_stream *stream,
              const char *data, size_t size, const tw_decode_origin *origin,
              const tw_event_port *port, tw_err *err)
{
    tw_err own;
    job j = {.d = d,
             .plan = plan,
             .stream = stream,
             .origin = origin,
             .port = port,
             .err = err ? err : &own};

    if (!data || size == 0) {
        return tw_err_set(err, TW_EPARSE, "an empty record");
    }
    if (size > d->limits.size_bytes) {
        return tw_err_set(err, TW_ELIMIT, "%zu bytes; a record has at most %zu", size,
                          d->limits.size_bytes);
    }
    make_room(&j, size);
    return stream->format == TW_FORMAT_TEXT ? decode_text(&j, data, size)
                                            : decode_json(&j, data, size);
}

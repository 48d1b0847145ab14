// SPDX-License-Identifier: Apache-2.0
/* The event decoder against jansson. Whatever the bytes, both must agree whether they are events,
 * and on the value of every path; the same value must come out of a slot, of a lazy read and of a
 * copy. The same bytes are then decoded as a line of text. Where the two differ by intent:
 * jansson refuses numbers that fit neither 64 bits nor a double and NUL in keys, has no limits, and
 * takes a NUL byte between tokens for white space. */
#include "decode/decode.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/key.h"
#include "target.h"

static const char *const paths[] = {
    "a",         "b",        "a.b",      "a[0]",   "a[1].b",
    "b.a.b",     "time",     "message",  "labels", "[\"\"]",
    "[\"x.y\"]", "labels.z", "a.b.a[2]", "host",   "a[0][0].a",
};
enum { PATHS = sizeof paths / sizeof paths[0] };

typedef struct target {
    tw_streams *streams;
    tw_stream *stream;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    uint32_t slots[PATHS];
    json_t *expected; /* what jansson read; NULL: nothing */
    uint32_t events;
} target;

#define insist(condition)                                                                \
    ((condition) ? (void)0                                                               \
                 : (fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort()))

static const json_t *find(const json_t *event, const tw_field *field)
{
    for (uint32_t n = 0; event && n < field->step_count; n++) {
        const tw_path_step *step = &field->steps[n];
        event = step->name ? json_object_getn(event, step->name, step->name_len)
                           : json_array_get(event, step->index);
    }
    return event;
}

static void insist_on_json(tw_value v, const json_t *j)
{
    json_error_t error;
    json_t *again = json_loadb(v.s, v.len, JSON_ALLOW_NUL, &error);

    insist(again && json_equal(again, j));
    json_decref(again);
}

static void insist_on_value(tw_value v, const json_t *j)
{
    double d;

    switch ((tw_type)v.type) {
    case TW_ABSENT:
        insist(!j);
        return;
    case TW_NULL:
        insist(json_is_null(j));
        return;
    case TW_BOOL:
        insist(json_is_boolean(j) && json_is_true(j) == v.b);
        return;
    case TW_INT:
        insist(json_is_integer(j) && json_integer_value(j) == v.i);
        return;
    case TW_DOUBLE:
        d = json_real_value(j);
        insist(json_is_real(j) && memcmp(&d, &v.d, sizeof d) == 0);
        return;
    case TW_STRING:
        insist(json_is_string(j) && json_string_length(j) == v.len &&
               memcmp(json_string_value(j), v.s, v.len) == 0);
        return;
    case TW_DECIMAL:
        insist(false); /* jansson reads no such number */
        return;
    case TW_JSON:
        insist_on_json(v, j);
        return;
    }
    insist(false); /* a type that does not exist */
}

static bool is_same(tw_value a, tw_value b)
{
    if (a.type == TW_DOUBLE && b.type == TW_DOUBLE) {
        return memcmp(&a.d, &b.d, sizeof a.d) == 0;
    }
    return a.type == b.type && tw_value_equal(a, b);
}

static void read_everything(const target *t, const tw_event *ev, const json_t *expected)
{
    for (int n = 0; n < PATHS; n++) {
        const tw_field *field = tw_fields_at(t->stream->fields, t->slots[n]);
        tw_value v = tw_event_slot(ev, t->slots[n]);
        if (expected) {
            insist_on_value(v, find(expected, field));
        }
        insist(is_same(v, tw_event_get(ev, field->steps, field->step_count)));
    }
}

static void on_event(void *self, const tw_event *ev)
{
    target *t = self;
    const json_t *expected =
        json_is_array(t->expected) ? json_array_get(t->expected, t->events) : t->expected;
    uint8_t key[TW_MAX_KEY_BYTES];
    tw_key k;

    insist(ev->index == t->events);
    read_everything(t, ev, expected);
    tw_event *copy = tw_event_copy_into(ev, tw_alloc(tw_event_copy_size(ev)));
    read_everything(t, copy, expected);
    if (tw_key_from_event(ev, t->slots, 2, key, &k)) {
        tw_value values[2];
        insist(tw_key_values(k.data, k.len, values, 2) == 2);
        insist(tw_value_equal(values[0], tw_event_slot(copy, t->slots[0])));
        insist(tw_value_equal(values[1], tw_event_slot(copy, t->slots[1])));
    }
    tw_free(copy);
    t->events++;
}

static int decode(target *t, const char *data, size_t size)
{
    tw_decode_origin origin = {.time_ms = TW_TIME_NONE, .arrival_ms = 1732182000000};
    tw_event_port port = {.event = on_event, .self = t};
    tw_err err = {0};

    t->events = 0;
    int rc = tw_decode(t->decoder, t->plan, t->stream, data, size, &origin, &port, &err);
    insist(rc < 0 ? err.code == rc && err.text[0] : (uint32_t)rc == t->events);
    return rc;
}

/* Whether jansson refuses what is fine with us. */
static bool is_narrow(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_stack_overflow;
}

static bool holds_events(const json_t *j)
{
    size_t n;
    const json_t *element;

    if (!json_is_array(j)) {
        return json_is_object(j);
    }
    json_array_foreach((json_t *)(uintptr_t)j, n, element)
    {
        if (!json_is_object(element)) {
            return false;
        }
    }
    return true;
}

static void decode_json(target *t, const char *data, size_t size)
{
    json_error_t error;
    bool marked = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
    size_t skip = marked ? 3 : 0;

    t->stream->format = TW_FORMAT_JSON;
    t->expected = json_loadb(data + skip, size - skip, JSON_ALLOW_NUL, &error);
    int rc = decode(t, data, size);
    if (t->expected) {
        insist(rc >= 0 || rc == TW_ELIMIT || !holds_events(t->expected) ||
               memchr(data, '\0', size));
        insist(rc < 0 || holds_events(t->expected));
    } else {
        insist(rc < 0 || is_narrow(&error));
    }
    json_decref(t->expected);
    t->expected = NULL;
}

static void decode_text(target *t, const char *data, size_t size)
{
    t->stream->format = TW_FORMAT_TEXT;
    int rc = decode(t, data, size);
    insist(rc == 1 || rc == TW_EPARSE);
}

static void setup(target *t)
{
    tw_decode_limits limits = {1 << 20, 64, 500, 50};

    t->streams = tw_streams_new();
    t->stream = tw_streams_add(t->streams, "fuzz");
    for (int n = 0; n < PATHS; n++) {
        t->slots[n] = (uint32_t)tw_fields_slot(t->stream->fields, paths[n], NULL);
    }
    t->projection = tw_projection_new(t->stream->fields, t->slots, PATHS);
    t->plan = tw_decode_plan_new(t->stream, t->projection, TW_SLOT_TIME);
    t->decoder = tw_decoder_new(&limits);
}

static void teardown(target *t)
{
    tw_decoder_free(t->decoder);
    tw_decode_plan_free(t->plan);
    tw_projection_free(t->projection);
    tw_streams_free(t->streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target t = {0};

    setup(&t);
    decode_json(&t, (const char *)data, size);
    decode_text(&t, (const char *)data, size);
    decode_json(&t, (const char *)data, size); /* a decoder that has seen other things */
    teardown(&t);
    return 0;
}

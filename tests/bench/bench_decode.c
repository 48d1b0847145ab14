// SPDX-License-Identifier: Apache-2.0
/* decode_vs_jansson: event time, host and severity out of the reference events, by our
 * decoder and by jansson, in turns. decode_allocations: heap allocations of ours per
 * event. With an argument it says the nanoseconds an event on stderr. */
#include "decode/decode.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "events.h"
#include "figures.h"

enum { EVENTS = 4000, ROUNDS = 9, OURS_PER_ROUND = 20 };

typedef struct bench {
    char *bytes;
    size_t at[EVENTS + 1];
    tw_streams *streams;
    tw_stream *stream;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    uint32_t host, severity;
} bench;

static void setup(bench *b)
{
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    events g;

    b->bytes = tw_alloc((size_t)EVENTS * EVENTS_MAX_BYTES);
    events_init(&g, 1);
    for (int n = 0; n < EVENTS; n++) {
        b->at[n + 1] = b->at[n] + events_next(&g, b->bytes + b->at[n], NULL);
    }
    b->streams = tw_streams_new();
    b->stream = tw_streams_add(b->streams, "requests");
    uint32_t time = (uint32_t)tw_fields_slot(b->stream->fields, "time", NULL);
    b->host = (uint32_t)tw_fields_slot(b->stream->fields, "host", NULL);
    b->severity = (uint32_t)tw_fields_slot(b->stream->fields, "severity", NULL);
    uint32_t wanted[] = {time, b->host, b->severity};
    b->projection = tw_projection_new(b->stream->fields, wanted, 3);
    b->plan = tw_decode_plan_new(b->stream, b->projection, time);
    b->decoder = tw_decoder_new(&limits);
}

static void teardown(bench *b)
{
    tw_decoder_free(b->decoder);
    tw_decode_plan_free(b->plan);
    tw_projection_free(b->projection);
    tw_streams_free(b->streams);
    tw_free(b->bytes);
}

typedef struct sum {
    const bench *b;
    uint64_t total;
} sum;

static void on_event(void *self, const tw_event *ev)
{
    sum *s = self;

    s->total += (uint64_t)ev->time_ms + tw_event_slot(ev, s->b->host).len +
                tw_event_slot(ev, s->b->severity).len;
}

static uint64_t decode_all(const bench *b)
{
    sum s = {.b = b};
    tw_event_port port = {.event = on_event, .self = &s};
    tw_decode_origin origin = {.time_ms = TW_TIME_NONE,
                               .arrival_ms = EVENTS_START_MS + 3600000};
    tw_err err;

    for (int n = 0; n < EVENTS; n++) {
        if (tw_decode(b->decoder, b->plan, b->stream, b->bytes + b->at[n],
                      b->at[n + 1] - b->at[n], &origin, &port, &err) != 1) {
            fprintf(stderr, "bench_decode: %s\n", err.text);
        }
    }
    return s.total;
}

static uint64_t jansson_all(const bench *b)
{
    uint64_t total = 0;

    for (int n = 0; n < EVENTS; n++) {
        json_error_t error;
        json_t *ev = json_loadb(b->bytes + b->at[n], b->at[n + 1] - b->at[n], 0, &error);
        total += (uint64_t)json_integer_value(json_object_get(ev, "time")) +
                 strlen(json_string_value(json_object_get(ev, "host"))) +
                 strlen(json_string_value(json_object_get(ev, "severity")));
        json_decref(ev);
    }
    return total;
}

int main(int argc, char **argv)
{
    bench b = {0};
    double ratios[ROUNDS], allocations[ROUNDS];
    bool pass = true;

    (void)argv;
    setup(&b);
    uint64_t expected = jansson_all(&b);
    pass = decode_all(&b) == expected;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = figure_allocations();
        int64_t start = tw_thread_cpu_ns();
        for (int n = 0; n < OURS_PER_ROUND; n++) {
            pass = decode_all(&b) == expected && pass;
        }
        double ours = (double)(tw_thread_cpu_ns() - start) / (OURS_PER_ROUND * EVENTS);
        allocations[round] =
            (double)(figure_allocations() - before) / (OURS_PER_ROUND * EVENTS);
        start = tw_thread_cpu_ns();
        pass = jansson_all(&b) == expected && pass;
        double theirs = (double)(tw_thread_cpu_ns() - start) / EVENTS;
        ratios[round] = theirs / ours;
        if (argc > 1) {
            fprintf(stderr, "ours %.1f ns, jansson %.1f ns\n", ours, theirs);
        }
    }
    if (!pass) {
        fprintf(stderr, "bench_decode: the two read different values\n");
    }
    pass =
        figure_report("decode_vs_jansson", ratios, ROUNDS, FIGURE_HIGHER, 20, 30) && pass;
    pass = figure_report("decode_allocations", allocations, ROUNDS, FIGURE_LOWER, 0, 0) &&
           pass;
    teardown(&b);
    return pass ? 0 : 1;
}

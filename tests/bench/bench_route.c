// SPDX-License-Identifier: Apache-2.0
/* What rules cost that see nothing. rules_1000_vs_10: decode and route of an event with 1,000 rules
 * that do not match / with 10 of the same mix. index_vs_loop: routing alone through 1,000 rules, by
 * trying each match table / by the index. route_allocations: heap allocations per routed event. With an
 * argument it says the nanoseconds an event on stderr. */
#include "route/router.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "events.h"
#include "figures.h"

enum { EVENTS = 2000, ROUNDS = 15, PASSES = 10, MANY = 1000, FEW = 10 };

typedef struct bench {
    char *bytes;
    size_t at[EVENTS + 1];
    tw_streams *streams;
    tw_stream *stream;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    tw_slab *slab;
    tw_event *events[EVENTS]; /* decoded, for routing alone */
    uint32_t kept;
    tw_match_table *tables[MANY];
    tw_router *few, *many;
    tw_route_scratch *scratch;
} bench;

/* ---- rules that look at what the events hold and are never met ---- */

static uint32_t slot(bench *b, const char *path)
{
    return (uint32_t)tw_fields_slot(b->stream->fields, path, NULL);
}

static void add(bench *b, tw_match_table *t, tw_match_op op, const char *path, tw_value v)
{
    tw_match m = {.op = op, .slot = slot(b, path), .values = &v, .value_count = 1};
    if (tw_match_table_add(t, &m, NULL) < 0)
        fprintf(stderr, "bench_route: a matcher was refused\n");
}

typedef struct label {
    char text[64];
} label;

static tw_value text(label *out, const char *before, int number, const char *after)
{
    snprintf(out->text, sizeof out->text, "%s%d%s", before, number, after);
    return tw_value_string(out->text, strlen(out->text));
}

/* Of ten rules: six name a type and a bound, one a service, one a beginning of a host, one a range, one
 * a type and a pattern. */
static tw_match_table *make_rule(bench *b, int number)
{
    label l;
    tw_match_table *t = tw_match_table_new();
    switch (number % 10) {
    case 6:
        add(b, t, TW_MATCH_EQ, "service", text(&l, "service-x", number, ""));
        break;
    case 7:
        add(b, t, TW_MATCH_PREFIX, "host", text(&l, "rack-", number, "-"));
        break;
    case 8:
        add(b, t, TW_MATCH_GT, "latency_ms", tw_value_int(100000000 + number));
        break;
    case 9:
        add(b, t, TW_MATCH_REGEX, "message", tw_value_string("timeout.*upstream", 17));
        add(b, t, TW_MATCH_EQ, "type", text(&l, "odd_", number, ""));
        break;
    default:
        add(b, t, TW_MATCH_EQ, "type", text(&l, "kind_", number, ""));
        add(b, t, TW_MATCH_GTE, "code", tw_value_int(500));
        break;
    }
    return t;
}

static tw_router *router_of(const bench *b, uint32_t count)
{
    tw_router_builder *builder = tw_router_builder_new();
    for (uint32_t i = 0; i < count; i++)
        tw_router_builder_add(builder, b->tables[i], (tw_route_target){.rule = i});
    return tw_router_build(builder);
}

/* ---- decoding ---- */

typedef struct pass {
    bench *b;
    const tw_router *router;
    uint64_t matches, events;
} pass;

static void decode_all(bench *b, const tw_event_port *port)
{
    tw_decode_origin origin = {.time_ms = TW_TIME_NONE,
                               .arrival_ms = EVENTS_START_MS + 3600000};
    tw_err err;
    for (int n = 0; n < EVENTS; n++)
        if (tw_decode(b->decoder, b->plan, b->stream, b->bytes + b->at[n],
                      b->at[n + 1] - b->at[n], &origin, port, &err) != 1)
            fprintf(stderr, "bench_route: %s\n", err.text);
}

static void keep_event(void *self, const tw_event *ev)
{
    bench *b = self;
    b->events[b->kept++] = tw_event_copy(ev, b->slab);
}

static void route_event(void *self, const tw_event *ev)
{
    pass *p = self;
    const tw_route_target *out;
    p->matches += tw_router_match(p->router, ev, p->b->scratch, &out);
    p->events++;
}

static void setup(bench *b)
{
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    events g;
    b->bytes = tw_alloc((size_t)EVENTS * EVENTS_MAX_BYTES);
    events_init(&g, 1);
    for (int n = 0; n < EVENTS; n++)
        b->at[n + 1] = b->at[n] + events_next(&g, b->bytes + b->at[n], NULL);
    b->streams = tw_streams_new();
    b->stream = tw_streams_add(b->streams, "requests");
    for (int i = 0; i < MANY; i++)
        b->tables[i] = make_rule(b, i);
    uint32_t time = slot(b, "time");
    uint32_t wanted[] = {time,
                         slot(b, "type"),
                         slot(b, "service"),
                         slot(b, "host"),
                         slot(b, "latency_ms"),
                         slot(b, "message"),
                         slot(b, "code")};
    b->projection = tw_projection_new(b->stream->fields, wanted, 7);
    b->plan = tw_decode_plan_new(b->stream, b->projection, time);
    b->decoder = tw_decoder_new(&limits);
    b->slab = tw_slab_new();
    decode_all(b, &(tw_event_port){.event = keep_event, .self = b});
    b->few = router_of(b, FEW);
    b->many = router_of(b, MANY);
    b->scratch = tw_route_scratch_new();
}

static void teardown(bench *b)
{
    tw_route_scratch_free(b->scratch);
    tw_router_free(b->few);
    tw_router_free(b->many);
    for (int i = 0; i < MANY; i++)
        tw_match_table_free(b->tables[i]);
    for (uint32_t i = 0; i < b->kept; i++)
        tw_event_copy_give(b->events[i], b->slab);
    tw_slab_free(b->slab);
    tw_decoder_free(b->decoder);
    tw_decode_plan_free(b->plan);
    tw_projection_free(b->projection);
    tw_streams_free(b->streams);
    tw_free(b->bytes);
}

/* ---- the rounds; each returns nanoseconds an event ---- */

static double decode_and_route(bench *b, const tw_router *router, uint64_t *matches)
{
    pass p = {.b = b, .router = router};
    tw_event_port port = {.event = route_event, .self = &p};
    int64_t start = tw_thread_cpu_ns();
    for (int n = 0; n < PASSES; n++)
        decode_all(b, &port);
    *matches += p.matches;
    return (double)(tw_thread_cpu_ns() - start) / (double)p.events;
}

static double route_alone(bench *b, uint64_t *matches)
{
    const tw_route_target *out;
    int64_t start = tw_thread_cpu_ns();
    for (int n = 0; n < PASSES * 5; n++)
        for (uint32_t i = 0; i < b->kept; i++)
            *matches += tw_router_match(b->many, b->events[i], b->scratch, &out);
    return (double)(tw_thread_cpu_ns() - start) / (5.0 * PASSES * b->kept);
}

static double loop_alone(const bench *b, uint64_t *matches)
{
    int64_t start = tw_thread_cpu_ns();
    for (uint32_t i = 0; i < b->kept; i++)
        for (int k = 0; k < MANY; k++)
            *matches += tw_match_table_holds(b->tables[k], b->events[i]);
    return (double)(tw_thread_cpu_ns() - start) / b->kept;
}

int main(int argc, char **argv)
{
    static bench b;
    double more[ROUNDS], gain[ROUNDS], allocations[ROUNDS];
    uint64_t matches = 0;
    (void)argv;
    setup(&b);
    decode_and_route(&b, b.many, &matches);
    for (int round = 0; round < ROUNDS; round++) {
        double few = decode_and_route(&b, b.few, &matches);
        uint64_t before = figure_allocations();
        double many = decode_and_route(&b, b.many, &matches);
        allocations[round] =
            (double)(figure_allocations() - before) / (double)(PASSES * EVENTS);
        double index = route_alone(&b, &matches), loop = loop_alone(&b, &matches);
        more[round] = many / few;
        gain[round] = loop / index;
        if (argc > 1)
            fprintf(stderr, "10: %.1f, 1000: %.1f; index %.1f, loop %.0f ns\n", few, many,
                    index, loop);
    }
    if (matches > 0)
        fprintf(stderr, "bench_route: a rule matched that should not\n");
    bool good = matches == 0;
    good =
        figure_report("rules_1000_vs_10", more, ROUNDS, FIGURE_LOWER, 1.08, 1.05) && good;
    good = figure_report("index_vs_loop", gain, ROUNDS, FIGURE_HIGHER, 50, 100) && good;
    good = figure_report("route_allocations", allocations, ROUNDS, FIGURE_LOWER, 0, 0) &&
           good;
    teardown(&b);
    return good ? 0 : 1;
}

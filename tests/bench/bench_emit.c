// SPDX-License-Identifier: Apache-2.0
/* emit_vs_table: an enriched event out by `emit` without a detector / the same by a table: the event read
 * into a tree, the two fields of the look-up set in it, and the tree encoded (jansson, the library
 * the alerts are made with). Both begin with the event's bytes and the fields that the decoder found,
 * and end with one line of JSON. With an argument it says the nanoseconds an event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "events.h"
#include "figures.h"
#include "flow/emit.h"
#include "rig.h"

enum { EVENTS = 2000, PASSES = 20, ROUNDS = 7 };

static const char rule_text[] =
    "rule \"bench/enriched\" {\n"
    "  inputs = { ev = from \"requests\" {} },\n"
    "  enrich = { owner = lookup { \"owners\", key = \"host\" } },\n"
    "  emit = to \"enriched\" { team = \"${owner.team}\", rack = \"${owner.rack}\" },\n"
    "}\n";

/* An event and the fields that the rule carries of it, as a lane has them. */
typedef struct sample {
    tw_event *ev;
    tw_value fields[TW_MAX_KEPT];
} sample;

typedef struct bench {
    tw_streams *streams;
    tw_stream *stream;
    tw_rule_files *files;
    tw_rule *rule;
    tw_rows *rows;
    sample samples[EVENTS];
    uint32_t count;
    tw_buf out, scratch;
    uint64_t bytes;
} bench;

static void on_event(void *self, const tw_event *ev)
{
    bench *b = self;
    sample *s = &b->samples[b->count++];

    s->ev = tw_event_copy_into(ev, tw_alloc(tw_event_copy_size(ev)));
    for (uint32_t i = 0; i < b->rule->carried_count; i++)
        s->fields[i] = tw_event_slot(s->ev, b->rule->carried_slots[i]);
}

static void make_samples(bench *b)
{
    uint32_t slot_count;
    uint32_t *slots = tw_rule_files_slots(b->files, b->stream, &slot_count);
    tw_projection *projection = tw_projection_new(b->stream->fields, slots, slot_count);
    tw_decode_plan *plan = tw_decode_plan_new(b->stream, projection, TW_SLOT_TIME);
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    tw_decoder *decoder = tw_decoder_new(&limits);
    tw_event_port port = {on_event, b};
    tw_err err;
    events made;

    events_init(&made, 1);
    for (uint32_t i = 0; i < EVENTS; i++) {
        char text[EVENTS_MAX_BYTES];
        size_t size = events_next(&made, text, NULL);
        tw_decode_origin origin = {.time_ms = EVENTS_START_MS,
                                   .arrival_ms = EVENTS_START_MS};
        tw_decode(decoder, plan, b->stream, text, size, &origin, &port, &err);
    }
    tw_decoder_free(decoder);
    tw_decode_plan_free(plan);
    tw_free(slots); /* the projection stays with the events */
}

static void make_rows(bench *b)
{
    json_t *rows = json_object();
    events made;

    events_init(&made, 1);
    for (uint32_t i = 0; i < EVENTS; i++) {
        char text[EVENTS_MAX_BYTES], host[64];
        event_facts facts;
        events_next(&made, text, &facts);
        snprintf(host, sizeof host, "%.*s", (int)facts.host_len, facts.host);
        json_object_set_new(
            rows, host,
            json_pack("{s:s, s:i}", "team", "payments", "rack", (int)facts.host_number));
    }
    b->rows = tw_rows_of_json(rows, 0);
    json_decref(rows);
}

static void by_emit(bench *b, const sample *s)
{
    const tw_rows *rows[] = {b->rows};
    tw_signal signal = {.rule = b->rule,
                        .kind = TW_SIGNAL_VALUE,
                        .at_ms = s->ev->time_ms,
                        .fields = s->fields,
                        .start_ms = TW_TIME_NONE,
                        .stop_ms = TW_TIME_NONE,
                        .event = s->ev};

    tw_buf_reset(&b->out);
    if (tw_emit_write(&signal, rows, NULL, &b->scratch, &b->out) != TW_EMIT_WRITTEN)
        exit(2);
    b->bytes += b->out.len;
}

static void by_table(bench *b, const sample *s)
{
    json_t *event = json_loadb(s->ev->raw, s->ev->raw_len, 0, NULL);
    const json_t *row =
        tw_rows_get(b->rows, json_string_value(json_object_get(event, "host")));

    json_object_set(event, "team", json_object_get(row, "team"));
    json_object_set(event, "rack", json_object_get(row, "rack"));
    char *text = json_dumps(event, JSON_COMPACT);
    b->bytes += strlen(text);
    free(text);
    json_decref(event);
}

static double time_of(bench *b, void (*way)(bench *b, const sample *s))
{
    int64_t start_ns = tw_thread_cpu_ns();

    for (int pass = 0; pass < PASSES; pass++) {
        for (uint32_t i = 0; i < b->count; i++)
            way(b, &b->samples[i]);
    }
    return (double)(tw_thread_cpu_ns() - start_ns) / PASSES / b->count;
}

/* Both ways must say the same, or the figure compares nothing. */
static void check(bench *b)
{
    for (uint32_t i = 0; i < b->count; i += 97) {
        const sample *s = &b->samples[i];
        by_emit(b, s);
        json_t *emitted = json_loadb(b->out.data, b->out.len, 0, NULL);
        json_t *event = json_loadb(s->ev->raw, s->ev->raw_len, 0, NULL);
        const json_t *row =
            tw_rows_get(b->rows, json_string_value(json_object_get(event, "host")));
        json_object_update(event, (json_t *)(uintptr_t)row);
        if (!row || !json_equal(emitted, event)) {
            fprintf(stderr, "bench_emit: not the same event: %.*s\n", (int)b->out.len,
                    b->out.data);
            exit(1);
        }
        json_decref(emitted);
        json_decref(event);
    }
}

int main(int argc, char **argv)
{
    static bench b;
    double ratios[ROUNDS];

    (void)argv;
    b.streams = tw_streams_new();
    b.stream = tw_streams_add(b.streams, "requests");
    b.files = rig_rules(b.streams, rule_text);
    b.rule = tw_rule_files_rule(b.files, 0);
    tw_buf_init(&b.out, 1 << 20);
    tw_buf_init(&b.scratch, 1 << 20);
    make_samples(&b);
    make_rows(&b);
    check(&b);
    for (int round = 0; round < ROUNDS; round++) {
        double emit_ns = time_of(&b, by_emit), table_ns = time_of(&b, by_table);
        ratios[round] = table_ns / emit_ns;
        if (argc > 1)
            fprintf(stderr, "emit %.1f ns, table %.1f ns\n", emit_ns, table_ns);
    }
    return figure_report("emit_vs_table", ratios, ROUNDS, FIGURE_HIGHER, 8, 15) ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/* new_keys_stop_ms: for how long a burst of new keys stops a lane at most. A million keys that were never seen come to
 * one detector, 64 events at a time as a lane polls them, 100,000 to a second of event time; the figure is the
 * processor time of the longest of these batches, deadlines included, over all detectors. Processor time and not
 * the wall's, since another program's turn is no stop of ours. With an argument it says more on stderr. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/detector.h"
#include "events.h"
#include "figures.h"
#include "rig.h"

enum { KEYS = 1000000, BATCH = 64, BATCHES_A_MS = 2, ROUNDS = 3 };

#define RULE(name, detect)                                                               \
    "rule \"bench/" name "\" {\n"                                                        \
    "  owner = \"bench\", version = \"1.0.0\", key = { \"host\" }, max_keys = "          \
    "2000000,\n"                                                                         \
    "  inputs = { a = from \"requests\" { kind = \"a\" }, b = from \"requests\" { kind " \
    "= "                                                                                 \
    "\"b\" } },\n"                                                                       \
    "  detect = " detect ",\n"                                                           \
    "  alert = incident { title = \"${host}\" },\n"                                      \
    "}\n"

static const struct {
    const char *name, *rule;
} cases[] = {
    {"level", RULE("level", "level { of = count \"a\", over = \"5s\", crit = { at_least "
                            "= 30, hold = \"1s\" } }")},
    {"seq", RULE("seq", "seq { \"a\", \"b\", within = \"4s\" }")},
    {"join", RULE("join", "join { \"a\", \"b\", within = { after = \"4s\" } }")},
    {"missing", RULE("missing", "missing { \"a\", every = \"1h\", expect = { learn = "
                                "\"24h\" } }")},
    {"handler", RULE("handler", "handler { on_event = function(e, ctx) "
                                "ctx.state.incr(\"n\") ctx.timer(\"t\", \"3s\") end, "
                                "on_timer = function(name, ctx) end }")},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct desk {
    tw_rule *rule;
    tw_detector *det;
    tw_projection *projection;
    tw_value *slots;
    tw_script *script;
    uint32_t host;
    int64_t time_ms;
    tw_counter late, evicted, dropped;
    tw_gauge keys;
} desk;

static void ignore_signal(void *self, const tw_signal *s)
{
    (void)self, (void)s;
}

static void desk_open(desk *d, tw_streams *streams, tw_rule_files *files)
{
    tw_fields *fields = tw_streams_at(streams, 0)->fields;
    tw_err err = {0};

    *d = (desk){.time_ms = EVENTS_START_MS};
    d->script = tw_rule_script_new(files, 0, 1, &err);
    tw_detect_env env = {.out = {ignore_signal, d},
                         .script = d->script,
                         .lane_count = 1,
                         .late = &d->late,
                         .evicted = &d->evicted,
                         .dropped = &d->dropped,
                         .keys = &d->keys};
    d->rule = tw_rule_files_rule(files, 0);
    d->host = (uint32_t)tw_fields_slot(fields, "host", NULL);
    d->projection = tw_projection_new(fields, &d->host, 1);
    d->slots = tw_calloc(d->projection->slot_count, sizeof *d->slots);
    d->det = tw_detector_class_of(d->rule)->new (d->rule, &env, &err);
}

static void desk_close(desk *d)
{
    d->det->cls->free(d->det);
    tw_rule_script_free(d->script);
    tw_projection_free(d->projection);
    tw_free(d->slots);
}

static void offer(desk *d, uint32_t number)
{
    char name[] = "web-0000000.eu-west-1";
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_event ev = {.time_ms = d->time_ms,
                   .offset = number,
                   .projection = d->projection,
                   .slots = d->slots};
    tw_key key;

    for (int n = 10; n > 3; n--, number /= 10)
        name[n] = (char)('0' + number % 10);
    d->slots[d->host] = tw_value_string(name, sizeof name - 1);
    if (tw_key_from_event(&ev, &d->host, 1, scratch, &key))
        d->det->cls->event(d->det, &key, 0, &ev, d->time_ms, d->time_ms);
}

/* Milliseconds of the longest batch. */
static double burst(desk *d)
{
    int64_t longest_ns = 0;

    for (uint32_t n = 0; n < KEYS; n += BATCH) {
        int64_t start_ns = tw_thread_cpu_ns();
        for (uint32_t k = 0; k < BATCH; k++)
            offer(d, n + k);
        if (n / BATCH % BATCHES_A_MS == 0 &&
            d->det->cls->next_deadline(d->det) < ++d->time_ms)
            d->det->cls->advance(d->det, d->time_ms);
        int64_t took_ns = tw_thread_cpu_ns() - start_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
    }
    return (double)longest_ns / 1e6;
}

static double run(int which, bool talks)
{
    tw_streams *streams = tw_streams_new();
    tw_streams_add(streams, "requests");
    tw_rule_files *files = rig_rules(streams, cases[which].rule);
    desk d;

    desk_open(&d, streams, files);
    double stop_ms = burst(&d);
    if (talks)
        fprintf(stderr, "%s: %.2f ms, %lld keys at the end\n", cases[which].name, stop_ms,
                (long long)d.keys.value);
    desk_close(&d);
    tw_rule_files_unref(files);
    tw_streams_free(streams);
    return stop_ms;
}

int main(int argc, char **argv)
{
    double worst[ROUNDS] = {0};
    tw_err err = {0};

    (void)argv;
    if (tw_rule_watchdog_start(&err) < 0 || tw_rule_thread_enter(&err) < 0)
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        for (int n = 0; n < CASES; n++) {
            double stop_ms = run(n, argc > 1);
            worst[round] = stop_ms > worst[round] ? stop_ms : worst[round];
        }
    }
    tw_rule_thread_leave();
    tw_rule_watchdog_stop();
    return figure_report("new_keys_stop_ms", worst, ROUNDS, FIGURE_LOWER, 20, 5) ? 0 : 1;
}

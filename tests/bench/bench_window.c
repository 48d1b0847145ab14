// SPDX-License-Identifier: Apache-2.0
/* What many keys cost. window_1m_vs_1k_keys: an update of one sliding count (key from the
 * event, look-up, window, judgement, deadlines) with 1,000,000 keys / with 1,000, in random
 * order, two events of a key in its window on average. window_bytes_per_key: resident memory
 * that the operator with 1,000,000 keys has taken, by key. With an argument it says the
 * nanoseconds an update on stderr. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/detector.h"
#include "events.h"
#include "figures.h"
#include "rig.h"

enum { MANY = 1000000, FEW = 1000, UPDATES = 500000, ROUNDS = 9, BATCH = 64 };
enum { OVER_MS = 300000, IN_WINDOW = 2 };

static const char rule_text[] =
    "rule \"bench/keys\" {\n"
    "  owner = \"bench\", version = \"1.0.0\", key = { \"host\" }, max_keys = 2000000,\n"
    "  inputs = { ev = from \"requests\" {} },\n"
    "  detect = level { of = count \"ev\", over = \"5m\", crit = { at_least = 1000 } },\n"
    "  alert = incident { title = \"never\" },\n"
    "}\n";

typedef struct desk {
    tw_rule *rule;
    tw_detector *det;
    tw_projection *projection;
    tw_value *slots;
    uint32_t host;
    uint32_t keys;
    uint64_t random, updates;
    int64_t time_ms;
    uint64_t told;
} desk;

static void on_signal(void *self, const tw_signal *s)
{
    desk *d = self;

    (void)s;
    d->told++;
}

static void desk_open(desk *d, tw_streams *streams, tw_rule_files *files, uint32_t keys)
{
    tw_detect_env env = {.out = {on_signal, d}};
    tw_fields *fields = tw_streams_at(streams, 0)->fields;

    *d = (desk){.keys = keys, .random = keys, .time_ms = EVENTS_START_MS};
    d->rule = tw_rule_files_rule(files, 0);
    d->host = (uint32_t)tw_fields_slot(fields, "host", NULL);
    d->projection = tw_projection_new(fields, &d->host, 1);
    d->slots = tw_calloc(d->projection->slot_count, sizeof *d->slots);
    d->det = tw_detector_class_of(d->rule)->new (d->rule, &env, NULL);
}

static void desk_close(desk *d)
{
    d->det->cls->free(d->det);
    tw_projection_free(d->projection);
    tw_free(d->slots);
}

static uint32_t next_key(desk *d)
{
    d->random = d->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((d->random >> 32) * d->keys >> 32);
}

/* One event of a key, as a lane hands it over. */
static void update(desk *d, uint32_t number)
{
    char name[] = "web-0000000.eu-west-1";
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_event ev = {.time_ms = d->time_ms, .projection = d->projection, .slots = d->slots};
    tw_key key;

    for (int n = 10; n > 3; n--, number /= 10) {
        name[n] = (char)('0' + number % 10);
    }
    d->slots[d->host] = tw_value_string(name, sizeof name - 1);
    if (tw_key_from_event(&ev, &d->host, 1, scratch, &key)) {
        d->det->cls->event(d->det, &key, 0, &ev, d->time_ms, d->time_ms);
    }
    d->updates++;
    d->time_ms = EVENTS_START_MS +
                 (int64_t)(d->updates * OVER_MS / ((uint64_t)d->keys * IN_WINDOW));
    if (d->updates % BATCH == 0 && d->det->cls->next_deadline(d->det) < d->time_ms) {
        d->det->cls->advance(d->det, d->time_ms);
    }
}

static double update_many(desk *d)
{
    int64_t start_ns = tw_thread_cpu_ns();

    for (int n = 0; n < UPDATES; n++) {
        update(d, next_key(d));
    }
    return (double)(tw_thread_cpu_ns() - start_ns) / UPDATES;
}

int main(int argc, char **argv)
{
    static desk many, few;
    double ratios[ROUNDS], bytes[1];
    tw_streams *streams = tw_streams_new();

    (void)argv;
    tw_streams_add(streams, "requests");
    tw_rule_files *files = rig_rules(streams, rule_text);
    desk_open(&few, streams, files, FEW);
    update_many(&few);
    double before = figure_resident_bytes();
    desk_open(&many, streams, files, MANY);
    for (uint32_t n = 0; n < MANY; n++) {
        update(&many, n);
    }
    for (int n = 0; n < 4; n++) {
        update_many(&many);
    }
    bytes[0] = (figure_resident_bytes() - before) / MANY;
    for (int round = 0; round < ROUNDS; round++) {
        double large = update_many(&many), small = update_many(&few);
        ratios[round] = large / small;
        if (argc > 1) {
            fprintf(stderr, "1,000,000 keys: %.1f ns, 1,000 keys: %.1f ns\n", large,
                    small);
        }
    }
    bool good = many.told == 0 && few.told == 0 &&
                many.det->cls->key_count(many.det) == MANY &&
                few.det->cls->key_count(few.det) == FEW;
    if (!good) {
        fprintf(stderr, "bench_window: something was told, or keys got lost\n");
    }
    good =
        figure_report("window_1m_vs_1k_keys", ratios, ROUNDS, FIGURE_LOWER, 6, 4) && good;
    good =
        figure_report("window_bytes_per_key", bytes, 1, FIGURE_LOWER, 200, 100) && good;
    desk_close(&many);
    desk_close(&few);
    tw_rule_files_unref(files);
    tw_streams_free(streams);
    return good ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/* What open matches cost. partials_bytes: resident memory that a sequence of two steps, with a field of the
 * first in its title, has taken with 1,000,000 open matches of as many keys, by match. With an argument
 * it says on stderr what an event costs that no open match takes, by keys in random order. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/detector.h"
#include "events.h"
#include "figures.h"
#include "rig.h"

enum { MANY = 1000000, FEW = 1000, UPDATES = 500000, BATCH = 64 };
enum { FIRST, SECOND, OTHER };

static const char rule_text[] =
    "rule \"bench/partials\" {\n"
    "  owner = \"bench\", version = \"1.0.0\", key = { \"host\" }, max_keys = 2000000,\n"
    "  inputs = { a = from \"requests\" { kind = \"a\" }, b = from \"requests\" { kind = "
    "\"b\" },\n"
    "             c = from \"requests\" { kind = \"c\" } },\n"
    "  detect = seq { \"a\", \"b\", within = \"24h\", overlap = \"oldest\" },\n"
    "  alert = incident { title = \"${a.zone} of ${host}\" },\n"
    "}\n";

typedef struct desk {
    tw_rule *rule;
    tw_detector *det;
    tw_projection *projection;
    tw_value *slots;
    uint32_t host, zone;
    uint32_t keys;
    uint64_t random, told;
    int64_t offset, time_ms;
    tw_counter late;
} desk;

static void on_signal(void *self, const tw_signal *s)
{
    desk *d = self;

    (void)s;
    d->told++;
}

static void desk_open(desk *d, tw_streams *streams, tw_rule_files *files, uint32_t keys)
{
    tw_fields *fields = tw_streams_at(streams, 0)->fields;

    *d = (desk){.keys = keys, .random = keys, .time_ms = EVENTS_START_MS};
    tw_detect_env env = {.out = {on_signal, d}, .late = &d->late};
    d->rule = tw_rule_files_rule(files, 0);
    d->host = (uint32_t)tw_fields_slot(fields, "host", NULL);
    d->zone = (uint32_t)tw_fields_slot(fields, "zone", NULL);
    uint32_t wanted[] = {d->host, d->zone};
    d->projection = tw_projection_new(fields, wanted, 2);
    d->slots = tw_calloc(d->projection->slot_count, sizeof *d->slots);
    d->det = tw_detector_class_of(d->rule)->new (d->rule, &env, NULL);
}

static void desk_close(desk *d)
{
    d->det->cls->free(d->det);
    tw_projection_free(d->projection);
    tw_free(d->slots);
}

/* One event of a key, as a lane hands it over. */
static void offer(desk *d, uint32_t number, uint32_t input)
{
    char name[] = "web-0000000.eu-west-1";
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_event ev = {.time_ms = d->time_ms,
                   .offset = d->offset++,
                   .projection = d->projection,
                   .slots = d->slots};
    tw_key key;

    for (int n = 10; n > 3; n--, number /= 10) {
        name[n] = (char)('0' + number % 10);
    }
    d->slots[d->host] = tw_value_string(name, sizeof name - 1);
    d->slots[d->zone] = tw_value_string("eu-west-1a", 10);
    if (tw_key_from_event(&ev, &d->host, 1, scratch, &key)) {
        d->det->cls->event(d->det, &key, input, &ev, d->time_ms, d->time_ms);
    }
    if (d->offset % BATCH == 0 && d->det->cls->next_deadline(d->det) < ++d->time_ms) {
        d->det->cls->advance(d->det, d->time_ms);
    }
}

/* The inputs stand in the order of the steps. */
static void open_all(desk *d)
{
    for (uint32_t n = 0; n < d->keys; n++) {
        offer(d, n, FIRST);
    }
}

static double offer_many(desk *d)
{
    int64_t start_ns = tw_thread_cpu_ns();

    for (int n = 0; n < UPDATES; n++) {
        d->random = d->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        offer(d, (uint32_t)((d->random >> 32) * d->keys >> 32), OTHER);
    }
    return (double)(tw_thread_cpu_ns() - start_ns) / UPDATES;
}

int main(int argc, char **argv)
{
    static desk many, few;
    double bytes[1];
    tw_streams *streams = tw_streams_new();

    (void)argv;
    tw_streams_add(streams, "requests");
    tw_rule_files *files = rig_rules(streams, rule_text);
    desk_open(&few, streams, files, FEW);
    open_all(&few);
    double before = figure_resident_bytes();
    desk_open(&many, streams, files, MANY);
    open_all(&many);
    bytes[0] = (figure_resident_bytes() - before) / MANY;
    if (argc > 1) {
        fprintf(stderr, "1,000,000 matches: %.1f ns, 1,000 matches: %.1f ns\n",
                offer_many(&many), offer_many(&few));
    }
    bool good = many.told == 0 && many.det->cls->key_count(many.det) == MANY &&
                few.det->cls->key_count(few.det) == FEW;
    good = figure_report("partials_bytes", bytes, 1, FIGURE_LOWER, 300, 150) && good;
    desk_close(&many);
    desk_close(&few);
    tw_rule_files_unref(files);
    tw_streams_free(streams);
    return good ? 0 : 1;
}

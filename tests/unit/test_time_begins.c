// SPDX-License-Identifier: Apache-2.0
/* Time begins for a rule at one instant on all lanes, however far apart its partitions begin and whichever is read
 * first. Real lanes read four partitions, each of which is silent until the one before has given much. Eight hosts
 * are expected, each first heard late in one of them. ctest: threads */
#include <sched.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "engine.h"
#include "rules_fixture.h"

enum { PARTS = 4, HOSTS = 8, BUSY = 300, RECORDS = BUSY + HOSTS / PARTS + 1, MOST = 64 };
enum { END_MS = 4000000 };
#define T INT64_C(1732182000000)

typedef struct part {
    tw_feed base;
    int number;
    int64_t begins_ms; /* its first record */
    char text[MOST][64];
    atomic_int given;
} part;

typedef struct desk {
    rules_fixture *rules;
    tw_engine *engine;
    tw_clock clock;
    tw_stats *stats;
    part parts[PARTS];
    tw_feed_state fed[PARTS];
    uint32_t handled;
    int64_t told_ms[HOSTS][4];
    uint32_t told[HOSTS];
} desk;

static desk *open_now;         /* of the one that is open: parts ask for the one before */
static atomic_bool only_first; /* the others are silent */

/* Somebody nobody expects every two seconds, then the hosts of this partition, then the end. */
static int record(const part *p, int n, char *text)
{
    int64_t ms = p->begins_ms + n * 2000;
    int host = n - BUSY;

    if (n == RECORDS - 1)
        return snprintf(text, 64, "{\"host\":\"end\",\"ts\":%lld}",
                        (long long)T + END_MS);
    if (host < 0)
        return snprintf(text, 64, "{\"host\":\"busy\",\"ts\":%lld}", (long long)(T + ms));
    return snprintf(text, 64, "{\"host\":\"h%d\",\"ts\":%lld}", host * PARTS + p->number,
                    (long long)(T + ms));
}

static int give(tw_feed *base, tw_frame *frames, int max)
{
    part *p = (part *)base;
    int at = atomic_load(&p->given), count = RECORDS - at;

    if (p->number > 0 && (atomic_load(&only_first) ||
                          atomic_load(&open_now->parts[p->number - 1].given) < BUSY / 2))
        return 0;
    count = count < max ? count : max;
    for (int i = 0; i < count; i++) {
        int size = record(p, at + i, p->text[i]);
        frames[i] = (tw_frame){.data = p->text[i],
                               .size = (size_t)size,
                               .offset = at + i,
                               .time_ms = T + END_MS};
    }
    atomic_fetch_add(&p->given, count);
    return count;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

static const tw_source_type type = {.poll = give, .release = take_back};

static void on_signal(void *self, const tw_signal *s)
{
    desk *d = self;
    uint32_t host = (uint32_t)(s->key.data[s->key.len - 1] - '0');

    assert_true(host < HOSTS && d->told[host] < 4);
    d->told_ms[host][d->told[host]++] = s->at_ms - T;
}

static void count_handled(void *self, tw_feed_state *feed)
{
    desk *d = self;
    d->handled += feed->next_offset == RECORDS;
}

static tw_table_view *inventory(void)
{
    json_t *rows = json_object(), *tables = json_object();

    for (int i = 0; i < HOSTS; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%d", i);
        json_object_set_new(rows, host, json_pack("{s:s}", "host", host));
    }
    json_object_set_new(tables, "inventory", rows);
    tw_table_view *view = tw_table_view_of_json(tables, 0);
    json_decref(tables);
    return view;
}

static void switch_rules(desk *d, rules_fixture *x)
{
    tw_switch_report report;
    tw_switch to = {.files = x->set};
    tw_err err = {0};

    assert_int_equal(tw_engine_switch(d->engine, &to, &report, &err), TW_OK);
}

static void open_desk(desk *d, rules_fixture *x, uint32_t lanes, uint32_t max_waiting,
                      const int64_t *begins_ms)
{
    tw_err err = {0};

    *d = (desk){.stats = tw_stats_new()};
    open_now = d;
    tw_clock_init_real(&d->clock);
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    tw_engine_options options = {.lanes = lanes,
                                 .clock = &d->clock,
                                 .streams = x->options.streams,
                                 .stats = d->stats,
                                 .tables = inventory(),
                                 .max_waiting = max_waiting,
                                 .ports = {.signal = on_signal, .self = d}};
    d->engine = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(d->engine, &err), TW_OK);
    switch_rules(d, x);
    for (int i = 0; i < PARTS; i++) {
        d->parts[i].number = i;
        d->parts[i].begins_ms = begins_ms[i];
        d->fed[i] =
            (tw_feed_state){.feed = &d->parts[i].base,
                            .type = &type,
                            .partition = i,
                            .rests = true,
                            .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(d->engine, &d->fed[i]);
    }
    tw_engine_feeds_begin(d->engine);
}

static void read_all(desk *d)
{
    while (d->handled < PARTS) {
        d->handled = 0;
        tw_engine_positions(d->engine, count_handled, d);
        sched_yield();
    }
}

static void close_desk(desk *d)
{
    int64_t next;

    for (int i = 0; i < PARTS; i++)
        tw_engine_feed_remove(d->engine, &d->fed[i], &next);
    tw_engine_stop(d->engine);
    tw_engine_free(d->engine);
    tw_stats_free(d->stats);
    tw_rule_watchdog_stop();
}

static int64_t first_heard(const desk *d, int host)
{
    return d->parts[host % PARTS].begins_ms + (BUSY + host / PARTS) * 2000;
}

#define RULE(lateness)                                                                   \
    "rule \"a/b\" { key = { \"host\" }, clock = { time = \"ts\", idle = \"1h\", "        \
    "lateness = \"" lateness "\" }, inputs = { ev = from \"events\" {} }, "              \
    "detect = missing { \"ev\", every = \"15s\", grace = \"5s\", "                       \
    "expect = { table = \"inventory\" } }, alert = incident {} }"

static const uint32_t some_lanes[] = {1, 2, 4};

/* Silent from the earliest of the first records on, heard, silent again. */
static void assert_all_told(const desk *d)
{
    for (int host = 0; host < HOSTS; host++) {
        assert_int_equal(d->told[host], 3);
        assert_int_equal(d->told_ms[host][0], 20000);
        assert_int_equal(d->told_ms[host][1], first_heard(d, host));
        assert_int_equal(d->told_ms[host][2], first_heard(d, host) + 20000);
    }
}

static void all_lanes_begin_with_the_earliest_first_record(void **state)
{
    static const int64_t begins_ms[PARTS] = {1500000, 100000, 900000, 0};
    static const char *const rules[] = {RULE("0s"), RULE("10s")};

    for (int i = 0; i < 6; i++) {
        desk d;
        load_rules(*state, rules[i % 2]);
        assert_string_equal(first_finding(*state), "");
        open_desk(&d, *state, some_lanes[i / 2], 0, begins_ms);
        read_all(&d);
        assert_all_told(&d);
        close_desk(&d);
    }
}

/* An edit of a message falls between the first partition and the others. */
static void a_reload_before_time_begins_moves_it_not(void **state)
{
    static const int64_t begins_ms[PARTS] = {1500000, 100000, 900000, 0};
    static const char *const rules[] = {RULE("0s"), RULE("10s")};

    for (int i = 0; i < 6; i++) {
        desk d;
        load_rules(*state, rules[i % 2]);
        atomic_store(&only_first, true);
        open_desk(&d, *state, some_lanes[i / 2], 0, begins_ms);
        while (atomic_load(&d.parts[0].given) < RECORDS)
            sched_yield();
        switch_rules(&d, *state);
        atomic_store(&only_first, false);
        read_all(&d);
        assert_all_told(&d);
        close_desk(&d);
    }
}

/* Here the first that is read is the earliest, and much of it has to leave before there is a clock. */
static void a_waiting_room_that_overflows_begins_time_for_all_lanes(void **state)
{
    static const int64_t begins_ms[PARTS] = {0, 100000, 900000, 1500000};
    static const char *const rules[] = {RULE("0s"), RULE("1m")};

    for (int i = 0; i < 6; i++) {
        desk d;
        load_rules(*state, rules[i % 2]);
        assert_string_equal(first_finding(*state), "");
        open_desk(&d, *state, some_lanes[i / 2], 4, begins_ms);
        read_all(&d);
        for (int host = 0; host < HOSTS; host++) {
            assert_true(d.told[host] > 0);
            assert_int_equal(d.told_ms[host][0], 20000);
        }
        close_desk(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_lanes_begin_with_the_earliest_first_record,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_reload_before_time_begins_moves_it_not,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(
            a_waiting_room_that_overflows_begins_time_for_all_lanes, open_rules,
            shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

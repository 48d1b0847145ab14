// SPDX-License-Identifier: Apache-2.0
/* Late events are told of wherever it is found that they are: at the door of the waiting room, and behind it. */
#include "engine_fixture.h"

typedef struct desk {
    engine_desk on;
    const tw_stream *stream;
    uint32_t late;
    int64_t late_ms[8];
    char late_raw[8][64];
} desk;

static void on_late(void *self, const tw_late_event *l)
{
    desk *d = self;

    assert_true(d->late < 8);
    d->late_ms[d->late] = l->time_ms - T;
    snprintf(d->late_raw[d->late++], 64, "%.*s", (int)l->raw_size, l->raw);
}

static void open_desk(desk *d, rules_fixture *x, uint32_t lanes, const char *rule)
{
    *d = (desk){.stream = tw_streams_find(x->options.streams, "events")};
    tw_clock_init_virtual(&d->on.clock, T);
    engine_start(&d->on, x,
                 (tw_engine_options){
                     .lanes = lanes,
                     .max_waiting = 4,
                     .ports = {.signal = ignore_signal, .late = on_late, .self = d}});
    engine_load(&d->on, x, rule);
}

static void put(desk *d, int64_t arrival_ms, int64_t ts_ms)
{
    char json[64];
    int size = snprintf(json, sizeof json, "{\"host\":\"h\",\"ts\":%lld}",
                        (long long)(T + ts_ms));
    tw_frame frame = {.data = json, .size = (size_t)size, .time_ms = T + ts_ms};

    tw_clock_set(&d->on.clock, T + arrival_ms);
    tw_engine_step(d->on.engine, d->stream, 0, 0, &frame);
    tw_engine_collect(d->on.engine);
}

static const char ordered[] =
    "rule \"a/b\" { key = { \"host\" }, clock = { time = \"ts\", lateness = \"1h\" }, "
    "inputs = { ev = from \"events\" {} }, "
    "detect = change { \"ev\", of = \"ts\" }, alert = incident {} }";

/* Room for four: the fifth lets the oldest go early, so what comes behind that is found to be late by the
 * detector alone, when it leaves the room. */
static void one_behind_the_waiting_room_is_told(void **state)
{
    for (uint32_t lanes = 0; lanes < 3; lanes++) {
        desk d;
        open_desk(&d, *state, lanes, ordered);
        for (int n = 1; n <= 5; n++)
            put(&d, n * 1000, n * 10000);
        put(&d, 6000, 15000);
        assert_int_equal(d.late, 0);
        put(&d, 7000, 60000);
        assert_int_equal(d.late, 1);
        assert_int_equal(d.late_ms[0], 15000);
        assert_string_equal(d.late_raw[0], "{\"host\":\"h\",\"ts\":1732182015000}");
        assert_int_equal(tw_stats_sum(d.on.stats, "rule_late_total"), 1);
        engine_close(&d.on);
    }
}

static const char at_the_door[] =
    "rule \"a/b\" { key = { \"host\" }, clock = { time = \"ts\", lateness = \"10s\" }, "
    "inputs = { ev = from \"events\" {} }, "
    "detect = change { \"ev\", of = \"ts\" }, alert = incident {} }";

static void one_that_the_clock_has_passed_is_told_at_the_door(void **state)
{
    for (uint32_t lanes = 0; lanes < 3; lanes++) {
        desk d;
        open_desk(&d, *state, lanes, at_the_door);
        put(&d, 0, 0);
        put(&d, 30000, 30000);
        put(&d, 31000, 19999);
        put(&d, 32000, 20000);
        assert_int_equal(d.late, 1);
        assert_int_equal(d.late_ms[0], 19999);
        engine_close(&d.on);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_behind_the_waiting_room_is_told, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(one_that_the_clock_has_passed_is_told_at_the_door,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

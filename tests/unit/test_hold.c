// SPDX-License-Identifier: Apache-2.0
/* Sources that are held: no feed is polled, and clocks do not walk on as if the topics were silent. */
#include "base/mem.h"
#include "engine_impl.h"
#include "rules_fixture.h"

#define T INT64_C(1732182000000)

typedef struct fake_feed {
    tw_feed base;
    int polled;
    int64_t next_ms;
    char text[64];
} fake_feed;

static int give(tw_feed *base, tw_frame *frames, int max)
{
    fake_feed *f = (fake_feed *)base;

    (void)max;
    f->polled++;
    if (f->next_ms == 0)
        return 0;
    int size = snprintf(f->text, sizeof f->text, "{\"host\":\"h\"}");
    frames[0] = (tw_frame){.data = f->text, .size = (size_t)size, .time_ms = f->next_ms};
    f->next_ms = 0;
    return 1;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

static void count_signal(void *self, const tw_signal *s)
{
    *(int *)self += s->kind == TW_SIGNAL_LEVEL && s->level != TW_LEVEL_OK;
}

static const char silence[] =
    "rule \"a/b\" { key = { \"host\" }, inputs = { ev = from \"events\" {} }, "
    "detect = missing { \"ev\", every = \"10s\", expect = { learn = \"1h\" } }, "
    "alert = incident { severity = \"warn\" } }";

static void a_held_source_is_not_a_silent_one(void **state)
{
    rules_fixture *x = *state;
    tw_source_type type = {.poll = give, .release = take_back};
    fake_feed feed = {.next_ms = T};
    tw_feed_state fed = {.feed = &feed.base,
                         .type = &type,
                         .stream = tw_streams_find(x->options.streams, "events")};
    tw_clock clock;
    tw_stats *stats = tw_stats_new();
    tw_err err = {0};
    tw_switch_report report;
    int told = 0;
    int64_t next;

    tw_clock_init_virtual(&clock, T);
    load_rules(x, silence);
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    tw_engine_options options = {.clock = &clock,
                                 .streams = x->options.streams,
                                 .stats = stats,
                                 .ports = {.signal = count_signal, .self = &told}};
    tw_engine *e = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(e, &err), TW_OK);
    assert_int_equal(tw_engine_switch(e, x->set, NULL, NULL, &report, &err), TW_OK);
    tw_engine_feed_add(e, &fed);
    tw_lane_turn(e->lanes[0]);
    assert_int_equal(feed.polled, 1);

    tw_engine_hold_sources(e, true);
    for (int n = 1; n <= 60; n++) {
        tw_clock_set(&clock, T + n * 1000);
        tw_lane_turn(e->lanes[0]);
    }
    tw_engine_collect(e);
    assert_int_equal(feed.polled, 1);
    assert_int_equal(tw_engine_rule_clock(e, 0), T);
    assert_int_equal(told, 0);

    tw_engine_hold_sources(e, false);
    for (int n = 61; n <= 90; n++) {
        tw_clock_set(&clock, T + n * 1000);
        tw_lane_turn(e->lanes[0]);
    }
    tw_engine_collect(e);
    assert_int_equal(feed.polled, 31);
    assert_int_equal(told, 1);
    tw_engine_feed_remove(e, &fed, &next);
    tw_engine_stop(e);
    tw_engine_free(e);
    tw_stats_free(stats);
    tw_rule_watchdog_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_held_source_is_not_a_silent_one, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

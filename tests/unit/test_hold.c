// SPDX-License-Identifier: Apache-2.0
/* Sources that are held: no feed is polled, and clocks do not walk on as if the topics were silent. */
#include "engine_fixture.h"
#include "engine_impl.h"

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
    engine_desk d;
    int told = 0;
    int64_t next;

    engine_open(&d, x, silence, count_signal, &told);
    tw_engine *e = d.engine;
    tw_engine_feed_add(e, &fed);
    tw_lane_turn(e->lanes[0]);
    assert_int_equal(feed.polled, 1);

    tw_engine_hold_sources(e, true);
    for (int n = 1; n <= 60; n++) {
        tw_clock_set(&d.clock, T + n * 1000);
        tw_lane_turn(e->lanes[0]);
    }
    tw_engine_collect(e);
    assert_int_equal(feed.polled, 1);
    assert_int_equal(tw_engine_rule_clock(e, 0), T);
    assert_int_equal(told, 0);

    tw_engine_hold_sources(e, false);
    for (int n = 61; n <= 90; n++) {
        tw_clock_set(&d.clock, T + n * 1000);
        tw_lane_turn(e->lanes[0]);
    }
    tw_engine_collect(e);
    assert_int_equal(feed.polled, 31);
    assert_int_equal(told, 1);
    tw_engine_feed_remove(e, &fed, &next);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_held_source_is_not_a_silent_one, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Partitions that are given together begin together: none is read before all are there. ctest: threads */
#include <sched.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "engine.h"
#include "rules_fixture.h"

enum { FEEDS = 2 };

static atomic_int polls[FEEDS];
static tw_feed bases[FEEDS];

static int poll_nothing(tw_feed *base, tw_frame *frames, int max)
{
    (void)frames, (void)max;
    atomic_fetch_add(&polls[base - bases], 1);
    return 0;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

static void ignore_signal(void *self, const tw_signal *s)
{
    (void)self, (void)s;
}

static void wait_for_polls(int feed, int count)
{
    while (atomic_load(&polls[feed]) < count)
        sched_yield();
}

static void a_feed_that_rests_is_not_read_before_all_begin(void **state)
{
    static const tw_source_type type = {.poll = poll_nothing, .release = take_back};
    rules_fixture *x = *state;
    tw_feed_state feeds[FEEDS];
    tw_stats *stats = tw_stats_new();
    tw_clock clock;
    tw_err err = {0};
    tw_switch_report report;
    int64_t next;

    tw_clock_init_real(&clock);
    load_rules(
        x, "rule \"a/b\" { inputs = { ev = from \"events\" {} }, emit = to \"out\" {} }");
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    tw_engine_options options = {.lanes = 1,
                                 .clock = &clock,
                                 .streams = x->options.streams,
                                 .stats = stats,
                                 .ports = {.signal = ignore_signal}};
    tw_engine *e = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(e, &err), TW_OK);
    assert_int_equal(tw_engine_switch(e, x->set, NULL, NULL, &report, &err), TW_OK);
    for (int i = 0; i < FEEDS; i++) {
        feeds[i] =
            (tw_feed_state){.feed = &bases[i],
                            .type = &type,
                            .partition = i,
                            .rests = i == 1,
                            .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(e, &feeds[i]);
    }
    wait_for_polls(0, 3);
    assert_int_equal(atomic_load(&polls[1]), 0);
    tw_engine_feeds_begin(e);
    wait_for_polls(1, 1);
    for (int i = 0; i < FEEDS; i++)
        tw_engine_feed_remove(e, &feeds[i], &next);
    tw_engine_stop(e);
    tw_engine_free(e);
    tw_stats_free(stats);
    tw_rule_watchdog_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_feed_that_rests_is_not_read_before_all_begin,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

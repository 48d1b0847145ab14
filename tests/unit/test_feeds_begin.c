// SPDX-License-Identifier: Apache-2.0
/* Partitions that are given together begin together: none is read before all are there. ctest: threads */
#include <sched.h>
#include <stdatomic.h>

#include "engine_fixture.h"

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
    engine_desk d;
    int64_t next;

    engine_open_lanes(&d, x, (tw_engine_options){0});
    engine_load(
        &d, x,
        "rule \"a/b\" { inputs = { ev = from \"events\" {} }, emit = to \"out\" {} }");
    for (int i = 0; i < FEEDS; i++) {
        feeds[i] =
            (tw_feed_state){.feed = &bases[i],
                            .type = &type,
                            .partition = i,
                            .rests = i == 1,
                            .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(d.engine, &feeds[i]);
    }
    wait_for_polls(0, 3);
    assert_int_equal(atomic_load(&polls[1]), 0);
    tw_engine_feeds_begin(d.engine);
    wait_for_polls(1, 1);
    for (int i = 0; i < FEEDS; i++)
        tw_engine_feed_remove(d.engine, &feeds[i], &next);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_feed_that_rests_is_not_read_before_all_begin,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

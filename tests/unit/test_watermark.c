// SPDX-License-Identifier: Apache-2.0
/* The clocks of rules: what moves them, what holds them, and that they never go back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "watermark.h"

#define IDLE 5000

typedef struct fixture {
    tw_clocks clocks;
    uint32_t tracks[1];
    tw_domain_spec spec;
} fixture;

static void open_fixture(fixture *f, int64_t lateness_ms)
{
    *f = (fixture){0};
    f->spec = (tw_domain_spec){f->tracks, 1, lateness_ms, IDLE, 0};
}

static void hear(fixture *f, int32_t partition, int64_t time_ms, int64_t arrival_ms)
{
    tw_partition_clock_observe(
        tw_clocks_partition(&f->clocks, 0, 0, partition, arrival_ms), time_ms, arrival_ms,
        TW_TIME_NONE);
}

static int64_t clock_at(fixture *f, int64_t previous_ms, int64_t now_ms)
{
    bool idle;
    return tw_domain_clock(&f->spec, &f->clocks, previous_ms, now_ms, &idle);
}

static void the_slowest_partition_sets_the_clock(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 5000, 100000);
    hear(&f, 1, 2000, 100000);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 100000), 2000);
    hear(&f, 1, 9000, 100100);
    assert_int_equal(clock_at(&f, 2000, 100100), 5000);
    tw_clocks_done(&f.clocks);
}

static void lateness_holds_the_clock_back(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 1500);
    hear(&f, 0, 5000, 100000);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 100000), 3500);
    tw_clocks_done(&f.clocks);
}

static void the_clock_never_goes_back(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 5000, 100000);
    hear(&f, 0, 3000, 100001);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 100001), 5000);
    hear(&f, 1, 1000, 100002);
    assert_int_equal(clock_at(&f, 5000, 100002), 5000);
    tw_clocks_done(&f.clocks);
}

static void an_idle_partition_steps_aside(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 2000, 100000);
    hear(&f, 1, 9000, 104000);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 105000), 2000);
    assert_int_equal(clock_at(&f, 2000, 105001), 9000);
    tw_clocks_done(&f.clocks);
}

static void on_a_silent_topic_wall_time_carries_the_clock(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 2000, 100000);
    assert_int_equal(clock_at(&f, 2000, 105000), 2000);
    assert_int_equal(clock_at(&f, 2000, 105001), 7001);
    assert_int_equal(clock_at(&f, 7001, 160000), 62000);
    tw_clocks_done(&f.clocks);
}

static bool idle_at(fixture *f, int64_t now_ms)
{
    bool idle;
    tw_domain_clock(&f->spec, &f->clocks, TW_TIME_NONE, now_ms, &idle);
    return idle;
}

static void nothing_is_left_to_read_when_all_partitions_are_idle(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 2000, 100000);
    hear(&f, 1, 1000, 101000);
    assert_false(idle_at(&f, 105001)); /* the other one still speaks */
    assert_true(idle_at(&f, 106001));
    tw_clocks_partition(&f.clocks, 0, 0, 2, 106001); /* it may have a backlog */
    assert_false(idle_at(&f, 106002));
    assert_true(idle_at(&f, 111002));
    tw_clocks_done(&f.clocks);
}

static void an_assigned_partition_holds_the_clock_until_it_is_idle(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    tw_clocks_partition(&f.clocks, 0, 0, 1, 100000);
    hear(&f, 0, 9000, 100000);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 104000), TW_TIME_NONE);
    hear(&f, 0, 9500, 105001);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 105001), 9500);
    tw_clocks_done(&f.clocks);
}

static void
a_stream_that_nobody_was_given_yet_holds_the_clock_until_it_is_idle(void **state)
{
    fixture f;
    uint32_t both[] = {0, 1};
    bool idle;
    (void)state;
    open_fixture(&f, 0);
    tw_domain_spec two = f.spec;
    two.tracks = both;
    two.track_count = 2;
    hear(&f, 0, 9000, 100000);
    assert_int_equal(tw_domain_clock(&two, &f.clocks, TW_TIME_NONE, 100000, &idle), 9000);
    f.clocks.since_ms = 99000;
    assert_int_equal(tw_domain_clock(&two, &f.clocks, TW_TIME_NONE, 104000, &idle),
                     TW_TIME_NONE);
    assert_int_equal(tw_domain_clock(&two, &f.clocks, TW_TIME_NONE, 104001, &idle), 9000);
    tw_clocks_partition(&f.clocks, 1, 0, 0, 104001);
    assert_int_equal(tw_domain_clock(&two, &f.clocks, 9000, 104002, &idle), 9000);
    tw_clocks_forget(&f.clocks, 1, 0, 0);
    tw_clocks_done(&f.clocks);
}

static void silent_partitions_that_are_given_back_do_not_stop_the_clock(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 2000, 100000);
    tw_clocks_forget(&f.clocks, 0, 0, 0);
    assert_int_equal(clock_at(&f, 2000, 120000), 2000); /* taken, not given back */
    tw_clocks_partition(&f.clocks, 0, 0, 0, 104000);
    assert_int_equal(clock_at(&f, 2000, 109000), 2000);
    assert_int_equal(clock_at(&f, 2000, 109001), 11001);
    hear(&f, 0, 9000, 110000);
    assert_int_equal(clock_at(&f, 2000, 110000), 9000);
    tw_clocks_done(&f.clocks);
}

static void a_forgotten_partition_does_not_count(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    hear(&f, 0, 2000, 100000);
    hear(&f, 1, 9000, 100000);
    tw_clocks_forget(&f.clocks, 0, 0, 0);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 100000), 9000);
    tw_clocks_done(&f.clocks);
}

/* Read since 100000; the newest event is stamped so and comes at 100100. */
static int64_t silent_clock(int64_t max_ms, int64_t stamp_ms)
{
    fixture f;

    open_fixture(&f, 0);
    tw_partition_clock *p = tw_clocks_partition(&f.clocks, 0, 0, 0, 100000);
    tw_partition_clock_observe(p, max_ms, 100100, stamp_ms);
    int64_t clock_ms = clock_at(&f, TW_TIME_NONE, 200000);
    tw_clocks_done(&f.clocks);
    return clock_ms;
}

static void what_waited_unread_does_not_hold_back_a_silent_clock(void **state)
{
    (void)state;
    assert_int_equal(silent_clock(40000, 40200), 200000 - 200 - TW_TRANSIT_MS);
    assert_int_equal(silent_clock(40000, 10), 200000 - TW_TRANSIT_MS);
    /* read as it came, it was that late; and so it is without a stamp */
    assert_int_equal(silent_clock(40000, 100050), 200000 - 60100);
    assert_int_equal(silent_clock(40000, TW_TIME_NONE), 200000 - 60100);
    /* never ahead of what is heard */
    assert_int_equal(silent_clock(99990, 99995), 200000 - 110);
}

static void partitions_of_two_topics_are_two(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    tw_partition_clock_observe(tw_clocks_partition(&f.clocks, 0, 1, 0, 100000), 2000,
                               100000, TW_TIME_NONE);
    tw_partition_clock_observe(tw_clocks_partition(&f.clocks, 0, 2, 0, 100000), 9000,
                               100000, TW_TIME_NONE);
    assert_int_equal(clock_at(&f, TW_TIME_NONE, 100000), 2000);
    tw_clocks_done(&f.clocks);
}

static void at_the_end_the_clock_is_at_the_newest_event(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 1500);
    hear(&f, 0, 2000, 100000);
    hear(&f, 1, 9000, 100000);
    assert_int_equal(tw_domain_end(&f.spec, &f.clocks, 500), 9000);
    assert_int_equal(tw_domain_end(&f.spec, &f.clocks, 12000), 12000);
    tw_clocks_done(&f.clocks);
}

static void tracks_are_numbered_once(void **state)
{
    tw_tracks t;
    (void)state;
    tw_tracks_init(&t);
    assert_int_equal(tw_tracks_number(&t, 3, 0, -1), 0);
    assert_int_equal(tw_tracks_number(&t, 3, 5, -1), 1);
    assert_int_equal(tw_tracks_number(&t, 3, 0, -1), 0);
    tw_tracks_done(&t);
}

static tw_partition_clock *read_batch(fixture *f, int32_t partition, int64_t time_ms,
                                      int64_t arrival_ms)
{
    tw_partition_clock *p = tw_clocks_partition(&f->clocks, 0, 0, partition, arrival_ms);
    tw_partition_clock_observe(p, time_ms, arrival_ms, TW_TIME_NONE);
    p->backlog_ms = arrival_ms;
    return p;
}

static void a_partition_waits_for_a_slower_one_with_a_backlog(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    read_batch(&f, 0, 5000, 100000);
    read_batch(&f, 1, 15000, 100000);
    const tw_partition_clock *fast = tw_clocks_partition(&f.clocks, 0, 0, 1, 0);
    const tw_partition_clock *slow = tw_clocks_partition(&f.clocks, 0, 0, 0, 0);
    assert_false(tw_clocks_is_ahead(&f.clocks, 0, fast, 10000, 100000));
    assert_true(tw_clocks_is_ahead(&f.clocks, 0, fast, 9999, 100000));
    assert_false(tw_clocks_is_ahead(&f.clocks, 0, slow, 9999, 100000));
    assert_false(tw_clocks_is_ahead(&f.clocks, 1, fast, 9999, 100000));
    tw_clocks_done(&f.clocks);
}

static void nobody_waits_for_a_partition_without_a_backlog(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, 0);
    read_batch(&f, 0, 5000, 100000);
    read_batch(&f, 1, 90000, 100000);
    hear(&f, 2, 1000, 100000); /* slow, but at the end of its topic */
    tw_clocks_partition(&f.clocks, 0, 0, 3, 100000); /* nothing yet */
    const tw_partition_clock *fast = tw_clocks_partition(&f.clocks, 0, 0, 1, 0);
    assert_true(tw_clocks_is_ahead(&f.clocks, 0, fast, 10000, 100000 + TW_BACKLOG_MS));
    assert_false(
        tw_clocks_is_ahead(&f.clocks, 0, fast, 10000, 100000 + TW_BACKLOG_MS + 1));
    tw_clocks_done(&f.clocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_partition_sets_the_clock),
        cmocka_unit_test(lateness_holds_the_clock_back),
        cmocka_unit_test(the_clock_never_goes_back),
        cmocka_unit_test(an_idle_partition_steps_aside),
        cmocka_unit_test(on_a_silent_topic_wall_time_carries_the_clock),
        cmocka_unit_test(nothing_is_left_to_read_when_all_partitions_are_idle),
        cmocka_unit_test(an_assigned_partition_holds_the_clock_until_it_is_idle),
        cmocka_unit_test(
            a_stream_that_nobody_was_given_yet_holds_the_clock_until_it_is_idle),
        cmocka_unit_test(silent_partitions_that_are_given_back_do_not_stop_the_clock),
        cmocka_unit_test(a_forgotten_partition_does_not_count),
        cmocka_unit_test(what_waited_unread_does_not_hold_back_a_silent_clock),
        cmocka_unit_test(partitions_of_two_topics_are_two),
        cmocka_unit_test(at_the_end_the_clock_is_at_the_newest_event),
        cmocka_unit_test(tracks_are_numbered_once),
        cmocka_unit_test(a_partition_waits_for_a_slower_one_with_a_backlog),
        cmocka_unit_test(nobody_waits_for_a_partition_without_a_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

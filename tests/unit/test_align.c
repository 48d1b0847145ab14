// SPDX-License-Identifier: Apache-2.0
/* Two partitions with a backlog, of which one holds a hundred times more time than the other: neither
 * runs ahead of the other by more than `align`, on one lane and on two. ctest: threads */
#include <sched.h>

#include "engine_fixture.h"

#define START INT64_C(1732182000000)
#define ALIGN 10000
#define BATCHES 150
#define MOST 64 /* frames the engine takes at once */

typedef struct fake_feed {
    tw_feed base;
    int64_t step_ms;
    _Atomic int64_t newest_ms; /* of the frames given so far */
    _Atomic int batches;
    const struct fake_feed *slower;
    _Atomic int64_t most_ahead_ms; /* when it was asked for more */
    char text[MOST][48];
} fake_feed;

static int give(tw_feed *base, tw_frame *frames, int max)
{
    fake_feed *f = (fake_feed *)base;
    int64_t newest = atomic_load(&f->newest_ms);

    if (atomic_load(&f->batches) == BATCHES)
        return 0;
    if (f->slower) {
        int64_t ahead = newest - atomic_load(&f->slower->newest_ms);
        if (ahead > atomic_load(&f->most_ahead_ms))
            atomic_store(&f->most_ahead_ms, ahead);
    }
    assert_int_equal(max, MOST);
    for (int i = 0; i < max; i++) {
        newest += f->step_ms;
        int n = snprintf(f->text[i], sizeof f->text[i], "{\"host\":\"h\",\"ts\":%lld}",
                         (long long)newest);
        frames[i] = (tw_frame){.data = f->text[i], .size = (size_t)n, .time_ms = newest};
    }
    atomic_store(&f->newest_ms, newest);
    atomic_fetch_add(&f->batches, 1);
    return max;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

static const char counting[] =
    "rule \"a/b\" { key = { \"host\" }, inputs = { ev = from \"events\" {} }, "
    "detect = level { of = count \"ev\", over = \"1m\", crit = { above = 1e9 } }, "
    "alert = incident {} }";

typedef struct bench {
    engine_desk on;
    fake_feed slow, fast;
    tw_feed_state feeds[2];
} bench;

static void open_bench(bench *b, rules_fixture *x, uint32_t lanes)
{
    static const tw_source_type type = {.poll = give, .release = take_back};
    tw_stream *stream = tw_streams_find(x->options.streams, "events");

    stream->align_ms = ALIGN;
    tw_clock_init_virtual(&b->on.clock, START + INT64_C(100) * 24 * 3600 * 1000);
    engine_start(&b->on, x,
                 (tw_engine_options){.lanes = lanes, .ports = {.signal = ignore_signal}});
    engine_load(&b->on, x, counting);
    b->slow.step_ms = 10;
    b->fast.step_ms = 1000;
    b->fast.slower = &b->slow;
    for (int32_t i = 0; i < 2; i++) {
        fake_feed *f = i ? &b->fast : &b->slow;
        atomic_store(&f->newest_ms, START);
        b->feeds[i] = (tw_feed_state){
            .feed = &f->base, .type = &type, .stream = stream, .partition = i};
        tw_engine_feed_add(b->on.engine, &b->feeds[i]);
        while (i == 0 && atomic_load(&f->batches) == 0) /* it has begun to speak */
            sched_yield();
    }
}

static void wait_for(const fake_feed *f)
{
    while (atomic_load(&f->batches) < BATCHES)
        sched_yield();
}

static void close_bench(bench *b)
{
    int64_t next;

    for (int i = 0; i < 2; i++)
        tw_engine_feed_remove(b->on.engine, &b->feeds[i], &next);
    tw_engine_stop(b->on.engine);
    tw_engine_free(b->on.engine);
    tw_stats_free(b->on.stats);
}

static void stay_together(rules_fixture *x, uint32_t lanes)
{
    bench *b = tw_alloc(sizeof *b);

    open_bench(b, x, lanes);
    wait_for(&b->slow);
    while (tw_stats_sum(b->on.stats, "partition_waits_total") == 0)
        sched_yield();
    /* The slow one holds 96 s in all; the fast one has had three batches of 64 s at most. */
    assert_in_range(atomic_load(&b->fast.batches), 0, 3);
    assert_in_range(atomic_load(&b->fast.most_ahead_ms), 0, ALIGN);
    /* Nothing comes of it any more, so it is not waited for. */
    tw_engine_pause(b->on.engine);
    tw_clock_set(&b->on.clock, tw_clock_now_ms(&b->on.clock) + TW_BACKLOG_MS + 1);
    tw_engine_resume(b->on.engine);
    wait_for(&b->fast);
    assert_int_equal(atomic_load(&b->slow.batches), BATCHES);
    close_bench(b);
    assert_int_equal(b->feeds[0].lane == NULL, true);
    tw_free(b);
}

static void partitions_of_one_lane_stay_together(void **state)
{
    stay_together(*state, 1);
}

static void partitions_of_two_lanes_stay_together(void **state)
{
    stay_together(*state, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(partitions_of_one_lane_stay_together, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(partitions_of_two_lanes_stay_together, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

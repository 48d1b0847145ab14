// SPDX-License-Identifier: Apache-2.0
/* The pause between two frames of a batch. A function that never ends makes a frame take its whole budget,
 * so a batch is long enough to be cut. ctest: threads */
#include <sched.h>

#include "engine_fixture.h"

#define FRAMES 16

/* ThreadSanitizer holds back the signal that stops a function. */
#if defined(__SANITIZE_THREAD__)
#define SIGNALS_WAIT true
#else
#define SIGNALS_WAIT false
#endif

typedef struct fake_feed {
    tw_feed base;
    _Atomic int polled; /* batches */
    _Atomic int released;
} fake_feed;

static const char record[] = "{\"host\":\"h\"}";

static int give(tw_feed *base, tw_frame *frames, int max)
{
    fake_feed *feed = (fake_feed *)base;

    if (atomic_fetch_add(&feed->polled, 1) > 0)
        return 0;
    assert_true(max >= FRAMES);
    for (int i = 0; i < FRAMES; i++)
        frames[i] =
            (tw_frame){.data = record, .size = sizeof record - 1, .offset = 100 + i};
    return FRAMES;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    fake_feed *feed = (fake_feed *)base;

    for (int i = 0; i < count; i++)
        assert_int_equal(frames[i].offset, 100 + atomic_fetch_add(&feed->released, 1));
}

static void note_position(void *self, tw_feed_state *feed)
{
    *(int64_t *)self = feed->next_offset;
}

static const char endless[] =
    "rule \"a/b\" { key = { \"host\" }, inputs = { ev = from \"events\" { where = "
    "function(e) while true do end end } }, detect = level { of = count \"ev\", over = "
    "\"1m\", crit = { above = 5 } }, alert = incident {} }";

static void a_pause_cuts_a_batch_and_loses_no_frame_of_it(void **state)
{
    rules_fixture *x = *state;
    tw_source_type type = {.poll = give, .release = take_back};
    fake_feed feed = {0};
    tw_feed_state fed = {.feed = &feed.base,
                         .type = &type,
                         .stream = tw_streams_find(x->options.streams, "events")};
    engine_desk d;
    int64_t next = -1;

    if (SIGNALS_WAIT)
        skip();
    x->options.cpu_ms = 40;
    engine_open_lanes(&d, x, (tw_engine_options){0});
    engine_load(&d, x, endless);
    tw_engine_feed_add(d.engine, &fed);
    while (atomic_load(&feed.polled) == 0)
        sched_yield();

    tw_engine_positions(d.engine, note_position, &next);
    assert_in_range(next, 101, 100 + FRAMES - 1);
    assert_int_equal(atomic_load(&feed.released), 0);
    int64_t before = next;
    engine_switch(&d, x);
    tw_engine_positions(d.engine, note_position, &next);
    assert_in_range(next, before, 100 + FRAMES - 1);

    tw_engine_feed_remove(d.engine, &fed, &next);
    assert_int_equal(next, 100 + FRAMES);
    assert_int_equal(atomic_load(&feed.released), FRAMES);
    assert_int_equal(tw_stats_sum(d.stats, "events_total"), FRAMES);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pause_cuts_a_batch_and_loses_no_frame_of_it,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

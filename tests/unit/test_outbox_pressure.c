// SPDX-License-Identifier: Apache-2.0
/* Too many events for a sink: they are not pushed out, the outbox says that it is full, and gives way when told. */
#include "outbox_bench.h"

typedef struct gauge {
    int full, empty;
} gauge;

static void on_pressure(void *self, bool is_full)
{
    gauge *g = self;

    g->full += is_full;
    g->empty += !is_full;
}

static void open_bench(bench *b, gauge *g, uint32_t max_records)
{
    *g = (gauge){0};
    setup(b, 1, 1,
          (tw_outbox_options){.max_records = max_records,
                              .max_age_ms = 50000,
                              .pressure = on_pressure,
                              .pressure_self = g});
}

static void put_event(bench *b, const char *id)
{
    static tw_parcel events[64];
    static char names[64][8];
    static size_t next;
    tw_parcel *p = &events[next % 64];
    char *name = names[next++ % 64];

    snprintf(name, sizeof names[0], "%s", id);
    *p = (tw_parcel){.refs = 1u << 20};
    p->record.kind = TW_RECORD_EVENT;
    p->record.id = name;
    tw_outbox_put(b->outbox, p);
}

static void events_beyond_the_queue_wait_and_it_says_that_it_is_full(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 4);
    for (int n = 0; n < 3; n++)
        put_event(&b, "e");
    assert_int_equal(g.full, 0);
    for (int n = 0; n < 7; n++)
        put_event(&b, "e");
    assert_int_equal(g.full, 1);
    assert_int_equal(b.dead_count, 0);
    assert_int_equal(tw_outbox_count(b.outbox), 10);
    teardown(&b);
    assert_int_equal(g.empty, 0);
}

static void it_is_full_until_half_of_it_is_free(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 4);
    for (int n = 0; n < 5; n++)
        put_event(&b, "e");
    for (int n = 0; n < 2; n++) {
        turn(&b);
        answer(&b, TW_ANSWER_DONE);
    }
    assert_int_equal(g.empty, 0);
    turn(&b);
    answer(&b, TW_ANSWER_DONE);
    assert_int_equal(g.empty, 1);
    assert_int_equal(tw_outbox_count(b.outbox), 2);
    teardown(&b);
}

static void alerts_and_events_do_not_push_each_other_out(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    for (int n = 0; n < 5; n++)
        put_event(&b, "e");
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    assert_int_equal(b.dead_count, 0);
    put(&b, "c", NULL);
    assert_string_equal(b.dead, "a:the outbox is full ");
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(b.dead_count, 4);
    assert_int_equal(tw_outbox_count(b.outbox), 4);
    teardown(&b);
}

static void one_that_gives_way_lets_the_oldest_events_go(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    for (int n = 0; n < 4; n++)
        put_event(&b, (const char *[]){"1", "2", "3", "4"}[n]);
    tw_outbox_give_way(b.outbox, true);
    put_event(&b, "5");
    assert_string_equal(
        b.dead, "1:the outbox is full 2:the outbox is full 3:the outbox is full ");
    assert_int_equal(given_up(&b, "overflow"), 3);
    tw_outbox_give_way(b.outbox, false);
    put_event(&b, "6");
    assert_int_equal(b.dead_count, 3);
    teardown(&b);
}

static void events_that_grow_too_old_make_room(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    for (int n = 0; n < 3; n++)
        put_event(&b, "e");
    turn_after(&b, 60000);
    assert_int_equal(b.dead_count, 3);
    assert_int_equal(g.empty, 1);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_beyond_the_queue_wait_and_it_says_that_it_is_full),
        cmocka_unit_test(it_is_full_until_half_of_it_is_free),
        cmocka_unit_test(alerts_and_events_do_not_push_each_other_out),
        cmocka_unit_test(one_that_gives_way_lets_the_oldest_events_go),
        cmocka_unit_test(events_that_grow_too_old_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Too many records for a sink: they are not pushed out, the outbox says that it is full, and gives way when told.
 * What alerts then lose first is what a newer one of their incident has made old. */
#include "outbox_bench.h"

#define PATIENCE_MS 10000

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
                              .patience_ms = PATIENCE_MS,
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

static void put_alerts(bench *b, const char *ids_of_one_letter)
{
    for (const char *p = ids_of_one_letter; *p; p++)
        put(b, (const char[]){*p, '\0'}, NULL);
}

/* One delivery ends well. */
static void take_one(bench *b)
{
    turn(b);
    answer(b, TW_ANSWER_DONE);
}

static void alerts_and_events_do_not_push_each_other_out(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    for (int n = 0; n < 5; n++)
        put_event(&b, "e");
    put_alerts(&b, "ab");
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(b.dead_count, 3);
    assert_int_equal(given_up(&b, "overflow"), 3);
    assert_int_equal(tw_outbox_count(b.outbox), 4);
    teardown(&b);
}

static void alerts_beyond_the_queue_wait_and_it_says_that_it_is_full(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 4);
    put_alerts(&b, "abc");
    assert_int_equal(g.full, 0);
    put_alerts(&b, "defgh");
    assert_int_equal(g.full, 1);
    assert_int_equal(b.dead_count, 0);
    for (int n = 0; n < 5; n++)
        take_one(&b);
    assert_int_equal(g.empty, 0);
    take_one(&b);
    assert_int_equal(g.empty, 1);
    assert_string_equal(b.told, "a|b|c|d|e|f");
    teardown(&b);
}

static void it_is_full_as_long_as_either_alerts_or_events_are(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    put_alerts(&b, "ab");
    put_event(&b, "1");
    put_event(&b, "2");
    assert_int_equal(g.full, 1);
    assert_true(tw_outbox_is_full_of_events(b.outbox));
    take_one(&b);
    assert_int_equal(g.empty, 0);
    take_one(&b);
    take_one(&b);
    assert_int_equal(g.empty, 1);
    assert_int_equal(g.full, 1);
    teardown(&b);
}

static void a_slow_sink_that_gives_way_keeps_four_queues_of_alerts(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    put_alerts(&b, "abcdefgh");
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(b.dead_count, 0);
    put_alerts(&b, "ij");
    assert_string_equal(b.dead, "a:the outbox is full b:the outbox is full ");
    teardown(&b);
}

static void a_stuck_sink_that_gives_way_keeps_one(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    put_alerts(&b, "abcde");
    tw_outbox_give_way(b.outbox, true);
    turn(&b);
    turn_after(&b, PATIENCE_MS - 1);
    assert_false(tw_outbox_is_stuck(b.outbox));
    assert_int_equal(b.dead_count, 0);
    turn_after(&b, 1);
    assert_true(tw_outbox_is_stuck(b.outbox));
    assert_int_equal(b.dead_count, 3);
    assert_int_equal(tw_outbox_count(b.outbox), 2);
    answer(&b, TW_ANSWER_DONE);
    assert_false(tw_outbox_is_stuck(b.outbox));
    teardown(&b);
}

static void one_that_takes_something_now_and_then_is_not_stuck(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 9);
    put_alerts(&b, "abcd");
    for (int n = 0; n < 3; n++) {
        turn(&b);
        turn_after(&b, PATIENCE_MS - 1);
        assert_false(tw_outbox_is_stuck(b.outbox));
        answer(&b, TW_ANSWER_DONE);
    }
    turn_after(&b, PATIENCE_MS);
    assert_true(tw_outbox_is_stuck(b.outbox));
    teardown(&b);
}

static void one_that_says_when_to_come_again_is_not_stuck_until_then(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 9);
    put_alerts(&b, "a");
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY, .retry_after_ms = 12000});
    turn_after(&b, 12000 + PATIENCE_MS - 1);
    assert_false(tw_outbox_is_stuck(b.outbox));
    turn_after(&b, 1);
    assert_true(tw_outbox_is_stuck(b.outbox));
    teardown(&b);
}

static void the_patience_begins_with_what_is_put_after_a_rest(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 9);
    put_alerts(&b, "a");
    take_one(&b);
    turn_after(&b, 2 * PATIENCE_MS);
    assert_false(tw_outbox_is_stuck(b.outbox));
    put_alerts(&b, "b");
    assert_false(tw_outbox_is_stuck(b.outbox));
    teardown(&b);
}

static void of_an_incident_its_older_states_go_first(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    put(&b, "a", NULL);
    put(&b, "x1", "x");
    put(&b, "y1", "y");
    put(&b, "x2", "x");
    put(&b, "x3", "x");
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(given_up(&b, "superseded"), 2);
    assert_non_null(strstr(b.dead, "x1:the outbox is full, and a newer state"));
    assert_non_null(strstr(b.dead, "x2:the outbox is full, and a newer state"));
    put(&b, "y2", "y");
    assert_int_equal(given_up(&b, "superseded"), 3);
    assert_non_null(strstr(b.dead, "y1:the outbox is full, and a newer state"));
    assert_int_equal(given_up(&b, "overflow"), 0);
    take_one(&b);
    take_one(&b);
    take_one(&b);
    assert_string_equal(b.told, "a|x3|y2");
    teardown(&b);
}

static void an_older_state_goes_for_another_incident_too(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 3);
    put(&b, "a", NULL);
    put(&b, "x1", "x");
    put(&b, "x2", "x");
    turn(&b);
    turn_after(&b, PATIENCE_MS);
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(b.dead_count, 0);
    put(&b, "b", NULL);
    assert_int_equal(given_up(&b, "superseded"), 1);
    assert_int_equal(given_up(&b, "overflow"), 0);
    put(&b, "c", NULL);
    assert_int_equal(given_up(&b, "overflow"), 1);
    teardown(&b);
}

static void what_comes_back_may_be_superseded_by_then(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    put(&b, "x1", "x");
    turn(&b);
    put(&b, "x2", "x");
    assert_int_equal(b.outbox->superseded, 0);
    answer(&b, TW_ANSWER_RETRY);
    assert_int_equal(b.outbox->superseded, 1);
    tw_outbox_give_way(b.outbox, true);
    put(&b, "a", NULL);
    assert_int_equal(given_up(&b, "superseded"), 1);
    assert_int_equal(b.outbox->superseded, 0);
    teardown(&b);
}

static void what_is_being_delivered_is_not_given_up_for_a_newer_state(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 1);
    put(&b, "x1", "x");
    turn(&b);
    put(&b, "x2", "x");
    tw_outbox_give_way(b.outbox, true);
    assert_int_equal(b.dead_count, 0);
    put(&b, "x3", "x");
    assert_int_equal(b.dead_count, 1);
    assert_non_null(strstr(b.dead, "x2:"));
    answer(&b, TW_ANSWER_DONE);
    take_one(&b);
    assert_string_equal(b.told, "x1|x3");
    teardown(&b);
}

static void put_back(void *self, const tw_parcel *p, const char *reason)
{
    bench *b = self;

    on_dead(self, p, reason);
    if (p->record.id[0] != '-')
        put(b, "-", NULL);
}

/* The sink of dead letters may be one of alerts, too. */
static void what_is_given_up_may_come_back_in(void **state)
{
    (void)state;
    bench b;
    gauge g;
    open_bench(&b, &g, 2);
    b.outbox->options.dead = put_back;
    put_alerts(&b, "abcd");
    turn(&b);
    turn_after(&b, PATIENCE_MS);
    tw_outbox_give_way(b.outbox, true);
    turn_after(&b, 60000);
    assert_true(tw_outbox_count(b.outbox) <= 4);
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
        cmocka_unit_test(alerts_beyond_the_queue_wait_and_it_says_that_it_is_full),
        cmocka_unit_test(it_is_full_as_long_as_either_alerts_or_events_are),
        cmocka_unit_test(a_slow_sink_that_gives_way_keeps_four_queues_of_alerts),
        cmocka_unit_test(a_stuck_sink_that_gives_way_keeps_one),
        cmocka_unit_test(one_that_takes_something_now_and_then_is_not_stuck),
        cmocka_unit_test(one_that_says_when_to_come_again_is_not_stuck_until_then),
        cmocka_unit_test(the_patience_begins_with_what_is_put_after_a_rest),
        cmocka_unit_test(of_an_incident_its_older_states_go_first),
        cmocka_unit_test(an_older_state_goes_for_another_incident_too),
        cmocka_unit_test(what_comes_back_may_be_superseded_by_then),
        cmocka_unit_test(what_is_being_delivered_is_not_given_up_for_a_newer_state),
        cmocka_unit_test(what_is_given_up_may_come_back_in),
        cmocka_unit_test(one_that_gives_way_lets_the_oldest_events_go),
        cmocka_unit_test(events_that_grow_too_old_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

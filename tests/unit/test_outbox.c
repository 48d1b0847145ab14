// SPDX-License-Identifier: Apache-2.0
/* Outboxes: queues, order, limits, threads and the end. */
#include "outbox_bench.h"

static void what_is_put_is_delivered_and_leaves_when_done(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", "k");
    assert_false(tw_outbox_is_empty(b.outbox));
    turn(&b);
    assert_string_equal(b.told, "a");
    assert_int_equal(status_of(&b, "in_flight"), 1);
    answer(&b, TW_ANSWER_DONE);
    assert_true(tw_outbox_is_empty(b.outbox));
    assert_int_equal(tw_stats_sum(b.stats, "deliveries_total"), 1);
    teardown(&b);
}

static void the_loop_delivers_what_is_put_without_being_asked(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 1, (tw_outbox_options){0});
    put(&b, "a", "k");
    put(&b, "b", "l");
    assert_int_equal(b.delivered, 0);
    while (b.delivered == 0)
        tw_loop_turn(b.loop, true);
    assert_string_equal(b.told, "a b");
    teardown(&b);
}

static void nothing_leaves_before_the_sink_is_connected(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    tw_outbox_connect(b.outbox, NULL);
    put(&b, "a", "k");
    turn(&b);
    assert_int_equal(b.delivered, 0);
    tw_outbox_connect(b.outbox, &b);
    turn(&b);
    assert_int_equal(b.delivered, 1);
    teardown(&b);
}

static void no_more_deliveries_are_open_than_the_sink_takes(void **state)
{
    (void)state;
    bench b;
    setup(&b, 2, 2, (tw_outbox_options){0});
    for (int i = 0; i < 6; i++)
        put(&b, (const char *[]){"a", "b", "c", "d", "e", "f"}[i], NULL);
    turn(&b);
    assert_string_equal(b.told, "a b|c d");
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_string_equal(b.told, "a b|c d|e f");
    teardown(&b);
}

static void a_later_record_of_a_key_waits_until_the_earlier_one_is_done(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 8, (tw_outbox_options){0});
    put(&b, "a1", "a");
    put(&b, "a2", "a");
    put(&b, "b1", "b");
    put(&b, "a3", "a");
    turn(&b);
    assert_string_equal(b.told, "a1|b1");
    answer(&b, TW_ANSWER_RETRY);
    turn(&b);
    assert_string_equal(b.told, "a1|b1");
    answer(&b, TW_ANSWER_DONE);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a1|b1|a1");
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_string_equal(b.told, "a1|b1|a1|a2");
    teardown(&b);
}

static void a_batch_may_hold_several_records_of_a_key_in_order(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 8, (tw_outbox_options){0});
    put(&b, "a1", "a");
    put(&b, "a2", "a");
    turn(&b);
    put(&b, "a3", "a");
    turn(&b);
    assert_string_equal(b.told, "a1 a2");
    teardown(&b);
}

static void a_full_queue_gives_up_the_oldest_that_is_not_in_flight(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.max_records = 3});
    put(&b, "a", NULL);
    turn(&b);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    put(&b, "d", NULL);
    assert_string_equal(b.dead, "b:the outbox is full ");
    assert_int_equal(status_of(&b, "queued"), 2);
    assert_int_equal(given_up(&b, "overflow"), 1);
    teardown(&b);
}

static void records_grow_too_old(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.max_age_ms = 5000, .timeout_ms = 60000});
    put(&b, "a", NULL);
    turn(&b);
    put(&b, "b", NULL);
    turn_after(&b, 4999);
    assert_int_equal(b.dead_count, 0);
    turn_after(&b, 1);
    assert_string_equal(b.dead, "b:too old to be delivered ");
    assert_int_equal(given_up(&b, "age"), 1);
    answer(&b, TW_ANSWER_RETRY);
    turn(&b);
    assert_int_equal(b.dead_count, 2);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

/* ---- answers ---- */

static void a_second_answer_to_a_delivery_is_ignored(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    tw_delivery *d = b.open[0];
    answer(&b, TW_ANSWER_DONE);
    tw_outbox_answer(b.outbox, d, &(tw_answer){.answer = TW_ANSWER_DONE});
    assert_int_equal(status_of(&b, "queued"), 1);
    teardown(&b);
}

static void a_sink_may_answer_before_deliver_returns(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    b.at_once = true;
    for (int i = 0; i < 5; i++)
        put(&b, "x", "k");
    turn(&b);
    assert_int_equal(b.delivered, 5);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void *answer_from_elsewhere(void *arg)
{
    bench *b = arg;
    char text[] = "elsewhere";
    uint8_t retry[] = {0, 1};
    tw_answer a = {.answer = TW_ANSWER_RETRY_PART, .text = text, .retry = retry};
    tw_outbox_answer(b->outbox, b->open[0], &a);
    memset(text, 'x', sizeof text - 1);
    memset(retry, 1, sizeof retry);
    return NULL;
}

static void an_answer_of_another_thread_arrives_through_the_loop(void **state)
{
    (void)state;
    bench b;
    pthread_t thread;
    setup(&b, 2, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    assert_int_equal(pthread_create(&thread, NULL, answer_from_elsewhere, &b), 0);
    pthread_join(thread, NULL);
    assert_int_equal(status_of(&b, "in_flight"), 2);
    while (status_of(&b, "in_flight") > 0)
        tw_loop_turn(b.loop, true);
    assert_int_equal(status_of(&b, "queued"), 1);
    json_t *status = tw_outbox_status(b.outbox);
    assert_string_equal(json_string_value(json_object_get(status, "last_error")),
                        "elsewhere");
    json_decref(status);
    teardown(&b);
}

/* ---- the end ---- */

static void giving_up_reports_what_waits_and_lets_what_is_in_flight_finish(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 2, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn(&b);
    tw_outbox_give_up(b.outbox, "the engine stops");
    assert_string_equal(b.dead, "c:the engine stops ");
    answer(&b, TW_ANSWER_DONE);
    answer(&b, TW_ANSWER_RETRY);
    assert_string_equal(b.dead, "c:the engine stops b:the engine stops ");
    put(&b, "d", NULL);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a|b");
    assert_int_equal(given_up(&b, "stop"), 3);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void gauges_say_what_waits_and_for_how_long(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    turn_after(&b, 2500);
    tw_buf out;
    tw_buf_init(&out, 1 << 20);
    tw_stats_write(b.stats, &out);
    assert_non_null(strstr(out.data, "tidewatch_outbox_queued{sink=\"fake\"} 1"));
    assert_non_null(strstr(out.data, "tidewatch_outbox_inflight{sink=\"fake\"} 1"));
    assert_non_null(
        strstr(out.data, "tidewatch_outbox_oldest_seconds{sink=\"fake\"} 2.5"));
    tw_buf_done(&out);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_delivered_and_leaves_when_done),
        cmocka_unit_test(the_loop_delivers_what_is_put_without_being_asked),
        cmocka_unit_test(nothing_leaves_before_the_sink_is_connected),
        cmocka_unit_test(no_more_deliveries_are_open_than_the_sink_takes),
        cmocka_unit_test(a_later_record_of_a_key_waits_until_the_earlier_one_is_done),
        cmocka_unit_test(a_batch_may_hold_several_records_of_a_key_in_order),
        cmocka_unit_test(a_full_queue_gives_up_the_oldest_that_is_not_in_flight),
        cmocka_unit_test(records_grow_too_old),
        cmocka_unit_test(a_second_answer_to_a_delivery_is_ignored),
        cmocka_unit_test(a_sink_may_answer_before_deliver_returns),
        cmocka_unit_test(an_answer_of_another_thread_arrives_through_the_loop),
        cmocka_unit_test(giving_up_reports_what_waits_and_lets_what_is_in_flight_finish),
        cmocka_unit_test(gauges_say_what_waits_and_for_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

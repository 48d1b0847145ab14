// SPDX-License-Identifier: Apache-2.0
/* Outboxes: what happens to a record that is not taken at once. */
#include "outbox_bench.h"

static void waits_grow_and_stay_under_their_limit(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1,
          (tw_outbox_options){.backoff_ms = 100, .backoff_max_ms = 800, .seed = 7});
    int64_t limit = 100, longest = 0;
    put(&b, "a", NULL);
    turn(&b);
    for (int i = 0; i < 40; i++) {
        int64_t failed_ms = tw_clock_now_ms(&b.clock);
        answer(&b, TW_ANSWER_RETRY);
        while (b.open_count == 0)
            turn_after(&b, 1);
        int64_t waited = tw_clock_now_ms(&b.clock) - failed_ms;
        assert_in_range(waited, 1, limit);
        longest = waited > longest ? waited : longest;
        limit = limit * 2 > 800 ? 800 : limit * 2;
    }
    assert_true(longest > 400);
    assert_int_equal(b.open[0]->attempt, 41);
    teardown(&b);
}

static void the_same_seed_gives_the_same_waits(void **state)
{
    (void)state;
    int64_t times[2];
    for (int i = 0; i < 2; i++) {
        bench b;
        setup(&b, 1, 1, (tw_outbox_options){.seed = 42});
        put(&b, "a", NULL);
        turn(&b);
        for (int k = 0; k < 5; k++) {
            answer(&b, TW_ANSWER_RETRY);
            while (b.open_count == 0)
                turn_after(&b, 1);
        }
        times[i] = tw_clock_now_ms(&b.clock);
        teardown(&b);
    }
    assert_int_equal(times[0], times[1]);
}

static void retry_after_holds_the_whole_destination(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 4, (tw_outbox_options){0});
    put(&b, "a", NULL);
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY, .retry_after_ms = 90000});
    put(&b, "b", NULL);
    turn_after(&b, 89999);
    assert_string_equal(b.told, "a");
    turn_after(&b, 1);
    assert_string_not_equal(b.told, "a");
    teardown(&b);
}

static void retry_after_never_takes_more_than_a_quarter_of_the_age(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 4, (tw_outbox_options){.max_age_ms = 60000, .backoff_max_ms = 1});
    put(&b, "a", NULL);
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY, .retry_after_ms = INT64_MAX});
    turn_after(&b, 14999);
    assert_string_equal(b.told, "a");
    turn_after(&b, 1);
    assert_string_equal(b.told, "a|a");
    teardown(&b);
}

static void a_failing_destination_is_tried_with_one_delivery_at_a_time(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 4, (tw_outbox_options){0});
    put(&b, "a", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_RETRY);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn_after(&b, 60000);
    assert_int_equal(b.open_count, 1);
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_int_equal(b.open_count, 2);
    teardown(&b);
}

static void a_record_that_poisons_its_request_does_not_hold_the_others(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.backoff_ms = 100});
    put(&b, "bad", "bad");
    for (int i = 0; i < 20; i++)
        put(&b, "ok", NULL);
    int64_t started = tw_clock_now_ms(&b.clock);
    turn(&b);
    while (status_of(&b, "queued") + status_of(&b, "in_flight") > 1) {
        bool bad = b.open_count && strcmp(b.open[0]->records[0]->id, "bad") == 0;
        if (b.open_count)
            answer(&b, bad ? TW_ANSWER_RETRY : TW_ANSWER_DONE);
        turn_after(&b, 1);
    }
    assert_true(tw_clock_now_ms(&b.clock) - started < 2000);
    teardown(&b);
}

static void only_the_part_that_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    bench b;
    setup(&b, 3, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY_PART,
                                .retry = (const uint8_t[]){0, 1, 0}});
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a b c|b");
    teardown(&b);
}

static void a_batch_too_large_is_halved_until_the_culprit_is_alone(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 1, (tw_outbox_options){0});
    for (int i = 0; i < 5; i++)
        put(&b, (const char *[]){"a", "b", "BAD", "d", "e"}[i], NULL);
    turn(&b);
    for (int i = 0; i < 20 && b.open_count; i++) {
        bool bad = false;
        for (size_t k = 0; k < b.open[0]->count; k++)
            bad = bad || strcmp(b.open[0]->records[k]->id, "BAD") == 0;
        answer(&b, bad ? TW_ANSWER_SPLIT : TW_ANSWER_DONE);
        turn(&b);
    }
    assert_true(tw_outbox_is_empty(b.outbox));
    assert_string_equal(b.told, "a b BAD d e|a b BAD|a b|BAD d|BAD|d|e");
    assert_string_equal(b.dead, "BAD:because ");
    teardown(&b);
}

static void what_is_refused_goes_to_the_dead_and_the_rest_goes_on(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_DROP);
    turn(&b);
    assert_string_equal(b.dead, "a:because ");
    assert_string_equal(b.told, "a|b");
    assert_int_equal(given_up(&b, "drop"), 1);
    teardown(&b);
}

static void a_destination_that_is_gone_is_left_alone(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_DISABLE);
    put(&b, "c", NULL);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a");
    assert_int_equal(b.dead_count, 3);
    assert_int_equal(given_up(&b, "disabled"), 3);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void
a_sink_that_never_answers_is_tried_again_and_its_late_answer_ignored(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.timeout_ms = 1000});
    put(&b, "a", NULL);
    turn(&b);
    turn_after(&b, 999);
    assert_int_equal(status_of(&b, "in_flight"), 1);
    turn_after(&b, 1);
    assert_int_equal(status_of(&b, "in_flight"), 0);
    turn_after(&b, 600);
    assert_string_equal(b.told, "a|a");
    answer(&b, TW_ANSWER_DONE); /* the first, late */
    assert_int_equal(status_of(&b, "in_flight"), 1);
    answer(&b, TW_ANSWER_DONE);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void deliveries_without_an_answer_do_not_pile_up_for_ever(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.timeout_ms = 1000, .max_age_ms = 1 << 30});
    put(&b, "a", NULL);
    for (int i = 0; i < 2000; i++)
        turn_after(&b, 30000);
    assert_int_equal(b.delivered, 64);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_sink_that_never_answers_is_tried_again_and_its_late_answer_ignored),
        cmocka_unit_test(waits_grow_and_stay_under_their_limit),
        cmocka_unit_test(the_same_seed_gives_the_same_waits),
        cmocka_unit_test(retry_after_holds_the_whole_destination),
        cmocka_unit_test(retry_after_never_takes_more_than_a_quarter_of_the_age),
        cmocka_unit_test(a_failing_destination_is_tried_with_one_delivery_at_a_time),
        cmocka_unit_test(a_record_that_poisons_its_request_does_not_hold_the_others),
        cmocka_unit_test(only_the_part_that_was_not_taken_is_sent_again),
        cmocka_unit_test(a_batch_too_large_is_halved_until_the_culprit_is_alone),
        cmocka_unit_test(what_is_refused_goes_to_the_dead_and_the_rest_goes_on),
        cmocka_unit_test(a_destination_that_is_gone_is_left_alone),
        cmocka_unit_test(deliveries_without_an_answer_do_not_pile_up_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* When a match is over: bounds, waits, late events, stops and limits. */
#include "seqs.h"

static tw_rule *two_steps(void)
{
    tw_rule *r = seq_rule();

    step(r, A);
    step(r, B);
    return r;
}

/* ---- bounds ------------------------------------------------------------------------ */

static void within_of_the_whole_is_inclusive(void **state)
{
    (void)state;
    begin(two_steps());
    at(1, A);
    at(101, B);
    expect("101 k a1 b1");
    at(200, A);
    at(301, B);
    end();
}

static void within_of_a_step_counts_from_the_step_before(void **state)
{
    tw_rule *r = two_steps();

    (void)state;
    step(r, C)->within_ms = 10;
    begin(r);
    at(1, A);
    at(50, B);
    at(60, C);
    expect("60 k a1 b1 c1");
    at(61, A);
    at(70, B);
    at(81, C);
    end();
}

static void all_repetitions_lie_within(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    step_times(r, B, 2, 2)->within_ms = 10;
    begin(r);
    at(1, A);
    at(11, B);
    at(12, B);
    assert_int_equal(open_keys(), 0);
    end();
}

static void within_of_a_first_step_counts_from_its_first_event(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step_times(r, A, 2, 2)->within_ms = 10;
    begin(r);
    at(1, A);
    at(12, A); /* begins the next */
    at(22, A);
    expect("22 k a2");
    end();
}

static void an_optional_step_out_of_time_leaves_the_way_ahead(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    tw_seq_step *b = step(r, B);
    b->optional = true;
    b->within_ms = 10;
    step(r, C);
    begin(r);
    at(1, A);
    at(20, B);
    at(30, C);
    expect("30 k a1 c1");
    end();
}

static void the_clock_ends_matches_of_quiet_keys(void **state)
{
    (void)state;
    begin(two_steps());
    at(1, A);
    clock_to(101);
    assert_int_equal(open_keys(), 1);
    clock_to(102);
    assert_int_equal(open_keys(), 0);
    end();
}

static void a_match_in_time_out_is_told_when_asked_for(void **state)
{
    tw_rule *r = two_steps();

    (void)state;
    plan_of(r)->emit_timeouts = true;
    r->facts = tw_calloc(1, sizeof *r->facts);
    r->facts[r->fact_count++] = tw_strdup("timed_out");
    begin(r);
    at(1, A);
    clock_to(500);
    expect("101 k a1 timed out");
    assert_int_equal(the.d->last.stop_ms, 101);
    at(500, A);
    at(501, B);
    expect("501 k a1 b1");
    at(502, A);
    at(503, A); /* replaced: not told */
    clock_to(603);
    expect_none();
    clock_to(604);
    expect("603 k a1 timed out");
    end();
}

/* ---- waits ------------------------------------------------------------------------- */

static tw_rule *then_silence(void)
{
    tw_rule *r = two_steps();

    wait_for(r, X, 10);
    return r;
}

static void absent_at_the_end_fires_by_the_clock(void **state)
{
    (void)state;
    begin(then_silence());
    at(1, A);
    at(2, B);
    clock_to(12);
    expect_none();
    clock_to(13);
    expect("12 k a1 b1");
    assert_int_equal(the.d->last.stop_ms, 12);
    end();
}

static void what_must_be_absent_is_in_time_at_the_end_of_lasting(void **state)
{
    (void)state;
    begin(then_silence());
    feed(1, "ab");
    at(12, X);
    clock_to(50);
    feed(51, "ab");
    at(63, X); /* a moment too late */
    expect("62 k a1 b1");
    end();
}

static void repetitions_do_not_put_the_wait_off(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    step_times(r, B, 2, UINT32_MAX);
    wait_for(r, X, 10);
    begin(r);
    feed(1, "abbbb");
    clock_to(50);
    expect("13 k a1 b2");
    end();
}

static void an_optional_step_before_the_wait_puts_it_off(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    step(r, B)->optional = true;
    wait_for(r, X, 10);
    begin(r);
    at(1, A);
    clock_to(12);
    expect("11 k a1");
    at(20, A);
    at(25, B);
    clock_to(36);
    expect("35 k a1 b1");
    end();
}

static void a_step_behind_a_wait_begins_when_it_is_over(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    wait_for(r, X, 10);
    step(r, B)->within_ms = 5;
    begin(r);
    feed(1, "abb"); /* too early: skipped */
    at(16, B);
    expect("16 k a1 b1");
    at(20, A);
    at(36, B);
    assert_int_equal(open_keys(), 0);
    end();
}

static void the_end_of_a_wait_at_the_end_of_the_whole_is_in_time(void **state)
{
    tw_rule *r = then_silence();

    (void)state;
    begin(r);
    at(1, A);
    at(91, B);
    clock_to(102);
    expect("101 k a1 b1");
    at(201, A);
    at(292, B);
    clock_to(400);
    end();
}

/* The rule's clock, held back by another partition, is not there yet. */
static void an_event_of_the_key_moves_the_key(void **state)
{
    (void)state;
    begin(then_silence());
    feed(1, "ab");
    at(13, C);
    expect("12 k a1 b1");
    end();
}

/* ---- order and ends ---------------------------------------------------------------- */

static void an_event_older_than_the_step_before_is_late(void **state)
{
    (void)state;
    begin(two_steps());
    at(10, A);
    at(9, B);
    assert_int_equal(the.d->late.value, 1);
    at(9, C); /* nobody waits for it */
    at(9, A); /* older than the open match's first */
    assert_int_equal(the.d->late.value, 2);
    at(10, B);
    expect("10 k a1 b1");
    end();
}

static void an_older_event_is_none_between(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A);
    step(r, B)->strict = true;
    begin(r);
    at(10, A);
    at(9, C);
    at(11, B);
    expect("11 k a1 b1");
    end();
}

static void stop_on_ends_without_firing(void **state)
{
    tw_rule *r = then_silence();

    (void)state;
    plan_of(r)->stop_inputs = IN(C);
    begin(r);
    feed(1, "abc");
    assert_int_equal(open_keys(), 0);
    clock_to(100);
    end();
}

static void a_stop_older_than_the_step_before_is_late(void **state)
{
    tw_rule *r = then_silence();

    (void)state;
    plan_of(r)->stop_inputs = IN(C);
    begin(r);
    at(5, A);
    at(8, B);
    at(4, C);
    assert_int_equal(the.d->late.value, 1);
    clock_to(100);
    expect("18 k a1 b1");
    end();
}

static void beyond_max_open_the_oldest_match_goes(void **state)
{
    tw_rule *r = two_steps();

    (void)state;
    plan_of(r)->overlap = TW_SEQ_EVERY;
    plan_of(r)->max_open = 2;
    begin(r);
    feed(1, "aaa");
    assert_int_equal(the.d->evicted.value, 1);
    feed(4, "b");
    expect("4 k a1 b1");
    expect("4 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 3);
    end();
}

static void beyond_max_keys_the_oldest_key_goes(void **state)
{
    tw_rule *r = two_steps();

    (void)state;
    r->max_keys = 1;
    begin(r);
    event_only(the.d, 1, "old", A, tw_value_int(0), -1);
    at(2, A);
    assert_int_equal(the.d->evicted.value, 1);
    event_only(the.d, 3, "old", B, tw_value_int(0), -1);
    at(4, B);
    expect("4 k a1 b1");
    end();
}

static void keys_have_matches_of_their_own_and_end_in_order(void **state)
{
    (void)state;
    begin(then_silence());
    event_only(the.d, 1, "z", A, tw_value_int(0), -1);
    event_only(the.d, 1, "y", A, tw_value_int(0), -1);
    event_only(the.d, 2, "z", B, tw_value_int(0), -1);
    event_only(the.d, 2, "y", B, tw_value_int(0), -1);
    event_only(the.d, 1, "x", A, tw_value_int(0), -1);
    clock_to(99);
    expect("12 y a1 b1");
    expect("12 z a1 b1");
    end();
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(within_of_the_whole_is_inclusive),
        T(within_of_a_step_counts_from_the_step_before),
        T(all_repetitions_lie_within),
        T(within_of_a_first_step_counts_from_its_first_event),
        T(an_optional_step_out_of_time_leaves_the_way_ahead),
        T(the_clock_ends_matches_of_quiet_keys),
        T(a_match_in_time_out_is_told_when_asked_for),
        T(absent_at_the_end_fires_by_the_clock),
        T(what_must_be_absent_is_in_time_at_the_end_of_lasting),
        T(repetitions_do_not_put_the_wait_off),
        T(an_optional_step_before_the_wait_puts_it_off),
        T(a_step_behind_a_wait_begins_when_it_is_over),
        T(the_end_of_a_wait_at_the_end_of_the_whole_is_in_time),
        T(an_event_of_the_key_moves_the_key),
        T(an_event_older_than_the_step_before_is_late),
        T(an_older_event_is_none_between),
        T(stop_on_ends_without_firing),
        T(a_stop_older_than_the_step_before_is_late),
        T(beyond_max_open_the_oldest_match_goes),
        T(beyond_max_keys_the_oldest_key_goes),
        T(keys_have_matches_of_their_own_and_end_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

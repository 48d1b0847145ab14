// SPDX-License-Identifier: Apache-2.0
/* Matches beside each other, and functions that see what a match has taken. */
#include "seqs.h"

/* ---- overlap ----------------------------------------------------------------------- */

static tw_rule *overlapping(tw_seq_overlap overlap)
{
    tw_rule *r = of_steps("ab");

    plan_of(r)->overlap = overlap;
    return r;
}

static void newest_a_first_event_replaces_the_open_match(void **state)
{
    (void)state;
    begin(overlapping(TW_SEQ_NEWEST));
    feed(1, "aab");
    expect("3 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 2);
    end();
}

static void oldest_a_first_event_is_passed_over(void **state)
{
    (void)state;
    begin(overlapping(TW_SEQ_OLDEST));
    feed(1, "aab");
    expect("3 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 1);
    end();
}

static void every_first_event_opens_another_match(void **state)
{
    (void)state;
    begin(overlapping(TW_SEQ_EVERY));
    feed(1, "aab");
    expect("3 k a1 b1");
    expect("3 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 2);
    feed(4, "b");
    end();
}

static void every_an_event_may_be_taken_and_begin_another(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step_times(r, A, 2, 2);
    plan_of(r)->overlap = TW_SEQ_EVERY;
    begin(r);
    feed(1, "aaa");
    expect("2 k a2");
    expect("3 k a2");
    end();
}

static void otherwise_an_event_that_is_taken_begins_none(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step_times(r, A, 2, 2);
    begin(r);
    feed(1, "aaa");
    expect("2 k a2");
    end();
}

static void past_last_the_first_that_is_complete_ends_the_others(void **state)
{
    (void)state;
    begin(overlapping(TW_SEQ_PAST_LAST));
    feed(1, "aabb");
    expect("3 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 1);
    assert_int_equal(open_keys(), 0);
    end();
}

static void past_last_what_begins_behind_the_last_event_goes_on(void **state)
{
    tw_rule *r = overlapping(TW_SEQ_PAST_LAST);

    (void)state;
    wait_for(r, X, 10);
    begin(r);
    feed(1, "aabab"); /* the first two end at 13, the last at 15 */
    clock_to(50);
    expect("13 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 4);
    expect("15 k a1 b1");
    end();
}

/* An event that fits two inputs reaches the detector twice. */
static void one_event_takes_one_step(void **state)
{
    (void)state;
    begin(of_steps("ab"));
    at(1, A);
    the.d->offset--;
    at(1, B);
    expect_none();
    at(2, B);
    expect("2 k a1 b1");
    the.d->offset--;
    at(2, A); /* taken as b: begins none */
    assert_int_equal(open_keys(), 0);
    end();
}

/* ---- functions --------------------------------------------------------------------- */

static bool as_the_first(const tw_rule *rule, const tw_event *ev, const tw_role_view *m)
{
    (void)rule;
    assert_int_equal(m[0].count, 1);
    return m[0].first.values[0].d == ev->slots[SLOT_VALUE].d;
}

static void where_sees_the_steps_before(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step(r, B)->where_fn = 7;
    begin(r);
    the.where = as_the_first;
    at_value(1, A, 5);
    at_value(2, B, 4);
    expect_none();
    at_value(3, B, 5);
    expect("3 k a1 b1");
    end();
}

static bool more_than_the_last(const tw_rule *rule, const tw_event *ev,
                               const tw_role_view *m)
{
    (void)rule;
    return m[0].count == 0 || ev->slots[SLOT_VALUE].d > m[0].last.values[0].d;
}

static void where_sees_what_its_own_step_took_so_far(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step_times(r, A, 3, 3)->where_fn = 7;
    plan_of(r)->overlap = TW_SEQ_OLDEST;
    begin(r);
    the.where = more_than_the_last;
    at_value(1, A, 5);
    at_value(2, A, 6);
    at_value(3, A, 6);
    expect_none();
    at_value(4, A, 7);
    expect("4 k a3");
    end();
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(newest_a_first_event_replaces_the_open_match),
        T(oldest_a_first_event_is_passed_over),
        T(every_first_event_opens_another_match),
        T(every_an_event_may_be_taken_and_begin_another),
        T(otherwise_an_event_that_is_taken_begins_none),
        T(past_last_the_first_that_is_complete_ends_the_others),
        T(past_last_what_begins_behind_the_last_event_goes_on),
        T(one_event_takes_one_step),
        T(where_sees_the_steps_before),
        T(where_sees_what_its_own_step_took_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Which events make a match: order, repetitions, options, guards. */
#include "seqs.h"

static void steps_in_order_match_and_others_are_skipped(void **state)
{
    (void)state;
    begin(of_steps("abc"));
    feed(1, "bcaxbxc");
    expect("7 k a1 b1 c1");
    end();
}

static void a_step_that_comes_too_early_is_not_kept(void **state)
{
    (void)state;
    begin(of_steps("abc"));
    feed(1, "acb");
    expect_none();
    at(9, C);
    expect("9 k a1 b1 c1");
    end();
}

static void without_an_open_match_nothing_is_known_of_a_key(void **state)
{
    (void)state;
    begin(of_steps("ab"));
    feed(1, "bbb");
    assert_int_equal(open_keys(), 0);
    feed(4, "a");
    assert_int_equal(open_keys(), 1);
    feed(5, "b");
    assert_int_equal(open_keys(), 0);
    expect("5 k a1 b1");
    end();
}

static void one_step_of_one_event_is_told_each_time(void **state)
{
    (void)state;
    begin(of_steps("a"));
    feed(1, "aba");
    expect("1 k a1");
    expect("3 k a1");
    end();
}

static void times_is_exact(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 3, 3);
    begin(r);
    feed(1, "abxbxb");
    expect("6 k a1 b3");
    feed(7, "b");
    end();
}

static void first_and_last_of_a_repeated_step_are_kept(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 4, 4);
    begin(r);
    at(1, A);
    at_value(3, B, 30);
    at_value(5, B, 50);
    at_value(2, B, 20); /* older, after the step before: it counts */
    assert_int_equal(the.told_count, 0);
    at_value(6, B, 60);
    expect("6 k a1 b4");
    assert_int_equal(the.d->last.start_ms, 1);
    assert_int_equal(the.d->last.stop_ms, 6);
    end();
}

static void at_least_is_greedy_until_the_next_step(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, UINT32_MAX);
    step(r, C);
    begin(r);
    feed(1, "abcbxbc");
    expect("7 k a1 b3 c1"); /* the first c came before b was enough */
    end();
}

static void an_event_that_two_steps_could_take_goes_on(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, UINT32_MAX);
    step(r, B);
    begin(r);
    feed(1, "abbb");
    expect("4 k a1 b2 b1");
    end();
}

static void at_most_takes_no_more(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 1, 2);
    step(r, C);
    begin(r);
    feed(1, "abbbbc");
    expect("6 k a1 b2 c1");
    end();
}

static void the_last_step_is_done_as_soon_as_it_has_enough(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, UINT32_MAX);
    begin(r);
    feed(1, "abbb");
    expect("3 k a1 b2");
    end();
}

static void an_optional_step_may_be_left_out(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step(r, B)->optional = true;
    step(r, C);
    begin(r);
    feed(1, "ac");
    expect("2 k a1 c1");
    feed(3, "abc");
    expect("5 k a1 b1 c1");
    end();
}

static void an_optional_step_half_done_never_was(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, 2)->optional = true;
    step(r, C);
    begin(r);
    feed(1, "abc");
    expect("3 k a1 c1");
    feed(4, "abbc");
    expect("7 k a1 b2 c1");
    end();
}

static void an_optional_first_step_begins_or_not(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step(r, A)->optional = true;
    step(r, B);
    step(r, C);
    begin(r);
    feed(1, "bcabc");
    expect("2 k b1 c1");
    expect("5 k a1 b1 c1");
    end();
}

static void any_of_several_inputs_is_one_step(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, 2)->inputs = IN(B) | IN(C);
    begin(r);
    feed(1, "acb");
    expect("3 k a1 b2");
    end();
}

static void strict_is_the_very_next_event(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step(r, B)->strict = true;
    begin(r);
    feed(1, "axb");
    assert_int_equal(open_keys(), 0);
    feed(4, "ab");
    expect("5 k a1 b1");
    feed(6, "aab"); /* the second a ends the first match and begins one */
    expect("8 k a1 b1");
    end();
}

static void strict_behind_an_optional_step_closes_only_its_way(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    tw_seq_step *b = step(r, B);
    b->optional = b->strict = true;
    step(r, C);
    begin(r);
    feed(1, "axbc");
    expect("4 k a1 c1");
    end();
}

static void a_run_has_nothing_between(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, 2)->run = true;
    begin(r);
    feed(1, "abxb");
    assert_int_equal(open_keys(), 0);
    feed(5, "axbb");
    expect("8 k a1 b2");
    end();
}

static void a_run_that_has_enough_is_ended_by_an_interruption(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step_times(r, B, 2, UINT32_MAX)->run = true;
    step(r, C);
    begin(r);
    feed(1, "abbbxbbc");
    expect("8 k a1 b3 c1");
    end();
}

static void a_guard_ends_the_match(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    guard(r, X);
    step(r, B);
    begin(r);
    feed(1, "axb");
    assert_int_equal(open_keys(), 0);
    feed(4, "xacb");
    expect("7 k a1 b1");
    end();
}

static void a_guard_guards_only_its_own_way(void **state)
{
    tw_rule *r = of_steps("ab");

    (void)state;
    guard(r, X);
    step(r, C);
    begin(r);
    feed(1, "axbc");
    expect("4 k a1 b1 c1");
    end();
}

static void a_strict_guard_is_about_the_very_next_event(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    guard(r, X)->strict = true;
    step(r, B);
    begin(r);
    feed(1, "axb");
    feed(4, "acxb");
    expect("7 k a1 b1");
    end();
}

static void a_hurt_guard_opens_again_behind_a_repetition(void **state)
{
    tw_rule *r = seq_rule();

    (void)state;
    step_times(r, A, 2, UINT32_MAX);
    guard(r, X);
    step(r, B);
    begin(r);
    feed(1, "aaxb");
    expect_none();
    feed(5, "ab");
    expect("6 k a3 b1");
    end();
}

static void a_hurt_guard_leaves_the_way_over_an_optional_step(void **state)
{
    tw_rule *r = of_steps("a");

    (void)state;
    step(r, B)->optional = true;
    guard(r, X);
    step(r, C);
    begin(r);
    feed(1, "axcbc");
    expect("5 k a1 b1 c1");
    end();
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(steps_in_order_match_and_others_are_skipped),
        T(a_step_that_comes_too_early_is_not_kept),
        T(without_an_open_match_nothing_is_known_of_a_key),
        T(one_step_of_one_event_is_told_each_time),
        T(times_is_exact),
        T(first_and_last_of_a_repeated_step_are_kept),
        T(at_least_is_greedy_until_the_next_step),
        T(an_event_that_two_steps_could_take_goes_on),
        T(at_most_takes_no_more),
        T(the_last_step_is_done_as_soon_as_it_has_enough),
        T(an_optional_step_may_be_left_out),
        T(an_optional_step_half_done_never_was),
        T(an_optional_first_step_begins_or_not),
        T(any_of_several_inputs_is_one_step),
        T(strict_is_the_very_next_event),
        T(strict_behind_an_optional_step_closes_only_its_way),
        T(a_run_has_nothing_between),
        T(a_run_that_has_enough_is_ended_by_an_interruption),
        T(a_guard_ends_the_match),
        T(a_guard_guards_only_its_own_way),
        T(a_strict_guard_is_about_the_very_next_event),
        T(a_hurt_guard_opens_again_behind_a_repetition),
        T(a_hurt_guard_leaves_the_way_over_an_optional_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

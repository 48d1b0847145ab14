// SPDX-License-Identifier: Apache-2.0
/* Welch's test, against samples and chances that stand in textbooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "detect/welch.h"

#define OF(list) of(list, sizeof list / sizeof *list)

static tw_moments of(const double *values, size_t count)
{
    tw_moments m = {0};

    for (size_t i = 0; i < count; i++)
        tw_moments_add(&m, values[i]);
    return m;
}

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("%.15g is not %.15g", got, want);
}

static void moments_are_those_of_all_samples_however_they_are_merged(void **state)
{
    const double values[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    tw_moments none = {0};
    (void)state;

    for (size_t cut = 0; cut <= 4; cut++) {
        tw_moments a = of(values, cut), b = of(values + cut, 4 - cut);
        tw_moments_merge(&a, &b);
        tw_moments_merge(&a, &none);
        assert_int_equal(a.count, 4);
        near(a.mean, 1e9 + 10, 1e-6);
        near(a.m2, 90, 1e-5);
    }
}

static void chances_are_those_of_the_textbook(void **state)
{
    static const double a1[] = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1,
                                21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
    static const double a2[] = {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0,
                                24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4};
    static const double b1[] = {17.2, 20.9, 22.6, 18.1, 21.7,
                                21.4, 23.5, 24.2, 14.7, 21.8};
    static const double b2[] = {21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5,
                                20.7, 23.4, 21.8, 20.7, 21.7, 21.5, 22.5,
                                23.6, 21.5, 22.5, 23.5, 21.5, 21.8};
    tw_moments m1 = OF(a1), m2 = OF(a2), m3 = OF(b1), m4 = OF(b2);
    (void)state;

    near(tw_welch_chance(&m1, &m2), 0.021378, 5e-6);
    near(tw_welch_chance(&m2, &m1), 0.021378, 5e-6);
    near(tw_welch_chance(&m3, &m4), 0.148842, 5e-6);
    near(tw_welch_chance(&m1, &m1), 1, 1e-12);
}

/* With one degree of freedom the distribution is Cauchy's: the chance is 1 - 2 atan(t) / pi. */
static void the_tail_is_right_far_out(void **state)
{
    (void)state;
    for (double t = 0.01; t < 1e6; t *= 7) {
        tw_moments a = {2, t, 2},
                   b = {1000000000, 0, 0}; /* one side has all the spread */
        near(tw_welch_chance(&a, &b) / (1 - 2 * atan(t) / acos(-1)), 1, 1e-6);
    }
}

static void without_any_spread_a_difference_is_certain(void **state)
{
    tw_moments a = {5, 3, 0}, b = {5, 4, 0}, tiny = {5, 3, 1e-300},
               huge = {5, 1e300, 1e280};
    (void)state;
    near(tw_welch_chance(&a, &b), 0, 0);
    near(tw_welch_chance(&a, &a), 1, 0);
    near(tw_welch_chance(&tiny, &b), 0, 1e-12);
    near(tw_welch_chance(&huge, &b), 0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_those_of_all_samples_however_they_are_merged),
        cmocka_unit_test(chances_are_those_of_the_textbook),
        cmocka_unit_test(the_tail_is_right_far_out),
        cmocka_unit_test(without_any_spread_a_difference_is_certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

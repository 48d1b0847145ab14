// SPDX-License-Identifier: Apache-2.0
/* Quantiles within one percent, merged and as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/hash.h"
#include "detect/ddsketch.h"

enum { SAMPLES = 20000 };

static uint64_t random_state = 1;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return ((double)(random_state >> 11) + 1) / 9007199254740994.0;
}

static double sample_of(int distribution)
{
    switch (distribution) {
    case 0:
        return uniform() * 1000;
    case 1:
        return -log(uniform()) * 20; /* exponential */
    case 2:
        return exp(4 * sqrt(-2 * log(uniform())) * cos(6.2831853 * uniform()));
    case 3:
        return pow(uniform(), -2); /* Pareto with a heavy tail */
    case 4:
        return (uniform() - 0.5) * 100; /* both signs */
    case 5:
        return floor(uniform() * 4) - 1; /* few values, zero among them */
    default:
        return -exp(uniform() * 20);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void check(const tw_ddsketch *d, double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    for (double q = 0; q <= 1; q += 0.001) {
        double exact = values[(int)(q * (count - 1))], found = 0;
        assert_true(tw_ddsketch_quantile(d, q, &found));
        if (fabs(found - exact) > 0.01 * fabs(exact)) {
            fail_msg("%g is %g, not %g", q, found, exact);
        }
    }
}

static void every_quantile_is_within_one_percent(void **state)
{
    (void)state;
    static double values[SAMPLES];

    for (int distribution = 0; distribution < 7; distribution++) {
        tw_slab *slab = tw_slab_new();
        tw_ddsketch *d = NULL;
        for (int n = 0; n < SAMPLES; n++) {
            values[n] = sample_of(distribution);
            tw_ddsketch_add(slab, &d, values[n]);
        }
        check(d, values, SAMPLES);
        tw_ddsketch_free(slab, d);
        tw_slab_free(slab);
    }
}

static void merged_ones_are_as_one(void **state)
{
    (void)state;
    static double values[SAMPLES];
    tw_slab *slab = tw_slab_new();
    tw_ddsketch *parts[3] = {NULL}, *all = NULL;

    for (int n = 0; n < SAMPLES; n++) {
        values[n] = sample_of(n % 7);
        tw_ddsketch_add(slab, &parts[n % 3], values[n]);
    }
    for (int n = 0; n < 3; n++) {
        tw_ddsketch_merge(slab, &all, parts[n]);
        tw_ddsketch_merge(slab, &all, NULL);
    }
    check(all, values, SAMPLES);
    tw_slab_free(slab);
}

static void beyond_its_buckets_the_great_values_stay_right(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_ddsketch *d = NULL, *turned = NULL;
    double found;

    for (int n = -300; n <= 300; n++) {
        tw_ddsketch_add(slab, &d, pow(10, n));
        tw_ddsketch_add(slab, &turned, pow(10, -n));
    }
    assert_true(tw_ddsketch_quantile(d, 0.99, &found));
    assert_true(fabs(found / 1e294 - 1) < 0.01);
    assert_true(tw_ddsketch_quantile(turned, 0.99, &found));
    assert_true(fabs(found / 1e294 - 1) < 0.01);
    tw_ddsketch_merge(slab, &d, turned);
    assert_true(tw_ddsketch_quantile(d, 1, &found));
    assert_true(fabs(found / 1e300 - 1) < 0.01);
    tw_slab_free(slab);
}

static void nothing_has_no_quantile(void **state)
{
    (void)state;
    double found;

    assert_false(tw_ddsketch_quantile(NULL, 0.5, &found));
}

static void bytes_bring_back_the_same(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_ddsketch *d = NULL, *again = NULL;
    tw_buf bytes;

    tw_buf_init(&bytes, 1 << 20);
    for (int n = 0; n < 5000; n++) {
        tw_ddsketch_add(slab, &d, sample_of(n % 7));
    }
    tw_ddsketch_save(d, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_true(tw_ddsketch_load(slab, &in, &again));
    assert_ptr_equal(in.at, in.end);
    for (double q = 0; q <= 1; q += 0.01) {
        double a, b;
        assert_true(tw_ddsketch_quantile(d, q, &a) && tw_ddsketch_quantile(again, q, &b));
        assert_true(a >= b && a <= b);
    }
    for (size_t cut = 0; cut < bytes.len; cut += 7) {
        tw_ddsketch *broken = NULL;
        in = tw_state_in_of(bytes.data, cut);
        assert_false(tw_ddsketch_load(slab, &in, &broken));
        assert_null(broken);
    }
    tw_buf_done(&bytes);
    tw_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantile_is_within_one_percent),
        cmocka_unit_test(merged_ones_are_as_one),
        cmocka_unit_test(beyond_its_buckets_the_great_values_stay_right),
        cmocka_unit_test(nothing_has_no_quantile),
        cmocka_unit_test(bytes_bring_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

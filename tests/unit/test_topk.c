// SPDX-License-Identifier: Apache-2.0
/* The most frequent values: exact, approximate, merged and as bytes. */
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
#include "detect/topk.h"

enum { VALUES = 2000, EVENTS = 50000 };

static uint64_t random_state = 7;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

/* Value n comes in proportion to 1 / (n + 1). */
static int skewed(int values)
{
    return (int)floor(exp(uniform() * log(values)) - 1);
}

static void add(tw_slab *slab, tw_topk **t, int n, double weight)
{
    char text[16];
    int len = snprintf(text, sizeof text, "v%04d", n);
    tw_value v = tw_value_string(text, (size_t)len);

    tw_topk_add(slab, t, tw_name_hash(v), v, weight);
}

static int number_of(tw_top_item item)
{
    char text[16] = "";

    assert_true(item.value.len < sizeof text);
    memcpy(text, item.value.s, item.value.len);
    return (int)strtol(text + 1, NULL, 10);
}

static void few_values_are_counted_exactly_and_equal_ones_stand_by_value(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_topk *t = NULL;
    tw_top_item list[TW_MAX_TOP];

    for (int round = 0; round < 3; round++) {
        for (int n = 200; n-- > 0;) {
            add(slab, &t, n, n == 50 ? 2 : 1);
        }
    }
    add(slab, &t, 9, -5);
    assert_int_equal(tw_topk_list(t, list, 3), 3);
    assert_int_equal(number_of(list[0]), 50);
    assert_true(fabs(list[0].count - 6) < 1e-9);
    assert_int_equal(number_of(list[1]), 0);
    assert_int_equal(number_of(list[2]), 1);
    assert_false(tw_topk_approx(t));
    assert_int_equal(tw_topk_list(NULL, list, 3), 0);
    tw_topk_free(slab, t);
    tw_slab_free(slab);
}

static void check(const tw_topk *t, const double *truth, double total)
{
    tw_top_item list[TW_MAX_TOP];

    assert_true(tw_topk_approx(t));
    assert_int_equal(tw_topk_list(t, list, 10), 10);
    for (int n = 0; n < 10; n++) {
        double true_count = truth[number_of(list[n])];
        assert_int_equal(number_of(list[n]), n);
        assert_true(list[n].count >= true_count);
        assert_true(list[n].count <= true_count + total / TW_TOPK_COUNTERS);
    }
}

static void many_values_keep_the_frequent_ones_and_count_none_too_low(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_topk *t = NULL;
    static double truth[VALUES];

    memset(truth, 0, sizeof truth);
    for (int n = 0; n < EVENTS; n++) {
        int v = skewed(VALUES);
        truth[v]++;
        add(slab, &t, v, 1);
    }
    check(t, truth, EVENTS);
    tw_slab_free(slab);
}

static void merged_ones_are_near_the_truth_too(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_topk *parts[8] = {NULL}, *all = NULL;
    static double truth[VALUES];
    double total = 0;

    memset(truth, 0, sizeof truth);
    for (int n = 0; n < EVENTS; n++) {
        int v = skewed(VALUES);
        double weight = 1 + n % 3;
        truth[v] += weight;
        total += weight;
        add(slab, &parts[n / (EVENTS / 8)], v, weight);
    }
    for (int n = 0; n < 8; n++) {
        tw_topk_merge(slab, &all, parts[n]);
        tw_topk_merge(slab, &all, NULL);
    }
    check(all, truth, total);
    tw_slab_free(slab);
}

static void bytes_bring_back_the_same(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_topk *t = NULL, *again = NULL;
    tw_top_item a[TW_MAX_TOP], b[TW_MAX_TOP];
    tw_buf bytes;

    tw_buf_init(&bytes, 1 << 20);
    for (int n = 0; n < 5000; n++) {
        add(slab, &t, skewed(VALUES), 1);
    }
    tw_topk_save(t, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_true(tw_topk_load(slab, &in, &again));
    assert_ptr_equal(in.at, in.end);
    for (int n = 0; n < 500; n++) {
        int v = skewed(VALUES);
        add(slab, &t, v, 1);
        add(slab, &again, v, 1);
    }
    assert_int_equal(tw_topk_list(t, a, TW_MAX_TOP), TW_MAX_TOP);
    assert_int_equal(tw_topk_list(again, b, TW_MAX_TOP), TW_MAX_TOP);
    for (int n = 0; n < TW_MAX_TOP; n++) {
        assert_int_equal(number_of(a[n]), number_of(b[n]));
        assert_true(fabs(a[n].count - b[n].count) < 1e-9);
    }
    for (size_t cut = 0; cut < bytes.len; cut += 11) {
        tw_topk *broken = NULL;
        in = tw_state_in_of(bytes.data, cut);
        assert_false(tw_topk_load(slab, &in, &broken));
        assert_null(broken);
    }
    tw_buf_done(&bytes);
    tw_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_values_are_counted_exactly_and_equal_ones_stand_by_value),
        cmocka_unit_test(many_values_keep_the_frequent_ones_and_count_none_too_low),
        cmocka_unit_test(merged_ones_are_near_the_truth_too),
        cmocka_unit_test(bytes_bring_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

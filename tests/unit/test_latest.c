// SPDX-License-Identifier: Apache-2.0
/* The newest sample of each sub-key. */
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
#include "detect/latest.h"

static double fold(const tw_latest *l, tw_agg_kind kind)
{
    double v = NAN;

    return tw_latest_fold(l, kind, &v) ? v : NAN;
}

static void each_sub_key_counts_with_its_newest(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_latest *l = NULL;

    assert_true(isnan(fold(NULL, TW_AGG_AVG)));
    assert_int_equal((int)fold(NULL, TW_AGG_COUNT), 0);
    tw_latest_add(slab, &l, 0, 5, 100);
    tw_latest_add(slab, &l, 7, 20, 100);
    tw_latest_add(slab, &l, 7, 30, 90); /* older */
    assert_int_equal((int)fold(l, TW_AGG_SUM), 25);
    tw_latest_add(slab, &l, 7, 11, 100); /* at one time the second counts */
    assert_int_equal((int)fold(l, TW_AGG_SUM), 16);
    assert_int_equal((int)fold(l, TW_AGG_AVG), 8);
    assert_int_equal((int)fold(l, TW_AGG_MIN), 5);
    assert_int_equal((int)fold(l, TW_AGG_MAX), 11);
    assert_int_equal((int)fold(l, TW_AGG_COUNT), 2);
    tw_latest_free(slab, l);
    tw_slab_free(slab);
}

static void beyond_the_limit_the_most_silent_goes(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_latest *l = NULL;

    for (uint64_t n = 1; n <= TW_LATEST_KEYS; n++) {
        tw_latest_add(slab, &l, n * 977, n == 5 ? 1000 : 1, n == 5 ? 1 : 50 + (int)n);
    }
    assert_int_equal((int)fold(l, TW_AGG_MAX), 1000);
    assert_false(tw_latest_approx(l));
    tw_latest_add(slab, &l, 3, 1, 5000);
    assert_int_equal((int)fold(l, TW_AGG_MAX), 1);
    assert_int_equal((int)fold(l, TW_AGG_COUNT), TW_LATEST_KEYS);
    assert_true(tw_latest_approx(l));
    tw_slab_free(slab);
}

static void merging_keeps_the_newest_of_both(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_latest *a = NULL, *b = NULL, *all = NULL;

    for (uint64_t n = 1; n <= 20; n++) {
        tw_latest_add(slab, &a, n, 1, 100);
        tw_latest_add(slab, &b, n + 10, 2, 200);
    }
    tw_latest_merge(slab, &all, a);
    tw_latest_merge(slab, &all, b);
    tw_latest_merge(slab, &all, NULL);
    assert_int_equal((int)fold(all, TW_AGG_SUM), 10 + 40);
    tw_latest_merge(slab, &b, a);
    assert_int_equal((int)fold(b, TW_AGG_SUM), 10 + 40);
    tw_slab_free(slab);
}

static void bytes_bring_back_the_same(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_latest *l = NULL, *again = NULL;
    tw_buf bytes;

    tw_buf_init(&bytes, 1 << 20);
    for (uint64_t n = 1; n <= 300; n++) {
        tw_latest_add(slab, &l, n * n, (double)n / 7, (int64_t)n);
    }
    tw_latest_save(l, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_true(tw_latest_load(slab, &in, &again));
    assert_ptr_equal(in.at, in.end);
    double a = fold(l, TW_AGG_SUM), b = fold(again, TW_AGG_SUM);
    assert_memory_equal(&a, &b, sizeof a); /* to the last bit */
    for (size_t cut = 0; cut < bytes.len; cut += 11) {
        tw_latest *broken = NULL;
        in = tw_state_in_of(bytes.data, cut);
        assert_false(tw_latest_load(slab, &in, &broken));
        assert_null(broken);
    }
    tw_buf_done(&bytes);
    tw_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sub_key_counts_with_its_newest),
        cmocka_unit_test(beyond_the_limit_the_most_silent_goes),
        cmocka_unit_test(merging_keeps_the_newest_of_both),
        cmocka_unit_test(bytes_bring_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Different values: exact, estimated, merged and as bytes. */
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
#include "detect/distinct.h"

static uint64_t hash_of(uint64_t n)
{
    return tw_hash_stable(&n, sizeof n);
}

static void add_range(tw_slab *slab, tw_distinct **d, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        tw_distinct_add(slab, d, hash_of(n));
    }
}

static void up_to_the_limit_the_count_is_exact(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_distinct *d = NULL;

    for (int twice = 0; twice < 2; twice++) {
        for (uint64_t n = 0; n < TW_DISTINCT_EXACT; n++) {
            tw_distinct_add(slab, &d, hash_of(n));
            assert_true(twice || (uint64_t)tw_distinct_count(d) == n + 1);
        }
    }
    assert_int_equal((int)tw_distinct_count(d), TW_DISTINCT_EXACT);
    assert_false(tw_distinct_approx(d));
    tw_distinct_add(slab, &d, hash_of(TW_DISTINCT_EXACT));
    assert_true(tw_distinct_approx(d));
    tw_distinct_free(slab, d);
    tw_slab_free(slab);
}

static void the_hash_zero_is_a_value_like_any_other(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_distinct *d = NULL;

    tw_distinct_add(slab, &d, 0);
    tw_distinct_add(slab, &d, 0);
    assert_int_equal((int)tw_distinct_count(d), 1);
    tw_slab_free(slab);
}

static void beyond_it_the_estimate_is_within_two_percent(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_distinct *d = NULL;
    uint64_t count = 0;

    for (uint64_t next = 1100; next < 1500000; next += next / 3) {
        add_range(slab, &d, count, next);
        count = next;
        double error = fabs(tw_distinct_count(d) / (double)count - 1);
        if (error > 0.02) {
            fail_msg("%g of %llu", tw_distinct_count(d), (unsigned long long)count);
        }
    }
    tw_slab_free(slab);
}

static void merging_counts_what_is_in_either(void **state)
{
    static const uint64_t sizes[] = {0, 3, 700, 5000, 60000};
    (void)state;

    for (int a = 0; a < 5; a++) {
        for (int b = 0; b < 5; b++) {
            tw_slab *slab = tw_slab_new();
            tw_distinct *left = NULL, *right = NULL, *all = NULL;
            add_range(slab, &left, 0, sizes[a]);
            add_range(slab, &right, sizes[a] / 2, sizes[a] / 2 + sizes[b]);
            add_range(slab, &all, 0, sizes[a]);
            add_range(slab, &all, sizes[a] / 2, sizes[a] / 2 + sizes[b]);
            tw_distinct_merge(slab, &left, right);
            assert_true(fabs(tw_distinct_count(left) - tw_distinct_count(all)) < 0.5);
            tw_distinct_free(slab, left);
            tw_distinct_free(slab, right);
            tw_distinct_free(slab, all);
            tw_slab_free(slab);
        }
    }
}

static void bytes_bring_back_the_same(void **state)
{
    static const uint64_t sizes[] = {0, 1, 900, 20000};
    (void)state;

    for (int n = 0; n < 4; n++) {
        tw_slab *slab = tw_slab_new();
        tw_distinct *d = NULL, *again = NULL;
        tw_buf bytes;
        tw_buf_init(&bytes, 1 << 20);
        add_range(slab, &d, 0, sizes[n]);
        tw_distinct_save(d, &bytes);
        tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
        assert_true(tw_distinct_load(slab, &in, &again));
        assert_ptr_equal(in.at, in.end);
        add_range(slab, &d, sizes[n], 2 * sizes[n]);
        add_range(slab, &again, sizes[n], 2 * sizes[n]);
        assert_true(fabs(tw_distinct_count(d) - tw_distinct_count(again)) < 0.5);
        for (size_t cut = 0; cut < bytes.len; cut += 1 + bytes.len / 50) {
            tw_distinct *broken = NULL;
            in = tw_state_in_of(bytes.data, cut);
            assert_false(tw_distinct_load(slab, &in, &broken));
            assert_null(broken);
        }
        tw_buf_done(&bytes);
        tw_slab_free(slab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_the_limit_the_count_is_exact),
        cmocka_unit_test(the_hash_zero_is_a_value_like_any_other),
        cmocka_unit_test(beyond_it_the_estimate_is_within_two_percent),
        cmocka_unit_test(merging_counts_what_is_in_either),
        cmocka_unit_test(bytes_bring_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

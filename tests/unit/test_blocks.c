// SPDX-License-Identifier: Apache-2.0
/* Blocks of a table: apart from each other, on cache lines, used again. */
#include "state/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 200, LARGE = 90008, SMALL = 32784 };

/* From the heap at first, from chunks later. */
static void blocks_lie_apart_and_on_cache_lines(void **state)
{
    (void)state;
    tw_blocks b = {0};
    uint8_t *blocks[COUNT];

    for (int n = 0; n < COUNT; n++) {
        blocks[n] = tw_blocks_take(&b, n % 2 ? LARGE : SMALL);
        assert_int_equal((uintptr_t)blocks[n] % 64, 0);
        memset(blocks[n], n, n % 2 ? LARGE : SMALL);
    }
    for (int n = 0; n < COUNT; n++) {
        assert_int_equal(blocks[n][0], n);
        assert_int_equal(blocks[n][(n % 2 ? LARGE : SMALL) - 1], n);
    }
    tw_blocks_done(&b);
}

static void a_block_given_back_is_used_again_for_its_size(void **state)
{
    (void)state;
    tw_blocks b = {0};
    void *large = tw_blocks_take(&b, LARGE), *small = tw_blocks_take(&b, SMALL);

    tw_blocks_give(&b, large, LARGE);
    tw_blocks_give(&b, small, SMALL);
    tw_blocks_give(&b, NULL, SMALL);
    assert_ptr_equal(tw_blocks_take(&b, SMALL), small);
    assert_ptr_equal(tw_blocks_take(&b, LARGE), large);
    assert_ptr_not_equal(tw_blocks_take(&b, LARGE), large);
    tw_blocks_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_lie_apart_and_on_cache_lines),
        cmocka_unit_test(a_block_given_back_is_used_again_for_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

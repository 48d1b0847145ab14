// SPDX-License-Identifier: Apache-2.0
/* The private memory of a Lua state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rule/heap.h"

enum { SLOTS = 400 };

typedef struct slot {
    unsigned char *p;
    size_t size;
    unsigned char fill;
} slot;

static uint64_t dice_state = 42;

static size_t dice(size_t sides)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice_state >> 33) % sides;
}

static size_t some_size(void)
{
    switch (dice(10)) {
    case 0:
        return 1 + dice(200000);
    case 1:
        return 1 + dice(20000);
    case 2:
        return 500 + dice(30);
    default:
        return 1 + dice(600);
    }
}

static void check_slot(const slot *s)
{
    for (size_t i = 0; i < s->size; i++)
        assert_int_equal(s->p[i], s->fill);
}

static void fill_slot(slot *s, size_t size)
{
    s->size = size;
    s->fill = (unsigned char)dice(256);
    memset(s->p, s->fill, size);
}

static void blocks_never_overlap_and_keep_their_bytes(void **unused)
{
    (void)unused;
    tw_heap h;
    assert_int_equal(tw_heap_init(&h, 16 << 20), 0);
    static slot slots[SLOTS];
    for (int round = 0; round < 60000; round++) {
        slot *s = &slots[dice(SLOTS)];
        if (s->p == NULL) {
            size_t size = some_size();
            s->p = tw_heap_take(&h, size);
            assert_non_null(s->p);
            assert_int_equal((uintptr_t)s->p % 16, 0);
            fill_slot(s, size);
        } else if (dice(3) == 0) {
            size_t size = some_size(), kept = size < s->size ? size : s->size;
            check_slot(s);
            s->p = tw_heap_resize(&h, s->p, s->size, size);
            assert_non_null(s->p);
            s->size = kept;
            check_slot(s);
            fill_slot(s, size);
        } else {
            check_slot(s);
            tw_heap_give(&h, s->p, s->size);
            s->p = NULL;
        }
    }
    for (int i = 0; i < SLOTS; i++)
        tw_heap_give(&h, slots[i].p, slots[i].p != NULL ? slots[i].size : 0);
    assert_int_equal(h.used, 0);
    tw_heap_done(&h);
}

static void the_quota_refuses_and_what_was_given_back_is_there_again(void **unused)
{
    (void)unused;
    tw_heap h;
    assert_int_equal(tw_heap_init(&h, 1 << 20), 0);
    void *a = tw_heap_take(&h, 700000);
    assert_non_null(a);
    assert_null(tw_heap_take(&h, 400000));
    assert_null(tw_heap_resize(&h, a, 700000, 1200000));
    void *b = tw_heap_take(&h, 200000);
    assert_non_null(b);
    assert_null(tw_heap_resize(&h, a, 700000, 900000));
    tw_heap_give(&h, b, 200000);
    assert_null(tw_heap_take(&h, SIZE_MAX - 3));
    a = tw_heap_resize(&h, a, 700000, 40);
    assert_non_null(a);
    assert_non_null(tw_heap_take(&h, 400000));
    assert_int_equal(h.used, 400000 + 48);
    tw_heap_done(&h);
}

static void a_block_above_four_mebibytes_is_refused_whatever_the_quota(void **unused)
{
    (void)unused;
    tw_heap h;
    assert_int_equal(tw_heap_init(&h, 64 << 20), 0);
    assert_null(tw_heap_take(&h, (4 << 20) + 1));
    assert_non_null(tw_heap_take(&h, 4 << 20));
    tw_heap_done(&h);
}

static void free_buddies_join_so_a_large_block_fits_again(void **unused)
{
    (void)unused;
    tw_heap h;
    assert_int_equal(tw_heap_init(&h, 4 << 20), 0);
    for (int round = 0; round < 50; round++) {
        static void *p[4096];
        for (int i = 0; i < 4096; i++)
            assert_non_null(p[i] = tw_heap_take(&h, 1024));
        for (int i = 0; i < 4096; i++)
            tw_heap_give(&h, p[(i * 37) % 4096], 1024);
        void *big = tw_heap_take(&h, 4 << 20);
        assert_non_null(big);
        tw_heap_give(&h, big, 4 << 20);
    }
    assert_true(h.wild <= 2 * 4096);
    tw_heap_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_never_overlap_and_keep_their_bytes),
        cmocka_unit_test(the_quota_refuses_and_what_was_given_back_is_there_again),
        cmocka_unit_test(a_block_above_four_mebibytes_is_refused_whatever_the_quota),
        cmocka_unit_test(free_buddies_join_so_a_large_block_fits_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Tests of base/mem: the heap functions, the arena, the slab. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void alloc_gives_zeroed_memory_even_for_nothing(void **state)
{
    (void)state;
    unsigned char *p = tw_alloc(1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    assert_null(tw_realloc(p, 0));
    void *none = tw_alloc(0);
    assert_non_null(none);
    tw_free(none);
    tw_free(NULL);
}

static void strings_are_copied_and_terminated(void **state)
{
    (void)state;
    char *s = tw_strndup("abcdef", 3), *f = tw_asprintf("%s-%d", "x", 42);
    assert_string_equal(s, "abc");
    assert_string_equal(f, "x-42");
    assert_null(tw_strdup(NULL));
    tw_free(s);
    tw_free(f);
}

static void allocations_are_counted(void **state)
{
    (void)state;
    uint64_t before = tw_mem_allocations();
    void *p = tw_realloc(tw_alloc(1), 2);
    char *s = tw_strdup("x");
    assert_int_equal(tw_mem_allocations() - before, 3);
    tw_free(p);
    tw_free(s);
    assert_int_equal(tw_mem_allocations() - before, 3);
}

static void arena_memory_is_aligned_and_apart(void **state)
{
    (void)state;
    tw_arena a;
    tw_arena_init(&a, 256);
    char *blocks[100];
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = tw_arena_alloc(&a, i * 7);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t j = 0; j < i * 7; j++)
            assert_int_equal(blocks[i][j], (char)i);
    assert_string_equal(tw_arena_strndup(&a, "window", 3), "win");
    tw_arena_done(&a);
}

static void a_reset_arena_reuses_its_largest_block(void **state)
{
    (void)state;
    tw_arena a;
    tw_arena_init(&a, 64);
    tw_arena_reset(&a);
    tw_arena_alloc(&a, 16);
    void *large = tw_arena_alloc(&a, 5000);
    tw_arena_alloc(&a, 64);
    tw_arena_reset(&a);
    uint64_t before = tw_mem_allocations();
    assert_ptr_equal(tw_arena_alloc(&a, 2000), large);
    tw_arena_alloc(&a, 2000);
    assert_int_equal(tw_mem_allocations(), before);
    tw_arena_done(&a);
}

static void a_slab_gives_back_what_was_given_without_the_heap(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    void *first = tw_slab_take(slab, 100), *other = tw_slab_take(slab, 100);
    assert_ptr_not_equal(first, other);
    tw_slab_give(slab, first, 100);
    uint64_t before = tw_mem_allocations();
    assert_ptr_equal(tw_slab_take(slab, 128), first); /* 65 to 128 bytes are one class */
    for (int i = 0; i < 100; i++)
        tw_slab_take(slab, 65);
    assert_int_equal(tw_mem_allocations(), before);
    tw_slab_free(slab);
}

static void slab_blocks_of_all_sizes_are_apart(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    tw_slab *slab = tw_slab_new();
    char *blocks[COUNT];
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            blocks[i] = tw_slab_take(slab, i * 20);
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], (int)(i % 100), i * 20);
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t j = 0; j < i * 20; j++)
                assert_int_equal(blocks[i][j], (char)(i % 100));
            if (i % 3)
                tw_slab_give(slab, blocks[i], i * 20);
        }
    }
    tw_slab_give(slab, NULL, 10);
    tw_slab_free(slab); /* a third is still lent: the leak checker watches */
    tw_slab_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_gives_zeroed_memory_even_for_nothing),
        cmocka_unit_test(strings_are_copied_and_terminated),
        cmocka_unit_test(allocations_are_counted),
        cmocka_unit_test(arena_memory_is_aligned_and_apart),
        cmocka_unit_test(a_reset_arena_reuses_its_largest_block),
        cmocka_unit_test(a_slab_gives_back_what_was_given_without_the_heap),
        cmocka_unit_test(slab_blocks_of_all_sizes_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

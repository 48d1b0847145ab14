// SPDX-License-Identifier: Apache-2.0
/* Tests of base/map: look-up, order, removal, ownership. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int frees;

static void count_free(void *p)
{
    (void)p;
    frees++;
}

static int numbers[10000];

static void keys_are_found_and_copied(void **state)
{
    (void)state;
    tw_map *m = tw_map_new(NULL);
    char key[] = "abc";
    assert_null(tw_map_get(m, key));
    tw_map_put(m, key, &numbers[1]);
    key[0] = 'x';
    assert_ptr_equal(tw_map_get(m, "abc"), &numbers[1]);
    assert_null(tw_map_get(m, "xbc"));
    tw_map_put_n(m, "a\0b", 3, &numbers[2]);
    tw_map_put_n(m, "", 0, &numbers[3]);
    assert_ptr_equal(tw_map_get_n(m, "a\0b", 3), &numbers[2]);
    assert_null(tw_map_get(m, "a"));
    assert_ptr_equal(tw_map_get(m, ""), &numbers[3]);
    tw_map_free(m);
    tw_map_free(NULL);
}

static void a_walk_follows_the_order_of_insertion(void **state)
{
    (void)state;
    tw_map *m = tw_map_new(NULL);
    char text[16];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "k%d", i);
        tw_map_put(m, text, &numbers[i]);
    }
    for (int i = 0; i < 100; i += 2) {
        snprintf(text, sizeof text, "k%d", i);
        assert_true(tw_map_remove(m, text));
    }
    tw_map_put(m, "k1", &numbers[1]); /* keeps its place */
    tw_map_put(m, "k0", &numbers[0]); /* goes to the end */
    const char *key;
    void *value;
    int wanted = 1;
    for (size_t i = 0; tw_map_next(m, &i, &key, &value); wanted += 2) {
        int number = wanted > 99 ? 0 : wanted;
        snprintf(text, sizeof text, "k%d", number);
        assert_string_equal(key, text);
        assert_ptr_equal(value, &numbers[number]);
    }
    assert_int_equal(wanted, 103);
    assert_int_equal(tw_map_count(m), 51);
    tw_map_free(m);
}

static void values_are_freed_once(void **state)
{
    (void)state;
    tw_map *m = tw_map_new(count_free);
    frees = 0;
    tw_map_put(m, "a", &numbers[0]);
    tw_map_put(m, "a", &numbers[0]);
    assert_int_equal(frees, 0);
    tw_map_put(m, "a", &numbers[1]);
    assert_int_equal(frees, 1);
    tw_map_put(m, "b", &numbers[2]);
    tw_map_put(m, "c", &numbers[3]);
    assert_ptr_equal(tw_map_take(m, "b"), &numbers[2]);
    assert_int_equal(frees, 1);
    assert_null(tw_map_take(m, "b"));
    assert_true(tw_map_remove(m, "c"));
    assert_false(tw_map_remove(m, "c"));
    assert_int_equal(frees, 2);
    tw_map_free(m);
    assert_int_equal(frees, 3);
}

static void removing_while_walking_is_safe(void **state)
{
    (void)state;
    tw_map *m = tw_map_new(NULL);
    char text[16];
    int seen = 0;
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "k%d", i);
        tw_map_put(m, text, &numbers[i]);
    }
    const char *key;
    for (size_t i = 0; tw_map_next(m, &i, &key, NULL); seen++)
        tw_map_remove(m, key);
    assert_int_equal(seen, 50);
    assert_int_equal(tw_map_count(m), 0);
    tw_map_free(m);
}

static void it_agrees_with_a_plain_table_over_many_changes(void **state)
{
    (void)state;
    enum { KEYS = 500 };
    tw_map *m = tw_map_new(NULL);
    bool there[KEYS] = {false};
    size_t count = 0;
    uint32_t random = 12345;
    for (int step = 0; step < 50000; step++) {
        random = random * 1664525 + 1013904223;
        int k = (int)(random >> 8) % KEYS;
        char text[16];
        snprintf(text, sizeof text, "key-%d", k);
        assert_ptr_equal(tw_map_get(m, text), there[k] ? &numbers[k] : NULL);
        if (random >> 31) {
            tw_map_put(m, text, &numbers[k]);
            count += !there[k];
            there[k] = true;
        } else {
            assert_int_equal(tw_map_remove(m, text), there[k]);
            count -= there[k];
            there[k] = false;
        }
        assert_int_equal(tw_map_count(m), count);
    }
    tw_map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_and_copied),
        cmocka_unit_test(a_walk_follows_the_order_of_insertion),
        cmocka_unit_test(values_are_freed_once),
        cmocka_unit_test(removing_while_walking_is_safe),
        cmocka_unit_test(it_agrees_with_a_plain_table_over_many_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

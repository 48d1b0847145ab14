// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/row_tree and flow/rows_live: against a plain map over random changes, and that what was
 * copied stays as it was while the tree goes on, on other threads, too. (ctest: threads) */
#include "flow/row_tree.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/mem.h"
#include "flow/rows_live.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static tw_row_leaf *leaf_of(const char *key, int64_t value)
{
    tw_row_leaf *leaf = tw_row_leaf_new(key, strlen(key), 1);

    leaf->versions[0] =
        (tw_row_version){TW_ROW_ALWAYS, TW_ROW_FOR_EVER, json_integer(value)};
    return leaf;
}

static int64_t value_in(const tw_row_tree *t, const char *key)
{
    const tw_row_leaf *leaf = tw_row_tree_find(t, key, strlen(key));
    return leaf ? json_integer_value(leaf->versions[0].row) : -1;
}

typedef struct tally {
    size_t count;
    int64_t sum;
} tally;

static void count_leaf(void *self, const tw_row_leaf *leaf)
{
    tally *t = self;
    t->count++;
    t->sum += json_integer_value(leaf->versions[0].row);
}

static void is_like(const tw_row_tree *t, const tw_map *model)
{
    const char *key;
    void *value;
    tally seen = {0}, wanted = {0};

    for (size_t i = 0; tw_map_next(model, &i, &key, &value);) {
        assert_int_equal(value_in(t, key), (intptr_t)value);
        wanted.count++;
        wanted.sum += (intptr_t)value;
    }
    tw_row_tree_each(t, count_leaf, &seen);
    assert_int_equal(t->count, wanted.count);
    assert_int_equal(seen.count, wanted.count);
    assert_int_equal(seen.sum, wanted.sum);
}

static void it_holds_what_a_map_holds_and_copies_keep_what_they_had(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252;
    tw_row_tree tree = {0}, copy = {0};
    tw_map *model = tw_map_new(NULL), *then = tw_map_new(NULL);
    char key[16];

    for (int64_t i = 1; i <= 30000; i++) {
        snprintf(key, sizeof key, "k%u", (unsigned)(next_random(&random) % 3000));
        bool there = tw_map_get(model, key) != NULL;
        if (next_random(&random) % 100 < (uint64_t)(i < 15000 ? 30 : 60)) {
            assert_int_equal(tw_row_tree_remove(&tree, key, strlen(key)), there);
            tw_map_remove(model, key);
        } else {
            tw_row_tree_put(&tree, leaf_of(key, i));
            tw_map_put(model, key, (void *)(intptr_t)i);
        }
        if (i % 5000)
            continue;
        is_like(&tree, model);
        is_like(&copy, then);
        tw_row_tree_done(&copy);
        tw_map_free(then);
        copy = tw_row_tree_copy(&tree);
        then = tw_map_new(NULL);
        const char *name;
        void *value;
        for (size_t k = 0; tw_map_next(model, &k, &name, &value);)
            tw_map_put(then, name, value);
    }
    tw_row_tree_done(&tree);
    is_like(&copy, then);
    tw_row_tree_done(&copy);
    tw_map_free(model);
    tw_map_free(then);
}

static void keys_of_one_hash_stand_in_a_list(void **state)
{
    (void)state;
    tw_row_tree tree = {0};
    tally seen = {0};

    for (int i = 0; i < 3; i++) {
        char key[2] = {(char)('a' + i % 2), 0}; /* a, b, a */
        tw_row_leaf *leaf = leaf_of(key, 10 + i);
        leaf->hash = 42;
        tw_row_tree_put(&tree, leaf);
    }
    tw_row_tree_each(&tree, count_leaf, &seen);
    assert_int_equal(tree.count, 2);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.sum, 11 + 12);
    tw_row_tree_done(&tree);
}

/* Every published set has the same value under all keys. */
static void *read_along(void *arg)
{
    tw_live_rows *live = arg;
    int64_t last = 0;

    while (last < 2000) {
        uint64_t version;
        tw_rows *rows = tw_live_rows_take(live, &version);
        int64_t a = json_integer_value(tw_rows_get(rows, "k0"));
        int64_t b = json_integer_value(tw_rows_get(rows, "k39"));
        tw_rows_unref(rows);
        if (a != b || a < last)
            return (void *)1;
        last = a;
    }
    return NULL;
}

static void readers_see_whole_sets_while_it_changes(void **state)
{
    (void)state;
    tw_live_rows *live = tw_live_rows_new();
    tw_row_tree tree = {0};
    pthread_t readers[2];
    void *wrong;
    char key[16];

    for (int r = 0; r < 2; r++)
        assert_int_equal(pthread_create(&readers[r], NULL, read_along, live), 0);
    for (int64_t i = 1; i <= 2000; i++) {
        for (int k = 0; k < 40; k++) {
            snprintf(key, sizeof key, "k%d", k);
            tw_row_tree_put(&tree, leaf_of(key, i));
        }
        tw_live_rows_publish(live, tw_rows_of_tree(&tree, tree.count));
    }
    for (int r = 0; r < 2; r++) {
        pthread_join(readers[r], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(tw_live_rows_version(live), 2000);
    assert_int_equal(tw_rows_count(tw_live_rows_now(live)), 40);
    tw_row_tree_done(&tree);
    tw_live_rows_unref(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_a_map_holds_and_copies_keep_what_they_had),
        cmocka_unit_test(keys_of_one_hash_stand_in_a_list),
        cmocka_unit_test(readers_see_whole_sets_while_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The keyed table: what is put is found, whatever the order of adding and removing. */
#include "state/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct entry {
    uint64_t value;
} entry;

static tw_key key_of(uint32_t n, uint8_t *scratch)
{
    /* every third key is too long to live in its entry */
    int len =
        snprintf((char *)scratch, 64, n % 3 ? "key-%u" : "a key of some length-%030u", n);
    return tw_key_from_bytes(scratch, (uint32_t)len);
}

static uint32_t find(tw_keyed *k, uint32_t n)
{
    uint8_t scratch[64];
    tw_key key = key_of(n, scratch);
    return tw_keyed_find(k, &key);
}

static uint32_t add(tw_keyed *k, uint32_t n)
{
    uint8_t scratch[64];
    tw_key key = key_of(n, scratch);
    uint32_t number = tw_keyed_add(k, &key);
    ((entry *)tw_keyed_at(k, number))->value = n;
    return number;
}

static void every_added_key_is_found_with_its_entry(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    for (uint32_t n = 0; n < 50000; n++) {
        assert_int_equal(find(k, n), TW_KEYED_NONE);
        add(k, n);
    }
    assert_int_equal(tw_keyed_count(k), 50000);
    for (uint32_t n = 0; n < 50000; n++) {
        uint32_t number = find(k, n);
        assert_int_not_equal(number, TW_KEYED_NONE);
        assert_int_equal(((entry *)tw_keyed_at(k, number))->value, n);
    }
    assert_int_equal(find(k, 50000), TW_KEYED_NONE);
    tw_keyed_free(k);
}

static void removing_and_adding_at_random_agrees_with_a_plain_list(void **state)
{
    (void)state;
    enum { KEYS = 3000 };
    static bool there[KEYS];
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    uint32_t random = 12345, count = 0;

    memset(there, 0, sizeof there);
    for (int step = 0; step < 100000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t n = (random >> 8) % KEYS;
        uint32_t number = find(k, n);
        assert_int_equal(number != TW_KEYED_NONE, there[n]);
        if (there[n]) {
            assert_int_equal(((entry *)tw_keyed_at(k, number))->value, n);
            tw_keyed_remove(k, number);
            count--;
        } else {
            add(k, n);
            count++;
        }
        there[n] = !there[n];
        assert_int_equal(tw_keyed_count(k), count);
    }
    uint32_t walked = 0;
    for (uint32_t n = tw_keyed_next(k, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(k, n)) {
        walked++;
    }
    assert_int_equal(walked, count);
    tw_keyed_free(k);
}

static void a_new_entry_is_zeroed_though_its_memory_was_used(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    tw_keyed_remove(k, add(k, 7));
    uint8_t scratch[64];
    tw_key key = key_of(8, scratch);
    uint32_t number = tw_keyed_add(k, &key);
    assert_int_equal(((entry *)tw_keyed_at(k, number))->value, 0);
    tw_keyed_free(k);
}

static void the_oldest_was_not_touched_since_the_hand_came_by(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), TW_KEYED_NONE);
    uint32_t c = add(k, 3), a = add(k, 1), b = add(k, 2);
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)),
                     a); /* all are new: once round */
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), a);
    tw_keyed_touch(k, a);
    tw_keyed_touch(k, b);
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), c);
    tw_keyed_remove(k, c);
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), a); /* round again */
    tw_keyed_touch(k, a);
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), b);
    tw_keyed_remove(k, b);
    tw_keyed_remove(k, a);
    assert_int_equal(tw_keyed_oldest(k, offsetof(entry, value)), TW_KEYED_NONE);
    tw_keyed_free(k);
}

/* Of 5,000 keys 50 are busy; strangers come and push out each other and the quiet ones. */
static void busy_keys_outlive_a_flood_of_strangers(void **state)
{
    (void)state;
    enum { ROOM = 5000, BUSY = 50, FLOOD = 40000 };
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    uint32_t busy[BUSY];
    for (uint32_t n = 0; n < ROOM; n++) {
        uint32_t number = add(k, n);
        if (n % (ROOM / BUSY) == 0) {
            busy[n / (ROOM / BUSY)] = number;
        }
    }
    (void)tw_keyed_oldest(
        k, offsetof(entry, value)); /* once round: what is touched from now on counts */
    for (uint32_t n = 0; n < FLOOD + BUSY; n++) {
        if (n >= BUSY) {
            tw_keyed_remove(k, tw_keyed_oldest(k, offsetof(entry, value)));
            add(k, ROOM + n - BUSY);
        }
        tw_keyed_touch(k, busy[n % BUSY]);
    }
    assert_int_equal(tw_keyed_count(k), ROOM);
    for (uint32_t n = 0; n < BUSY; n++) {
        uint8_t scratch[64];
        tw_key key = key_of(n * (ROOM / BUSY), scratch);
        assert_int_equal(tw_keyed_find(k, &key), busy[n]);
    }
    uint32_t strangers = 0;
    for (uint32_t n = 0; n < FLOOD; n++) {
        uint8_t scratch[64];
        tw_key key = key_of(ROOM + n, scratch);
        bool stays = tw_keyed_find(k, &key) != TW_KEYED_NONE;
        assert_true(stays || n < FLOOD - (ROOM - BUSY) / 2);
        strangers += stays;
    }
    assert_int_equal(strangers, ROOM - BUSY);
    tw_keyed_free(k);
}

static void dirty_marks_are_walked_and_cleaned(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    for (uint32_t n = 0; n < 3000; n++) {
        tw_keyed_clean(k, add(k, n));
    }
    assert_int_equal(tw_keyed_next_dirty(k, TW_KEYED_NONE), TW_KEYED_NONE);
    tw_keyed_mark(k, 0);
    tw_keyed_mark(k, 63);
    tw_keyed_mark(k, 64);
    tw_keyed_mark(k, 2999);
    assert_int_equal(tw_keyed_next_dirty(k, TW_KEYED_NONE), 0);
    assert_int_equal(tw_keyed_next_dirty(k, 0), 63);
    assert_int_equal(tw_keyed_next_dirty(k, 63), 64);
    assert_int_equal(tw_keyed_next_dirty(k, 64), 2999);
    assert_int_equal(tw_keyed_next_dirty(k, 2999), TW_KEYED_NONE);
    tw_keyed_clean(k, 64);
    assert_int_equal(tw_keyed_next_dirty(k, 63), 2999);
    tw_keyed_free(k);
}

static void keys_compare_by_their_bytes(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    tw_key a = tw_key_from_bytes((const uint8_t *)"ab", 2);
    tw_key b = tw_key_from_bytes((const uint8_t *)"abc", 3);
    tw_key c = tw_key_from_bytes((const uint8_t *)"b", 1);
    tw_key nothing = tw_key_from_bytes((const uint8_t *)"", 0);
    uint32_t na = tw_keyed_add(k, &a), nb = tw_keyed_add(k, &b), nc = tw_keyed_add(k, &c);
    uint32_t n0 = tw_keyed_add(k, &nothing);
    assert_true(tw_keyed_compare(k, na, nb) < 0);
    assert_true(tw_keyed_compare(k, nc, nb) > 0);
    assert_true(tw_keyed_compare(k, n0, na) < 0);
    assert_int_equal(tw_keyed_compare(k, na, na), 0);
    assert_int_equal(tw_keyed_find(k, &nothing), n0);
    tw_keyed_free(k);
}

static void a_hint_at_one_key_finds_no_other_of_the_same_hash(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    uint8_t scratch[64], other_scratch[64];
    tw_key key = key_of(1, scratch), other = key_of(2, other_scratch);
    other.hash = key.hash;
    uint32_t number = add(k, 1);

    tw_keyed_prefetch_entry(k, key.hash);
    assert_int_equal(tw_keyed_guess(k, key.hash), number);
    assert_int_equal(tw_keyed_guess(k, ~key.hash), TW_KEYED_NONE);
    assert_int_equal(tw_keyed_find(k, &other), TW_KEYED_NONE);
    assert_int_equal(tw_keyed_find(k, &key), number);
    tw_keyed_free(k);
}

static void a_key_that_was_hinted_at_and_has_gone_is_not_guessed(void **state)
{
    (void)state;
    tw_keyed *k = tw_keyed_new(sizeof(entry));
    uint8_t scratch[64];
    tw_key key = key_of(1, scratch);
    uint32_t number = add(k, 1);

    tw_keyed_prefetch_entry(k, key.hash);
    tw_keyed_remove(k, number);
    assert_int_equal(tw_keyed_guess(k, key.hash), TW_KEYED_NONE);
    assert_int_equal(tw_keyed_find(k, &key), TW_KEYED_NONE);
    tw_keyed_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_added_key_is_found_with_its_entry),
        cmocka_unit_test(removing_and_adding_at_random_agrees_with_a_plain_list),
        cmocka_unit_test(a_new_entry_is_zeroed_though_its_memory_was_used),
        cmocka_unit_test(the_oldest_was_not_touched_since_the_hand_came_by),
        cmocka_unit_test(busy_keys_outlive_a_flood_of_strangers),
        cmocka_unit_test(dirty_marks_are_walked_and_cleaned),
        cmocka_unit_test(keys_compare_by_their_bytes),
        cmocka_unit_test(a_hint_at_one_key_finds_no_other_of_the_same_hash),
        cmocka_unit_test(a_key_that_was_hinted_at_and_has_gone_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

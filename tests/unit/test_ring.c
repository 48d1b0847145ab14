// SPDX-License-Identifier: Apache-2.0
/* Tests of host/ring: order, wrapping, fullness, and two threads that push all they can. */
#include "host/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool push(tw_ring *r, uint8_t byte, size_t n)
{
    uint8_t *p = tw_ring_reserve(r, n);
    if (!p)
        return false;
    assert_int_equal((uintptr_t)p % 16, 0);
    memset(p, byte, n);
    tw_ring_commit(r);
    return true;
}

static void pop(tw_ring *r, uint8_t byte, size_t n)
{
    size_t got;
    const uint8_t *p = tw_ring_peek(r, &got);
    assert_non_null(p);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], byte);
    tw_ring_consume(r);
}

static void records_are_seen_once_published(void **state)
{
    (void)state;
    size_t n;
    tw_ring *r = tw_ring_new(4096);
    assert_null(tw_ring_peek(r, &n));
    assert_false(tw_ring_publish(r));
    assert_true(push(r, 1, 5));
    assert_true(push(r, 2, 100));
    assert_null(tw_ring_peek(r, &n));
    assert_true(tw_ring_publish(r));
    assert_false(tw_ring_publish(r));
    assert_ptr_equal(tw_ring_peek(r, &n), tw_ring_peek(r, &n));
    pop(r, 1, 5);
    pop(r, 2, 100);
    assert_null(tw_ring_peek(r, &n));
    tw_ring_free(r);
}

static void what_was_reserved_and_not_committed_does_not_count(void **state)
{
    (void)state;
    size_t n;
    tw_ring *r = tw_ring_new(4096);
    assert_non_null(tw_ring_reserve(r, 64));
    assert_non_null(tw_ring_reserve(r, 32));
    memset(tw_ring_reserve(r, 8), 7, 8);
    tw_ring_commit(r);
    tw_ring_commit(r);
    tw_ring_publish(r);
    pop(r, 7, 8);
    assert_null(tw_ring_peek(r, &n));
    tw_ring_free(r);
}

static void a_full_ring_says_so_and_goes_on_when_read(void **state)
{
    (void)state;
    tw_ring *r = tw_ring_new(1024);
    int pushed = 0;
    while (push(r, (uint8_t)pushed, 48))
        pushed++;
    assert_int_equal(pushed, 1024 / 64);
    for (int i = 0; i < pushed; i++) /* published by the failed reserve */
        pop(r, (uint8_t)i, 48);
    assert_true(push(r, 9, 48));
    tw_ring_publish(r);
    pop(r, 9, 48);
    tw_ring_free(r);
}

static void the_largest_record_fits_from_any_place(void **state)
{
    (void)state;
    tw_ring *r = tw_ring_new(1000); /* rounded up */
    size_t max = tw_ring_max_record(r), n;
    assert_null(tw_ring_reserve(r, max + 1));
    for (size_t step = 0; step < 200; step++) {
        assert_true(push(r, 1, step % 40));
        tw_ring_publish(r);
        pop(r, 1, step % 40);
        assert_null(tw_ring_peek(r, &n));
        assert_true(push(r, 2, max));
        tw_ring_publish(r);
        pop(r, 2, max);
        assert_null(tw_ring_peek(r, &n));
    }
    tw_ring_free(r);
}

#define RECORDS 200000u

/* Sizes follow from the number, so the reader knows what must come. */
static size_t size_of(uint32_t number)
{
    return sizeof number + (number * 2654435761u >> 16) % 600;
}

static void *produce(void *arg)
{
    tw_ring *r = arg;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t *p;
        while (!(p = tw_ring_reserve(r, size_of(i))))
            sched_yield();
        memset(p, (int)(i & 0xff), size_of(i));
        memcpy(p, &i, sizeof i);
        tw_ring_commit(r);
        if (i % 7 == 0)
            tw_ring_publish(r);
    }
    tw_ring_publish(r);
    return NULL;
}

static void two_threads_lose_and_mix_nothing(void **state)
{
    (void)state;
    tw_ring *r = tw_ring_new(8192);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        size_t n;
        const uint8_t *p;
        uint32_t number;
        while (!(p = tw_ring_peek(r, &n)))
            sched_yield();
        memcpy(&number, p, sizeof number);
        if (number != i || n != size_of(i) ||
            (n > sizeof number && p[n - 1] != (uint8_t)(i & 0xff)))
            fail_msg("record %u came as %u with %zu bytes", i, number, n);
        tw_ring_consume(r);
    }
    pthread_join(producer, NULL);
    size_t n;
    assert_null(tw_ring_peek(r, &n));
    tw_ring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_seen_once_published),
        cmocka_unit_test(what_was_reserved_and_not_committed_does_not_count),
        cmocka_unit_test(a_full_ring_says_so_and_goes_on_when_read),
        cmocka_unit_test(the_largest_record_fits_from_any_place),
        cmocka_unit_test(two_threads_lose_and_mix_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

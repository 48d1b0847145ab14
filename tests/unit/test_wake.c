// SPDX-License-Identifier: Apache-2.0
/* Tests of host/wake: rings are never lost, a ring by hand counts, waiting ends by itself. */
#include "host/wake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

static void a_ring_before_waiting_is_not_lost(void **state)
{
    (void)state;
    tw_wake *w = tw_wake_new(NULL);
    tw_wake_ring(w);
    tw_wake_ring(w);
    tw_wake_wait(w, -1);
    tw_wake_ring(w); /* the flag is down again, so this one is written too */
    tw_wake_wait(w, -1);
    tw_wake_free(w);
}

static void waiting_ends_by_itself_when_nobody_rings(void **state)
{
    (void)state;
    tw_wake *w = tw_wake_new(NULL);
    int64_t start = tw_mono_ms();
    tw_wake_wait(w, 0);
    tw_wake_wait(w, 20);
    assert_true(tw_mono_ms() - start >= 19);
    tw_wake_free(w);
}

static void eight_bytes_into_the_descriptor_wake_too(void **state)
{
    (void)state;
    tw_wake *w = tw_wake_new(NULL);
    uint64_t one = 1;
    assert_int_equal(write(tw_wake_fd(w), &one, sizeof one), sizeof one);
    tw_wake_wait(w, -1);
    tw_wake_ring(w);
    tw_wake_wait(w, -1);
    tw_wake_free(w);
}

typedef struct counter {
    tw_wake *wake;
    _Atomic uint32_t count;
} counter;

#define RINGS 50000u

static void *ring_often(void *arg)
{
    counter *c = arg;
    for (uint32_t i = 0; i < RINGS; i++) {
        atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed);
        tw_wake_ring(c->wake);
    }
    return NULL;
}

/* If a ring were lost, the last wait would last for ever and the test would time out. */
static void the_last_of_many_rings_is_seen(void **state)
{
    (void)state;
    counter c = {.wake = tw_wake_new(NULL)};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ring_often, &c), 0);
    while (atomic_load_explicit(&c.count, memory_order_relaxed) < 2 * RINGS)
        tw_wake_wait(c.wake, -1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    tw_wake_free(c.wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_before_waiting_is_not_lost),
        cmocka_unit_test(waiting_ends_by_itself_when_nobody_rings),
        cmocka_unit_test(eight_bytes_into_the_descriptor_wake_too),
        cmocka_unit_test(the_last_of_many_rings_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

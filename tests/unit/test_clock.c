// SPDX-License-Identifier: Apache-2.0
/* Tests of base/clock: virtual time, and that real clocks run. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void virtual_time_moves_only_forward_and_only_when_told(void **state)
{
    (void)state;
    tw_clock c;
    tw_clock_init_virtual(&c, 1000);
    assert_int_equal(tw_clock_now_ms(&c), 1000);
    tw_clock_set(&c, 2000);
    assert_int_equal(tw_clock_now_ms(&c), 2000);
    tw_clock_set(&c, 1500);
    assert_int_equal(tw_clock_now_ms(&c), 2000);
}

static void a_real_clock_cannot_be_set(void **state)
{
    (void)state;
    tw_clock c;
    tw_clock_init_real(&c);
    tw_clock_set(&c, INT64_MAX);
    int64_t now_ms = tw_clock_now_ms(&c);
    assert_true(now_ms > INT64_C(1700000000000) && now_ms < INT64_C(10000000000000));
}

static void durations_are_measured_forward(void **state)
{
    (void)state;
    int64_t wall = tw_mono_ns(), cpu = tw_thread_cpu_ns();
    volatile double work = 0;
    for (int i = 0; i < 100000; i++)
        work = work + i;
    assert_true(tw_thread_cpu_ns() > cpu);
    assert_true(tw_mono_ns() > wall);
    assert_true(tw_mono_ms() >= wall / 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time_moves_only_forward_and_only_when_told),
        cmocka_unit_test(a_real_clock_cannot_be_set),
        cmocka_unit_test(durations_are_measured_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

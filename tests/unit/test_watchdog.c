// SPDX-License-Identifier: Apache-2.0
/* A watchdog that is kept from looking: by a call that cannot be stopped, of which it tells, for as long as another
 * call runs far past its budget. ctest: threads */
#include "sandbox_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { BUDGET_MS = 3000, LATE_MS = 60 };

typedef struct stuck {
    _Atomic bool is_told, is_other_over;
    tw_watchdog *watchdog;
    tw_sandbox *sandbox;
    clockid_t other; /* the CPU time of the call beside it */
    int64_t other_began_ns;
    char name[64];
} stuck;

static int64_t cpu_ns(clockid_t clock)
{
    struct timespec t;

    assert_int_equal(clock_gettime(clock, &t), 0);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As if the watchdog had got no turn: its next look at the other call comes late. */
static void note_stuck(void *ud, const char *name)
{
    stuck *s = ud;
    int64_t until_ns = s->other_began_ns + (int64_t)(BUDGET_MS + LATE_MS) * 1000000;

    snprintf(s->name, sizeof s->name, "%s", name);
    while (cpu_ns(s->other) < until_ns && !atomic_load(&s->is_other_over))
        sched_yield();
    atomic_store(&s->is_told, true);
}

/* Outside of Lua, so that nothing stops it. */
static void *be_stuck(void *arg)
{
    stuck *s = arg;
    tw_watchdog_guard guard = {0};

    assert_int_equal(tw_watchdog_watch(s->watchdog, &guard, NULL), TW_OK);
    tw_watchdog_enter(&guard, s->sandbox, 0);
    while (!atomic_load(&s->is_told))
        ;
    tw_watchdog_leave(&guard);
    tw_watchdog_unwatch(&guard);
    return NULL;
}

static void a_late_look_asks_a_call_to_stop_before_its_state_is_given_up(void **state)
{
    (void)state;
    if (UNDER_THREAD_SANITIZER)
        skip();
    stuck beside = {0};
    pthread_t thread;
    tw_err err;

    beside.sandbox = tw_sandbox_new("team/stuck.lua", NULL, NULL);
    beside.watchdog = the_watchdog = tw_watchdog_start(note_stuck, &beside, NULL);
    assert_int_equal(tw_watchdog_watch(the_watchdog, &the_guard, NULL), TW_OK);
    assert_int_equal(pthread_getcpuclockid(pthread_self(), &beside.other), 0);
    tw_sandbox *s = new_sandbox(&(tw_sandbox_limits){.load_cpu_ms = BUDGET_MS});
    beside.other_began_ns = cpu_ns(beside.other);
    assert_int_equal(pthread_create(&thread, NULL, be_stuck, &beside), 0);
    assert_int_not_equal(load_text(s, "while true do end", &err), TW_OK);
    atomic_store(&beside.is_other_over, true);
    assert_int_equal(tw_sandbox_last(s), TW_SANDBOX_CPU);
    assert_false(tw_sandbox_dead(s));
    assert_string_equal(result_of(s, "result = 'alive'"), "alive");
    pthread_join(thread, NULL);
    assert_string_equal(beside.name, "team/stuck.lua");
    tw_sandbox_free(s);
    tw_sandbox_free(beside.sandbox);
    stop_watchdog(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_look_asks_a_call_to_stop_before_its_state_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

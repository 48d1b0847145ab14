// SPDX-License-Identifier: Apache-2.0
/* runaway_stop_ms: how far past its CPU budget a rule gets that never ends; of an empty loop,
 * a hostile pattern and a loop of pcalls the worst. CPU time of the thread that runs it. With
 * an argument it says each on stderr. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "figures.h"
#include "rule/sandbox.h"

enum { BUDGET_MS = 50, ROUNDS = 15 };

static const char *const attempts[] = {
    "while true do end",
    "('x'):rep(3000):find('.-.-.-.-.-y')",
    "while true do pcall(function() while true do end end) end",
};

/* Milliseconds beyond the budget; negative when the rule was not stopped by it. */
static double overshoot_ms(const char *text, tw_watchdog_guard *guard)
{
    const tw_sandbox_limits limits = {.load_cpu_ms = BUDGET_MS};
    tw_err err = {0};
    tw_sandbox *s = tw_sandbox_new("bench/runaway.lua", &limits, &err);

    if (!s) {
        return -1;
    }
    tw_sandbox_attach(s, guard);
    int64_t start_ns = tw_thread_cpu_ns();
    (void)tw_sandbox_load(s, "runaway.lua", text, strlen(text), &err);
    double took_ms = (double)(tw_thread_cpu_ns() - start_ns) / 1e6;
    bool stopped = tw_sandbox_last(s) == TW_SANDBOX_CPU;
    tw_sandbox_free(s);
    return stopped ? took_ms - BUDGET_MS : -1;
}

int main(int argc, char **argv)
{
    static tw_watchdog_guard guard;
    double worst[ROUNDS];
    bool good = true;
    tw_err err = {0};
    tw_watchdog *wd = tw_watchdog_start(NULL, NULL, &err);

    (void)argv;
    if (!wd || tw_watchdog_watch(wd, &guard, &err) < 0) {
        fprintf(stderr, "bench_runaway: %s\n", err.text);
        return 2;
    }
    for (int n = 0; n < ROUNDS; n++) {
        worst[n] = 0;
        for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
            double ms = overshoot_ms(attempts[i], &guard);
            worst[n] = ms > worst[n] ? ms : worst[n];
            good = good && ms >= 0;
            if (argc > 1) {
                fprintf(stderr, "%6.2f ms  %s\n", ms, attempts[i]);
            }
        }
    }
    if (!good) {
        fprintf(stderr, "bench_runaway: a rule was not stopped by its CPU budget\n");
    }
    tw_watchdog_unwatch(&guard);
    tw_watchdog_stop(wd);
    good = figure_report("runaway_stop_ms", worst, ROUNDS, FIGURE_LOWER, 20, 3) && good;
    return good ? 0 : 1;
}

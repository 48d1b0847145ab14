// SPDX-License-Identifier: Apache-2.0
/* One thread that looks at every lane each millisecond and stops the call that has run
 * past its CPU budget. A lane only publishes a sequence word (odd while inside a call) in
 * its guard: no clock is read and no system call made per call. The watchdog reads the
 * lane's CPU clock when it sees a call for the first time; once the same call is over
 * budget it marks it and sends SIGURG until the call has returned; the handler, on the
 * lane's own thread, arms the hook that raises, or, 15 ms later and only while the thread
 * is inside the Lua library itself, gives the state up. With no call in sight it sleeps
 * until a lane wakes it. */
#ifndef TW_RULE_WATCHDOG_H
#define TW_RULE_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

typedef struct tw_watchdog tw_watchdog;
struct tw_sandbox;

/* Embedded in whatever owns a thread that runs rules; zero it, then tw_watchdog_watch. */
typedef struct tw_watchdog_guard {
    _Alignas(64) _Atomic uint64_t seq;      /* odd: inside a call; written by the lane */
    _Atomic int64_t budget_ns;              /* of that call */
    _Atomic(struct tw_sandbox *) running;   /* whose call it is */
    _Atomic bool *asleep;                   /* the watchdog's */
    tw_watchdog *wd;                        /* NULL: not watched */
    _Alignas(64) _Atomic uint64_t stop_seq; /* the call that must stop; by the watchdog */
    _Atomic uint64_t abandon_seq;           /* the call that did not */
    uint64_t seen_seq, stuck_seq;           /* the watchdog's notes, under its lock */
    int64_t seen_cpu_ns,
        asked_cpu_ns; /* when the call was first seen, and asked to stop */
    pthread_t thread;
    clockid_t clock;
    struct tw_watchdog_guard *next;
} tw_watchdog_guard;

/* Called on the watchdog's thread, once a call, when it still runs 2 s of CPU after it
 * was told to stop: the lane is lost and the process should end, naming the rule. */
typedef void tw_watchdog_stuck_fn(void *ud, const char *sandbox_name);

/* One a process is enough. on_stuck may be NULL (then the process logs and aborts). NULL
 * with err. */
tw_watchdog *tw_watchdog_start(tw_watchdog_stuck_fn *on_stuck, void *ud, tw_err *err);
void tw_watchdog_stop(
    tw_watchdog *wd); /* every guard is unwatched before; NULL is fine */

/* Both on the thread that is to be watched, outside of any call; one guard a thread. */
int tw_watchdog_watch(tw_watchdog *wd, tw_watchdog_guard *g, tw_err *err);
void tw_watchdog_unwatch(tw_watchdog_guard *g); /* one not watched is fine */

void tw_watchdog_wake(tw_watchdog *wd); /* for enter, below */

static inline bool tw_watchdog_inside(const tw_watchdog_guard *g)
{
    return atomic_load_explicit(&g->seq, memory_order_relaxed) & 1;
}

/* On the guard's thread, inside a call: the call must stop. */
static inline bool tw_watchdog_expired(const tw_watchdog_guard *g)
{
    return atomic_load_explicit(&g->stop_seq, memory_order_relaxed) ==
           atomic_load_explicit(&g->seq, memory_order_relaxed);
}

/* For the sandbox only; calls of one guard do not nest. */
static inline void tw_watchdog_enter(tw_watchdog_guard *g, struct tw_sandbox *s,
                                     int64_t budget_ns)
{
    uint64_t seq = atomic_load_explicit(&g->seq, memory_order_relaxed);
    atomic_store_explicit(&g->budget_ns, budget_ns, memory_order_relaxed);
    atomic_store_explicit(&g->running, s, memory_order_relaxed);
    atomic_store_explicit(&g->seq, seq + 1, memory_order_release);
    if (atomic_load_explicit(g->asleep, memory_order_relaxed))
        tw_watchdog_wake(g->wd);
}

static inline void tw_watchdog_leave(tw_watchdog_guard *g)
{
    uint64_t seq = atomic_load_explicit(&g->seq, memory_order_relaxed);
    atomic_store_explicit(&g->seq, seq + 1, memory_order_release);
}

#endif

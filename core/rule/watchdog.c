// SPDX-License-Identifier: Apache-2.0
/* The watchdog's thread and the signal handler. The handler runs on a lane's thread and
 * trusts nothing but the guard of that thread: a signal that arrives after its call has
 * returned finds another sequence number and does nothing. SIGURG, because its default is
 * to be ignored.
 *
 * Giving up jumps out of the Lua library from the handler. That is sound only because the
 * state's memory is private (heap.h), bindings hold nothing across a call into Lua, and
 * the interrupted instruction lies in liblua's own text: not in libc, not in a binding,
 * not in our allocator. */
#include "rule/watchdog.h"

#include <errno.h>
#include <link.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/log.h"
#include "base/mem.h"
#include "rule/sandbox_impl.h"

enum {
    TICK_NS = 1000000,
    IDLE_LOOKS = 5,        /* looks without a call before going to sleep */
    ASLEEP_MS = 500,       /* the longest sleep, should a wake-up be missed */
    ABANDON_AFTER_MS = 15, /* the hook works within one instruction */
    STUCK_AFTER_MS = 2000
};

struct tw_watchdog {
    pthread_t thread;
    pthread_mutex_t lock; /* the list and the guards' notes */
    tw_watchdog_guard *guards;
    sem_t wake;
    _Atomic bool asleep, stopping;
    tw_watchdog_stuck_fn *on_stuck;
    void *ud;
};

static __thread tw_watchdog_guard *guard_here __attribute__((tls_model("initial-exec")));

/* The Lua library's text, when it is a shared object of its own. Written once at start.
 */
static _Atomic uintptr_t lua_text_begin, lua_text_end;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- on the lane's thread ---- */

static bool inside_lua_library(const ucontext_t *where)
{
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)where->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    uintptr_t pc = (uintptr_t)where->uc_mcontext.pc;
#else
    uintptr_t pc = 0;
    (void)where;
#endif
    return pc >= atomic_load_explicit(&lua_text_begin, memory_order_relaxed) &&
           pc < atomic_load_explicit(&lua_text_end, memory_order_relaxed);
}

static void on_urgent(int signal_number, siginfo_t *info, void *where)
{
    (void)signal_number;
    (void)info;
    tw_watchdog_guard *g = guard_here;
    if (g == NULL || !tw_watchdog_inside(g) || !tw_watchdog_expired(g))
        return;
    tw_sandbox *s = atomic_load_explicit(&g->running, memory_order_relaxed);
    uint64_t seq = atomic_load_explicit(&g->seq, memory_order_relaxed);
    if (atomic_load_explicit(&g->abandon_seq, memory_order_relaxed) == seq &&
        inside_lua_library(where))
        tw_sandbox_abandon(s);
    tw_sandbox_expire(s);
}

static int find_lua_text(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    uintptr_t lua = (uintptr_t)lua_newstate, ours = (uintptr_t)tw_watchdog_start;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + h->p_vaddr, end = begin + h->p_memsz;
        if (h->p_type != PT_LOAD || lua < begin || lua >= end)
            continue;
        if (ours >= begin && ours < end)
            return 1; /* linked statically: the two cannot be told apart */
        atomic_store(&lua_text_begin, begin);
        atomic_store(&lua_text_end, end);
        return 1;
    }
    return 0;
}

int tw_watchdog_watch(tw_watchdog *wd, tw_watchdog_guard *g, tw_err *err)
{
    if (guard_here != NULL)
        return tw_err_set(err, TW_ESTATE, "this thread is watched already");
    g->thread = pthread_self();
    if (pthread_getcpuclockid(g->thread, &g->clock) != 0)
        return tw_err_set(err, TW_EIO, "no CPU clock for this thread");
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_UNBLOCK, &urgent, NULL);

    atomic_store(&g->seq, 2); /* differs from stop_seq, abandon_seq and stuck_seq */
    g->seen_seq = 2;
    g->wd = wd;
    g->asleep = &wd->asleep;
    guard_here = g;
    pthread_mutex_lock(&wd->lock);
    g->next = wd->guards;
    wd->guards = g;
    pthread_mutex_unlock(&wd->lock);
    return TW_OK;
}

void tw_watchdog_unwatch(tw_watchdog_guard *g)
{
    tw_watchdog *wd = g->wd;
    if (wd == NULL)
        return;
    pthread_mutex_lock(&wd->lock);
    for (tw_watchdog_guard **at = &wd->guards; *at != NULL; at = &(*at)->next) {
        if (*at == g) {
            *at = g->next;
            break;
        }
    }
    pthread_mutex_unlock(&wd->lock);
    guard_here = NULL;
    memset(g, 0, sizeof *g);
}

void tw_watchdog_wake(tw_watchdog *wd)
{
    if (atomic_exchange(&wd->asleep, false))
        sem_post(&wd->wake);
}

/* ---- on the watchdog's thread ---- */

static void tell_stuck(tw_watchdog *wd, tw_watchdog_guard *g, uint64_t seq)
{
    if (g->stuck_seq == seq)
        return;
    g->stuck_seq = seq;
    const char *name = tw_sandbox_name(atomic_load(&g->running));
    if (wd->on_stuck != NULL) {
        wd->on_stuck(wd->ud, name);
        return;
    }
    tw_log_error("watchdog", "a rule cannot be stopped, the process ends", "rule", name,
                 NULL);
    abort();
}

/* The same call as at the last look: has it had its time? */
static void look_again(tw_watchdog *wd, tw_watchdog_guard *g, uint64_t seq)
{
    int64_t now_ns = clock_ns(g->clock);
    int64_t over_ns = now_ns - g->seen_cpu_ns - atomic_load(&g->budget_ns);
    if (over_ns < 0)
        return;
    if (atomic_load(&g->stop_seq) != seq) {
        atomic_store(&g->stop_seq, seq);
        g->asked_cpu_ns = now_ns; /* this look may come late: the machine is busy */
    }
    if (now_ns - g->asked_cpu_ns > (int64_t)ABANDON_AFTER_MS * 1000000)
        atomic_store(&g->abandon_seq, seq);
    pthread_kill(g->thread, SIGURG);
    if (over_ns > (int64_t)STUCK_AFTER_MS * 1000000)
        tell_stuck(wd, g, seq);
}

/* Whether any lane was seen at work. */
static bool look(tw_watchdog *wd)
{
    bool busy = false;
    pthread_mutex_lock(&wd->lock);
    for (tw_watchdog_guard *g = wd->guards; g != NULL; g = g->next) {
        uint64_t seq = atomic_load_explicit(&g->seq, memory_order_acquire);
        bool inside = seq & 1, same = seq == g->seen_seq;
        busy = busy || inside || !same;
        if (inside && same)
            look_again(wd, g, seq);
        else if (inside)
            g->seen_cpu_ns = clock_ns(g->clock);
        g->seen_seq = seq;
    }
    pthread_mutex_unlock(&wd->lock);
    return busy;
}

static void sleep_until_woken(tw_watchdog *wd)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ASLEEP_MS * 1000000L;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (sem_clockwait(&wd->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
        ;
    atomic_store(&wd->asleep, false);
}

/* Going to sleep is announced one look ahead: a lane that has not yet seen the
 * announcement when it enters a call is seen by that look. */
static void *watch(void *arg)
{
    tw_watchdog *wd = arg;
    int idle = 0;
    while (!atomic_load(&wd->stopping)) {
        idle = look(wd) ? 0 : idle + 1;
        if (idle > IDLE_LOOKS) {
            sleep_until_woken(wd);
            idle = IDLE_LOOKS - 1;
            continue;
        }
        atomic_store(&wd->asleep, idle == IDLE_LOOKS);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = TICK_NS}, NULL);
    }
    return NULL;
}

static int start_thread(tw_watchdog *wd)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&wd->thread, NULL, watch, wd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(wd->thread, "tw-watchdog");
    return rc;
}

tw_watchdog *tw_watchdog_start(tw_watchdog_stuck_fn *on_stuck, void *ud, tw_err *err)
{
    struct sigaction action = {.sa_sigaction = on_urgent,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    dl_iterate_phdr(find_lua_text, NULL);
    tw_watchdog *wd = tw_alloc(sizeof *wd);
    wd->on_stuck = on_stuck;
    wd->ud = ud;
    pthread_mutex_init(&wd->lock, NULL);
    sem_init(&wd->wake, 0, 0);
    int rc = sigaction(SIGURG, &action, NULL) != 0 ? errno : start_thread(wd);
    if (rc == 0)
        return wd;
    tw_err_set(err, TW_EIO, "cannot start the watchdog: %s", strerror(rc));
    sem_destroy(&wd->wake);
    pthread_mutex_destroy(&wd->lock);
    tw_free(wd);
    return NULL;
}

void tw_watchdog_stop(tw_watchdog *wd)
{
    if (wd == NULL)
        return;
    atomic_store(&wd->stopping, true);
    sem_post(&wd->wake);
    pthread_join(wd->thread, NULL);
    sem_destroy(&wd->wake);
    pthread_mutex_destroy(&wd->lock);
    tw_free(wd);
}

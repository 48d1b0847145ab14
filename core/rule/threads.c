// SPDX-License-Identifier: Apache-2.0
/* The one watchdog of the process and the guard of each thread that runs rules. The only globals of
 * core/rule: a signal handler and a thread that watches all others are the process's by nature. */
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "rule/rule_files.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tw_watchdog *watchdog;
static unsigned starts;

static _Thread_local tw_watchdog_guard guard;
static _Thread_local unsigned entered;

/* The lane cannot be had back: better to end, name the rule and be started again. */
static void on_stuck(void *ud, const char *sandbox_name)
{
    (void)ud;
    tw_log_error("rule", "a rule cannot be stopped; the process ends", "file",
                 sandbox_name, NULL);
    abort();
}

int tw_rule_watchdog_start(tw_err *err)
{
    pthread_mutex_lock(&lock);
    if (!watchdog)
        watchdog = tw_watchdog_start(on_stuck, NULL, err);
    int rc = watchdog ? TW_OK : TW_EIO;
    starts += watchdog != NULL;
    pthread_mutex_unlock(&lock);
    return rc;
}

void tw_rule_watchdog_stop(void)
{
    tw_watchdog *gone = NULL;
    pthread_mutex_lock(&lock);
    if (starts > 0 && --starts == 0) {
        gone = watchdog;
        watchdog = NULL;
    }
    pthread_mutex_unlock(&lock);
    tw_watchdog_stop(gone);
}

int tw_rule_thread_enter(tw_err *err)
{
    if (entered > 0) {
        entered++;
        return TW_OK;
    }
    int rc = tw_rule_watchdog_start(err);
    if (rc < 0)
        return rc;
    rc = tw_watchdog_watch(watchdog, &guard, err);
    if (rc < 0) {
        tw_rule_watchdog_stop();
        return rc;
    }
    entered = 1;
    return TW_OK;
}

void tw_rule_thread_leave(void)
{
    if (entered == 0 || --entered > 0)
        return;
    tw_watchdog_unwatch(&guard);
    tw_rule_watchdog_stop();
}

tw_watchdog_guard *tw_rule_thread_guard(void)
{
    return entered > 0 ? &guard : NULL;
}

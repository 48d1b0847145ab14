// SPDX-License-Identifier: Apache-2.0
/* A watched thread and a sandbox on it, for the tests of core/rule. */
#ifndef TW_TESTS_SANDBOX_FIXTURE_H
#define TW_TESTS_SANDBOX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rule/sandbox.h"

/* ThreadSanitizer holds signals back while the Lua library runs, and loses count of the stack when
 * Lua raises: runaway rules are not tried under it, and fewer errors. */
#if defined(__SANITIZE_THREAD__)
enum { UNDER_THREAD_SANITIZER = 1 };
#else
enum { UNDER_THREAD_SANITIZER = 0 };
#endif

static tw_watchdog *the_watchdog;
static tw_watchdog_guard the_guard;

static inline int start_watchdog(void **state)
{
    (void)state;
    the_watchdog = tw_watchdog_start(NULL, NULL, NULL);
    return the_watchdog == NULL ? -1 : tw_watchdog_watch(the_watchdog, &the_guard, NULL);
}

static inline int stop_watchdog(void **state)
{
    (void)state;
    tw_watchdog_unwatch(&the_guard);
    tw_watchdog_stop(the_watchdog);
    return 0;
}

static inline tw_sandbox *new_sandbox(const tw_sandbox_limits *limits)
{
    tw_err err = {0};
    tw_sandbox *s = tw_sandbox_new("team/rule.lua", limits, &err);
    assert_non_null(s);
    tw_sandbox_attach(s, &the_guard);
    return s;
}

static inline int load_text(tw_sandbox *s, const char *text, tw_err *err)
{
    *err = (tw_err){0};
    return tw_sandbox_load(s, "rules/rule.lua", text, strlen(text), err);
}

/* Runs text, which sets the global `result` to a string; fails the test when it raises.
 */
typedef struct result_copy {
    char text[4096];
} result_copy;

static inline int l_copy_result(lua_State *L)
{
    result_copy *out = lua_touserdata(L, 1);
    lua_getglobal(L, "result");
    size_t n;
    const char *text = tw_sandbox_tolstring(L, -1, &n);
    if (n >= sizeof out->text)
        n = sizeof out->text - 1;
    memcpy(out->text, text, n);
    out->text[n] = '\0';
    return 0;
}

static inline const char *result_of(tw_sandbox *s, const char *text)
{
    static result_copy copy;
    tw_err err;
    char message[1200];
    if (load_text(s, text, &err) != TW_OK)
        fail_msg("%s", tw_err_format(&err, message, sizeof message));
    assert_int_equal(tw_sandbox_run(s, l_copy_result, &copy, &err), TW_OK);
    return copy.text;
}

#endif

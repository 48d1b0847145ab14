// SPDX-License-Identifier: Apache-2.0
/* What a hostile rule tries: each attempt is refused or stopped, a neighbour's sandbox works on, and
 * what ran past its budget was stopped soon. The process's own memory is watched by the
 * sanitizers of the preset. */
#include "sandbox_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
    BUDGET_MS = 20,         /* for what runs for ever */
    OTHER_BUDGET_MS = 2000, /* for what must end for another reason */
    LATE_MS = 150 /* of CPU time; generous, the machine that tests may be busy */
};

typedef struct attempt {
    const char *what;
    const char *text;
    tw_sandbox_reason reason; /* how it ends */
    const char *says;         /* part of the message; NULL: any */
} attempt;

static double ms_since(int64_t start_ns)
{
    return (double)(tw_thread_cpu_ns() - start_ns) / 1e6;
}

static void make_attempt(const attempt *a)
{
    int budget_ms = a->reason == TW_SANDBOX_CPU ? BUDGET_MS : OTHER_BUDGET_MS;
    const tw_sandbox_limits limits = {.load_cpu_ms = budget_ms, .memory_bytes = 8 << 20};
    tw_err err;
    tw_sandbox *neighbour = new_sandbox(NULL), *s = new_sandbox(&limits);
    int64_t start_ns = tw_thread_cpu_ns();
    load_text(s, a->text, &err);
    double took_ms = ms_since(start_ns);
    tw_sandbox_reason reason = tw_sandbox_last(s);
    if (getenv("TW_SHOW_OVERSHOOT") != NULL)
        printf("%-44s %-8s %6.1f ms%s  %s:%d %s\n", a->what,
               tw_sandbox_reason_name(reason), took_ms,
               tw_sandbox_dead(s) ? " given up" : "", err.file, err.line, err.text);
    if (reason != a->reason || (a->says != NULL && strstr(err.text, a->says) == NULL))
        fail_msg("%s: %s: %s", a->what, tw_sandbox_reason_name(reason), err.text);
    if (took_ms > budget_ms + LATE_MS)
        fail_msg("%s: took %.1f ms of CPU time", a->what, took_ms);

    assert_string_equal(result_of(neighbour, "result = ('x'):rep(3)"), "xxx");
    if (!tw_sandbox_dead(s))
        assert_string_equal(result_of(s, "result = 'alive'"), "alive");
    else
        assert_int_equal(load_text(s, "result = 1", &err), TW_ESTATE);
    tw_sandbox_free(s);
    tw_sandbox_free(neighbour);
}

static void make_attempts(const attempt *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!UNDER_THREAD_SANITIZER || list[i].reason != TW_SANDBOX_CPU)
            make_attempt(&list[i]);
}

#define MAKE_ATTEMPTS(list) make_attempts(list, sizeof(list) / sizeof *(list))

static void endless_lua_is_stopped(void **unused)
{
    (void)unused;
    static const attempt attempts[] = {
        {"empty loop", "\nwhile true do end", TW_SANDBOX_CPU, "CPU budget of 20 ms"},
        {"goto", "::again:: goto again", TW_SANDBOX_CPU, NULL},
        {"numeric for", "for i = 1, math.huge do end", TW_SANDBOX_CPU, NULL},
        {"pcall that swallows everything",
         "while true do pcall(function() while true do end end) end", TW_SANDBOX_CPU,
         NULL},
        {"nested pcalls", "local function f() while true do pcall(f) end end  f()",
         TW_SANDBOX_CPU, NULL},
        {"pcall of error", "while true do pcall(error) end", TW_SANDBOX_CPU, NULL},
        {"__index function",
         "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] "
         "end})  while true do pcall(function() return t[1] end) end",
         TW_SANDBOX_CPU, NULL},
        {"ipairs without an end",
         "for _ in ipairs(setmetatable({}, {__index = function() return 1 "
         "end})) do end",
         TW_SANDBOX_CPU, NULL},
        {"__tostring",
         "tostring(setmetatable({}, {__tostring = function() while true do end "
         "end}))",
         TW_SANDBOX_CPU, NULL},
        {"comparison of a sort",
         "table.sort({3, 2, 1}, function() while true do end end)", TW_SANDBOX_CPU, NULL},
        {"replacement function", "('x'):gsub('x', function() while true do end end)",
         TW_SANDBOX_CPU, NULL},
        {"iterator", "for _ in function() return 1 end do end", TW_SANDBOX_CPU, NULL},
        {"mutual tail calls",
         "local g  local function f() return g() end  function g() return f() "
         "end  f()",
         TW_SANDBOX_CPU, NULL},
    };
    MAKE_ATTEMPTS(attempts);
}

static void endless_library_calls_are_stopped(void **unused)
{
    (void)unused;
    static const attempt attempts[] = {
        {"optional items", "('a'):rep(28):find(('a?'):rep(28) .. ('a'):rep(28))",
         TW_SANDBOX_CPU, NULL},
        {"lazy items", "('x'):rep(3000):find('.-.-.-.-.-y')", TW_SANDBOX_CPU, NULL},
        {"greedy items in match", "('x'):rep(3000):match('.*.*.*.*y')", TW_SANDBOX_CPU,
         NULL},
        {"hostile gmatch", "for _ in ('x'):rep(3000):gmatch('.-.-.-.-y') do end",
         TW_SANDBOX_CPU, NULL},
        {"hostile gsub", "('x'):rep(3000):gsub('.-.-.-.-y', '')", TW_SANDBOX_CPU, NULL},
        {"pattern inside pcall",
         "while true do pcall(string.find, ('x'):rep(3000), "
         "'.-.-.-.-y') end",
         TW_SANDBOX_CPU, NULL},
        {"move of nothing", "table.move({}, 1, 1 << 61, 2)", TW_SANDBOX_CPU, NULL},
        {"sorting again and again",
         "local t = {} for i = 1, 50000 do t[i] = -i end\n"
         "while true do table.sort(t) table.sort(t, function(a, b) "
         "return a > b end) end",
         TW_SANDBOX_CPU, NULL},
        {"inserting in front",
         "local t = {} for i = 1, 100000 do t[i] = i end\n"
         "while true do table.insert(t, 1, 0) table.remove(t, 1) end",
         TW_SANDBOX_CPU, NULL},
        {"concat of a long list",
         "local t = {} for i = 1, 60000 do t[i] = 'x' end\n"
         "while true do table.concat(t) end",
         TW_SANDBOX_CPU, NULL},
        {"pairs of a large table",
         "local t = {} for i = 1, 50000 do t[-i] = i end\n"
         "while true do for _ in pairs(t) do break end end",
         TW_SANDBOX_CPU, NULL},
    };
    MAKE_ATTEMPTS(attempts);
}

static void what_would_be_too_large_is_refused_at_once(void **unused)
{
    (void)unused;
    static const attempt attempts[] = {
        {"rep", "('x'):rep(1 << 40)", TW_SANDBOX_ERROR, "longer than 1024 KiB"},
        {"rep that wraps around", "('xxxx'):rep(1 << 62)", TW_SANDBOX_ERROR,
         "longer than"},
        {"rep with separator", "('x'):rep(1 << 62, 'yy')", TW_SANDBOX_ERROR,
         "longer than"},
        {"rep of nothing", "assert(('') :rep(1 << 60) == '')", TW_SANDBOX_FINE, NULL},
        {"format",
         "string.format(('%s'):rep(3), ('x'):rep(500000), ('x'):rep(500000), "
         "('x'):rep(500000))",
         TW_SANDBOX_ERROR, "longer than"},
        {"gsub", "('x'):rep(1000):gsub('x', ('y'):rep(10000))", TW_SANDBOX_ERROR,
         "longer than"},
        {"concat",
         "local t = {} for i = 1, 20 do t[i] = ('x'):rep(100000) end table.concat(t)",
         TW_SANDBOX_ERROR, "longer than"},
        {"sort", "local t = {} for i = 1, 100001 do t[i] = i end table.sort(t)",
         TW_SANDBOX_ERROR, "more than 100000"},
        {"unpack", "table.unpack({}, 1, 1e7)", TW_SANDBOX_ERROR, "too many results"},
        {"unpack that wraps around", "table.unpack({}, math.mininteger, math.maxinteger)",
         TW_SANDBOX_ERROR, "too many results"},
        {"table that lies about its length",
         "local t = setmetatable({}, {__len = function() return 1 << 60 end}) "
         "table.insert(t, 1)",
         TW_SANDBOX_ERROR, "metatable cannot be used"},
        {"concat over the largest integer",
         "table.concat({}, '', math.maxinteger, math.maxinteger)", TW_SANDBOX_ERROR,
         "invalid value"},
        {"precision", "string.format('%.99f', 1e308)", TW_SANDBOX_ERROR,
         "invalid conversion"},
        {"captures", "('x'):find(('()'):rep(33))", TW_SANDBOX_ERROR, "too many captures"},
        {"pattern with many items", "('x'):find(('x*'):rep(300))", TW_SANDBOX_ERROR,
         "too complex"},
        {"select from the far end", "select(-1 << 62, 1)", TW_SANDBOX_ERROR,
         "out of range"},
        {"order function that contradicts itself",
         "local t = {} for i = 1, 2000 do t[i] = i % 7 end\n"
         "table.sort(t, function() return true end) table.sort(t, function(a) return a "
         "end)",
         TW_SANDBOX_FINE, NULL},
        {"order function that shrinks the list",
         "local t = {5, 4, 3, 2, 1} pcall(table.sort, t, function(a, b) for i = 1, 5 do "
         "t[i] = nil "
         "end return a < b end)",
         TW_SANDBOX_FINE, NULL},
    };
    MAKE_ATTEMPTS(attempts);
}

static void memory_has_an_end(void **unused)
{
    (void)unused;
    static const attempt attempts[] = {
        {"table flood", "local t = {}\nfor i = 1, 1e9 do t[i] = {i} end",
         TW_SANDBOX_MEMORY, "more than its 8 MiB"},
        {"string that doubles", "local s = 'x'\nwhile true do s = s .. s end",
         TW_SANDBOX_MEMORY, "longer than 1024 KiB"},
        {"many strings",
         "local t = {}\nfor i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
         TW_SANDBOX_MEMORY, "8 MiB"},
        {"memory errors swallowed",
         "local t = {}\nwhile true do pcall(function() for i = 1, 1e9 do t[#t + 1] = {} "
         "end end) "
         "end",
         TW_SANDBOX_MEMORY, NULL},
        {"strings too long swallowed",
         "while true do pcall(function() local s = 'x' while true do s = s .. s end end) "
         "end",
         TW_SANDBOX_MEMORY, NULL},
        {"closures that hold on",
         "local f\nwhile true do local g = f f = function() return g end end",
         TW_SANDBOX_MEMORY, NULL},
        {"endless recursion", "local function f() return 1 + f() end\nf()",
         TW_SANDBOX_MEMORY, "a recursion without an end"},
        {"upper-case copies kept",
         "local t = {} local s = ('x'):rep(1 << 20)\nfor i = 1, 99 do t[i] "
         "= (s:sub(i)):upper() end",
         TW_SANDBOX_MEMORY, NULL},
        {"one memory error is forgiven",
         "assert(not pcall(function() local t = {} for i = 1, 1e9 do t[i] = {} end end))",
         TW_SANDBOX_FINE, NULL},
    };
    MAKE_ATTEMPTS(attempts);
}

static void the_c_stack_has_an_end(void **unused)
{
    (void)unused;
    static const attempt attempts[] = {
        {"nested gsub", "local function f(s) return s:gsub('.', f) end  f('x')",
         TW_SANDBOX_ERROR, "C stack overflow"},
        {"nested sort", "local function f() table.sort({2, 1}, f) end  f()",
         TW_SANDBOX_ERROR, "C stack overflow"},
        {"nested tostring",
         "local t = setmetatable({}, {__tostring = function(t) return "
         "tostring(t) end}) tostring(t)",
         TW_SANDBOX_ERROR, "C stack overflow"},
        {"nested pcall", "local function f() return pcall(f) end  assert(f())",
         TW_SANDBOX_FINE, NULL},
        {"error inside __tostring of an error",
         "error(setmetatable({}, {__tostring = function() while true do end end}))",
         TW_SANDBOX_ERROR, "the error value is a table"},
    };
    MAKE_ATTEMPTS(attempts);
}

/* Doubling tables whose new keys all fall into one slot of the larger one: a single assignment
 * then walks a quadratic number of links, and no hook is looked at in between. */
static void a_single_step_that_takes_too_long_ends_with_the_state(void **unused)
{
    (void)unused;
    static const attempt colliding = {"colliding integer keys",
                                      "local t, step = {}, (1 << 17) - 1\nfor i = 1, (1 "
                                      "<< 16) + 1 do t[i * step] = true end",
                                      TW_SANDBOX_CPU, "given up"};
    if (!UNDER_THREAD_SANITIZER)
        make_attempt(&colliding);
}

/* Sources within the size limit that make the parser itself slow, where no hook is looked at. */
static char *repeated(const char *head, const char *part, const char *tail)
{
    size_t room = 250 << 10, n = strlen(part), used = strlen(head);
    char *text = malloc(room + 1024);
    assert_non_null(text);
    memcpy(text, head, used);
    for (; used + n < room; used += n)
        memcpy(text + used, part, n);
    memcpy(text + used, tail, strlen(tail) + 1);
    return text;
}

static void a_source_that_stalls_the_parser_is_stopped(void **unused)
{
    (void)unused;
    static const char *const parts[][3] = {
        {"local a x = a", " or a", ""},
        {"local a if a then", " elseif a then", " end"},
        {"do ", "goto a ", "::a:: end"},
        {"local a x = a", " .. a", ""},
        {"x = ", "-", "1"},
        {"x = {", "{},", "}"},
        {"x = 2", "^2", ""},
    };
    for (size_t i = 0; !UNDER_THREAD_SANITIZER && i < sizeof parts / sizeof *parts; i++) {
        char *text = repeated(parts[i][0], parts[i][1], parts[i][2]);
        const tw_sandbox_limits limits = {.load_cpu_ms = BUDGET_MS};
        tw_err err;
        tw_sandbox *s = new_sandbox(&limits);
        int64_t start_ns = tw_thread_cpu_ns();
        load_text(s, text, &err);
        double took_ms = ms_since(start_ns);
        if (getenv("TW_SHOW_OVERSHOOT") != NULL)
            printf("%-20s %6.1f ms %s%s\n", parts[i][1], took_ms, err.text,
                   tw_sandbox_dead(s) ? " (dead)" : "");
        assert_true(took_ms < BUDGET_MS + LATE_MS);
        tw_sandbox_free(s);
        free(text);
    }
}

static void the_watchdog_wakes_for_a_rule_that_comes_out_of_silence(void **unused)
{
    (void)unused;
    static const attempt loop = {"loop after silence", "while true do end",
                                 TW_SANDBOX_CPU, NULL};
    if (UNDER_THREAD_SANITIZER)
        return;
    for (int i = 0; i < 3; i++) {
        /* asleep after a few looks: give it the time, measured, not guessed */
        int64_t until_ns = tw_mono_ns() + 15000000;
        while (tw_mono_ns() < until_ns)
            ;
        make_attempt(&loop);
    }
}

static void another_call_gets_a_budget_of_its_own(void **unused)
{
    (void)unused;
    if (UNDER_THREAD_SANITIZER)
        return;
    const tw_sandbox_limits limits = {.load_cpu_ms = 30};
    tw_err err;
    tw_sandbox *s = new_sandbox(&limits);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(load_text(s, "for i = 1, 200000 do end", &err), TW_OK);
        if (i % 5 == 0)
            assert_int_equal(load_text(s, "while true do end", &err), TW_ELIMIT);
    }
    tw_sandbox_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_lua_is_stopped),
        cmocka_unit_test(endless_library_calls_are_stopped),
        cmocka_unit_test(what_would_be_too_large_is_refused_at_once),
        cmocka_unit_test(memory_has_an_end),
        cmocka_unit_test(the_c_stack_has_an_end),
        cmocka_unit_test(a_single_step_that_takes_too_long_ends_with_the_state),
        cmocka_unit_test(a_source_that_stalls_the_parser_is_stopped),
        cmocka_unit_test(the_watchdog_wakes_for_a_rule_that_comes_out_of_silence),
        cmocka_unit_test(another_call_gets_a_budget_of_its_own),
    };
    return cmocka_run_group_tests(tests, start_watchdog, stop_watchdog);
}

// SPDX-License-Identifier: Apache-2.0
/* What is refused of a rule's text before Lua sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/prelex.h"

static int check(const char *text, tw_err *err)
{
    *err = (tw_err){0};
    return tw_prelex("r.lua", text, strlen(text), 256 << 10, err);
}

static void assert_accepted(const char *text)
{
    tw_err err;
    if (check(text, &err) != TW_OK)
        fail_msg("refused: %s in line %d", err.text, err.line);
}

static void assert_refused(const char *text, int line, const char *says)
{
    tw_err err;
    assert_int_not_equal(check(text, &err), TW_OK);
    assert_int_equal(err.line, line);
    assert_string_equal(err.file, "r.lua");
    if (strstr(err.text, says) == NULL)
        fail_msg("said: %s", err.text);
}

/* head, n times part, tail */
static char *build(const char *head, const char *part, int n, const char *tail)
{
    static char text[300 << 10];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", head);
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", part);
    snprintf(text + used, sizeof text - used, "%s", tail);
    return text;
}

static void ordinary_rules_pass(void **unused)
{
    (void)unused;
    assert_accepted("");
    assert_accepted(
        "rule \"a/b\" { key = { \"host\" }, detect = level { of = count \"req\" } }\n");
    assert_accepted("-- caf\xc3\xa9 \xf0\x9f\x8c\x8a\nlocal s = [==[ ]] \n]=] ]==] .. "
                    "'\\'' --[[ x ]] ..1\n");
    assert_accepted(
        "for i = 1, 3 do if i > 1 then f() elseif i then g() else h() end end\n"
        "repeat local x = function() return 1e-3 + 0x1p4 .. ... end until x");
    assert_accepted(build("", "a.b.c = f(x).y\n", 2000, ""));
    assert_accepted(build("local t = {", "{ a.b[1] },", 3000, "}"));
    assert_accepted(
        build("", "if a then b() elseif c then d() else e() end\n", 2000, ""));
    assert_accepted(build("x = 1", " + a.b.c", 1000, ""));
    assert_accepted(build("", "f 'x'\n", 1000, ""));
}

static void bytes_that_are_no_text_are_refused(void **unused)
{
    (void)unused;
    tw_err err;
    assert_refused("x = 1\n\x1bLua", 2, "compiled Lua");
    assert_refused("# comment\n\x1bLua", 2, "compiled Lua");
    assert_refused("\n\nx = '\xff'", 3, "not UTF-8");
    assert_refused("x = '\xc0\xaf'", 1, "not UTF-8");
    assert_refused("x = '\xed\xa0\x80'", 1, "not UTF-8");
    assert_refused("x = '\xf4\x90\x80\x80'", 1, "not UTF-8");
    assert_refused("x = '\xe2\x82", 1, "not UTF-8");
    assert_int_equal(tw_prelex("r.lua", "x\0y", 3, 1000, &err), TW_EPARSE);
    assert_int_equal(tw_prelex("r.lua", "x = 1", 5, 4, &err), TW_ELIMIT);
}

static void deep_nesting_is_refused(void **unused)
{
    (void)unused;
    assert_accepted(build("x = ", "{", 100, ""));
    assert_refused(build("\nx = ", "{", 101, ""), 2, "nested more than 100");
    assert_refused(build("x = ", "(", 101, ""), 1, "nested more than 100");
    assert_refused(build("", "do ", 101, ""), 1, "nested more than 100");
    assert_refused(build("", "if a then ", 101, ""), 1, "nested more than 100");
    assert_refused(build("x = ", "function() return ", 101, ""), 1,
                   "nested more than 100");
    assert_refused(build("x = ", "a[", 101, ""), 1, "nested more than 100");
}

static void long_chains_are_refused(void **unused)
{
    (void)unused;
    assert_accepted(build("x = a", ".b", 64, ""));
    assert_refused(build("\n\nx = a", ".b", 65, ""), 3, "in one chain");
    assert_refused(build("x = a", " [1]", 65, ""), 1, "in one chain");
    assert_refused(build("x = a", "()", 65, ""), 1, "in one chain");
    assert_refused(build("x = a", ":b()", 33, ""), 1, "in one chain");
    assert_refused(build("x = a", "'s'", 65, ""), 1, "in one chain");
    assert_refused(build("x = a", "{}", 65, ""), 1, "in one chain");
    assert_refused(build("x = a", " --[[ c ]]\n.b", 65, ""), 66, "in one chain");
}

static void brackets_do_not_hide_a_chain(void **unused)
{
    (void)unused;
    char inner[400], text[2000];
    snprintf(inner, sizeof inner, "%s", build("(a", ".b", 60, ")"));
    snprintf(text, sizeof text, "x = ((%s.c.d).e.f).g.h", inner);
    assert_refused(text, 1, "in one chain");
    snprintf(text, sizeof text, "x = ((%s.c.d).e.f)", inner);
    assert_accepted(text);
}

static void long_literals_are_refused(void **unused)
{
    (void)unused;
    assert_accepted(build("x = '", "0123456789abcdef", 4095, "'"));
    assert_refused(build("\nx = '", "0123456789abcdef", 4096, "'"), 2,
                   "longer than 64 KiB");
    assert_refused(build("x = [[", "0123456789abcdef", 4097, "]]"), 1,
                   "longer than 64 KiB");
    assert_accepted(build("-- ", "0123456789abcdef", 8000, ""));
    assert_accepted(build("--[[ ", "0123456789abcde\n", 8000, "]]"));
}

/* Never reads past the end, whatever stops in the middle: the sanitizers watch the copy. */
static void any_prefix_of_a_text_can_be_read(void **unused)
{
    (void)unused;
    static const char text[] =
        "local a = [==[ x ]==] .. 'y\\'' -- c\n--[[ d ]] if a.b:c{1} then "
        "x = 0x1p+3 .. ... end ::l:: goto l a = -1 .5 \xc3\xa9";
    for (size_t n = 0; n < sizeof text; n++) {
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, text, n);
        char *tight = realloc(copy, n > 0 ? n : 1);
        assert_non_null(tight);
        tw_prelex("r.lua", tight, n, 1000, NULL);
        free(tight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_rules_pass),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(long_chains_are_refused),
        cmocka_unit_test(brackets_do_not_hide_a_chain),
        cmocka_unit_test(long_literals_are_refused),
        cmocka_unit_test(any_prefix_of_a_text_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

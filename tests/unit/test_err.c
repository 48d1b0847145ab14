// SPDX-License-Identifier: Apache-2.0
/* Tests of base/err: what is kept, what is cut, how it is printed. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_printed(const char *file, int line, int column, const char *wanted)
{
    tw_err err;
    char out[64];
    assert_int_equal(tw_err_at(&err, TW_EPARSE, file, line, column, "bad %d", 7),
                     TW_EPARSE);
    assert_string_equal(tw_err_format(&err, out, sizeof out), wanted);
}

static void unknown_parts_of_the_position_are_left_out(void **state)
{
    (void)state;
    assert_printed("a.yaml", 3, 4, "a.yaml:3:4: bad 7");
    assert_printed("a.yaml", 3, 0, "a.yaml:3: bad 7");
    assert_printed("a.yaml", 0, 0, "a.yaml: bad 7");
    assert_printed("", 3, 4, "3:4: bad 7");
    assert_printed("", 3, 0, "3: bad 7");
    assert_printed(NULL, 0, 0, "bad 7");
}

static void set_forgets_an_earlier_position(void **state)
{
    (void)state;
    tw_err err;
    char out[64];
    tw_err_at(&err, TW_EIO, "a", 1, 2, "x");
    assert_int_equal(tw_err_set(&err, TW_EFULL, "%s", "y"), TW_EFULL);
    assert_int_equal(err.code, TW_EFULL);
    assert_string_equal(tw_err_format(&err, out, sizeof out), "y");
}

static void an_error_can_be_wrapped_in_itself(void **state)
{
    (void)state;
    tw_err err;
    char out[64];
    tw_err_at(&err, TW_EIO, "a.lua", 1, 2, "inner");
    tw_err_at(&err, TW_EINVAL, err.file, err.line, err.column, "outer: %s", err.text);
    assert_string_equal(tw_err_format(&err, out, sizeof out), "a.lua:1:2: outer: inner");
}

static void no_error_wanted_is_fine(void **state)
{
    (void)state;
    assert_int_equal(tw_err_set(NULL, TW_ELIMIT, "x"), TW_ELIMIT);
    assert_int_equal(tw_err_at(NULL, TW_ELIMIT, "f", 1, 1, "x"), TW_ELIMIT);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    tw_err err;
    char out[16];
    tw_err_set(&err, TW_EIO, "%*d", 5000, 1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(strlen(tw_err_format(&err, out, sizeof out)), sizeof out - 1);
}

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    assert_string_equal(tw_status_name(TW_OK), "ok");
    assert_string_equal(tw_status_name(-99), "unknown");
    for (int a = TW_EUNREACHABLE; a <= TW_OK; a++)
        for (int b = TW_EUNREACHABLE - 1; b < a; b++)
            assert_string_not_equal(tw_status_name(a), tw_status_name(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_parts_of_the_position_are_left_out),
        cmocka_unit_test(set_forgets_an_earlier_position),
        cmocka_unit_test(an_error_can_be_wrapped_in_itself),
        cmocka_unit_test(no_error_wanted_is_fine),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(every_status_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

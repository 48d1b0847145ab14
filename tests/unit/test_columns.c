// SPDX-License-Identifier: Apache-2.0
/* Tests of cli/columns: listings for a terminal. */
#include "cli/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_printed(const tw_columns *c, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    tw_columns_print(c, out);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    static const char *const heads[] = {"NAME", ">N", "WHY", NULL};
    tw_columns *c = tw_columns_new(heads);

    (void)state;
    assert_printed(c, "NAME  N  WHY\n");
    tw_columns_text(c, "a");
    tw_columns_int(c, 1234567);
    tw_columns_text(c, "x y");
    tw_columns_text(c, "z\xc3\xbcrich");
    tw_columns_int(c, 0);
    tw_columns_text(c, NULL);
    assert_printed(c, "NAME            N  WHY\n"
                      "a       1,234,567  x y\n"
                      "z\xc3\xbcrich          0  \n");
    tw_columns_free(c);
}

static void what_would_move_the_cursor_is_shown_as_question_marks(void **state)
{
    static const char *const heads[] = {"NAME", "WHY", NULL};
    tw_columns *c = tw_columns_new(heads);

    (void)state;
    tw_columns_text(c, "\x1b[2Jh1\nh2");
    tw_columns_text(c, "\x7f\t\xc2\x9b\xc2\xa7");
    assert_printed(c, "NAME       WHY\n"
                      "?[2Jh1?h2  ????\xc2\xa7\n");
    tw_columns_free(c);
}

static void spans_have_two_units_at_most(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0.0s"},         {250, "0.2s"},    {9999, "9.9s"},
                 {59999, "59s"},      {61000, "1m1s"},  {7980000, "2h13m"},
                 {273600000, "3d4h"}, {-1500, "-1.5s"}, {INT64_MIN, NULL}};
    char out[40];

    (void)state;
    for (size_t i = 0; cases[i].text; i++)
        assert_string_equal(tw_cli_span(cases[i].ms, out, sizeof out), cases[i].text);
    assert_int_equal(tw_cli_span(INT64_MIN, out, sizeof out)[0], '-');
}

static void counts_have_separators(void **state)
{
    char out[40];

    (void)state;
    assert_string_equal(tw_cli_count(0, out, sizeof out), "0");
    assert_string_equal(tw_cli_count(999, out, sizeof out), "999");
    assert_string_equal(tw_cli_count(-1000, out, sizeof out), "-1,000");
    assert_string_equal(tw_cli_count(INT64_MIN, out, sizeof out),
                        "-9,223,372,036,854,775,808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(what_would_move_the_cursor_is_shown_as_question_marks),
        cmocka_unit_test(spans_have_two_units_at_most),
        cmocka_unit_test(counts_have_separators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

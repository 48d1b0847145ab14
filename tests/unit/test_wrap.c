// SPDX-License-Identifier: Apache-2.0
/* Tests of cli/wrap: where lines are broken. */
#include "cli/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void wraps(int width, int at, int indent, const char *text, const char *expected)
{
    char got[512];
    FILE *file = tmpfile();

    tw_cli_wrap(file, width, at, indent, text);
    rewind(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, expected);
}

static void a_line_is_broken_between_words(void **state)
{
    (void)state;
    wraps(10, 0, 2, "one two three", "one two\n  three\n");
    wraps(11, 0, 0, "one two three", "one two\nthree\n");
    wraps(13, 0, 0, "one  two   three ", "one two three\n");
    wraps(12, 4, 4, "one two three", "one two\n    three\n");
    wraps(60, 0, 0, "", "\n");
}

static void a_word_wider_than_the_line_stands_alone(void **state)
{
    (void)state;
    wraps(6, 0, 2, "a bcdefghij k", "a\n  bcdefghij\n  k\n");
    wraps(7, 0, 0, "\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xb6\xc3\xb6\xc3\xb6",
          "\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xb6\xc3\xb6\xc3\xb6\n");
}

static void without_a_terminal_a_line_has_a_hundred_columns(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_int_equal(tw_cli_width(file), 100);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_broken_between_words),
        cmocka_unit_test(a_word_wider_than_the_line_stands_alone),
        cmocka_unit_test(without_a_terminal_a_line_has_a_hundred_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

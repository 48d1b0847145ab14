// SPDX-License-Identifier: Apache-2.0
/* Tests of base/nearest: which name is near enough to be a hint. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"format", "source", "topic", "topics", "lanes", "id"};

static void assert_nearest(const char *name, const char *wanted)
{
    const char *got = tw_nearest(name, names, sizeof names / sizeof names[0]);
    if (wanted)
        assert_string_equal(got ? got : "nothing", wanted);
    else
        assert_string_equal(got ? got : "nothing", "nothing");
}

static void one_slip_of_each_kind_is_forgiven(void **state)
{
    (void)state;
    assert_nearest("formt", "format");
    assert_nearest("formaat", "format");
    assert_nearest("farmat", "format");
    assert_nearest("foramt", "format");
    assert_nearest("format", "format");
}

static void the_nearest_of_several_wins(void **state)
{
    (void)state;
    assert_nearest("topi", "topic");
    assert_nearest("topicss", "topics");
    assert_nearest("di", "id"); /* one swap */
}

static void what_is_far_is_no_hint(void **state)
{
    (void)state;
    assert_nearest("completely", NULL);
    assert_nearest("xy", NULL); /* two changes turn any two letters into "id" */
    assert_nearest("", NULL);
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_nearest(text, NULL);
    assert_null(tw_nearest("x", NULL, 0));
}

static void longer_names_forgive_more(void **state)
{
    (void)state;
    static const char *const longer[] = {"max_concurrent_requests"};
    assert_non_null(tw_nearest("max_conurent_reqest", longer, 1));
    assert_null(tw_nearest("min_cncrnt_rqsts", longer, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slip_of_each_kind_is_forgiven),
        cmocka_unit_test(the_nearest_of_several_wins),
        cmocka_unit_test(what_is_far_is_no_hint),
        cmocka_unit_test(longer_names_forgive_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Runs of every length are the same when all their bytes are, wherever they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/same.h"

enum { LONGEST = 40 };

static void one_byte_that_is_another_is_seen_in_runs_of_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++) {
        char *a = malloc(len + !len),
             *b = malloc(len + !len); /* no byte beyond: a sanitizer would tell */
        memset(a, 'x', len);
        memset(b, 'x', len);
        assert_true(tw_same(a, b, len));
        for (size_t i = 0; i < len; i++) {
            b[i] = 'y';
            assert_false(tw_same(a, b, len));
            b[i] = 'x';
        }
        free(a);
        free(b);
    }
    assert_true(tw_same(NULL, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_that_is_another_is_seen_in_runs_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

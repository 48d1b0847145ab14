// SPDX-License-Identifier: Apache-2.0
/* Tests of base/hash: known values, the seed. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void stable_hashes_never_change(void **state)
{
    (void)state;
    char hex[33];
    assert_int_equal(tw_hash_stable("", 0),
                     0x2d06800538d394c2u); /* XXH3's published value */
    assert_int_equal(tw_hash_stable(NULL, 0), tw_hash_stable("", 0));
    tw_hash_hex128("", 0, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

static void hashes_tell_texts_apart(void **state)
{
    (void)state;
    char a[33], b[33];
    assert_int_not_equal(tw_hash("host-1", 6), tw_hash("host-2", 6));
    assert_int_equal(tw_hash("host-1", 6), tw_hash("host-1x", 6));
    tw_hash_hex128("host-1", 6, a);
    tw_hash_hex128("host-2", 6, b);
    assert_string_not_equal(a, b);
}

/* Runs this program again with a seed and reads the hash it prints. */
static uint64_t hash_under_seed(const char *program, const char *seed)
{
    char command[512], text[32] = "";
    snprintf(command, sizeof command, "TIDEWATCH_HASH_SEED=%s '%s' print", seed, program);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(text, sizeof text, out));
    assert_int_equal(pclose(out), 0);
    return strtoull(text, NULL, 16);
}

static void the_seed_of_the_process_can_be_chosen(void **state)
{
    const char *self = *state;
    uint64_t one = hash_under_seed(self, "1");
    assert_int_equal(one, hash_under_seed(self, "1"));
    assert_int_not_equal(one, hash_under_seed(self, "2"));
    assert_int_not_equal(hash_under_seed(self, "''"), hash_under_seed(self, "''"));
    assert_int_equal(hash_under_seed(self, "0"), tw_hash_stable("key", 3));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("%llx\n", (unsigned long long)tw_hash("key", 3));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stable_hashes_never_change),
        cmocka_unit_test(hashes_tell_texts_apart),
        cmocka_unit_test_prestate(the_seed_of_the_process_can_be_chosen, argv[0]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What is written is what jansson reads back, whatever is in the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/json.h"

static void is_written(const json_t *v, const char *text)
{
    tw_buf b;

    tw_buf_init(&b, 1 << 20);
    tw_json_write(v, &b);
    assert_string_equal(b.data, text);
    tw_buf_done(&b);
}

static void is_read_back(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(v);
    is_written(v, text);
    json_decref(v);
}

static void every_kind_of_value_keeps_its_form(void **state)
{
    (void)state;
    is_read_back("{}");
    is_read_back("[]");
    is_read_back(
        "{\"b\":1,\"a\":[true,false,null,{\"x\":{}}],\"\":-9223372036854775808}");
    is_read_back("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\xc3\xa4\xf0\x9f\x8c\x8a\"");
    is_read_back("[0.1,1e+300,-2.5,9007199254740993]");
}

static void a_real_stays_a_real(void **state)
{
    json_t *v = json_pack("[f, f, f]", 3.0, -0.2, 1e15);

    (void)state;
    is_written(v, "[3.0,-0.2,1e+15]");
    json_decref(v);
}

static void a_text_with_a_zero_byte_is_whole(void **state)
{
    json_t *v = json_stringn_nocheck("a\0b", 3);

    (void)state;
    is_written(v, "\"a\\u0000b\"");
    json_decref(v);
}

static json_t *any_tree(unsigned *seed, int depth)
{
    int kind = rand_r(seed) % (depth > 0 ? 7 : 5);
    json_t *v = kind == 5 ? json_array() : json_object();

    if (kind < 5)
        json_decref(v);
    switch (kind) {
    case 0:
        return json_integer(rand_r(seed) - RAND_MAX / 2);
    case 1:
        return json_real((rand_r(seed) - RAND_MAX / 2) / 1024.0 /
                         (1 + rand_r(seed) % 99));
    case 2:
        return json_sprintf("t%c\"%d", 'a' + rand_r(seed) % 20, rand_r(seed));
    case 3:
        return json_boolean(rand_r(seed) & 1);
    case 4:
        return json_null();
    default:
        break;
    }
    for (int i = rand_r(seed) % 5; i > 0; i--) {
        char key[24];
        snprintf(key, sizeof key, "k%d\n", rand_r(seed) % 9);
        if (kind == 5)
            json_array_append_new(v, any_tree(seed, depth - 1));
        else
            json_object_set_new(v, key, any_tree(seed, depth - 1));
    }
    return v;
}

static void any_tree_comes_back_equal(void **state)
{
    unsigned seed = 20261122;
    tw_buf b;

    (void)state;
    tw_buf_init(&b, 1 << 20);
    for (int i = 0; i < 5000; i++) {
        json_t *v = any_tree(&seed, 4), *back;
        tw_buf_reset(&b);
        tw_json_write(v, &b);
        back = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
        assert_non_null(back);
        assert_true(json_equal(v, back));
        json_decref(v);
        json_decref(back);
    }
    tw_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_keeps_its_form),
        cmocka_unit_test(a_real_stays_a_real),
        cmocka_unit_test(a_text_with_a_zero_byte_is_whole),
        cmocka_unit_test(any_tree_comes_back_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* State as bytes: what was put in comes out, and bytes that end too early or make no sense are told. */
#include "state/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t numbers[] = {
    0,   1,   -1,  63,        64,        -64,       -65,
    127, 128, 300, INT32_MAX, INT64_MAX, INT64_MIN, -1732182000000};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static const tw_value *some_values(uint32_t *count)
{
    static tw_value values[8];

    values[0] = tw_value_absent();
    values[1] = (tw_value){.type = TW_NULL};
    values[2] = tw_value_bool(true);
    values[3] = tw_value_int(-5);
    values[4] = tw_value_double(0.1);
    values[5] = tw_value_string("a\0b", 3);
    values[6] = tw_value_string("1e999", 5);
    values[6].type = TW_DECIMAL;
    values[7] = tw_value_string("[1]", 3);
    values[7].type = TW_JSON;
    *count = 8;
    return values;
}

static void write_all(tw_buf *out)
{
    uint32_t count;
    const tw_value *values = some_values(&count);

    for (int n = 0; n < NUMBERS; n++) {
        tw_state_put_i64(out, numbers[n]);
        tw_state_put_u64(out, (uint64_t)numbers[n]);
    }
    for (uint32_t n = 0; n < count; n++) {
        tw_state_put_value(out, values[n]);
    }
    tw_state_put_double(out, -2.5);
    tw_state_put_bytes(out, "", 0);
}

static bool same(tw_value a, tw_value b)
{
    return a.type == b.type && (a.type <= TW_BOOL || tw_value_equal(a, b)) &&
           (a.type != TW_BOOL || a.b == b.b);
}

/* False when a reader said so. */
static bool read_all(tw_state_in *in)
{
    uint32_t count;
    const tw_value *values = some_values(&count);
    int64_t i;
    uint64_t u;
    tw_value v;
    double d;
    const void *bytes;
    size_t size;

    for (int n = 0; n < NUMBERS; n++) {
        if (!tw_state_take_i64(in, &i) || !tw_state_take_u64(in, &u)) {
            return false;
        }
        assert_true(i == numbers[n] && u == (uint64_t)numbers[n]);
    }
    for (uint32_t n = 0; n < count; n++) {
        if (!tw_state_take_value(in, &v)) {
            return false;
        }
        assert_true(same(v, values[n]));
    }
    if (!tw_state_take_double(in, &d) || !tw_state_take_bytes(in, &bytes, &size)) {
        return false;
    }
    assert_true(d == -2.5 && size == 0);
    return true;
}

static void what_was_put_comes_out(void **state)
{
    tw_buf out;

    (void)state;
    tw_buf_init(&out, 4096);
    write_all(&out);
    tw_state_in in = tw_state_in_of(out.data, out.len);
    assert_true(read_all(&in));
    assert_ptr_equal(in.at, in.end);
    tw_buf_done(&out);
}

static void bytes_that_end_early_are_told(void **state)
{
    tw_buf out;

    (void)state;
    tw_buf_init(&out, 4096);
    write_all(&out);
    for (size_t n = 0; n < out.len; n++) {
        tw_state_in in = tw_state_in_of(out.data, n);
        assert_false(read_all(&in));
        assert_true(in.broken);
    }
    tw_buf_done(&out);
}

static void senseless_bytes_are_told(void **state)
{
    static const char long_number[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    static const char wide_number[] = "\xff\xff\xff\xff\x7f";
    tw_state_in in = tw_state_in_of(long_number, 11);
    tw_value v;
    uint64_t u;
    uint32_t small;
    const void *bytes;
    size_t size;

    (void)state;
    assert_false(tw_state_take_u64(&in, &u));
    in = tw_state_in_of(wide_number, 5);
    assert_false(tw_state_take_u32(&in, &small));
    in = tw_state_in_of("\x09", 1); /* no such type */
    assert_false(tw_state_take_value(&in, &v));
    in = tw_state_in_of("\x05"
                        "abc",
                        4); /* five bytes, of which three are there */
    assert_false(tw_state_take_bytes(&in, &bytes, &size));
    assert_false(tw_state_take_u64(&in, &u)); /* and nothing more comes of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_out),
        cmocka_unit_test(bytes_that_end_early_are_told),
        cmocka_unit_test(senseless_bytes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

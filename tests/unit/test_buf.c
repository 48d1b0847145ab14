// SPDX-License-Identifier: Apache-2.0
/* Tests of base/buf: the ceiling, numbers as text, JSON strings. */
#include "base/buf.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static void data_is_an_empty_string_from_the_start(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 10);
    assert_string_equal(b.data, "");
    tw_buf_reset(&b);
    assert_int_equal(tw_buf_add(&b, NULL, 0), TW_OK);
    tw_buf_done(&b);
    assert_string_equal(b.data, "");
}

static void an_append_beyond_max_fails_and_so_do_all_later_ones(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 5);
    assert_int_equal(tw_buf_add_str(&b, "abc"), TW_OK);
    assert_int_equal(tw_buf_add_str(&b, "def"), TW_ELIMIT);
    assert_int_equal(tw_buf_add_char(&b, 'd'), TW_ELIMIT);
    assert_int_equal(tw_buf_printf(&b, "%d", 1), TW_ELIMIT);
    assert_true(b.failed);
    assert_string_equal(b.data, "abc");
    tw_buf_reset(&b);
    assert_int_equal(tw_buf_add_str(&b, "abcde"), TW_OK);
    assert_int_equal(b.len, 5);
    tw_buf_done(&b);
}

static void printf_grows_the_buffer_to_what_it_needs(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 1000);
    for (int i = 0; i < 50; i++)
        assert_int_equal(tw_buf_printf(&b, "%05d ", i), TW_OK);
    assert_int_equal(b.len, 300);
    assert_memory_equal(b.data + 294, "00049 ", 7);
    assert_int_equal(tw_buf_printf(&b, "%*d", 701, 1), TW_ELIMIT);
    assert_int_equal(strlen(b.data), 300);
    tw_buf_done(&b);
}

static void take_gives_the_bytes_away_and_leaves_an_empty_buffer(void **state)
{
    (void)state;
    tw_buf b;
    size_t n;
    tw_buf_init(&b, 100);
    tw_buf_add(&b, "a\0b", 3);
    char *taken = tw_buf_take(&b, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(taken, "a\0b", 4);
    tw_free(taken);
    taken = tw_buf_take(&b, NULL);
    assert_string_equal(taken, "");
    tw_free(taken);
}

static void integers_are_printed_over_their_whole_range(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 100);
    tw_buf_add_int(&b, INT64_MIN);
    tw_buf_add_int(&b, 0);
    tw_buf_add_int(&b, INT64_MAX);
    assert_string_equal(b.data, "-922337203685477580809223372036854775807");
    tw_buf_done(&b);
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 100);
    tw_buf_add_json_string(&b, "a\"\\\n\x01/\x7f", 7);
    assert_string_equal(b.data, "\"a\\\"\\\\\\n\\u0001/\x7f\"");
    tw_buf_reset(&b);
    tw_buf_add_json_string(&b, "x\0y", 3);
    assert_string_equal(b.data, "\"x\\u0000y\"");
    tw_buf_done(&b);
}

static void a_byte_is_escaped_at_whatever_place_of_a_string_it_stands(void **state)
{
    (void)state;
    tw_buf whole, single;
    char text[20];
    tw_buf_init(&whole, 1000);
    tw_buf_init(&single, 1000);
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        tw_buf_reset(&single);
        tw_buf_add_json_string(&single, &c, 1);
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a' + (int)at % 20, sizeof text);
            text[at] = c;
            tw_buf_reset(&whole);
            tw_buf_add_json_string(&whole, text, sizeof text);
            assert_int_equal(whole.len, sizeof text + single.len - 1);
            assert_memory_equal(whole.data + 1, text, at);
            assert_memory_equal(whole.data + 1 + at, single.data + 1, single.len - 2);
        }
    }
    tw_buf_done(&whole);
    tw_buf_done(&single);
}

static void json_strings_keep_good_utf8_and_replace_bad_bytes(void **state)
{
    (void)state;
    tw_buf b;
    tw_buf_init(&b, 100);
    const char *good = "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a\"";
    tw_buf_add_json_string(&b, good + 1, strlen(good) - 2);
    assert_string_equal(b.data, good);
    tw_buf_reset(&b);
    tw_buf_add_json_string(&b, "a\xff\xc0\x80\xed\xa0\x80\xe2\x82", 9);
    assert_string_equal(b.data,
                        "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    tw_buf_done(&b);
}

static void doubles_have_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {-1, "-1"},
        {0.1, "0.1"},
        {-0.5, "-0.5"},
        {12.125, "12.125"},
        {0.000001, "1e-06"},
        {0.0001, "0.0001"},
        {123456789.123456, "123456789.123456"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {1e300, "1e+300"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        size_t n = tw_double_format(text, cases[i].v);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(n, strlen(text));
    }
}

static void a_text_is_cut_between_characters_and_has_no_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, max;
        const char *text;
    } cases[] = {{"", 0, 5, ""},
                 {"abc", 3, 3, "abc"},
                 {"abc", 3, 2, "ab"},
                 {"a\xe2\x82\xac", 4, 4, "a\xe2\x82\xac"},
                 {"a\xe2\x82\xac", 4, 3, "a"},
                 {"\xe2\x82\xac", 3, 2, ""},
                 {"db1\0x", 5, 9, "db1\xef\xbf\xbdx"},
                 {"\0", 1, 9, "\xef\xbf\xbd"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tw_buf b;
        tw_buf_init(&b, 100);
        tw_buf_add(&b, cases[i].bytes, cases[i].size);
        char *text = tw_buf_take_text(&b, cases[i].max);
        assert_string_equal(text, cases[i].text);
        tw_free(text);
    }
}

static void doubles_read_back_as_they_were(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double any, decimal = (double)(int64_t)(bits >> 20) / 1e6;
        char text[32];
        memcpy(&any, &bits, sizeof any);
        if (isfinite(any)) {
            assert_true(tw_double_format(text, any) < sizeof text);
            assert_true(strtod(text, NULL) == any);
        }
        tw_double_format(text, decimal);
        assert_true(strtod(text, NULL) == decimal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_an_empty_string_from_the_start),
        cmocka_unit_test(an_append_beyond_max_fails_and_so_do_all_later_ones),
        cmocka_unit_test(printf_grows_the_buffer_to_what_it_needs),
        cmocka_unit_test(take_gives_the_bytes_away_and_leaves_an_empty_buffer),
        cmocka_unit_test(integers_are_printed_over_their_whole_range),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(a_byte_is_escaped_at_whatever_place_of_a_string_it_stands),
        cmocka_unit_test(json_strings_keep_good_utf8_and_replace_bad_bytes),
        cmocka_unit_test(doubles_have_the_shortest_form),
        cmocka_unit_test(a_text_is_cut_between_characters_and_has_no_nul),
        cmocka_unit_test(doubles_read_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What the wanted fields of a frame become: values, text, paths. */
#include "decode_fixture.h"

/* ---- values ------------------------------------------------------------------------ */

static void every_json_type_has_its_value(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode_a(x, "null").type, TW_NULL);
    assert_int_equal(decode_a(x, "true").type, TW_BOOL);
    assert_true(decode_a(x, "true").b);
    assert_int_equal(decode_a(x, "false").type, TW_BOOL);
    assert_false(decode_a(x, "false").b);
    assert_int_equal(decode_a(x, "-42").type, TW_INT);
    assert_int_equal(decode_a(x, "-42").i, -42);
    assert_int_equal(decode_a(x, "0.5").type, TW_DOUBLE);
    assert_true(decode_a(x, "0.5").d == 0.5);
    assert_text(decode_a(x, "\"text\""), TW_STRING, "text");
    assert_text(decode_a(x, "\"\""), TW_STRING, "");
    assert_text(decode_a(x, "[1, {\"b\":2}]"), TW_JSON, "[1, {\"b\":2}]");
    assert_text(decode_a(x, "{\"b\" : 2 }"), TW_JSON, "{\"b\" : 2 }");
    assert_text(decode_a(x, "[]"), TW_JSON, "[]");
    assert_text(decode_a(x, "{ }"), TW_JSON, "{ }");
    assert_int_equal(value(x, B).type, TW_ABSENT);
}

static void integers_stay_integers_and_beyond_64_bits_keep_their_text(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode_a(x, "9223372036854775807").i, INT64_MAX);
    assert_int_equal(decode_a(x, "-9223372036854775808").i, INT64_MIN);
    assert_int_equal(decode_a(x, "-9223372036854775808").type, TW_INT);
    assert_int_equal(decode_a(x, "0").i, 0);
    assert_int_equal(decode_a(x, "-0").i, 0);
    assert_text(decode_a(x, "9223372036854775808"), TW_DECIMAL, "9223372036854775808");
    assert_text(decode_a(x, "-9223372036854775809"), TW_DECIMAL, "-9223372036854775809");
    assert_text(decode_a(x, "18446744073709551616"), TW_DECIMAL, "18446744073709551616");
    assert_text(decode_a(x, "100000000000000000000"), TW_DECIMAL,
                "100000000000000000000");
}

/* Close to the end of a frame and far from it, which are two ways. */
static void integers_of_every_length_are_read(void **state)
{
    fixture *x = *state;
    const char *digits = "1234567890123456789";
    for (int n = 1; n <= 19; n++) {
        char text[96];
        snprintf(text, sizeof text, "%.*s", n, digits);
        int64_t expected = strtoll(text, NULL, 10);
        assert_int_equal(decode_a(x, text).i, expected);
        snprintf(text, sizeof text, "{\"a\":%.*s}", n, digits);
        assert_int_equal(decode(x, text), 1);
        assert_int_equal(value(x, A).i, expected);
        snprintf(text, sizeof text, "{\"a\":%.*s,\"more\":\"that is long enough\"}", n,
                 digits);
        assert_int_equal(decode(x, text), 1);
        assert_int_equal(value(x, A).i, expected);
        assert_int_equal(value(x, A).type, TW_INT);
    }
}

static void doubles_are_the_nearest_ones(void **state)
{
    fixture *x = *state;
    static const char *const numbers[] = {
        "0.1",
        "1e22",
        "1e23",
        "123456789012345678.5",
        "9007199254740993.0",
        "2.5e-10",
        "-1.5E+3",
        "5e-324",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "0.1e1",
        "1.0",
        "-0.0",
        "0e400",
        "8.5e-22",
        "4.35",
        "0.000001",
        "1e-5",
        "3.141592653589793238462643383279",
        "9007199254740992e3",
        "9007199254740991e22",
        "9007199254740993e22",
    };
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
        tw_value v = decode_a(x, numbers[n]);
        double expected = strtod(numbers[n], NULL);
        assert_int_equal(v.type, TW_DOUBLE);
        assert_memory_equal(&v.d, &expected, sizeof expected);
    }
    assert_true(decode_a(x, "1e-400").d == 0.0);
    assert_int_equal(decode_a(x, "1e-400").type, TW_DOUBLE);
    assert_text(decode_a(x, "1e400"), TW_DECIMAL, "1e400");
    assert_text(decode_a(x, "-1.5e99999999999"), TW_DECIMAL, "-1.5e99999999999");
}

static void random_doubles_are_read_as_the_c_library_reads_them(void **state)
{
    fixture *x = *state;
    uint64_t seed = 7;
    char text[64];
    for (int n = 0; n < 3000; n++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int exponent = (int)(seed >> 20 & 63) - 32;
        snprintf(text, sizeof text, "%llu.%llue%d",
                 (unsigned long long)(seed >> 33 & 0xffff),
                 (unsigned long long)(seed >> (n % 40)), exponent);
        double expected = strtod(text, NULL);
        tw_value v = decode_a(x, text);
        if (v.type != TW_DOUBLE || memcmp(&v.d, &expected, sizeof expected) != 0) {
            fail_msg("%s", text);
        }
    }
}

static void numbers_of_400_digits_keep_their_text(void **state)
{
    fixture *x = *state;
    char digits[512];
    double d;
    memset(digits, '7', 400);
    digits[400] = '\0';
    assert_text(decode_a(x, digits), TW_DECIMAL, digits);
    memcpy(digits + 1, ".", 1);
    tw_value v = decode_a(x, digits);
    d = strtod(digits, NULL);
    assert_int_equal(v.type, TW_DOUBLE);
    assert_memory_equal(&v.d, &d, sizeof d);
}

static void what_is_no_number_is_refused(void **state)
{
    fixture *x = *state;
    static const char *const bad[] = {
        "01",  "-",         "1.",  ".5",   "1e",  "1e+",   "+1",
        "0x1", "1a",        "--1", "1.e1", "1 2", "-01",   "00",
        "NaN", "-Infinity", "1_0", "1,2:", "1\\", "1e5.0", "-a"};
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        refuse_value(x, bad[n]);
    }
}

static void what_is_no_literal_is_refused(void **state)
{
    fixture *x = *state;
    static const char *const bad[] = {
        "t",      "tru",       "truex", "True",  "nul",       "nulll", "fals",
        "falsee", "undefined", "'a'",   "true1", "true\"a\"", "\\n",   "n",
        "f",      "\x01",      "@",     "}",     "]",         ":",     ","};
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        refuse_value(x, bad[n]);
    }
}

/* ---- text -------------------------------------------------------------------------- */

static void escapes_become_what_they_stand_for(void **state)
{
    fixture *x = *state;
    assert_text(decode_a(x, "\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\te\""), TW_STRING,
                "a\"b\\c/d\b\f\n\r\te");
    assert_text(decode_a(x, "\"\\u00e9\\u20AC\\uD83D\\uDE00\\u0041\""), TW_STRING,
                "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
                "A");
    tw_value v = decode_a(x, "\"a\\u0000b\"");
    assert_int_equal(v.len, 3);
    assert_memory_equal(v.s, "a\0b", 3);
    assert_int_equal(decode(x, "{\"b\":\"\\n\",\"a\":\"plain\",\"message\":\"x\\ty\"}"),
                     1);
    assert_text(value(x, B), TW_STRING, "\n");
    assert_text(value(x, A), TW_STRING, "plain");
    assert_text(value(x, MESSAGE), TW_STRING, "x\ty");
}

static void a_bad_escape_is_refused_wherever_it_stands(void **state)
{
    fixture *x = *state;
    static const char *const bad[] = {
        "\"\\q\"",        "\"\\u12\"",          "\"\\u12g4\"",
        "\"\\uD83D\"",    "\"\\uDE00\\uDE00\"", "\"\\uDE00\"",
        "\"\\uD83D\\n\"", "\"\\uD83D\\u0041\"", "\"\\uD83Dx\"",
        "\"ok\\n\\x\"",   "\"\\uD83D\\uD83D\"", "\"\\'\"",
        "\"\\u\"",
    };
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        refuse_value(x, bad[n]);
    }
    refuse(x, "{\"\\q\":1}", "escape");
    refuse(x, "{\"z\":1,\"y\\q\":1}", "escape");
    refuse(x, "{\"a\":{\"\\q\":1}}", "escape");
}

static void broken_utf8_is_refused_with_its_place(void **state)
{
    fixture *x = *state;
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xff",
                                      "\xe0\x80\x80"};
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        char text[64];
        snprintf(text, sizeof text, "{\"zz\":\"ab%s\"}", bad[n]);
        refuse(x, text, "broken UTF-8 at byte 9");
    }
    assert_text(decode_a(x, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), TW_STRING,
                "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void control_characters_in_strings_are_refused(void **state)
{
    fixture *x = *state;
    refuse(x, "{\"a\":\"x\ny\"}", "control character");
    refuse(x, "{\"a\":\"x\x01\"}", "control character");
    assert_int_equal(decode_bytes(x, "{\"a\":\"x\0y\"}", 11), TW_EPARSE);
    assert_int_equal(decode_bytes(x, "{\"a\":1\0}", 8), TW_EPARSE);
}

/* ---- paths ------------------------------------------------------------------------- */

static void nested_paths_and_elements_are_found(void **state)
{
    fixture *x = *state;
    assert_int_equal(
        decode(x, "{\"labels\":{\"rack\":[{}],\"zone\":\"z1\"},\"tags\":[{\"k\":7},"
                  "\"second\",3],\"x.y\":1,\"x\":{\"y\":2},\"deep\":{\"er\":"
                  "{\"k\":true}},\"\":9}"),
        1);
    assert_text(value(x, ZONE), TW_STRING, "z1");
    assert_text(value(x, LABELS), TW_JSON, "{\"rack\":[{}],\"zone\":\"z1\"}");
    assert_int_equal(value(x, TAG0K).i, 7);
    assert_text(value(x, TAG1), TW_STRING, "second");
    assert_int_equal(value(x, XY).i, 1);
    assert_true(value(x, DEEPER).b);
    assert_int_equal(value(x, NO_NAME).i, 9);
}

static void a_path_through_something_else_is_absent(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "{\"labels\":[1],\"tags\":{\"k\":1},\"deep\":5}"), 1);
    assert_int_equal(value(x, ZONE).type, TW_ABSENT);
    assert_text(value(x, LABELS), TW_JSON, "[1]");
    assert_int_equal(value(x, TAG0K).type, TW_ABSENT);
    assert_int_equal(value(x, TAG1).type, TW_ABSENT);
    assert_int_equal(value(x, DEEPER).type, TW_ABSENT);
    assert_int_equal(decode(x, "{\"tags\":[]}"), 1);
    assert_int_equal(value(x, TAG1).type, TW_ABSENT);
    assert_int_equal(decode(x, "{}"), 1);
    assert_int_equal(value(x, A).type, TW_ABSENT);
}

static void names_that_look_alike_are_told_apart(void **state)
{
    fixture *x = *state;
    assert_int_equal(
        decode(x, "{\"aa\":1,\"A\":2,\"a \":3,\"la\":{},\"labelz\":{\"zone\":1},"
                  "\"massage\":1,\"z\":{\"a\":5}}"),
        1);
    for (int n = 0; n < PATHS; n++) {
        assert_int_equal(value(x, n).type, TW_ABSENT);
    }
}

static void a_key_written_with_escapes_is_the_same_key(void **state)
{
    fixture *x = *state;
    assert_int_equal(
        decode(x, "{\"z\":\"\\n\",\"\\u0061\":1,\"l\\u0061bels\":{\"z\\u006fne\":2}}"),
        1);
    assert_int_equal(value(x, A).i, 1);
    assert_int_equal(value(x, ZONE).i, 2);
}

static void of_duplicate_keys_the_last_one_counts(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "{\"a\":1,\"b\":1,\"a\":\"two\"}"), 1);
    assert_text(value(x, A), TW_STRING, "two");
    assert_int_equal(decode(x, "{\"labels\":{\"zone\":1},\"labels\":{\"rack\":2}}"), 1);
    assert_int_equal(value(x, ZONE).type, TW_ABSENT);
    assert_text(value(x, LABELS), TW_JSON, "{\"rack\":2}");
    assert_int_equal(decode(x, "{\"labels\":{\"zone\":1},\"labels\":5}"), 1);
    assert_int_equal(value(x, ZONE).type, TW_ABSENT);
    assert_int_equal(value(x, LABELS).i, 5);
    assert_int_equal(decode(x, "{\"a\":1,\"\\u0061\":2}"), 1);
    assert_int_equal(value(x, A).i, 2);
}

static void white_space_stands_anywhere_between_tokens(void **state)
{
    fixture *x = *state;
    assert_int_equal(
        decode(x, " \r\n{ \"a\"\t:\n1 , \"b\" : \"x y\" \n, \"labels\" : { \"zone\" "
                  ": null } , \"tags\" : [ 1 , 2 ] }\n "),
        1);
    assert_int_equal(value(x, A).i, 1);
    assert_text(value(x, B), TW_STRING, "x y");
    assert_int_equal(value(x, ZONE).type, TW_NULL);
    assert_int_equal(value(x, TAG1).i, 2);
    assert_text(value(x, LABELS), TW_JSON, "{ \"zone\" : null }");
    assert_int_equal(x->events[0]->raw[0], '{');
    assert_int_equal(x->events[0]->raw[x->events[0]->raw_len - 1], '}');
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "\xef\xbb\xbf{\"a\":1}"), 1);
    assert_int_equal(value(x, A).i, 1);
    assert_int_equal(decode(x, "\xef\xbb\xbf"), TW_EPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(every_json_type_has_its_value),
        with_decoder(integers_stay_integers_and_beyond_64_bits_keep_their_text),
        with_decoder(doubles_are_the_nearest_ones),
        with_decoder(random_doubles_are_read_as_the_c_library_reads_them),
        with_decoder(integers_of_every_length_are_read),
        with_decoder(numbers_of_400_digits_keep_their_text),
        with_decoder(what_is_no_number_is_refused),
        with_decoder(what_is_no_literal_is_refused),
        with_decoder(escapes_become_what_they_stand_for),
        with_decoder(a_bad_escape_is_refused_wherever_it_stands),
        with_decoder(broken_utf8_is_refused_with_its_place),
        with_decoder(control_characters_in_strings_are_refused),
        with_decoder(nested_paths_and_elements_are_found),
        with_decoder(a_path_through_something_else_is_absent),
        with_decoder(names_that_look_alike_are_told_apart),
        with_decoder(a_key_written_with_escapes_is_the_same_key),
        with_decoder(of_duplicate_keys_the_last_one_counts),
        with_decoder(white_space_stands_anywhere_between_tokens),
        with_decoder(a_byte_order_mark_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

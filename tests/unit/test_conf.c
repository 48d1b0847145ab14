// SPDX-License-Identifier: Apache-2.0
/* Tests of base/conf: reading YAML and JSON, positions, limits and secrets. */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

static tw_conf *parse(const char *text, const char *file, tw_err *err)
{
    return tw_conf_parse(text, strlen(text), file, err);
}

static void assert_tree(const char *text, const char *file, const char *wanted)
{
    tw_err err = {0};
    tw_conf *c = parse(text, file, &err);
    if (!c)
        fail_msg("%s: %s", text, err.text);
    char *got = json_dumps(tw_conf_root(c), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(got, wanted);
    free(got);
    tw_conf_free(c);
}

static void assert_refused(const char *text, const char *file, const char *wanted)
{
    tw_err err = {0};
    char message[1200];
    tw_conf *c = parse(text, file, &err);
    if (c)
        fail_msg("was accepted: %s", text);
    assert_int_not_equal(err.code, TW_OK);
    assert_string_equal(tw_err_format(&err, message, sizeof message), wanted);
}

static void yaml_words_and_numbers_have_the_types_of_yaml_1_2(void **state)
{
    (void)state;
    assert_tree("[no, on, yes, off, y, 1e3-abc, 0b1, 1_000, 12:30:45, 2024-11-21]",
                "c.yaml",
                "[\"no\",\"on\",\"yes\",\"off\",\"y\",\"1e3-abc\",\"0b1\",\"1_000\","
                "\"12:30:45\",\"2024-11-21\"]");
    assert_tree("[true, False, ~, null, ]", "c.yaml", "[true,false,null,null]");
    assert_tree("[1, -7, +3, 0x1F, 0o17, 010, 1.5, .5, 1., 1e3, -2.5E-1]", "c.yaml",
                "[1,-7,3,31,15,10,1.5,0.5,1.0,1000.0,-0.25]");
    assert_tree(
        "['1', \"true\", !!str 5, ! null, \"\", +, -., e3, 0x, 0o8]", "c.yaml",
        "[\"1\",\"true\",\"5\",\"null\",\"\",\"+\",\"-.\",\"e3\",\"0x\",\"0o8\"]");
}

static void an_empty_yaml_file_is_an_empty_configuration(void **state)
{
    (void)state;
    assert_tree("", "c.yaml", "{}");
    assert_tree("# nothing yet\n", "c.yaml", "{}");
    assert_tree("---\n", "c.yaml", "{}");
}

static void yaml_maps_lists_and_block_text_are_read(void **state)
{
    (void)state;
    assert_tree("a:\n  - b: 1\n    c: |\n      two\n      lines\n  - {d: [e, f]}\n",
                "c.yaml",
                "{\"a\":[{\"b\":1,\"c\":\"two\\nlines\\n\"},{\"d\":[\"e\",\"f\"]}]}");
    assert_tree("true: 1\n2: x\n", "c.yaml", "{\"true\":1,\"2\":\"x\"}");
}

static void yaml_that_is_wrong_is_refused_with_its_position(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: 2\na: 3\n", "c.yaml",
                   "c.yaml:3:1: duplicate key 'a' (first on line 1)");
    assert_refused("a:\n  <<: {b: 1}\n", "c.yaml",
                   "c.yaml:2:3: merge keys ('<<') are not supported; repeat the keys");
    assert_refused(
        "a: [1, 2\nb: 3\n", "c.yaml",
        "c.yaml:2:2: did not find expected ',' or ']' while parsing a flow sequence");
    assert_refused("a: .inf\n", "c.yaml",
                   "c.yaml:1:4: infinity and not-a-number are no configuration values");
    assert_refused(
        "a: 99999999999999999999\n", "c.yaml",
        "c.yaml:1:4: a whole number beyond 64 bits (put it in quotes if it is a "
        "name)");
    assert_refused("a: 1e999\n", "c.yaml", "c.yaml:1:4: a number too large to hold");
    assert_refused("a: !!int 1\n", "c.yaml",
                   "c.yaml:1:4: tags other than '!!str' are not supported");
    assert_refused("[a]: 1\n", "c.yaml", "c.yaml:1:1: a key must be a string");
    assert_refused("a: 1\n---\nb: 1\n", "c.yaml",
                   "c.yaml:2:1: a second document ('---') in one file");
    assert_refused("a: \"\\0\"\n", "c.yaml", "c.yaml:1:4: a string with a zero byte");
    assert_refused("a: 1\nb: \xff\n", "c.yaml",
                   "c.yaml:2:4: invalid leading UTF-8 octet");
}

static void aliases_are_copies(void **state)
{
    (void)state;
    tw_err err;
    assert_tree("a: &x {k: [1]}\nb: *x\n", "c.yaml",
                "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]}}");
    tw_conf *c = parse("a: &x {k: [1]}\nb: *x\n", "c.yaml", &err);
    json_t *a = json_object_get(tw_conf_root(c), "a"),
           *b = json_object_get(tw_conf_root(c), "b");
    int line, column;
    assert_ptr_not_equal(a, b);
    assert_true(tw_conf_where_key(c, b, "k", &line, &column));
    assert_int_equal(column, 8);
    tw_conf_free(c);
    assert_refused("a: *x\n", "c.yaml",
                   "c.yaml:1:4: an alias whose anchor does not stand before it");
    assert_refused("a: &x [*x]\n", "c.yaml",
                   "c.yaml:1:8: an alias whose anchor does not stand before it");
}

static void aliases_cannot_blow_up(void **state)
{
    (void)state;
    tw_buf text;
    tw_buf_init(&text, 1 << 20);
    tw_buf_add_str(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        tw_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            tw_buf_printf(&text, "*a%d,", i - 1);
        tw_buf_add_str(&text, "]\n");
    }
    assert_refused(text.data, "c.yaml",
                   "c.yaml:5:38: aliases that grow beyond the limits of a configuration");
    tw_buf_reset(&text);
    tw_buf_add_str(&text, "a: &a x\nb: [");
    for (int i = 0; i < 101; i++)
        tw_buf_add_str(&text, "*a,");
    tw_buf_add_str(&text, "]");
    assert_refused(text.data, "c.yaml", "c.yaml:2:305: more than 100 aliases");
    tw_buf_done(&text);
}

static void depth_and_size_are_limited(void **state)
{
    (void)state;
    tw_buf text;
    tw_err err;
    tw_buf_init(&text, 2 << 20);
    for (int i = 0; i < 65; i++)
        tw_buf_add_char(&text, '[');
    assert_null(parse(text.data, "c.yaml", &err));
    assert_string_equal(err.text, "nested deeper than 64 levels");
    assert_null(parse(text.data, "c.json", &err));
    assert_string_equal(err.text, "nested deeper than 64 levels");
    assert_int_equal(err.column, 65);
    tw_buf_reset(&text);
    while (text.len <= 1 << 20)
        tw_buf_add_str(&text, "# all is well but long\n");
    assert_null(parse(text.data, "c.yaml", &err));
    assert_int_equal(err.code, TW_ELIMIT);
    assert_string_equal(err.text, "larger than 1048576 bytes");
    tw_buf_done(&text);
}

static void json_is_read_strictly(void **state)
{
    (void)state;
    assert_tree("{\"a\": [1, -0.5, 1e2, true, false, null, {}],\n\t\"b\": {\"c\": []}}",
                "c.json", "{\"a\":[1,-0.5,100.0,true,false,null,{}],\"b\":{\"c\":[]}}");
    assert_tree("\"\\u00e9\\ud83c\\udf0a\\n\\/\"", "c.json",
                "\"\xc3\xa9\xf0\x9f\x8c\x8a\\n/\"");
    assert_tree("\xef\xbb\xbf{}", "c.json", "{}");
}

static void json_that_is_wrong_is_refused_with_its_position(void **state)
{
    (void)state;
    assert_refused("{\"a\": 1,\n \"a\": 2}", "c.json",
                   "c.json:2:2: duplicate key 'a' (first on line 1)");
    assert_refused("{\"a\": 1,}", "c.json",
                   "c.json:1:9: expected a key in double quotes");
    assert_refused("[1 2]", "c.json", "c.json:1:4: expected ',' or ']'");
    assert_refused("{\"a\" 1}", "c.json", "c.json:1:6: expected ':' after a key");
    assert_refused("[\"\xc3\xa9\", nope]", "c.json", "c.json:1:7: expected a value");
    assert_refused("[01]", "c.json", "c.json:1:3: expected ',' or ']'");
    assert_refused("[1.]", "c.json", "c.json:1:4: a number that JSON does not know");
    assert_refused("[1", "c.json", "c.json:1:3: the text ends too early");
    assert_refused("", "c.json", "c.json:1:1: the text ends too early");
    assert_refused("[\"a", "c.json", "c.json:1:4: the text ends too early");
    assert_refused("[\"a\nb\"]", "c.json",
                   "c.json:1:4: a line break or control character inside a string");
    assert_refused("[\"\\x\"]", "c.json",
                   "c.json:1:3: an escape that JSON does not know");
    assert_refused("[\"\\u0000\"]", "c.json",
                   "c.json:1:3: an escape that JSON does not know");
    assert_refused("[\"\\ud800\"]", "c.json",
                   "c.json:1:3: an escape that JSON does not know");
    assert_refused("[\"\xff\"]", "c.json",
                   "c.json:1:2: a string that is not valid UTF-8");
    assert_refused("{} x", "c.json", "c.json:1:4: text after the end of the document");
}

static void every_value_and_key_knows_where_it_stood(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"c.yaml", "a:\n  b: text\n  c: [1, true]\n"},
        {"c.json", "{\"a\": {\n  \"b\": \"text\",\n  \"c\": [1, true]}}"},
    };
    static const int columns[][2] = {{6, 3}, {8, 3}};
    for (size_t i = 0; i < 2; i++) {
        tw_err err;
        int line, column;
        tw_conf *c = parse(texts[i][1], texts[i][0], &err);
        json_t *a = json_object_get(tw_conf_root(c), "a");
        assert_true(tw_conf_where(c, json_object_get(a, "b"), &line, &column));
        assert_int_equal(line, 2);
        assert_int_equal(column, columns[i][0]);
        assert_true(tw_conf_where_key(c, a, "c", &line, &column));
        assert_int_equal(line, 3);
        assert_int_equal(column, columns[i][1]);
        assert_false(tw_conf_where_key(c, a, "d", &line, &column));
        assert_false(tw_conf_where(c, json_true(), &line, &column));
        tw_conf_free(c);
    }
}

static void secrets_are_put_in_and_remembered(void **state)
{
    (void)state;
    char folder[] = "/tmp/tw-conf-XXXXXX", path[64], text[256], main_file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/token", folder);
    snprintf(main_file, sizeof main_file, "%s/c.yaml", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("s3cret\n", out);
    fclose(out);
    setenv("TW_TEST_USER", "ann", 1);
    snprintf(text, sizeof text,
             "a: Bearer ${file:%s}\nb: '${env:TW_TEST_USER}:${file:token}'\n"
             "c: $${env:X} $$ ${service} $\n",
             path);
    tw_err err = {0};
    tw_conf *c = parse(text, main_file, &err);
    assert_non_null(c);
    json_t *root = tw_conf_root(c);
    assert_string_equal(tw_conf_str(root, "a"), "Bearer s3cret");
    assert_string_equal(tw_conf_str(root, "b"), "ann:s3cret");
    assert_string_equal(tw_conf_str(root, "c"), "${env:X} $$ ${service} $");
    assert_true(tw_conf_is_secret(c, json_object_get(root, "a")));
    assert_true(tw_conf_is_secret(c, json_object_get(root, "b")));
    assert_false(tw_conf_is_secret(c, json_object_get(root, "c")));
    tw_conf_free(c);
    unlink(path);
    rmdir(folder);
}

static void a_secret_that_is_not_there_is_named(void **state)
{
    (void)state;
    unsetenv("TW_TEST_NONE");
    assert_refused("a: 1\nb: x${env:TW_TEST_NONE}\n", "c.yaml",
                   "c.yaml:2:4: environment variable 'TW_TEST_NONE' is not set");
    assert_refused("{\"a\": \"${file:/nowhere/x}\"}", "c.json",
                   "c.json:1:7: secret file '/nowhere/x': No such file or directory");
    assert_refused("a: ${env:X\n", "c.yaml",
                   "c.yaml:1:4: '${env:' is not closed with '}'");
    assert_refused("a: ${evn:X}\n", "c.yaml",
                   "c.yaml:1:4: '${evn:...}' is neither '${env:NAME}' nor '${file:PATH}' "
                   "(write '$${' for a plain '${')");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    tw_err err;
    char message[1200];
    assert_null(tw_conf_load("/nowhere/c.yaml", &err));
    assert_int_equal(err.code, TW_ENOTFOUND);
    assert_string_equal(tw_err_format(&err, message, sizeof message),
                        "/nowhere/c.yaml: No such file or directory");
    assert_null(tw_conf_load("/", &err));
    assert_int_equal(err.code, TW_EIO);
}

static void sizes_have_decimal_and_binary_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {{"0", 0},
                 {"100", 100},
                 {"7B", 7},
                 {"10MB", 10000000},
                 {"64KiB", 65536},
                 {"1GiB", 1073741824},
                 {"2TB", 2000000000000}};
    int64_t v = -1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tw_size_parse(cases[i].text, &v), TW_OK);
        assert_int_equal(v, cases[i].bytes);
    }
    static const char *const bad[] = {
        "", "MB", "1 MB", "-1", "1kb", "1.5GB", "9999999999TiB", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(tw_size_parse(bad[i], &v), TW_EPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_words_and_numbers_have_the_types_of_yaml_1_2),
        cmocka_unit_test(an_empty_yaml_file_is_an_empty_configuration),
        cmocka_unit_test(yaml_maps_lists_and_block_text_are_read),
        cmocka_unit_test(yaml_that_is_wrong_is_refused_with_its_position),
        cmocka_unit_test(aliases_are_copies),
        cmocka_unit_test(aliases_cannot_blow_up),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test(json_is_read_strictly),
        cmocka_unit_test(json_that_is_wrong_is_refused_with_its_position),
        cmocka_unit_test(every_value_and_key_knows_where_it_stood),
        cmocka_unit_test(secrets_are_put_in_and_remembered),
        cmocka_unit_test(a_secret_that_is_not_there_is_named),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(sizes_have_decimal_and_binary_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

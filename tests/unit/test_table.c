// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/table and flow/csv: both formats, quoting, refusals with their line, and that a broken
 * file leaves the last good snapshot. */
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char dir[32];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tw_test_table.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static const char *file_of(const char *ending, const char *text, size_t n)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/t%s", dir, ending);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    return path;
}

static tw_table *open_text(const char *ending, const char *text, const char *key,
                           tw_err *err)
{
    return tw_table_open("t", file_of(ending, text, strlen(text)), key, err);
}

static void row_is(const tw_table *t, const char *key, const char *column,
                   const char *value)
{
    const char *got = json_string_value(json_object_get(tw_table_row(t, key), column));
    assert_non_null(got);
    assert_string_equal(got, value);
}

static void a_pipe_is_refused_and_not_waited_for(void **state)
{
    (void)state;
    tw_err err = {0};
    bool changed = false;
    tw_table *t = open_text(".csv", "k,v\na,1\n", NULL, &err);
    assert_non_null(t);
    char path[64];
    snprintf(path, sizeof path, "%s/t.csv", dir);
    assert_int_equal(unlink(path) | mkfifo(path, 0600), 0);
    alarm(5); /* what waits here waits for ever */
    assert_true(tw_table_refresh(t, &changed, &err) < 0);
    alarm(0);
    assert_string_equal(err.text, "this is not a file");
    row_is(t, "a", "v", "1");
    tw_table_free(t);
    unlink(path);
}

static void csv_rows_are_found_by_their_first_column(void **state)
{
    (void)state;
    tw_table *t = open_text(".csv",
                            "\xef\xbb\xbfservice,team,note\r\n"
                            "cart,web,\"a, \"\"quoted\"\"\r\nnote\"\r\n"
                            "\r\n"
                            "pay,\"\",x \"y\"\n"
                            "last,ops,",
                            NULL, NULL);
    assert_non_null(t);
    assert_int_equal(tw_table_count(t), 3);
    assert_string_equal(tw_table_name(t), "t");
    assert_null(tw_table_error(t));
    row_is(t, "cart", "service", "cart");
    row_is(t, "cart", "note", "a, \"quoted\"\r\nnote");
    row_is(t, "pay", "team", "");
    row_is(t, "pay", "note", "x \"y\"");
    row_is(t, "last", "note", "");
    assert_null(tw_table_row(t, "service"));
    assert_null(tw_table_row(t, "no"));
    tw_table_free(t);
    tw_table_free(NULL);
}

static void csv_takes_another_key_column(void **state)
{
    (void)state;
    tw_table *t = open_text(".csv", "a,b\n1,x\n2,y\n", "b", NULL);
    row_is(t, "y", "a", "2");
    assert_null(tw_table_row(t, "1"));
    tw_table_free(t);
}

static void json_is_an_object_of_rows_or_a_list(void **state)
{
    (void)state;
    tw_table *t =
        open_text(".json", "{\"cart\": {\"team\": \"web\"}, \"pay\": {}}", NULL, NULL);
    row_is(t, "cart", "team", "web");
    assert_int_equal(tw_table_count(t), 2);
    tw_table_free(t);
    t = open_text(".json", "[{\"key\": \"a\", \"x\": \"1\"}, {\"key\": 7, \"x\": \"2\"}]",
                  NULL, NULL);
    row_is(t, "a", "x", "1");
    row_is(t, "7", "x", "2");
    tw_table_free(t);
    t = open_text(".json", "[{\"host\": \"a\", \"x\": \"1\"}]", "host", NULL);
    row_is(t, "a", "x", "1");
    tw_table_free(t);
}

static void is_refused(const char *ending, const char *text, const char *key, int line,
                       const char *why)
{
    tw_err err = {0};
    assert_null(open_text(ending, text, key, &err));
    if (!strstr(err.text, why) || err.line != line)
        fail_msg("line %d: %s", err.line, err.text);
    assert_true(strncmp(err.file, dir, strlen(dir)) == 0);
}

static void broken_files_are_refused_with_their_line(void **state)
{
    (void)state;
    is_refused(".csv", "", NULL, 0, "a header row is needed");
    is_refused(".csv", "a,b\n1,2\n3\n", NULL, 3, "1 cells and the header 2");
    is_refused(".csv", "a,b\n1,2\n\"3\n\n,4\n", NULL, 3, "not closed");
    is_refused(".csv", "a,b\n\"1\n\"x,2\n", NULL, 3, "follows the closing quote");
    is_refused(".csv", "a,b\n1,2\n1,3\n", NULL, 3, "\"1\" comes twice");
    is_refused(".csv", "a,b\n,3\n", NULL, 2, "no key");
    is_refused(".csv", "a,b\n1,\xff\n", NULL, 2, "UTF-8");
    is_refused(".csv", "a,b\n1,2\n", "c", 1, "no column \"c\"");
    is_refused(".json", "{\"a\":\n {", NULL, 2, "");
    is_refused(".json", "{\"a\": 1}", NULL, 0, "\"a\" is not an object");
    is_refused(".json", "[{\"x\": 1}]", NULL, 0, "row 1");
    is_refused(".json", "{\"a\": {}, \"a\": {}}", NULL, 1, "duplicate");
    is_refused(".json", "5", NULL, 1, "");
}

static void what_is_no_table_file_is_refused(void **state)
{
    (void)state;
    tw_err err = {0};
    assert_null(open_text(".txt", "a\n", NULL, &err));
    assert_non_null(strstr(err.text, ".csv or .json"));
    assert_null(tw_table_open("t", "/no/such/file.csv", NULL, &err));
    assert_int_equal(err.code, TW_EIO);
    assert_null(tw_table_open("t", "/dev/null/x.csv", NULL, NULL));
}

static void a_changed_file_is_read_again(void **state)
{
    (void)state;
    bool changed = true;
    tw_table *t = open_text(".csv", "a,b\n1,x\n", NULL, NULL);
    assert_int_equal(tw_table_refresh(t, &changed, NULL), TW_OK);
    assert_false(changed);
    file_of(".csv", "a,b\n1,y\n", 8); /* same size, perhaps the same time stamp */
    assert_int_equal(tw_table_refresh(t, &changed, NULL), TW_OK);
    assert_true(changed);
    row_is(t, "1", "b", "y");
    tw_table_free(t);
}

static void a_broken_file_leaves_the_last_good_rows(void **state)
{
    (void)state;
    bool changed;
    tw_err err = {0};
    tw_table *t = open_text(".csv", "a,b\n1,x\n", NULL, NULL);
    const char *path = file_of(".csv", "a,b\n1,z\n2", 9);
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_EPARSE);
    assert_int_equal(err.line, 3);
    assert_non_null(strstr(tw_table_error(t), "t.csv:3: "));
    row_is(t, "1", "b", "x");
    unlink(path);
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_EIO);
    row_is(t, "1", "b", "x");
    file_of(".csv", "a,b\n1,z\n2,q\n", 12);
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_OK);
    assert_true(changed);
    assert_null(tw_table_error(t));
    row_is(t, "2", "b", "q");
    tw_table_free(t);
}

static void a_repaired_file_with_the_old_rows_is_good_again(void **state)
{
    (void)state;
    bool changed = true;
    tw_table *t = open_text(".csv", "a,b\n1,x\n", NULL, NULL);
    file_of(".csv", "a,b\n1", 5);
    assert_int_equal(tw_table_refresh(t, &changed, NULL), TW_EPARSE);
    file_of(".csv", "a,b\n1,x\n", 8);
    assert_int_equal(tw_table_refresh(t, &changed, NULL), TW_OK);
    assert_false(changed);
    assert_null(tw_table_error(t));
    tw_table_free(t);
}

static void contents_without_a_column_that_rules_read_are_refused(void **state)
{
    (void)state;
    bool changed = true;
    tw_err err = {0};
    tw_table *t = open_text(".csv", "a,b\n1,x\n", NULL, NULL);

    tw_table_need(t, "b", "shop/errors");
    file_of(".csv", "a,c\n1,z\n", 8);
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_ESTATE);
    assert_string_equal(
        err.text, "there is no column 'b' any more, which rule 'shop/errors' reads");
    assert_non_null(tw_table_error(t));
    assert_true(tw_table_lacks_column(t));
    row_is(t, "1", "b", "x");
    /* The same contents are not forgotten to be wrong. */
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_ESTATE);
    tw_table_need_nothing(t);
    assert_int_equal(tw_table_refresh(t, &changed, &err), TW_OK);
    assert_true(changed);
    assert_false(tw_table_lacks_column(t));
    row_is(t, "1", "c", "z");
    tw_table_free(t);
}

static bool has_column(const tw_table *t, const char *name)
{
    return tw_declared_has_column(tw_rows_columns(tw_table_rows(t)), name, strlen(name));
}

static void columns_are_those_of_the_header_or_of_all_rows(void **state)
{
    (void)state;
    tw_table *t = open_text(".csv", "a,b\n", NULL, NULL);
    assert_true(has_column(t, "a") && has_column(t, "b") && !has_column(t, "c"));
    tw_table_free(t);
    t = open_text(".json", "{\"x\": {\"a\": 1}, \"y\": {\"b\": null}}", NULL, NULL);
    assert_true(has_column(t, "a") && has_column(t, "b") && !has_column(t, "x"));
    tw_table_free(t);
    t = open_text(".json", "[{\"key\": \"x\", \"a\": {\"c\": 1}}]", NULL, NULL);
    assert_true(has_column(t, "a") && has_column(t, "key") && !has_column(t, "c"));
    tw_table_free(t);
    t = open_text(".json", "{}", NULL, NULL);
    assert_false(tw_declared_known(tw_rows_columns(tw_table_rows(t))));
    tw_table_need(t, "a", "shop/errors"); /* nothing is known of an empty one */
    tw_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_is_refused_and_not_waited_for),
        cmocka_unit_test(csv_rows_are_found_by_their_first_column),
        cmocka_unit_test(csv_takes_another_key_column),
        cmocka_unit_test(json_is_an_object_of_rows_or_a_list),
        cmocka_unit_test(broken_files_are_refused_with_their_line),
        cmocka_unit_test(what_is_no_table_file_is_refused),
        cmocka_unit_test(a_changed_file_is_read_again),
        cmocka_unit_test(a_broken_file_leaves_the_last_good_rows),
        cmocka_unit_test(a_repaired_file_with_the_old_rows_is_good_again),
        cmocka_unit_test(contents_without_a_column_that_rules_read_are_refused),
        cmocka_unit_test(columns_are_those_of_the_header_or_of_all_rows),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

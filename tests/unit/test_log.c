// SPDX-License-Identifier: Apache-2.0
/* Tests of base/log: the two formats, levels, whole lines. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>

#include "base/duration.h"
#include "base/err.h"

/* What was logged since the last call, to be freed; the log goes to a memory file. */
static char *text;
static size_t size;
static FILE *out;

static void start(tw_log_level level, tw_log_format format)
{
    out = open_memstream(&text, &size);
    assert_non_null(out);
    tw_log_setup(out, level, format);
}

static void stop(void)
{
    tw_log_setup(NULL, TW_LOG_INFO, TW_LOG_LOGFMT);
    fclose(out);
}

static void a_logfmt_line_quotes_only_what_needs_it(void **state)
{
    (void)state;
    int64_t ms;
    start(TW_LOG_INFO, TW_LOG_LOGFMT);
    tw_log_info("kafka", "partition assigned", "topic", "requests", "partition",
                TW_LOG_INT(3), "note", "a=b", "empty", "", "missing", NULL, NULL);
    stop();
    assert_memory_equal(text, "ts=", 3);
    assert_int_equal(tw_time_parse_rfc3339(text + 3, 24, &ms), TW_OK);
    assert_string_equal(text + 27,
                        " level=info component=kafka msg=\"partition assigned\" "
                        "topic=requests partition=3 note=\"a=b\" empty=\"\" "
                        "missing=\"\"\n");
    free(text);
}

static void a_json_line_is_one_object(void **state)
{
    (void)state;
    start(TW_LOG_DEBUG, TW_LOG_JSON);
    tw_log_debug("rule", "said \"no\"\nand left", "file", "a.lua", NULL);
    stop();
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "msg")),
                        "said \"no\"\nand left");
    assert_string_equal(json_string_value(json_object_get(line, "level")), "debug");
    assert_string_equal(json_string_value(json_object_get(line, "component")), "rule");
    assert_string_equal(json_string_value(json_object_get(line, "file")), "a.lua");
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
    json_decref(line);
    free(text);
}

static void a_level_below_the_wanted_one_is_silent(void **state)
{
    (void)state;
    start(TW_LOG_WARN, TW_LOG_LOGFMT);
    tw_log_info("a", "x", NULL);
    assert_false(tw_log_enabled(TW_LOG_INFO));
    assert_true(tw_log_enabled(TW_LOG_ERROR));
    stop();
    assert_int_equal(size, 0);
    free(text);
}

static void a_value_cannot_break_the_line(void **state)
{
    (void)state;
    start(TW_LOG_INFO, TW_LOG_LOGFMT);
    tw_log_info("a", "x\nts=2024 level=error", "k", "\x1b[31m\xff", "bad", "\xff", NULL);
    stop();
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
    assert_non_null(strstr(text, "msg=\"x\\nts=2024 level=error\""));
    assert_null(strchr(text, 0x1b));
    assert_non_null(strstr(text, "k=\"\\u001b[31m\xef\xbf\xbd\" bad=\"\xef\xbf\xbd\"\n"));
    free(text);
}

static void a_record_too_large_keeps_its_form(void **state)
{
    (void)state;
    char *huge = malloc(100001);
    memset(huge, '\n', 100000);
    huge[100000] = '\0';
    start(TW_LOG_INFO, TW_LOG_JSON);
    tw_log_info("a", "b", "one", huge, "two", huge, "three", huge, "four", "x", NULL);
    stop();
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_int_equal(json_string_length(json_object_get(line, "one")), 8192);
    assert_null(json_object_get(line, "three"));
    json_decref(line);
    free(text);
    free(huge);
}

static void *log_many(void *name)
{
    for (int i = 0; i < 200; i++)
        tw_log_info("thread", "line", "name", (const char *)name, NULL);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[4];
    char names[4][8] = {"a", "bb", "ccc", "dddd"};
    start(TW_LOG_INFO, TW_LOG_JSON);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    stop();
    int lines = 0;
    for (char *p = text, *end; (end = strchr(p, '\n')) != NULL; p = end + 1, lines++) {
        json_t *line = json_loadb(p, (size_t)(end - p), 0, NULL);
        assert_non_null(line);
        json_decref(line);
    }
    assert_int_equal(lines, 800);
    free(text);
}

static void names_of_levels_and_formats_are_read(void **state)
{
    (void)state;
    tw_log_level level = TW_LOG_DEBUG;
    tw_log_format format = TW_LOG_LOGFMT;
    assert_int_equal(tw_log_level_parse("warn", &level), TW_OK);
    assert_int_equal(level, TW_LOG_WARN);
    assert_int_equal(tw_log_level_parse("warning", &level), TW_EINVAL);
    assert_int_equal(tw_log_format_parse("json", &format), TW_OK);
    assert_int_equal(format, TW_LOG_JSON);
    assert_int_equal(tw_log_format_parse("logfmt", &format), TW_OK);
    assert_int_equal(tw_log_format_parse("xml", &format), TW_EINVAL);
    tw_log_number n;
    assert_string_equal(tw_log_int_text(&n, INT64_MIN), "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_logfmt_line_quotes_only_what_needs_it),
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(a_level_below_the_wanted_one_is_silent),
        cmocka_unit_test(a_value_cannot_break_the_line),
        cmocka_unit_test(a_record_too_large_keeps_its_form),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(names_of_levels_and_formats_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

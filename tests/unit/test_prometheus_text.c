// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/prometheus/text: what is read, what is refused and where, from the files of
 * tests/unit/prometheus. NAME.txt is Prometheus text, NAME.om is OpenMetrics; NAME.*.out says what must
 * come out: one line a sample, or the error. promtool, where there is one, must agree about NAME.txt. */
#include "prometheus/text.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "prometheus/number.h"

#define FOLDER TW_SOURCE_DIR "/tests/unit/prometheus"

/* The reader is compiled in: a plugin exports nothing but its descriptor. */
#include "prometheus/number.c"
#include "prometheus/text.c"

static char *read_file(const char *path, size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    /* Exactly as large as the text, so that a read past its end is seen. */
    char *text = malloc(size ? size : 1);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    *out_size = size;
    return text;
}

static void render_sample(tw_buf *out, const text_sample *s)
{
    tw_buf_add(out, s->name.at, s->name.size);
    for (uint32_t i = 0; i < s->label_count; i++) {
        const text_label *l = &s->labels[i];
        tw_buf_printf(out, " %.*s=", (int)l->name.size, l->name.at);
        tw_buf_add_json_string(out, l->value.at, l->value.size);
    }
    tw_buf_add_str(out, " = ");
    tw_buf_add_double(out, s->value);
    if (s->time_ms != TEXT_NO_TIME)
        tw_buf_printf(out, " @%lld", (long long)s->time_ms);
    tw_buf_add_char(out, '\n');
}

/* What the reader makes of a text, as the .out files write it; whether it took all of it. */
static bool render(text_format format, char *text, size_t size, tw_buf *out)
{
    text_reader r;
    text_sample s;
    int rc;

    text_reader_init(&r, format, text, size, NULL);
    while ((rc = text_reader_next(&r, &s)) > 0)
        render_sample(out, &s);
    if (rc < 0)
        tw_buf_printf(out, "%d:%d: %s\n", r.error.line, r.error.column, r.error.text);
    return rc == 0;
}

static bool has_promtool(void)
{
    return system("command -v promtool >/dev/null") == 0;
}

/* Findings of style (exit 3) are no refusal. */
static bool promtool_takes(const char *path)
{
    char *command = tw_asprintf("promtool check metrics <'%s' >/dev/null 2>&1", path);
    int status = system(command);
    tw_free(command);
    return WIFEXITED(status) && WEXITSTATUS(status) != 1;
}

/* Whether a file reads as it should; says so if not. */
static bool check_file(const char *name, bool promtool)
{
    char *path = tw_asprintf("%s/%s", FOLDER, name);
    char *out_path = tw_asprintf("%s.out", path);
    bool openmetrics = strstr(name, ".om") != NULL;
    size_t size, expected_size;
    char *text = read_file(path, &size);
    tw_buf out;

    tw_buf_init(&out, 1 << 20);
    bool taken =
        render(openmetrics ? TEXT_OPENMETRICS : TEXT_PROMETHEUS, text, size, &out);
    if (getenv("TW_TEST_WRITE")) {
        FILE *file = fopen(out_path, "wb");
        assert_non_null(file);
        fwrite(out.data, 1, out.len, file);
        fclose(file);
    }
    char *expected = read_file(out_path, &expected_size);
    bool right = expected_size == out.len && memcmp(expected, out.data, out.len) == 0;
    if (!right)
        print_error("%s gives:\n%s", name, out.data);
    if (promtool && !openmetrics && strncmp(name, "own-", 4) != 0 &&
        promtool_takes(path) != taken) {
        print_error("%s: we %s it, promtool does not\n", name, taken ? "take" : "refuse");
        right = false;
    }
    tw_buf_done(&out);
    free(expected);
    free(text);
    tw_free(out_path);
    tw_free(path);
    return right;
}

static void each_file_reads_as_its_out_file_says_and_as_promtool_does(void **state)
{
    (void)state;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    bool promtool = has_promtool();
    int count = 0, wrong_files = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t n = strlen(entry->d_name);
        if (entry->d_name[0] == '.' ||
            (n > 4 && strcmp(entry->d_name + n - 4, ".out") == 0))
            continue;
        wrong_files += check_file(entry->d_name, promtool) ? 0 : 1;
        count++;
    }
    closedir(folder);
    assert_int_equal(wrong_files, 0);
    assert_true(count >= 30);
}

static int first_error(text_format format, const char *text, const text_limits *limits,
                       text_error *out)
{
    text_reader r;
    text_sample s;
    int rc;
    char *copy = strdup(text);

    text_reader_init(&r, format, copy, strlen(copy), limits);
    do
        rc = text_reader_next(&r, &s);
    while (rc > 0);
    *out = r.error;
    free(copy);
    return rc;
}

static void limits_hold_for_lines_labels_and_samples(void **state)
{
    (void)state;
    const text_limits limits = {.line_bytes = 20, .labels = 2, .samples = 2};
    text_error e;
    assert_int_equal(
        first_error(TEXT_PROMETHEUS, "a 1\nb{c=\"1\",d=\"2\"} 1\n", &limits, &e), 0);
    assert_int_equal(
        first_error(TEXT_PROMETHEUS, "a{b=\"456789012345\"} 1\n", &limits, &e), -1);
    assert_string_equal(e.text, "a line of more than 20 bytes");
    assert_int_equal(
        first_error(TEXT_PROMETHEUS, "a{b=\"\",c=\"\",d=\"\"} 1\n", &limits, &e), -1);
    assert_string_equal(e.text, "more than 2 labels");
    assert_int_equal(e.column, 13);
    assert_int_equal(first_error(TEXT_PROMETHEUS, "a 1\n\na 2\na 3\n", &limits, &e), -1);
    assert_string_equal(e.text, "more than 2 samples");
    assert_int_equal(e.line, 4);
}

static void a_hundred_labels_are_too_many_by_default(void **state)
{
    (void)state;
    text_error e;
    tw_buf b;
    tw_buf_init(&b, 1 << 20);
    tw_buf_add_str(&b, "a{");
    for (int i = 0; i < 100; i++)
        tw_buf_printf(&b, "l%d=\"\",", i);
    tw_buf_add_str(&b, "} 1\n");
    assert_int_equal(first_error(TEXT_PROMETHEUS, b.data, NULL, &e), -1);
    assert_string_equal(e.text, "more than 64 labels");
    tw_buf_done(&b);
}

static void numbers_read_as_strtod_reads_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "1",
                                        "-1",
                                        "+5",
                                        ".5",
                                        "5.",
                                        "1e3",
                                        "1E-3",
                                        "0.1",
                                        "123456789.125",
                                        "9007199254740993",
                                        "1e22",
                                        "1e23",
                                        "1.7976931348623157e308",
                                        "5e-324",
                                        "1e-400",
                                        "0.000001",
                                        "18446744073709551615",
                                        "-0.30000000000000004",
                                        "1234567890123456789012",
                                        "00012",
                                        "1e+05",
                                        "0.1234567890123456789"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double v;
        assert_int_equal(number_read(texts[i], strlen(texts[i]), &v), NUMBER_OK);
        if (v != strtod(texts[i], NULL))
            fail_msg("%s reads as %.17g", texts[i], v);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      ".",    "-",     "1e",  "e5",   "0x10",
                                        "1_000", "-NaN", "1f",    "1 ",  "infi", "1e+",
                                        "--1",   "+-1",  "1.2.3", "nan0"};
    double v;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (number_read(texts[i], strlen(texts[i]), &v) != NUMBER_MALFORMED)
            fail_msg("\"%s\" is taken", texts[i]);
    }
    assert_int_equal(number_read("1e400", 5, &v), NUMBER_OUT_OF_RANGE);
    char digits[401];
    memset(digits, '1', sizeof digits);
    assert_int_equal(number_read(digits, sizeof digits, &v), NUMBER_OUT_OF_RANGE);
    assert_int_equal(number_read("-Inf", 4, &v), NUMBER_OK);
    assert_true(isinf(v) && v < 0);
    assert_int_equal(number_read("NaN", 3, &v), NUMBER_OK);
    assert_true(isnan(v));
}

static void written_numbers_read_back_the_same(void **state)
{
    (void)state;
    static const double numbers[] = {0,
                                     1,
                                     -1,
                                     0.1,
                                     1.0 / 3,
                                     1e15,
                                     123456789012345,
                                     1e300,
                                     5e-324,
                                     -2.5e-7,
                                     9007199254740993.0,
                                     0.30000000000000004};
    char text[NUMBER_ROOM];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double v;
        size_t n = number_write(numbers[i], text);
        assert_int_equal(n, strlen(text));
        assert_int_equal(number_read(text, n, &v), NUMBER_OK);
        assert_true(v == numbers[i]);
    }
    number_write(0.1, text);
    assert_string_equal(text, "0.1");
    number_write(-42, text);
    assert_string_equal(text, "-42");
}

static void the_format_is_what_the_content_type_says(void **state)
{
    (void)state;
    assert_int_equal(
        text_format_of("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        TEXT_OPENMETRICS);
    assert_int_equal(text_format_of("text/plain; version=0.0.4"), TEXT_PROMETHEUS);
    assert_int_equal(text_format_of(NULL), TEXT_PROMETHEUS);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xC0\xAF",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF8\x88\x80\x80",
                                      "\xE2\x82",
                                      "a\xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
    assert_true(text_is_utf8("\xC3\xBC \xE2\x82\xAC \xF0\x9F\x8C\x8A", 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_reads_as_its_out_file_says_and_as_promtool_does),
        cmocka_unit_test(limits_hold_for_lines_labels_and_samples),
        cmocka_unit_test(a_hundred_labels_are_too_many_by_default),
        cmocka_unit_test(numbers_read_as_strtod_reads_them),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(written_numbers_read_back_the_same),
        cmocka_unit_test(the_format_is_what_the_content_type_says),
        cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/stdout: standard output is a file or a pipe of the test's. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_host.h"

static tw_record records[8];
static const tw_record *pointers[8];
static tw_delivery delivery;

static tw_delivery *deliver_of(size_t count)
{
    for (size_t i = 0; i < count; i++)
        pointers[i] = &records[i];
    delivery = (tw_delivery){
        .size = sizeof delivery, .records = pointers, .count = count, .attempt = 1};
    return &delivery;
}

/* What the sink writes for the first `count` records; fd 1 is a file meanwhile. */
static size_t written(const char *settings, size_t count, char *out, size_t size)
{
    fake_host f;
    char why[512];
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);

    fake_host_init(&f, "stdout", "out", settings);
    const tw_sink_type *type = fake_host_sink_type(&f, "stdout");
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    void *instance = fake_host_sink(&f, type, why, sizeof why);
    type->deliver(instance, deliver_of(count));
    fake_host_end_sink(&f, type, instance);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_int_equal(f.answer_count, 1);
    assert_int_equal(f.answers[0].answer, TW_ANSWER_DONE);
    fake_host_done(&f);
    rewind(file);
    size_t n = fread(out, 1, size - 1, file);
    out[n] = '\0';
    fclose(file);
    return n;
}

static void an_alert_is_one_readable_line(void **state)
{
    (void)state;
    char text[4096];
    records[0] = fake_alert("id", "cart", false, "crit");
    records[1] = fake_alert("id", "cart", true, "crit");
    written("{}", 2, text, sizeof text);
    assert_string_equal(text,
                        "2024-11-21 09:40:05Z  FIRING   crit team/errors  cart fails  "
                        "service=cart zone=eu\n"
                        "2024-11-21 09:40:05Z  RESOLVED crit team/errors  cart fails  "
                        "service=cart zone=eu\n");
}

static void what_had_changed_stands_below(void **state)
{
    (void)state;
    char text[4096];
    tw_pair annotations[] = {
        {"title", "cart fails"},
        {"changes", "1m before: deploys v=9\n2m before: \033deploys v=8"}};
    records[0] = fake_alert("id", "cart", false, "crit");
    records[0].annotations = annotations;
    records[0].annotation_count = 2;
    written("{}", 1, text, sizeof text);
    assert_string_equal(text,
                        "2024-11-21 09:40:05Z  FIRING   crit team/errors  cart fails  "
                        "service=cart zone=eu\n"
                        "    1m before: deploys v=9\n"
                        "    2m before:  deploys v=8\n");
}

static void json_is_one_object_a_line(void **state)
{
    (void)state;
    char text[4096];
    records[0] = fake_alert("id", "cart", false, "crit");
    records[1] = records[0];
    written("{\"format\": \"json\"}", 2, text, sizeof text);
    assert_string_equal(text,
                        "{\"type\":\"notification\"}\n{\"type\":\"notification\"}\n");
}

static void what_came_from_outside_cannot_steer_the_terminal(void **state)
{
    (void)state;
    char text[4096];
    tw_pair labels[] = {{"a\033[2J", "two words\n\xc2\x9b"}};
    records[0] = fake_alert("id", "cart", false, "crit");
    records[0].title = "\033]0;owned\a";
    records[0].labels = labels;
    records[0].label_count = 1;
    written("{}", 1, text, sizeof text);
    assert_null(strpbrk(text, "\033\a"));
    assert_null(strstr(text, "\xc2\x9b"));
    assert_non_null(strstr(text, "a [2J=\"two words  \"\n"));
}

static void colours_come_when_asked_for_and_not_into_a_file(void **state)
{
    (void)state;
    char text[4096];
    records[0] = fake_alert("id", "cart", false, "crit");
    written("{}", 1, text, sizeof text);
    assert_null(strchr(text, '\033'));
    written("{\"colours\": \"always\"}", 1, text, sizeof text);
    assert_non_null(strstr(text, "\033[31mFIRING"));
}

static void a_dead_letter_says_where_it_is_from(void **state)
{
    (void)state;
    char text[4096];
    const tw_pair headers[] = {{"tw_dlq_topic", "requests"}, {"tw_dlq_error", "no JSON"}};
    records[0] = (tw_record){.size = sizeof(tw_record),
                             .kind = TW_RECORD_DEAD_LETTER,
                             .headers = headers,
                             .header_count = 2};
    written("{}", 1, text, sizeof text);
    assert_string_equal(text, "1970-01-01 00:00:00Z  DEAD       tw_dlq_topic=requests "
                              "tw_dlq_error=\"no JSON\"\n");
}

/* A pipe that nobody reads takes 64 KiB; the rest waits, and the loop goes on. */
static void a_reader_that_stands_still_holds_only_this_sink(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    static char big[100000], seen[200000];
    int ends[2], kept = dup(STDOUT_FILENO);
    size_t n = 0;

    memset(big, 'x', sizeof big - 1);
    records[0] = fake_alert("id", "cart", false, "crit");
    records[0].json = big;
    records[0].json_size = sizeof big - 1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fake_host_init(&f, "stdout", "out", "{\"format\": \"json\"}");
    const tw_sink_type *type = fake_host_sink_type(&f, "stdout");
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    void *instance = fake_host_sink(&f, type, why, sizeof why);
    type->deliver(instance, deliver_of(1));
    for (int i = 0; i < 10; i++)
        tw_loop_turn(f.loop, false);
    assert_int_equal(f.answer_count, 0);
    while (f.answer_count == 0) {
        ssize_t got = read(ends[0], seen + n, sizeof seen - n);
        n += got > 0 ? (size_t)got : 0;
        tw_loop_turn(f.loop, false);
    }
    assert_int_equal(f.answers[0].answer, TW_ANSWER_DONE);
    fake_host_end_sink(&f, type, instance);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(ends[1]);
    while (n < sizeof big) {
        ssize_t got = read(ends[0], seen + n, sizeof seen - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    assert_int_equal(n, sizeof big);
    close(ends[0]);
    fake_host_done(&f);
}

static void refused(const char *settings, const char *expected)
{
    fake_host f;
    char why[512];

    fake_host_init(&f, "stdout", "out", settings);
    assert_null(fake_host_sink(&f, fake_host_sink_type(&f, "stdout"), why, sizeof why));
    assert_string_equal(why, expected);
    fake_host_done(&f);
}

static void settings_that_make_no_sense_are_refused_by_name(void **state)
{
    (void)state;
    refused("{\"colour\": \"never\"}",
            "there is no setting 'colour'; there are: format, colours");
    refused("{\"format\": \"xml\"}", "'format' is none of: text, json");
    refused("{\"format\": 7}", "'format' must be of type string");
    refused("[]", "the settings are no object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_is_one_readable_line),
        cmocka_unit_test(what_had_changed_stands_below),
        cmocka_unit_test(json_is_one_object_a_line),
        cmocka_unit_test(what_came_from_outside_cannot_steer_the_terminal),
        cmocka_unit_test(colours_come_when_asked_for_and_not_into_a_file),
        cmocka_unit_test(a_dead_letter_says_where_it_is_from),
        cmocka_unit_test(a_reader_that_stands_still_holds_only_this_sink),
        cmocka_unit_test(settings_that_make_no_sense_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

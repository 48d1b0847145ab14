// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/file: its sink, on files of a folder of the test's.
 * ctest: threads */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "file_fixture.h"

static char *read_file(const char *name)
{
    static char text[65536];
    FILE *file = fopen(path_to(name), "r");
    size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static tw_record records[4];
static const tw_record *pointers[4] = {&records[0], &records[1], &records[2],
                                       &records[3]};

static tw_record json_record(const char *json)
{
    return (tw_record){
        .size = sizeof(tw_record), .id = "x", .json = json, .json_size = strlen(json)};
}

static void records_are_appended_one_a_line(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    tw_delivery d = {.size = sizeof d, .records = pointers, .count = 2, .attempt = 1};

    write_file("out", "{\"old\":1}\n", "w");
    records[0] = json_record("{\"a\":1}");
    records[1] = json_record("{\"b\":2}");
    fake_host_init(&f, "file", "out", settings_with("out", ", \"fsync\": true"));
    const tw_sink_type *type = fake_host_sink_type(&f, "file");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    assert_non_null(sink);
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 1));
    assert_int_equal(f.answers[0].answer, TW_ANSWER_DONE);
    assert_string_equal(read_file("out"), "{\"old\":1}\n{\"a\":1}\n{\"b\":2}\n");
    fake_host_end_sink(&f, type, sink);
    fake_host_done(&f);
}

static void what_is_in_hand_is_written_before_the_sink_has_stopped(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    tw_delivery d = {.size = sizeof d, .records = pointers, .count = 1, .attempt = 1};

    records[0] = json_record("{\"last\":1}");
    fake_host_init(&f, "file", "out", settings_with("stop", ""));
    const tw_sink_type *type = fake_host_sink_type(&f, "file");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    type->deliver(sink, &d);
    fake_host_end_sink(&f, type, sink);
    assert_int_equal(f.answer_count, 1);
    assert_int_equal(f.answers[0].answer, TW_ANSWER_DONE);
    assert_string_equal(read_file("stop"), "{\"last\":1}\n");
    fake_host_done(&f);
}

/* A limit on the size of files stands in for a disk that is full. */
static void a_full_disk_leaves_no_half_line_and_the_rest_is_tried_again(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    tw_delivery d = {.size = sizeof d, .records = pointers, .count = 3, .attempt = 1};
    struct rlimit before, small;

    records[0] = json_record("{\"a\":1}");
    records[1] = json_record("{\"long\":\"0123456789012345678901234567890123456789\"}");
    records[2] = json_record("{\"c\":3}");
    fake_host_init(&f, "file", "out", settings_with("full", ""));
    const tw_sink_type *type = fake_host_sink_type(&f, "file");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 20;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    type->deliver(sink, &d);
    bool answered = fake_host_wait(&f, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(answered);
    assert_int_equal(f.answers[0].answer, TW_ANSWER_RETRY_PART);
    assert_memory_equal(f.answers[0].retry, ((uint8_t[]){0, 1, 1}), 3);
    assert_string_equal(read_file("full"), "{\"a\":1}\n");
    fake_host_end_sink(&f, type, sink);
    fake_host_done(&f);
}

static void a_file_that_was_moved_or_removed_is_begun_anew(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    tw_delivery d = {.size = sizeof d, .records = pointers, .count = 1, .attempt = 1};

    records[0] = json_record("{\"a\":1}");
    fake_host_init(&f, "file", "out", settings_with("moved", ""));
    const tw_sink_type *type = fake_host_sink_type(&f, "file");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 1));
    char *old = tw_strdup(path_to("log.1"));
    assert_int_equal(rename(path_to("moved"), old), 0);
    records[0] = json_record("{\"b\":2}");
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 2));
    assert_string_equal(read_file("log.1"), "{\"a\":1}\n");
    assert_string_equal(read_file("moved"), "{\"b\":2}\n");
    unlink(path_to("moved"));
    records[0] = json_record("{\"c\":3}");
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 3));
    assert_string_equal(read_file("moved"), "{\"c\":3}\n");
    tw_free(old);
    fake_host_end_sink(&f, type, sink);
    fake_host_done(&f);
}

static void a_path_that_became_no_file_is_tried_again(void **state)
{
    (void)state;
    fake_host f;
    char why[512];
    tw_delivery d = {.size = sizeof d, .records = pointers, .count = 2, .attempt = 1};

    records[0] = records[1] = json_record("{\"a\":1}");
    fake_host_init(&f, "file", "out", settings_with("moved", ""));
    const tw_sink_type *type = fake_host_sink_type(&f, "file");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    unlink(path_to("moved"));
    assert_int_equal(mkfifo(path_to("moved"), 0600), 0);
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 1));
    assert_int_equal(f.answers[0].answer, TW_ANSWER_RETRY);
    unlink(path_to("moved"));
    type->deliver(sink, &d);
    assert_true(fake_host_wait(&f, 2));
    assert_int_equal(f.answers[1].answer, TW_ANSWER_DONE);
    assert_string_equal(read_file("moved"), "{\"a\":1}\n{\"a\":1}\n");
    fake_host_end_sink(&f, type, sink);
    fake_host_done(&f);
}

static void a_sink_that_is_no_file_is_refused(void **state)
{
    (void)state;
    fake_host f;
    char why[512];

    assert_int_equal(mkfifo(path_to("fifo"), 0600), 0);
    fake_host_init(&f, "file", "out", settings_with("fifo", ""));
    assert_null(fake_host_sink(&f, fake_host_sink_type(&f, "file"), why, sizeof why));
    assert_non_null(strstr(why, "is not a file"));
    f.host.settings = settings_with("nowhere/out", "");
    assert_null(fake_host_sink(&f, fake_host_sink_type(&f, "file"), why, sizeof why));
    assert_non_null(strstr(why, "there is no folder file_plugin_"));
    f.host.settings = "{}";
    assert_null(fake_host_sink(&f, fake_host_sink_type(&f, "file"), why, sizeof why));
    assert_string_equal(why, "the setting 'path' is missing");
    fake_host_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_appended_one_a_line),
        cmocka_unit_test(what_is_in_hand_is_written_before_the_sink_has_stopped),
        cmocka_unit_test(a_full_disk_leaves_no_half_line_and_the_rest_is_tried_again),
        cmocka_unit_test(a_file_that_was_moved_or_removed_is_begun_anew),
        cmocka_unit_test(a_path_that_became_no_file_is_tried_again),
        cmocka_unit_test(a_sink_that_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

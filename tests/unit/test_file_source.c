// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/file: its source, on files of a folder of the test's.
 * ctest: threads */
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "file_fixture.h"

typedef struct reading {
    fake_host host;
    const tw_source_type *type;
    void *source;
    char text[8192]; /* "1:line\n2:line\n" */
    int frames;
    int64_t stamp_ms; /* of the last */
} reading;

static void start_reading(reading *r, const char *text)
{
    tw_refusal refusal = {.size = sizeof refusal};
    const char *topics[] = {"events"};

    *r = (reading){0};
    fake_host_init(&r->host, "file", "in", text);
    r->type = fake_host_source_type(&r->host, "file");
    r->source = r->type->open(&r->host.host, topics, 1, &refusal);
    if (!r->source)
        fail_msg("%s", refusal.text);
    assert_int_equal(r->type->start(r->source, &refusal), 0);
    assert_int_equal(r->host.feed_count, 1);
    assert_string_equal(r->host.topics[0], "events");
}

static int poll_once(reading *r)
{
    tw_frame frames[3];
    int n = r->type->poll(r->host.feeds[0], frames, 3);

    for (int i = 0; i < n; i++) {
        size_t at = strlen(r->text);
        snprintf(r->text + at, sizeof r->text - at, "%lld:%.*s\n",
                 (long long)frames[i].offset, (int)frames[i].size, frames[i].data);
        r->stamp_ms = frames[i].time_ms;
    }
    r->type->release(r->host.feeds[0], frames, n);
    r->frames += n;
    return n;
}

static void poll_all(reading *r)
{
    while (poll_once(r) > 0)
        ;
}

static void end_reading(reading *r)
{
    r->type->stop(r->source);
    assert_true(fake_host_wait_flag(&r->host, &r->host.stopped));
    r->type->close(r->source);
    fake_host_done(&r->host);
}

static void lines_come_with_their_numbers_and_then_the_end(void **state)
{
    (void)state;
    reading r;
    write_file("in", "one\r\n\ntwo\nthree\nfour\nlast", "w");
    start_reading(&r, settings_with("in", ""));
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n3:two\n4:three\n5:four\n6:last\n");
    tw_loop_turn(r.host.loop, false);
    assert_int_equal(r.host.feeds_ended, 1);
    assert_int_equal(poll_once(&r), 0);
    end_reading(&r);
}

static void a_followed_file_gives_what_is_added_and_survives_rotation(void **state)
{
    (void)state;
    reading r;
    write_file("log", "one\ntw", "w");
    start_reading(&r, settings_with("log", ", \"follow\": true"));
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n");
    write_file("log", "o\nthree\n", "a");
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n2:two\n3:three\n");
    char *new_name = tw_strdup(path_to("log.1"));
    rename(path_to("log"), new_name);
    tw_free(new_name);
    write_file("log", "four\n", "w");
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n2:two\n3:three\n4:four\n");
    end_reading(&r);
}

/* Who rotates may put up a pipe or a folder for a moment: nobody waits in it, and the file behind it is read. */
static void what_is_no_file_under_a_followed_path_is_passed_over(void **state)
{
    (void)state;
    reading r;
    write_file("log", "one\n", "w");
    start_reading(&r, settings_with("log", ", \"follow\": true"));
    poll_all(&r);
    unlink(path_to("log"));
    assert_int_equal(mkdir(path_to("log"), 0700), 0);
    poll_all(&r);
    rmdir(path_to("log"));
    assert_int_equal(mkfifo(path_to("log"), 0600), 0);
    poll_all(&r);
    unlink(path_to("log"));
    write_file("log", "two\n", "w");
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n2:two\n");
    end_reading(&r);
}

static void a_followed_file_has_been_caught_up_with_at_its_end(void **state)
{
    (void)state;
    reading r;
    write_file("log", "one\ntwo\n", "w");
    start_reading(&r, settings_with("log", ", \"follow\": true"));
    assert_int_equal(poll_once(&r), 2);
    tw_loop_turn(r.host.loop, false);
    assert_int_equal(r.host.feeds_ended, 1);
    write_file("log", "three\n", "a");
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n2:two\n3:three\n");
    tw_loop_turn(r.host.loop, false);
    assert_int_equal(r.host.feeds_ended, 1); /* told once */
    end_reading(&r);
}

static void written_at(const char *name, int64_t at_ms)
{
    struct timespec at = {at_ms / 1000, at_ms % 1000 * 1000000};

    assert_int_equal(utimensat(AT_FDCWD, path_to(name), (struct timespec[]){at, at}, 0),
                     0);
}

static void a_line_is_stamped_with_when_its_file_was_written(void **state)
{
    (void)state;
    reading r;
    write_file("log", "one\n", "w");
    written_at("log", 1700000000123);
    start_reading(&r, settings_with("log", ", \"follow\": true"));
    poll_all(&r);
    assert_int_equal(r.stamp_ms, 1700000000123);
    write_file("log", "two\n", "a");
    written_at("log", 1700000060000);
    poll_all(&r);
    assert_int_equal(r.stamp_ms, 1700000060000);
    end_reading(&r);
}

static void what_was_just_written_is_of_when_it_is_read(void **state)
{
    (void)state;
    reading r;
    write_file("log", "one\n", "w");
    written_at("log", 1700000000000);
    start_reading(&r, settings_with("log", ", \"follow\": true"));
    r.host.now_ms = 1700000001000;
    poll_all(&r);
    assert_int_equal(r.stamp_ms, 1700000001000);
    write_file("log", "two\n", "a");
    written_at("log", 1700000000000);
    r.host.now_ms = 1700000001001;
    poll_all(&r);
    assert_int_equal(r.stamp_ms, 1700000000000);
    end_reading(&r);
}

static void a_file_from_the_future_is_of_now(void **state)
{
    (void)state;
    reading r;
    write_file("in", "one\n", "w");
    written_at("in", 1700000060000);
    start_reading(&r, settings_with("in", ""));
    r.host.now_ms = 1700000000000;
    poll_all(&r);
    assert_int_equal(r.stamp_ms, 1700000000000);
    end_reading(&r);
}

static void a_followed_file_wakes_its_lane(void **state)
{
    (void)state;
    reading r;
    uint64_t rung;
    write_file("log", "one\n", "w");
    start_reading(&r, settings_with("log", ", \"follow\": true, \"start\": \"end\""));
    poll_all(&r);
    assert_string_equal(r.text, "");
    while (read(r.host.wake_fd, &rung, sizeof rung) < 0)
        tw_loop_turn(r.host.loop, true);
    end_reading(&r);
}

static void a_followed_file_that_is_not_there_yet_is_waited_for(void **state)
{
    (void)state;
    reading r;
    uint64_t rung;
    start_reading(&r, settings_with("later", ", \"follow\": true, \"start\": \"end\""));
    assert_non_null(strstr(r.host.trouble, "later is not there yet"));
    poll_all(&r);
    write_file("later", "one\n", "w");
    while (read(r.host.wake_fd, &rung, sizeof rung) < 0)
        tw_loop_turn(r.host.loop, true);
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n");
    tw_loop_turn(r.host.loop, false);
    assert_string_equal(r.host.trouble, "");
    end_reading(&r);
}

static void every_file_that_is_not_there_yet_is_named(void **state)
{
    (void)state;
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    const char *topics[] = {"a.log", "b.log", "in"};

    write_file("in", "", "w");
    snprintf(settings, sizeof settings, "{\"paths\": {\"in\": \"%s\"}, \"follow\": true}",
             path_to("in"));
    fake_host_init(&f, "file", "in", settings);
    const tw_source_type *type = fake_host_source_type(&f, "file");
    void *source = type->open(&f.host, topics, 3, &refusal);
    assert_int_equal(type->start(source, &refusal), 0);
    assert_string_equal(f.trouble, "2 files are not there yet; waiting: a.log, b.log");
    type->stop(source);
    assert_true(fake_host_wait_flag(&f, &f.stopped));
    type->close(source);
    fake_host_done(&f);
}

/* So many that there is no room for them all. */
static void where_there_is_no_room_it_says_how_many_more_are_missing(void **state)
{
    (void)state;
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    static char names[FAKE_FEEDS][256];
    const char *topics[FAKE_FEEDS];

    for (size_t i = 0; i < FAKE_FEEDS; i++) {
        memset(names[i], 'a' + (int)i, 250);
        topics[i] = names[i];
    }
    fake_host_init(&f, "file", "in", "{\"follow\": true}");
    const tw_source_type *type = fake_host_source_type(&f, "file");
    void *source = type->open(&f.host, topics, FAKE_FEEDS, &refusal);
    assert_int_equal(type->start(source, &refusal), 0);
    assert_non_null(strstr(f.trouble, "8 files are not there yet; waiting: aaaa"));
    assert_non_null(strstr(f.trouble, "ddd and 4 more"));
    type->stop(source);
    assert_true(fake_host_wait_flag(&f, &f.stopped));
    type->close(source);
    fake_host_done(&f);
}

static void lines_over_the_limit_are_cut_and_counted(void **state)
{
    (void)state;
    reading r;
    static char big[3000];
    memset(big, 'x', sizeof big - 1);
    write_file("in", "a\n", "w");
    write_file("in", big, "a");
    write_file("in", "\nb\n", "a");
    start_reading(&r, settings_with("in", ", \"max_line\": 1024"));
    poll_all(&r);
    assert_int_equal(r.frames, 3);
    assert_int_equal(strlen(r.text), strlen("1:a\n2:\n3:b\n") + 1024);
    assert_non_null(strstr(r.text, "\n3:b\n"));
    assert_int_equal(fake_host_metric(&r.host, "lines_cut_total"), 1);
    end_reading(&r);
}

static void lines_longer_than_a_block_come_whole(void **state)
{
    (void)state;
    reading r;
    size_t n = 700000;
    char *big = tw_alloc(n + 2);
    memset(big, 'x', n);
    big[n] = '\n';
    write_file("in", "a\n", "w");
    write_file("in", big, "a");
    write_file("in", big, "a");
    start_reading(&r, settings_with("in", ""));
    tw_frame frames[3];
    int got = r.type->poll(r.host.feeds[0], frames, 3);
    assert_int_equal(got, 3);
    assert_int_equal(frames[1].size, n);
    assert_int_equal(frames[2].size, n);
    assert_memory_equal(frames[2].data, big, n);
    r.type->release(r.host.feeds[0], frames, got);
    end_reading(&r);
    tw_free(big);
}

/* Standard input is a pipe of the test's. */
static void standard_input_is_read_without_waiting(void **state)
{
    (void)state;
    reading r;
    uint64_t rung;
    int ends[2], kept = dup(STDIN_FILENO);

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    start_reading(&r, "{\"path\": \"-\"}");
    assert_int_equal(poll_once(&r), 0);
    assert_int_equal(write(ends[1], "one\ntwo", 7), 7);
    while (read(r.host.wake_fd, &rung, sizeof rung) < 0)
        tw_loop_turn(r.host.loop, true);
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n");
    assert_true(r.stamp_ms == TW_NO_TIME);
    close(ends[1]);
    while (read(r.host.wake_fd, &rung, sizeof rung) < 0)
        tw_loop_turn(r.host.loop, true);
    poll_all(&r);
    assert_string_equal(r.text, "1:one\n2:two\n");
    tw_loop_turn(r.host.loop, false);
    assert_int_equal(r.host.feeds_ended, 1);
    end_reading(&r);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

static void a_file_that_is_not_there_is_refused_by_its_name(void **state)
{
    (void)state;
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    const char *topics[] = {"a", "b"};

    fake_host_init(&f, "file", "in", settings_with("nothing", ""));
    const tw_source_type *type = fake_host_source_type(&f, "file");
    assert_null(type->open(&f.host, topics, 1, &refusal));
    assert_non_null(strstr(refusal.text, "nothing: No such file"));
    write_file("in", "", "w");
    f.host.settings = settings_with("in", "");
    assert_null(type->open(&f.host, topics, 2, &refusal));
    assert_non_null(strstr(refusal.text, "'a' and 'b' would both read"));
    fake_host_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_with_their_numbers_and_then_the_end),
        cmocka_unit_test(a_followed_file_gives_what_is_added_and_survives_rotation),
        cmocka_unit_test(what_is_no_file_under_a_followed_path_is_passed_over),
        cmocka_unit_test(a_followed_file_has_been_caught_up_with_at_its_end),
        cmocka_unit_test(a_line_is_stamped_with_when_its_file_was_written),
        cmocka_unit_test(what_was_just_written_is_of_when_it_is_read),
        cmocka_unit_test(a_file_from_the_future_is_of_now),
        cmocka_unit_test(a_followed_file_wakes_its_lane),
        cmocka_unit_test(a_followed_file_that_is_not_there_yet_is_waited_for),
        cmocka_unit_test(every_file_that_is_not_there_yet_is_named),
        cmocka_unit_test(where_there_is_no_room_it_says_how_many_more_are_missing),
        cmocka_unit_test(lines_over_the_limit_are_cut_and_counted),
        cmocka_unit_test(lines_longer_than_a_block_come_whole),
        cmocka_unit_test(standard_input_is_read_without_waiting),
        cmocka_unit_test(a_file_that_is_not_there_is_refused_by_its_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

// SPDX-License-Identifier: Apache-2.0
/* Tests of host/loop: posts from threads, watches and their ends, a clean close. */
#include "host/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

typedef struct seen {
    tw_loop *loop;
    tw_watch *watch;
    int count, events, fd;
    uintptr_t next;
} seen;

typedef struct message {
    seen *to;
    uintptr_t number;
} message;

#define MESSAGES 5000u

static void on_message(void *arg)
{
    message *m = arg;
    assert_int_equal(m->number, m->to->next++);
    if (m->to->next == MESSAGES)
        tw_loop_stop(m->to->loop);
    tw_free(m);
}

static void *post_many(void *arg)
{
    for (uintptr_t i = 0; i < MESSAGES; i++) {
        message *m = tw_alloc(sizeof *m);
        *m = (message){arg, i};
        assert_int_equal(tw_loop_post(m->to->loop, on_message, m), 0);
    }
    return NULL;
}

static void posts_of_a_thread_arrive_in_order(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_many, &s), 0);
    tw_loop_run(s.loop);
    assert_int_equal(s.next, MESSAGES);
    pthread_join(thread, NULL);
    tw_loop_free(s.loop);
}

static void on_due(void *arg)
{
    seen *s = arg;
    if (++s->count == 3)
        tw_loop_stop(s->loop);
}

static void a_timer_repeats_and_starts_again(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    s.watch = tw_loop_timer(s.loop, 0, 1, on_due, &s);
    tw_loop_run(s.loop);
    assert_int_equal(s.count, 3);
    s.count = 2;
    tw_watch_timer_again(s.watch, 5, 0);
    int64_t start = tw_mono_ms();
    tw_loop_run(s.loop);
    assert_int_equal(s.count, 3);
    assert_true(tw_mono_ms() - start >= 4);
    tw_watch_end(s.watch);
    tw_watch_end(NULL);
    tw_loop_free(s.loop);
}

static void on_ready(void *arg, int fd, int events)
{
    seen *s = arg;
    s->fd = fd;
    s->events = events;
    s->count++;
}

static void a_descriptor_is_told_ready(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    s.watch = tw_loop_fd(s.loop, fds[0], 1, on_ready, &s);
    tw_loop_turn(s.loop, false);
    assert_int_equal(s.count, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(tw_loop_turn(s.loop, true));
    assert_int_equal(s.count, 1);
    assert_int_equal(s.fd, fds[0]);
    assert_int_equal(s.events, 1);
    tw_watch_change(s.watch, 0);
    tw_loop_turn(s.loop, false);
    assert_int_equal(s.count, 1);
    tw_watch_change(s.watch, 1);
    tw_loop_turn(s.loop, false);
    assert_int_equal(s.count, 2);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    tw_watch_end(s.watch);
    tw_loop_turn(s.loop, false);
    assert_false(tw_loop_turn(s.loop, false));
    close(fds[0]);
    close(fds[1]);
    tw_loop_free(s.loop);
}

static void end_yourself(void *arg)
{
    seen *s = arg;
    s->count++;
    tw_watch_end(s->watch);
    tw_watch_end(s->watch); /* twice is once */
}

static void an_ended_watch_is_never_called_again(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    s.watch = tw_loop_timer(s.loop, 0, 1, end_yourself, &s);
    while (tw_loop_turn(s.loop, true))
        ;
    assert_int_equal(s.count, 1);
    tw_loop_free(s.loop);
}

static void on_caught(void *arg, int signum)
{
    seen *s = arg;
    s->events = signum;
    tw_loop_stop(s->loop);
}

static void a_signal_is_caught_on_the_loop(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    assert_non_null(tw_loop_signal(s.loop, SIGHUP, on_caught, &s));
    assert_int_equal(raise(SIGHUP), 0);
    tw_loop_run(s.loop);
    assert_int_equal(s.events, SIGHUP);
    tw_loop_free(s.loop);
}

static void what_cannot_be_watched_gives_nothing(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    assert_null(tw_loop_fd(s.loop, 9999, 1, on_ready, &s));
    assert_null(tw_loop_folder(s.loop, "/no/such/folder", on_due, &s));
    assert_null(tw_loop_signal(s.loop, SIGKILL, on_caught, &s));
    tw_loop_free(s.loop);
}

static void on_folder_change(void *arg)
{
    seen *s = arg;
    s->count++;
    tw_loop_stop(s->loop);
}

static void a_new_file_in_a_folder_is_told(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    char dir[] = "/tmp/tw_test_loop.XXXXXX", file[64];
    assert_non_null(mkdtemp(dir));
    assert_non_null(tw_loop_folder(s.loop, dir, on_folder_change, &s));
    snprintf(file, sizeof file, "%s/x", dir);
    fclose(fopen(file, "w"));
    tw_loop_run(s.loop);
    assert_true(s.count > 0);
    tw_loop_free(s.loop);
    unlink(file);
    rmdir(dir);
}

static void closing_ends_what_is_left(void **state)
{
    (void)state;
    seen s = {.loop = tw_loop_new(NULL)};
    assert_non_null(tw_loop_timer(s.loop, 100000, 0, on_due, &s));
    tw_watch_end(tw_loop_timer(s.loop, 100000, 0, on_due, &s));
    tw_loop_post(s.loop, on_due, &s);
    tw_loop_free(s.loop);
    assert_int_equal(s.count, 0);
    tw_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_a_thread_arrive_in_order),
        cmocka_unit_test(a_timer_repeats_and_starts_again),
        cmocka_unit_test(a_descriptor_is_told_ready),
        cmocka_unit_test(an_ended_watch_is_never_called_again),
        cmocka_unit_test(a_signal_is_caught_on_the_loop),
        cmocka_unit_test(what_cannot_be_watched_gives_nothing),
        cmocka_unit_test(a_new_file_in_a_folder_is_told),
        cmocka_unit_test(closing_ends_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

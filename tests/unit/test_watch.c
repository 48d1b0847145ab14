// SPDX-License-Identifier: Apache-2.0
/* Tests of host/watch: edits, new files, replaced files and swapped links are told once; what
 * changes no content is not told. */
#include "host/watch.h"

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

#define QUIET_MS 5
#define NEVER_MS 1000000

typedef struct fixture {
    tw_loop *loop;
    tw_file_watch *watch;
    tw_watch *patience;
    char dir[32];
    int told;
    bool gave_up;
} fixture;

static void on_changed(void *arg)
{
    ((fixture *)arg)->told++;
}

static void on_patience_ends(void *arg)
{
    ((fixture *)arg)->gave_up = true;
}

static char *in_dir(const fixture *f, const char *name)
{
    return tw_asprintf("%s/%s", f->dir, name);
}

static void write_file(const fixture *f, const char *name, const char *text)
{
    char *path = in_dir(f, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    tw_free(path);
}

static int make(void **state)
{
    fixture *f = tw_alloc(sizeof *f);
    memcpy(f->dir, "/tmp/tw_test_watch.XXXXXX", 26);
    assert_non_null(mkdtemp(f->dir));
    f->loop = tw_loop_new(NULL);
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    tw_file_watch_free(f->watch);
    tw_loop_free(f->loop);
    char *command = tw_asprintf("rm -r %s", f->dir);
    int rc = system(command);
    tw_free(command);
    tw_free(f);
    return rc;
}

static void watch(fixture *f, const char *path, int64_t poll_ms)
{
    f->watch = tw_file_watch_new(f->loop, &path, 1, QUIET_MS, poll_ms, on_changed, f);
}

/* Turns the loop until something is told or ms are over; how often it was told. */
static int told_within(fixture *f, int64_t ms)
{
    f->told = 0;
    f->gave_up = false;
    f->patience = tw_loop_timer(f->loop, ms, 0, on_patience_ends, f);
    while (!f->gave_up && f->told == 0)
        tw_loop_turn(f->loop, true);
    tw_watch_end(f->patience);
    return f->told;
}

static void an_edit_is_told_once(void **state)
{
    fixture *f = *state;
    write_file(f, "a.lua", "one");
    watch(f, f->dir, NEVER_MS);
    write_file(f, "a.lua", "two");
    write_file(f, "b.lua", "new");
    assert_int_equal(told_within(f, 10000), 1);
    assert_int_equal(told_within(f, 50), 0);
    char *path = in_dir(f, "a.lua");
    unlink(path);
    tw_free(path);
    assert_int_equal(told_within(f, 10000), 1);
}

static void writing_the_same_again_is_not_told(void **state)
{
    fixture *f = *state;
    write_file(f, "a.lua", "one");
    watch(f, f->dir, NEVER_MS);
    write_file(f, "a.lua", "one");
    write_file(f, ".a.lua.swp", "an editor's own");
    assert_int_equal(told_within(f, 60), 0);
}

static void a_new_folder_is_watched_too(void **state)
{
    fixture *f = *state;
    watch(f, f->dir, NEVER_MS);
    char *sub = in_dir(f, "team");
    assert_int_equal(mkdir(sub, 0700), 0);
    tw_free(sub);
    assert_int_equal(told_within(f, 10000), 1);
    write_file(f, "team/a.lua", "one");
    assert_int_equal(told_within(f, 10000), 1);
    write_file(f, "team/a.lua", "two");
    assert_int_equal(told_within(f, 10000), 1);
}

static void a_replaced_file_is_told_again_and_again(void **state)
{
    fixture *f = *state;
    write_file(f, "t.csv", "0");
    char *path = in_dir(f, "t.csv"), *aside = in_dir(f, "t.csv.new");
    watch(f, path, NEVER_MS);
    for (int i = 1; i < 4; i++) {
        char text[2] = {(char)('0' + i)};
        write_file(f, "t.csv.new", text);
        assert_int_equal(rename(aside, path), 0);
        assert_int_equal(told_within(f, 10000), 1);
    }
    tw_free(path);
    tw_free(aside);
}

/* As Kubernetes does it: files are links through `..data`, which is renamed over. */
static void a_swapped_configmap_is_told(void **state)
{
    fixture *f = *state;
    char *v1 = in_dir(f, "..v1"), *v2 = in_dir(f, "..v2"), *data = in_dir(f, "..data"),
         *next = in_dir(f, "..data_tmp"), *file = in_dir(f, "rule.lua");
    assert_int_equal(mkdir(v1, 0700) | mkdir(v2, 0700), 0);
    write_file(f, "..v1/rule.lua", "one");
    write_file(f, "..v2/rule.lua", "two");
    assert_int_equal(symlink("..v1", data) | symlink("..data/rule.lua", file), 0);
    watch(f, f->dir, NEVER_MS);
    assert_int_equal(symlink("..v2", next) | rename(next, data), 0);
    assert_int_equal(told_within(f, 10000), 1);
    tw_free(v1);
    tw_free(v2);
    tw_free(data);
    tw_free(next);
    tw_free(file);
}

/* Its parent went too, so that only the poll can find that it is back; from then on it is watched. */
static void a_configmap_that_went_and_came_is_watched_again(void **state)
{
    fixture *f = *state;
    char *mount = in_dir(f, "mnt"), *v1 = in_dir(f, "mnt/..v1"),
         *v2 = in_dir(f, "mnt/..v2"), *rules = in_dir(f, "mnt/rules"),
         *next = in_dir(f, "mnt/..next"), *aside = in_dir(f, "aside");
    assert_int_equal(mkdir(mount, 0700) | mkdir(v1, 0700) | mkdir(v2, 0700), 0);
    write_file(f, "mnt/..v1/a.lua", "one");
    write_file(f, "mnt/..v2/a.lua", "two");
    assert_int_equal(symlink("..v1", rules), 0);
    watch(f, rules, 1500);
    assert_int_equal(rename(mount, aside), 0);
    assert_int_equal(told_within(f, 10000), 1);
    assert_int_equal(rename(aside, mount), 0);
    assert_int_equal(told_within(f, 10000), 1);
    assert_int_equal(symlink("..v2", next) | rename(next, rules), 0);
    assert_int_equal(told_within(f, 700), 1);
    tw_free(mount);
    tw_free(v1);
    tw_free(v2);
    tw_free(rules);
    tw_free(next);
    tw_free(aside);
}

/* The link leads out of what is watched, so no notification comes. */
static void the_poll_finds_what_nobody_told(void **state)
{
    fixture *f = *state;
    char *out = in_dir(f, "out"), *in = in_dir(f, "in"), *link = in_dir(f, "in/a.lua");
    assert_int_equal(mkdir(out, 0700) | mkdir(in, 0700), 0);
    write_file(f, "out/a.lua", "one");
    assert_int_equal(symlink("../out/a.lua", link), 0);
    watch(f, in, 5);
    assert_int_equal(told_within(f, 30), 0);
    write_file(f, "out/a.lua", "two");
    assert_int_equal(told_within(f, 10000), 1);
    tw_free(out);
    tw_free(in);
    tw_free(link);
}

static void links_in_a_circle_end(void **state)
{
    fixture *f = *state;
    char *a = in_dir(f, "a"), *b = in_dir(f, "b");
    assert_int_equal(symlink(".", a) | symlink(".", b), 0);
    watch(f, f->dir, NEVER_MS);
    write_file(f, "x.lua", "one");
    assert_int_equal(told_within(f, 10000), 1);
    tw_free(a);
    tw_free(b);
}

static void what_does_not_exist_yet_is_told_when_it_comes(void **state)
{
    fixture *f = *state;
    char *path = in_dir(f, "later.csv");
    watch(f, path, NEVER_MS);
    write_file(f, "later.csv", "x");
    assert_int_equal(told_within(f, 10000), 1);
    tw_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_edit_is_told_once, make, unmake),
        cmocka_unit_test_setup_teardown(writing_the_same_again_is_not_told, make, unmake),
        cmocka_unit_test_setup_teardown(a_new_folder_is_watched_too, make, unmake),
        cmocka_unit_test_setup_teardown(a_replaced_file_is_told_again_and_again, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_swapped_configmap_is_told, make, unmake),
        cmocka_unit_test_setup_teardown(a_configmap_that_went_and_came_is_watched_again,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(the_poll_finds_what_nobody_told, make, unmake),
        cmocka_unit_test_setup_teardown(links_in_a_circle_end, make, unmake),
        cmocka_unit_test_setup_teardown(what_does_not_exist_yet_is_told_when_it_comes,
                                        make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

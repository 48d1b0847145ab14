// SPDX-License-Identifier: Apache-2.0
/* plugins/template, copied out of the tree, builds by its own CMakeLists.txt against an installed
 * header, loads, and delivers to a host that is a handful of functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/plugin.h"

static char dir[40];

static int run(const char *format)
{
    char *command = tw_asprintf("exec >'%s/log' 2>&1; cd '%s' && %s", dir, dir, format);
    int rc = system(command);
    tw_free(command);
    if (rc != 0) {
        char *show = tw_asprintf("cat '%s/log' >&2", dir);
        rc = system(show) | 1;
        tw_free(show);
    }
    return rc;
}

static int build(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tw_test_template.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    return run(
        "mkdir -p usr/include/tidewatch && "
        "cp '" TW_SOURCE_DIR "/plugins/tidewatch.h' usr/include/tidewatch/ && "
        "cp -r '" TW_SOURCE_DIR "/plugins/template' mine && "
        "cmake -S mine -B build -DCMAKE_PREFIX_PATH=\"$PWD/usr\" && cmake --build build");
}

static int clean(void **state)
{
    (void)state;
    char *command = tw_asprintf("rm -r '%s'", dir);
    int rc = system(command);
    tw_free(command);
    return rc;
}

/* ---- a host ---- */

static struct said {
    int stopped, done;
    uint64_t counted;
    tw_answer_class answer;
    char trouble[128];
} said;

static tw_metric *make_metric(const tw_host *h, const char *name, const char *help)
{
    (void)h;
    (void)name;
    (void)help;
    return (tw_metric *)&said.counted;
}

static void add(tw_metric *m, uint64_t n)
{
    *(uint64_t *)m += n;
}

static void on_stopped(const tw_host *h)
{
    (void)h;
    said.stopped++;
}

static void on_trouble(const tw_host *h, const char *text)
{
    (void)h;
    snprintf(said.trouble, sizeof said.trouble, "%s", text ? text : "");
}

static void on_done(const tw_host *h, struct tw_delivery *delivery,
                    const struct tw_answer *answer)
{
    (void)h;
    (void)delivery;
    said.done++;
    said.answer = answer->answer;
}

static tw_host host_of(const char *settings)
{
    memset(&said, 0, sizeof said);
    return (tw_host){.size = sizeof(tw_host),
                     .name = "archive",
                     .settings = settings,
                     .counter = make_metric,
                     .add = add,
                     .stopped = on_stopped,
                     .trouble = on_trouble,
                     .done = on_done};
}

static const tw_sink_type *load(tw_plugins **out)
{
    tw_err err = {0};
    char *path = tw_asprintf("%s/build/append.so", dir);
    *out = tw_plugins_new();
    if (tw_plugins_load(*out, path, &err) < 0)
        fail_msg("%s", err.text);
    tw_free(path);
    return tw_plugins_sink(*out, "append", NULL);
}

/* ---- tests ---- */

static void a_copy_loads_and_delivers(void **state)
{
    (void)state;
    tw_plugins *p;
    const tw_sink_type *type = load(&p);
    char *settings = tw_asprintf("{\"path\": \"%s/out\"}", dir);
    tw_host h = host_of(settings);
    tw_refusal refusal = {.size = sizeof refusal};
    void *sink = type->open(&h, &refusal);
    assert_non_null(sink);
    assert_int_equal(type->start(sink, &refusal), 0);
    tw_record a = {.size = sizeof a, .json = "{\"n\":1}", .json_size = 7};
    tw_record b = {.size = sizeof b, .json = "{\"n\":2}", .json_size = 7};
    const tw_record *records[] = {&a, &b};
    tw_delivery d = {.size = sizeof d, .records = records, .count = 2, .attempt = 1};
    type->deliver(sink, &d);
    assert_int_equal(said.done, 1);
    assert_int_equal(said.answer, TW_ANSWER_DONE);
    assert_int_equal(said.counted, 2);
    type->stop(sink);
    assert_int_equal(said.stopped, 1);
    type->close(sink);

    char *path = tw_asprintf("%s/out", dir), text[64];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_string_equal(text, "{\"n\":1}\n{\"n\":2}\n");
    tw_free(path);
    tw_free(settings);
    tw_plugins_free(p);
}

static void a_full_disk_is_answered_with_retry(void **state)
{
    (void)state;
    tw_plugins *p;
    const tw_sink_type *type = load(&p);
    tw_host h = host_of("{\"path\": \"/dev/full\"}");
    tw_refusal refusal = {.size = sizeof refusal};
    void *sink = type->open(&h, &refusal);
    assert_int_equal(type->start(sink, &refusal), 0);
    tw_record a = {.size = sizeof a, .json = "{}", .json_size = 2};
    const tw_record *records[] = {&a};
    tw_delivery d = {.size = sizeof d, .records = records, .count = 1, .attempt = 1};
    type->deliver(sink, &d);
    assert_int_equal(said.answer, TW_ANSWER_RETRY);
    assert_non_null(strstr(said.trouble, "No space left"));
    type->stop(sink);
    type->close(sink);
    tw_plugins_free(p);
}

static void is_refused(const tw_sink_type *type, const char *settings, const char *why)
{
    tw_host h = host_of(settings);
    tw_refusal refusal = {.size = sizeof refusal};
    assert_null(type->open(&h, &refusal));
    assert_non_null(strstr(refusal.text, why));
}

static void settings_that_are_wrong_are_refused_in_words(void **state)
{
    (void)state;
    tw_plugins *p;
    const tw_sink_type *type = load(&p);
    is_refused(type, "{}", "\"path\" is missing");
    is_refused(type, "{\"path\": \"/tmp/x\", \"pth\": 1}", "unknown setting \"pth\"");
    tw_host h = host_of("{\"path\": \"/no/such/folder/x\"}");
    tw_refusal refusal = {.size = sizeof refusal};
    void *sink = type->open(&h, &refusal);
    assert_true(type->start(sink, &refusal) < 0);
    assert_non_null(strstr(refusal.text, "/no/such/folder/x: No such file"));
    type->close(sink);
    tw_plugins_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_loads_and_delivers),
        cmocka_unit_test(a_full_disk_is_answered_with_retry),
        cmocka_unit_test(settings_that_are_wrong_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, build, clean);
}

// SPDX-License-Identifier: Apache-2.0
/* Tests of host/plugin: what loads, how each way to be wrong is refused, how kinds are found. The
 * plugins are variants of tests/unit/plugins/variants.c. */
#include "host/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define DIR TW_BUILD_DIR "/tests/unit/plugins/"

static void is_refused(const char *path, int code, const char *why)
{
    tw_plugins *p = tw_plugins_new();
    tw_err err = {0};
    assert_int_equal(tw_plugins_load(p, path, &err), code);
    if (strncmp(err.text, path, strlen(path)) != 0 || !strstr(err.text, why))
        fail_msg("said \"%s\"", err.text);
    assert_int_equal(tw_plugins_count(p), 0);
    tw_plugins_free(p);
}

static void a_good_plugin_loads_and_its_kinds_are_found(void **state)
{
    (void)state;
    tw_plugins *p = tw_plugins_new();
    assert_int_equal(tw_plugins_load(p, DIR "good.so", NULL), TW_OK);
    assert_int_equal(tw_plugins_load(p, DIR "good.so", NULL), TW_OK);
    assert_int_equal(tw_plugins_count(p), 1);
    const char *path;
    assert_string_equal(tw_plugins_at(p, 0, &path)->version, "1.2.3");
    assert_string_equal(path, DIR "good.so");
    assert_string_equal(tw_plugins_source(p, "brook", NULL)->kind, "brook");
    assert_string_equal(tw_plugins_sink(p, "bucket", NULL)->kind, "bucket");
    tw_plugins_free(p);
    tw_plugins_free(NULL);
}

static void an_unknown_kind_names_the_nearest_or_all(void **state)
{
    (void)state;
    tw_plugins *p = tw_plugins_new();
    tw_err err = {0};
    assert_null(tw_plugins_sink(p, "bucket", &err));
    assert_non_null(strstr(err.text, "there is: none"));
    assert_int_equal(tw_plugins_load(p, DIR "good.so", NULL), TW_OK);
    assert_null(tw_plugins_sink(p, "buckett", &err));
    assert_int_equal(err.code, TW_ENOTFOUND);
    assert_non_null(strstr(err.text, "did you mean \"bucket\"?"));
    assert_null(tw_plugins_source(p, "carrier-pigeon", &err));
    assert_non_null(strstr(err.text, "there is: brook"));
    tw_plugins_free(p);
}

static void a_descriptor_that_has_grown_still_loads(void **state)
{
    (void)state;
    tw_plugins *p = tw_plugins_new();
    assert_int_equal(tw_plugins_load(p, DIR "newer.so", NULL), TW_OK);
    tw_plugins_free(p);
}

static void each_fault_is_refused_with_its_reason(void **state)
{
    (void)state;
    is_refused(DIR "no_such_file.so", TW_EIO, "No such file");
    is_refused(DIR "CMakeFiles", TW_EIO, "does not load");
    is_refused(DIR "no_descriptor.so", TW_EINVAL, "exports no tw_plugin_descriptor");
    is_refused(DIR "other_abi.so", TW_EINVAL, "ABI 2, this engine speaks ABI 1");
    is_refused(DIR "small_descriptor.so", TW_EINVAL, "descriptor is 8 bytes");
    is_refused(DIR "no_name.so", TW_EINVAL, "no usable name");
    is_refused(DIR "no_version.so", TW_EINVAL, "no version");
    is_refused(DIR "empty.so", TW_EINVAL, "neither a source nor a sink");
    is_refused(DIR "small_sink.so", TW_EINVAL, "sink type is");
    is_refused(DIR "bad_kind.so", TW_EINVAL, "no usable kind");
    is_refused(DIR "bad_settings.so", TW_EINVAL, "settings schema of sink \"barrel\"");
    is_refused(DIR "no_deliver.so", TW_EINVAL, "leaves out the function `deliver`");
    is_refused(DIR "no_poll.so", TW_EINVAL, "leaves out the function `poll`");
}

static void a_kind_is_offered_by_one_plugin_only(void **state)
{
    (void)state;
    tw_plugins *p = tw_plugins_new();
    tw_err err = {0};
    assert_int_equal(tw_plugins_load(p, DIR "good.so", NULL), TW_OK);
    assert_int_equal(tw_plugins_load(p, DIR "taken.so", &err), TW_EINVAL);
    assert_non_null(strstr(err.text, "taken.so: sink \"bucket\" is offered by"));
    assert_int_equal(tw_plugins_count(p), 1);
    tw_plugins_free(p);
}

static void a_folder_is_loaded_whole_or_refused(void **state)
{
    (void)state;
    char dir[] = "/tmp/tw_test_plugin.XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *good = tw_asprintf("%s/good.so", dir), *bad = tw_asprintf("%s/x.so", dir),
         *other = tw_asprintf("%s/README", dir);
    assert_int_equal(symlink(DIR "good.so", good) | symlink("nothing", other), 0);
    tw_plugins *p = tw_plugins_new();
    assert_int_equal(tw_plugins_load_dir(p, dir, NULL), TW_OK);
    assert_int_equal(tw_plugins_count(p), 1);
    assert_int_equal(symlink(DIR "other_abi.so", bad), 0);
    tw_err err = {0};
    assert_int_equal(tw_plugins_load_dir(p, dir, &err), TW_EINVAL);
    assert_non_null(strstr(err.text, "x.so: it was built for"));
    tw_plugins_free(p);
    unlink(good);
    unlink(bad);
    unlink(other);
    rmdir(dir);
    p = tw_plugins_new();
    assert_int_equal(tw_plugins_load_dir(p, dir, &err), TW_EIO);
    tw_plugins_free(p);
    tw_free(good);
    tw_free(bad);
    tw_free(other);
}

static void the_default_folder_lies_beside_the_program(void **state)
{
    (void)state;
    char *dir = tw_plugins_default_dir();
    assert_non_null(strstr(dir, "/tests/unit/plugins"));
    tw_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_plugin_loads_and_its_kinds_are_found),
        cmocka_unit_test(an_unknown_kind_names_the_nearest_or_all),
        cmocka_unit_test(a_descriptor_that_has_grown_still_loads),
        cmocka_unit_test(each_fault_is_refused_with_its_reason),
        cmocka_unit_test(a_kind_is_offered_by_one_plugin_only),
        cmocka_unit_test(a_folder_is_loaded_whole_or_refused),
        cmocka_unit_test(the_default_folder_lies_beside_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

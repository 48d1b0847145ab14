// SPDX-License-Identifier: Apache-2.0
/* Each file of tests/unit/rules/bad says in its last lines what must be found in it, every finding and
 * nothing else: `--! LINE:COLUMN: text` (`warning: ` in front of a warning's text, column 0 where
 * there is none). Files of tests/unit/rules/good must have no finding. */
#include <dirent.h>

#include "base/buf.h"
#include "rules_fixture.h"

#define FOLDER TW_SOURCE_DIR "/tests/unit/rules"

static char *read_expected(const char *path)
{
    char line[2048];
    tw_buf out;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    tw_buf_init(&out, 65536);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "--! ", 4) == 0)
            tw_buf_add_str(&out, line + 4);
    fclose(f);
    return tw_buf_take(&out, NULL);
}

/* Where a text names a file of the folder, without the folder. */
static void add_text(tw_buf *out, const char *text)
{
    const char *at = strstr(text, FOLDER "/");
    if (at)
        tw_buf_add(out, text, (size_t)(at - text));
    tw_buf_printf(out, "%s\n", at ? at + strlen(FOLDER "/") : text);
}

static char *list_found(const tw_findings *found)
{
    tw_buf out;
    tw_buf_init(&out, 65536);
    for (size_t i = 0; i < found->count; i++) {
        const tw_err *e = &found->items[i].err;
        tw_buf_printf(&out, "%d:%d: %s", e->line, e->column,
                      found->items[i].warning ? "warning: " : "");
        add_text(&out, e->text);
    }
    return tw_buf_take(&out, NULL);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_rule_file(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 4 && strcmp(e->d_name + n - 4, ".lua") == 0;
}

static int check_folder(rules_fixture *x, const char *name, int *out_files)
{
    struct dirent **files;
    char path[1024];
    int wrong = 0, count;

    snprintf(path, sizeof path, FOLDER "/%s", name);
    count = scandir(path, &files, is_rule_file, by_name);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, FOLDER "/%s/%s", name, files[i]->d_name);
        load_path(x, path);
        char *expected = read_expected(path), *found = list_found(&x->findings);
        if (strcmp(expected, found) != 0) {
            print_error("%s\nexpected:\n%s", path, expected); /* a call prints 1 KiB */
            print_error("found:\n%s", found);
            wrong++;
        }
        tw_free(expected);
        tw_free(found);
        free(files[i]);
    }
    free(files);
    *out_files = count;
    return wrong;
}

static void every_mistake_is_found_at_its_place(void **state)
{
    int files;
    ((rules_fixture *)*state)->options.tests = true;
    assert_int_equal(check_folder(*state, "bad", &files), 0);
    assert_true(files >= 50);
}

/* What a file may do to whoever loads it. ThreadSanitizer holds the signal back that stops it. */
static void hostile_files_are_stopped_at_their_line(void **state)
{
#if defined(__SANITIZE_THREAD__)
    (void)state;
    skip();
#else
    int files;
    rules_fixture *x = *state;
    x->options.load_cpu_ms = 1000;
    assert_int_equal(check_folder(x, "hostile", &files), 0);
    assert_true(files >= 5);
#endif
}

static void what_is_right_has_no_finding(void **state)
{
    int files;
    assert_int_equal(check_folder(*state, "good", &files), 0);
    assert_true(files >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_mistake_is_found_at_its_place, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(hostile_files_are_stopped_at_their_line,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(what_is_right_has_no_finding, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

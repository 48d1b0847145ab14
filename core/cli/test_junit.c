// SPDX-License-Identifier: Apache-2.0
/* See test_junit.h. One testsuite a file, one testcase a test; owns the text until it is written. */
#include "cli/test_junit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define MAX_BYTES (64u << 20)

struct tw_junit {
    tw_buf cases;  /* of the suite that is open */
    tw_buf suites; /* closed ones */
    char *file;    /* of the suite that is open; NULL: none */
    uint32_t tests, failures, all_tests, all_failures;
    int64_t duration_us;
};

tw_junit *tw_junit_new(void)
{
    tw_junit *j = tw_alloc(sizeof *j);

    tw_buf_init(&j->cases, MAX_BYTES);
    tw_buf_init(&j->suites, MAX_BYTES);
    return j;
}

void tw_junit_free(tw_junit *j)
{
    if (!j)
        return;
    tw_buf_done(&j->cases);
    tw_buf_done(&j->suites);
    tw_free(j->file);
    tw_free(j);
}

/* What XML 1.0 has no place for, even escaped, becomes a question mark. */
static void add_escaped(tw_buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch == '<')
            tw_buf_add_str(out, "&lt;");
        else if (ch == '>')
            tw_buf_add_str(out, "&gt;");
        else if (ch == '&')
            tw_buf_add_str(out, "&amp;");
        else if (ch == '"')
            tw_buf_add_str(out, "&quot;");
        else if (ch == '\n')
            tw_buf_add_str(out, "&#10;");
        else
            tw_buf_add_char(out, ch < 0x20 && ch != '\t' ? '?' : *p);
    }
}

static void add_attribute(tw_buf *out, const char *name, const char *value)
{
    tw_buf_printf(out, " %s=\"", name);
    add_escaped(out, value);
    tw_buf_add_char(out, '"');
}

static void add_seconds(tw_buf *out, int64_t us)
{
    tw_buf_printf(out, " time=\"%" PRId64 ".%06d\"", us / 1000000, (int)(us % 1000000));
}

static void close_suite(tw_junit *j)
{
    if (!j->file)
        return;
    tw_buf_add_str(&j->suites, "  <testsuite");
    add_attribute(&j->suites, "name", j->file);
    tw_buf_printf(&j->suites, " tests=\"%u\" failures=\"%u\" errors=\"0\"", j->tests,
                  j->failures);
    add_seconds(&j->suites, j->duration_us);
    tw_buf_add_str(&j->suites, ">\n");
    tw_buf_add(&j->suites, j->cases.data, j->cases.len);
    tw_buf_add_str(&j->suites, "  </testsuite>\n");
    tw_buf_reset(&j->cases);
    j->all_tests += j->tests;
    j->all_failures += j->failures;
    j->tests = j->failures = 0;
    j->duration_us = 0;
    tw_free(j->file);
    j->file = NULL;
}

void tw_junit_add(tw_junit *j, const tw_rule_test *t, const tw_ruletest_outcome *o)
{
    char line[16];

    if (j->file && strcmp(j->file, t->file) != 0)
        close_suite(j);
    if (!j->file)
        j->file = tw_strdup(t->file);
    snprintf(line, sizeof line, "%d", t->place.line);
    tw_buf_add_str(&j->cases, "    <testcase");
    add_attribute(&j->cases, "classname", t->rules[0]);
    add_attribute(&j->cases, "name", t->name);
    add_attribute(&j->cases, "file", t->file);
    add_attribute(&j->cases, "line", line);
    add_seconds(&j->cases, o->duration_us);
    if (o->passed) {
        tw_buf_add_str(&j->cases, "/>\n");
    } else {
        tw_buf_add_str(&j->cases, ">\n      <failure");
        add_attribute(&j->cases, "message", o->summary);
        tw_buf_add_char(&j->cases, '>');
        add_escaped(&j->cases, o->report);
        tw_buf_add_str(&j->cases, "</failure>\n    </testcase>\n");
    }
    j->tests++;
    j->failures += !o->passed;
    j->duration_us += o->duration_us;
}

int tw_junit_write(tw_junit *j, const char *path, tw_err *err)
{
    bool good;

    close_suite(j);
    if (j->suites.failed || j->cases.failed)
        return tw_err_set(err, TW_ELIMIT, "%s: there is more to say than 64 MiB hold",
                          path);
    FILE *out = fopen(path, "w");
    if (!out)
        return tw_err_set(err, TW_EIO, "%s: %s", path, strerror(errno));
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%u\" "
            "failures=\"%u\">\n",
            j->all_tests, j->all_failures);
    fwrite(j->suites.data, 1, j->suites.len, out);
    fputs("</testsuites>\n", out);
    good = fflush(out) == 0 && !ferror(out);
    int why = errno;
    if (fclose(out) == 0 && good)
        return TW_OK;
    return tw_err_set(err, TW_EIO, "%s: %s", path, strerror(why));
}

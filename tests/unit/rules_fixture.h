// SPDX-License-Identifier: Apache-2.0
/* Streams and a temporary folder for the tests of the rule language. */
#ifndef TW_TESTS_RULES_FIXTURE_H
#define TW_TESTS_RULES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "rule/rules.h"

static const char *const fixture_routes[] = {"ops", "pagerduty", NULL};
static const char *const fixture_tables[] = {"service_owner", "inventory", "staff", NULL};
static const bool fixture_history[] = {true, false, false};

typedef struct rules_fixture {
    char dir[64];
    tw_declared *staff; /* the columns of the one table that has been read */
    const tw_declared *columns[4];
    tw_rule_options options;
    tw_rule_files *set;
    tw_findings findings;
} rules_fixture;

static inline void close_rules(rules_fixture *x)
{
    tw_rule_files_unref(x->set);
    tw_findings_done(&x->findings);
    x->set = NULL;
}

static inline void load_path(rules_fixture *x, const char *path)
{
    close_rules(x);
    x->set = tw_rules_load(&path, 1, &x->options, &x->findings);
    assert_non_null(x->set);
}

static inline void write_rules(rules_fixture *x, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", x->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Loads the text as the only file. */
static inline void load_rules(rules_fixture *x, const char *text)
{
    char path[128];
    write_rules(x, "rule.lua", text);
    snprintf(path, sizeof path, "%s/rule.lua", x->dir);
    load_path(x, path);
}

static inline const char *first_finding(const rules_fixture *x)
{
    return x->findings.count ? x->findings.items[0].err.text : "";
}

/* The one rule of a text that has no findings. */
static inline const tw_rule *one_rule(rules_fixture *x, const char *text)
{
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_files_rule_count(x->set), 1);
    return tw_rule_files_rule(x->set, 0);
}

/* A stream that declares its fields, as a strict one of a configuration does. */
static inline void add_strict_stream(tw_streams *streams)
{
    tw_declared *d = tw_streams_add(streams, "orders")->declared = tw_declared_new();

    tw_declared_add(d, "service", TW_DECLARED_TEXT);
    tw_declared_add(d, "host", TW_DECLARED_TEXT);
    tw_declared_add(d, "code", TW_DECLARED_NUMBER);
    tw_declared_add(d, "ok", TW_DECLARED_BOOL);
    tw_declared_add(d, "tags", TW_DECLARED_LIST);
    tw_declared_add(d, "labels", TW_DECLARED_MAP);
    tw_declared_add(d, "detail.kind", TW_DECLARED_TEXT);
    tw_declared_add(d, "note", TW_DECLARED_ANY);
}

static int open_rules(void **state)
{
    rules_fixture *x = calloc(1, sizeof *x);
    tw_log_setup(stderr, TW_LOG_ERROR, TW_LOG_LOGFMT);
    snprintf(x->dir, sizeof x->dir, "/tmp/tw-rules-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    x->options = (tw_rule_options){.streams = tw_streams_new(),
                                   .routes = fixture_routes,
                                   .tables = fixture_tables,
                                   .table_history = fixture_history,
                                   .load_cpu_ms = 2000,
                                   .cpu_ms = 1000};
    x->staff = tw_declared_new();
    tw_declared_add(x->staff, "team", TW_DECLARED_ANY);
    tw_declared_add(x->staff, "on_call", TW_DECLARED_ANY);
    tw_declared_add(x->staff, "state", TW_DECLARED_ANY);
    x->columns[2] = x->staff;
    x->options.table_columns = x->columns;
    add_strict_stream(x->options.streams);
    tw_streams_add(x->options.streams, "events");
    tw_streams_add(x->options.streams, "requests");
    tw_stream *keyed = tw_streams_add(x->options.streams, "keyed");
    keyed->key_path = strdup("host"); /* tw_streams_free gives it to tw_free */
    *state = x;
    return tw_rule_thread_enter(NULL);
}

static int shut_rules(void **state)
{
    rules_fixture *x = *state;
    char command[128];
    close_rules(x);
    tw_rule_thread_leave();
    tw_streams_free(x->options.streams);
    tw_declared_free(x->staff);
    snprintf(command, sizeof command, "rm -r %s", x->dir);
    int rc = system(command);
    free(x);
    return rc;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* The tests of a set of files and their runs; see ruletest.h. A test runs in an engine of its own, so nothing of one
 * can be seen by another; what is dear, the Lua states, is kept from test to test in the selection of the rules
 * that it runs with. */
#include "ruletest_impl.h"

#include <string.h>

#include "base/mem.h"

#define MAX_REPORT_BYTES (4u << 20)
#define SHUFFLES 3 /* seeds that a shuffle is tried with */

static bool any_error(const tw_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->items[i].warning)
            return true;
    return false;
}

static void free_selection(void *p)
{
    tw_rule_files_unref(p);
}

static void settle(tw_ruletests *rt, const tw_ruletest_world *world)
{
    if (world) {
        rt->world = *world;
        rt->options = *world->rules;
    } else {
        rt->streams = tw_streams_new();
        rt->options = (tw_rule_options){.streams = rt->streams, .any_stream = true};
    }
}

tw_ruletests *tw_ruletests_new(const char *const *paths, size_t count,
                               const tw_ruletest_world *world, tw_findings *out_findings,
                               tw_err *err)
{
    tw_ruletests *rt = tw_alloc(sizeof *rt);

    settle(rt, world);
    rt->selections = tw_map_new(free_selection);
    if (tw_rule_thread_enter(err) < 0) {
        tw_map_free(rt->selections);
        tw_streams_free(rt->streams);
        tw_free(rt);
        return NULL;
    }
    tw_rule_options options = rt->options;
    options.tests = true;
    rt->files = tw_rules_load(paths, count, &options, out_findings);
    if (!any_error(out_findings))
        return rt;
    tw_err_set(err, TW_EINVAL, "the rules are refused");
    tw_ruletests_free(rt);
    return NULL;
}

void tw_ruletests_free(tw_ruletests *rt)
{
    if (!rt)
        return;
    tw_map_free(rt->selections);
    tw_rule_files_unref(rt->files);
    tw_map_free(rt->reached);
    tw_coverage_free(rt->coverage);
    tw_rule_thread_leave();
    tw_streams_free(rt->streams);
    tw_free(rt);
}

uint32_t tw_ruletests_count(const tw_ruletests *rt)
{
    return tw_rule_files_test_count(rt->files);
}

const tw_rule_test *tw_ruletests_at(const tw_ruletests *rt, uint32_t i)
{
    return tw_rule_files_test(rt->files, i);
}

/* ---- the rules of a test ----------------------------------------------------------- */

static const char *file_of(const tw_rule_files *files, const char *rule)
{
    for (uint32_t i = 0; i < tw_rule_files_rule_count(files); i++)
        if (strcmp(tw_rule_files_rule(files, i)->name, rule) == 0)
            return tw_rule_files_rule(files, i)->file;
    return NULL;
}

/* Those of the test before those of the world. New reference. */
static json_t *merged_params(const tw_ruletests *rt, const tw_rule_test *test)
{
    json_t *all = json_deep_copy(rt->options.params), *own, *params;
    const char *rule;

    all = all ? all : json_object();
    json_object_foreach(test->params, rule, own)
    {
        params = json_object_get(all, rule);
        if (params)
            json_object_update(params, own);
        else
            json_object_set(all, rule, own);
    }
    return all;
}

/* With other parameters a rule is another one: its file is read again. */
static tw_rule_files *load_with_params(tw_ruletests *rt, const tw_rule_test *test,
                                       tw_err *err)
{
    const char **paths = tw_calloc(test->rule_count + 1, sizeof *paths);
    tw_rule_options options = rt->options;
    tw_findings findings = {0};
    tw_rule_files *files, *selection = NULL;

    for (uint32_t i = 0; i < test->rule_count; i++)
        paths[i] = file_of(rt->files, test->rules[i]);
    options.params = merged_params(rt, test);
    files = tw_rules_load(paths, test->rule_count, &options, &findings);
    for (size_t i = 0; i < findings.count && err->code == TW_OK; i++)
        if (!findings.items[i].warning)
            *err = findings.items[i].err;
    if (err->code == TW_OK)
        selection = tw_rule_files_select(files, test->rules, test->rule_count);
    tw_rule_files_unref(files);
    json_decref(options.params);
    tw_findings_done(&findings);
    tw_free(paths);
    return selection;
}

static char *selection_name(const tw_rule_test *test)
{
    tw_buf name;
    size_t size;

    tw_buf_init(&name, MAX_REPORT_BYTES);
    for (uint32_t i = 0; i < test->rule_count; i++)
        tw_buf_printf(&name, "%s\n", test->rules[i]);
    if (test->params) {
        char *params = json_dumps(test->params, JSON_SORT_KEYS);
        tw_buf_add_str(&name, params);
        free(params);
    }
    return tw_buf_take(&name, &size);
}

/* Borrowed; NULL with err. */
static tw_rule_files *selection_of(tw_ruletests *rt, const tw_rule_test *test,
                                   tw_err *err)
{
    char *name = selection_name(test);
    tw_rule_files *s = tw_map_get(rt->selections, name);

    if (!s) {
        s = test->params && json_object_size(test->params)
                ? load_with_params(rt, test, err)
                : tw_rule_files_select(rt->files, test->rules, test->rule_count);
        if (s) {
            tw_rule_files_cover(s, rt->coverage);
            tw_map_put(rt->selections, name, s);
        }
    }
    tw_free(name);
    return s;
}

/* ---- runs -------------------------------------------------------------------------- */

static bool run_once(tw_test_run *run, tw_buf *report)
{
    bool good = tw_test_run_drive(run) == TW_OK && tw_test_run_match(run);

    if (!good)
        tw_test_run_explain(run, report);
    tw_test_run_done(run);
    return good;
}

static bool has(const tw_variation *v, tw_disturbance_kind kind)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (v->items[i].kind == kind)
            return true;
    return false;
}

/* A shuffle with several seeds; lanes on 1 and on 4. Ends with the first that does not hold. */
static bool run_variation(const tw_test_run *plain, const tw_variation *v, tw_buf *report,
                          uint32_t *runs)
{
    uint64_t seeds = has(v, TW_DISTURB_SHUFFLE) ? SHUFFLES : 1;
    bool lanes = has(v, TW_DISTURB_LANES);

    if (lanes && plain->reached) /* coverage is of one thread */
        return true;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        for (uint32_t n = lanes ? 1 : 0; n <= (lanes ? 4 : 0); n += 3) {
            tw_test_run run = {.test = plain->test,
                               .files = plain->files,
                               .world = plain->world,
                               .reached = plain->reached,
                               .vary = v,
                               .seed = seed,
                               .lanes = n};
            (*runs)++;
            if (!run_once(&run, report))
                return false;
        }
    }
    return true;
}

static void take_report(tw_ruletest_outcome *out, tw_buf *report)
{
    size_t size;

    out->report = tw_buf_take(report, &size);
    out->summary = tw_strndup(out->report, strcspn(out->report, "\n"));
}

void tw_ruletests_run(tw_ruletests *rt, uint32_t i, tw_ruletest_outcome *out)
{
    const tw_rule_test *test = tw_ruletests_at(rt, i);
    tw_test_run plain = {.test = test, .world = &rt->world, .reached = rt->reached};
    int64_t start_ns = tw_mono_ns();
    tw_buf report;

    *out = (tw_ruletest_outcome){.passed = true};
    tw_buf_init(&report, MAX_REPORT_BYTES);
    plain.files = selection_of(rt, test, &plain.err);
    if (!plain.files) {
        tw_test_run_explain(&plain, &report);
        out->passed = false;
    } else {
        tw_test_run run = plain;
        out->runs = 1;
        out->passed = run_once(&run, &report);
    }
    for (uint32_t k = 0; k < test->vary_count && out->passed; k++)
        out->passed = run_variation(&plain, &test->vary[k], &report, &out->runs);
    if (!out->passed)
        take_report(out, &report);
    tw_buf_done(&report);
    out->duration_us = (tw_mono_ns() - start_ns) / 1000;
}

void tw_ruletest_outcome_done(tw_ruletest_outcome *o)
{
    tw_free(o->report);
    tw_free(o->summary);
    *o = (tw_ruletest_outcome){0};
}

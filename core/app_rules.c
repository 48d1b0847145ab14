// SPDX-License-Identifier: Apache-2.0
/* The app's rules: loading, reloading, watching; the tables they look things up in; the clocks of their
 * incidents. Shore thread. */
#include <stdlib.h>

#include "app_impl.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "rule/findings.h"

/* ---- tables ------------------------------------------------------------------------ */

int tw_app_open_tables(tw_app *app, tw_err *err)
{
    app->tables = tw_calloc(app->config->table_count + 1, sizeof *app->tables);
    for (uint32_t i = 0; i < app->config->table_count; i++) {
        const tw_config_table *t = &app->config->tables[i];
        app->tables[i] = tw_table_open(t->name, t->path, t->key, err);
        if (!app->tables[i])
            return TW_EINVAL;
    }
    return TW_OK;
}

void tw_app_free_tables(tw_app *app)
{
    for (uint32_t i = 0; app->tables && i < app->config->table_count; i++)
        tw_table_free(app->tables[i]);
    tw_free(app->tables);
}

json_t *tw_app_lookup(void *self, const char *table, const char *key)
{
    tw_app *app = self;

    for (uint32_t i = 0; i < app->config->table_count; i++) {
        if (__builtin_strcmp(app->config->tables[i].name, table) == 0)
            return json_incref(tw_table_row(app->tables[i], key));
    }
    return NULL;
}

static void refresh_tables(tw_app *app)
{
    for (uint32_t i = 0; i < app->config->table_count; i++) {
        tw_err err = {0};
        bool changed = false;
        if (tw_table_refresh(app->tables[i], &changed, &err) < 0)
            tw_log_warn("table", "the last good version stays", "table",
                        tw_table_name(app->tables[i]), "reason", err.text, NULL);
        else if (changed)
            tw_log_info("table", "read again", "table", tw_table_name(app->tables[i]),
                        "rows", TW_LOG_INT(tw_table_count(app->tables[i])), NULL);
    }
}

/* ---- rules ------------------------------------------------------------------------- */

static void on_rule_log(void *self, const char *rule_file, const char *message)
{
    (void)self;
    tw_log_info("rule", message, "file", rule_file, NULL);
}

static tw_rule_files *read_rules(tw_app *app, tw_findings *out_findings)
{
    tw_rule_options options;

    tw_config_rule_options_init(app->config, app->streams, &options);
    options.log = on_rule_log;
    options.log_self = app;
    tw_rule_files *files =
        tw_rules_load((const char *const *)app->config->rule_paths,
                      app->config->rule_path_count, &options, out_findings);
    tw_config_rule_options_done(&options);
    return files;
}

static void on_rule_gone(void *self, const tw_rule *rule, bool still_exists)
{
    tw_app *app = self;
    tw_incidents_rule_gone(app->incidents, rule,
                           still_exists ? "rule changed" : "rule removed",
                           tw_clock_now_ms(&app->clock));
}

/* How many fields each stream has before rules are read; freed by forget_fields. */
static uint32_t *count_fields(const tw_app *app)
{
    uint32_t count = tw_streams_count(app->streams);
    uint32_t *fields = tw_calloc(count + 1, sizeof *fields);

    for (uint32_t i = 0; i < count; i++)
        fields[i] = tw_fields_count(tw_streams_at(app->streams, i)->fields);
    return fields;
}

/* Rules that were refused leave nothing behind: a stream has only so many fields. */
static void forget_fields(tw_app *app, uint32_t *before, bool refused)
{
    for (uint32_t i = 0; refused && i < tw_streams_count(app->streams); i++)
        tw_fields_forget(tw_streams_at(app->streams, i)->fields, before[i]);
    tw_free(before);
}

static int switch_rules(tw_app *app, tw_findings *out_findings, tw_switch_report *report,
                        tw_err *err)
{
    uint32_t *fields = count_fields(app);
    tw_rule_files *files = read_rules(app, out_findings);
    int rc;

    size_t errors = tw_findings_errors(out_findings, 0);
    if (errors)
        rc = tw_err_set(err, TW_EINVAL, "%zu finding(s) in the rules", errors);
    else
        rc = tw_engine_switch(app->engine, files, on_rule_gone, app, report, err);
    tw_rule_files_unref(files);
    forget_fields(app, fields, rc < 0);
    app->reload_ok = rc == TW_OK;
    tw_gauge_set(app->reload_ok_gauge, rc == TW_OK);
    if (rc == TW_OK) {
        app->reload_ms = tw_clock_now_ms(&app->clock);
        tw_gauge_set(app->reload_time_gauge, app->reload_ms / 1000);
        tw_gauge_set(app->generation_gauge, (int64_t)report->generation);
    }
    return rc;
}

int tw_app_load_rules(tw_app *app, tw_findings *out_findings, tw_err *err)
{
    tw_switch_report report = {0};
    int rc = switch_rules(app, out_findings, &report, err);

    if (rc == TW_OK)
        tw_log_info("rules", "loaded", "rules", TW_LOG_INT(report.added), NULL);
    return rc;
}

static json_t *report_json(const tw_switch_report *r, int rc, const tw_err *err,
                           const tw_findings *findings)
{
    json_t *report = json_pack("{s:b, s:o}", "ok", rc == TW_OK, "findings",
                               tw_findings_json(findings));

    if (rc < 0) {
        json_object_set_new(report, "error", json_string(err->text));
        json_object_set_new(report, "note",
                            json_string("the rules that ran before still run"));
        return report;
    }
    json_object_update_new(
        report, json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:I}", "generation",
                          (json_int_t)r->generation, "added", (int)r->added, "changed",
                          (int)r->changed, "unchanged", (int)r->unchanged, "removed",
                          (int)r->removed, "state_kept", (int)r->state_kept, "pause_us",
                          (json_int_t)r->pause_us));
    return report;
}

static void log_reload(const tw_switch_report *r, int rc, const tw_err *err,
                       const tw_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        char line[1400];
        tw_err_format(&findings->items[i].err, line, sizeof line);
        tw_log_error("rules", line, NULL);
    }
    if (rc < 0)
        tw_log_error("rules", "reload refused; the rules that ran before still run",
                     "reason", err->text, NULL);
    else
        tw_log_info("rules", "reloaded", "generation", TW_LOG_INT(r->generation), "added",
                    TW_LOG_INT(r->added), "changed", TW_LOG_INT(r->changed), "unchanged",
                    TW_LOG_INT(r->unchanged), "removed", TW_LOG_INT(r->removed),
                    "pause_us", TW_LOG_INT(r->pause_us), NULL);
}

int tw_app_reload(tw_app *app, json_t **out_report)
{
    tw_switch_report report = {0};
    tw_findings findings = {0};
    tw_err err = {0};
    int rc = TW_ESTATE;

    if (app->phase > TW_APP_RUNNING)
        tw_err_set(&err, TW_ESTATE, "the engine is stopping");
    else
        rc = switch_rules(app, &findings, &report, &err);
    log_reload(&report, rc, &err, &findings);
    json_decref(app->reload_report);
    app->reload_report = report_json(&report, rc, &err, &findings);
    tw_findings_done(&findings);
    if (out_report)
        *out_report = json_incref(app->reload_report);
    return rc;
}

static void on_files_changed(void *arg)
{
    tw_app_reload(arg, NULL);
}

static void on_table_files_changed(void *arg)
{
    refresh_tables(arg);
}

int tw_app_watch_rules(tw_app *app)
{
    const tw_config *c = app->config;

    if (c->rules_watch)
        app->rule_watch =
            tw_file_watch_new(app->loop, (const char *const *)c->rule_paths,
                              c->rule_path_count, 200, 5000, on_files_changed, app);
    if (!c->table_count)
        return TW_OK;
    const char **paths = tw_calloc(c->table_count, sizeof *paths);
    for (uint32_t i = 0; i < c->table_count; i++)
        paths[i] = c->tables[i].path;
    app->table_watch = tw_file_watch_new(app->loop, paths, c->table_count, 200, 5000,
                                         on_table_files_changed, app);
    tw_free(paths);
    return TW_OK;
}

/* ---- clocks of incidents ----------------------------------------------------------- */

static int64_t rule_clock(void *self, const char *rule)
{
    tw_app *app = self;
    int64_t number = tw_ruleset_find(tw_engine_rules(app->engine), rule);

    return number < 0 ? TW_TIME_NONE
                      : tw_engine_rule_clock(app->engine, (uint32_t)number);
}

void tw_app_advance(tw_app *app)
{
    tw_incidents_advance(app->incidents, rule_clock, app, false);
}

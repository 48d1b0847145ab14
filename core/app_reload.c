// SPDX-License-Identifier: Apache-2.0
/* A reload: the configuration file is read again, and rules and tables are those it names from then on.
 * What else is different in it is told and takes a restart; with an error in the file, a table or a rule
 * everything stays as it was. SIGHUP, POST and the file watch all end here. Shore thread. */
#include "app_impl.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "rule/findings.h"

#define MAX_MOVED_BYTES 4096
#define STAYS "the rules that ran before still run"

typedef struct reload {
    tw_app *app;
    tw_config *fresh; /* NULL: the configuration is a text in memory */
    bool new_tables;
    tw_app_tables tables; /* until they are taken over */
    json_t *restart, *changes;
    tw_findings findings;
    tw_switch_report report;
    tw_err err;
} reload;

void tw_app_note_reload(tw_app *app, int rc, const tw_switch_report *report)
{
    app->reload_ok = rc == TW_OK;
    tw_gauge_set(app->reload_ok_gauge, rc == TW_OK);
    if (rc < 0)
        return;
    app->reload_ms = tw_clock_now_ms(&app->clock);
    tw_gauge_set(app->reload_time_gauge, app->reload_ms / 1000);
    tw_gauge_set(app->generation_gauge, (int64_t)report->generation);
}

/* ---- the steps --------------------------------------------------------------------- */

/* The configuration that rules and tables are of. */
static const tw_config *current(const tw_app *app)
{
    return app->reread ? app->reread : app->config;
}

static int refuse(reload *r, const char *why)
{
    tw_findings_add(&r->findings, &r->err, false);
    return tw_err_set(&r->err, r->err.code, "%s", why);
}

static json_t *tables_of(const tw_config *config)
{
    return json_object_get(tw_conf_root(config->document), "tables");
}

/* A file may have lost a column that the rules to come read no more. */
static bool waits_for_rules(const tw_app *app)
{
    for (uint32_t i = 0; i < app->tables.count; i++)
        if (tw_table_lacks_column(app->tables.items[i]))
            return true;
    return false;
}

static int read_config(reload *r)
{
    tw_app *app = r->app;

    if (!app->config->is_file)
        return TW_OK;
    r->fresh = tw_config_load(app->config->path, &r->err);
    if (!r->fresh)
        return refuse(r, "the configuration has an error");
    r->restart = tw_config_takes_restart(app->config, r->fresh, &r->findings);
    /* Also when its rules are refused below: it is these files that will be put right. */
    tw_app_watch_rules(app, r->fresh);
    r->new_tables =
        !json_equal(tables_of(current(app)), tables_of(r->fresh)) || waits_for_rules(app);
    if (r->new_tables && tw_app_open_tables(r->fresh, &r->tables, &r->err) < 0)
        return refuse(r, "a table cannot be read");
    return TW_OK;
}

static void take_over(reload *r)
{
    tw_app *app = r->app;

    if (r->new_tables) {
        tw_app_tables before = app->tables;
        app->tables = r->tables;
        r->tables = before;
        tw_app_watch_tables(app, r->fresh);
    }
    if (!r->fresh)
        return;
    tw_config_free(app->reread);
    app->reread = r->fresh;
    r->fresh = NULL;
}

static int run_reload(reload *r)
{
    if (r->app->phase > TW_APP_RUNNING)
        return tw_err_set(&r->err, TW_ESTATE, "the engine is stopping");
    int rc = read_config(r);
    r->app->coming = r->new_tables ? &r->tables : NULL;
    if (rc == TW_OK)
        rc = tw_app_switch_rules(r->app, r->fresh ? r->fresh : current(r->app),
                                 &r->findings, &r->report, &r->changes, &r->err);
    r->app->coming = NULL;
    if (rc == TW_OK) {
        take_over(r);
        tw_app_count_rows(r->app);
        tw_app_need_columns(r->app);
        tw_app_warn_of_nobody(r->app);
    }
    return rc;
}

/* ---- what is told ------------------------------------------------------------------ */

static json_t *report_json(const reload *r, int rc)
{
    const tw_switch_report *s = &r->report;
    json_t *report = json_pack("{s:b, s:o, s:o}", "ok", rc == TW_OK, "findings",
                               tw_findings_json(&r->findings), "takes_restart",
                               r->restart ? json_incref(r->restart) : json_array());

    if (rc < 0) {
        json_object_set_new(report, "error", json_string(r->err.text));
        json_object_set_new(report, "note", json_string(STAYS));
        return report;
    }
    json_object_update_new(
        report,
        json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}", "generation",
                  (json_int_t)s->generation, "added", (int)s->added, "changed",
                  (int)s->changed, "unchanged", (int)s->unchanged, "removed",
                  (int)s->removed, "moved", (int)s->moved, "revived", (int)s->revived,
                  "state_kept", (int)s->state_kept, "pause_us", (json_int_t)s->pause_us));
    json_object_set(report, "rules", r->changes);
    return report;
}

/* "a/new was a/old, .."; borrowed by nobody, tw_free. */
static char *moved_text(const reload *r)
{
    tw_buf text;
    size_t n;
    json_t *row;

    tw_buf_init(&text, MAX_MOVED_BYTES);
    json_array_foreach(r->changes, n, row)
    {
        const char *was = json_string_value(json_object_get(row, "was"));
        if (was)
            tw_buf_printf(&text, "%s%s was %s", text.len ? ", " : "",
                          json_string_value(json_object_get(row, "rule")), was);
    }
    return tw_buf_take(&text, NULL);
}

static void log_taken_over(const reload *r)
{
    const tw_switch_report *s = &r->report;
    char *moved = moved_text(r);

    tw_log_info("reload", "rules taken over", "generation", TW_LOG_INT(s->generation),
                "added", TW_LOG_INT(s->added), "changed", TW_LOG_INT(s->changed),
                "unchanged", TW_LOG_INT(s->unchanged), "removed", TW_LOG_INT(s->removed),
                "moved", TW_LOG_INT(s->moved), "revived", TW_LOG_INT(s->revived),
                "pause_us", TW_LOG_INT(s->pause_us), s->moved ? "renamed" : NULL, moved,
                NULL);
    tw_free(moved);
}

static void log_reload(const reload *r, int rc)
{
    for (size_t i = 0; i < r->findings.count; i++) {
        char line[1400];
        tw_err_format(&r->findings.items[i].err, line, sizeof line);
        if (r->findings.items[i].warning)
            tw_log_warn("reload", line, NULL);
        else
            tw_log_error("reload", line, NULL);
    }
    if (rc < 0)
        tw_log_error("reload", "refused; " STAYS, "reason", r->err.text, NULL);
    else
        log_taken_over(r);
}

int tw_app_reload(tw_app *app, json_t **out_report)
{
    reload r = {.app = app};
    int rc = run_reload(&r);

    tw_app_note_reload(app, rc, &r.report);
    json_decref(app->reload_report);
    app->reload_report = report_json(&r, rc);
    if (app->options.reloaded)
        app->options.reloaded(app->options.reloaded_self, app->reload_report);
    else
        log_reload(&r, rc);
    tw_app_free_tables(&r.tables);
    tw_config_free(r.fresh);
    json_decref(r.restart);
    json_decref(r.changes);
    tw_findings_done(&r.findings);
    if (out_report)
        *out_report = json_incref(app->reload_report);
    return rc;
}

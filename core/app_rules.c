// SPDX-License-Identifier: Apache-2.0
/* The app's rules: loading, switching, watching. Shore thread. */
#include <stdio.h>
#include <string.h>

#include "app_impl.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "changes.h"
#include "flow/plan_seq.h"
#include "rule/findings.h"

/* ---- rules ------------------------------------------------------------------------- */

static void on_rule_log(void *self, const char *rule_file, const char *message)
{
    (void)self;
    tw_log_info("rule", message, "file", rule_file, NULL);
}

/* What is read: files, and the configuration they are held against. */
typedef struct reading {
    const tw_config *from;
    const char *const *paths;
    size_t path_count;
    bool tests; /* those beside the rules, too */
} reading;

static reading reading_of(const tw_config *from)
{
    return (reading){.from = from,
                     .paths = (const char *const *)from->rule_paths,
                     .path_count = from->rule_path_count};
}

/* Routes and tables of topics are those that run: new ones take a restart. */
static tw_rule_files *read_rules(tw_app *app, const reading *r, tw_findings *out_findings)
{
    const tw_config *from = r->from;
    tw_rule_options options, running;

    tw_config_rule_options_init(from, app->streams, &options);
    tw_config_rule_options_init(app->config, app->streams, &running);
    const char *const *routes = options.routes;
    options.routes = running.routes;
    running.routes = routes;
    const char *const *patterns = options.route_patterns;
    options.route_patterns = running.route_patterns;
    running.route_patterns = patterns;
    tw_app_name_tables(app, from, &options);
    options.sends_self = running.sends_self;
    options.log = on_rule_log;
    options.log_self = app;
    options.tests = r->tests;
    tw_rule_files *files = tw_rules_load(r->paths, r->path_count, &options, out_findings);
    tw_free((void *)(uintptr_t)options.table_columns);
    tw_config_rule_options_done(&options);
    tw_config_rule_options_done(&running);
    return files;
}

static void on_rule_gone(void *self, const tw_rule *rule, tw_rule *now,
                         const char *reason)
{
    tw_app *app = self;
    int64_t now_ms = tw_clock_now_ms(&app->clock);

    tw_app_order_rule_gone(app->order,
                           rule); /* the lanes stand still: all has been told */
    if (now)
        tw_incidents_rule_moved(app->incidents, rule, now, reason, now_ms);
    else
        tw_incidents_rule_gone(app->incidents, rule, reason, now_ms);
}

/* How many fields each stream has before rules are read; freed by forget_fields. */
typedef struct field_counts {
    uint32_t *items;
    uint32_t count;
} field_counts;

static field_counts count_fields(const tw_app *app)
{
    field_counts f = {.count = tw_streams_count(app->streams)};

    f.items = tw_calloc(f.count + 1, sizeof *f.items);
    for (uint32_t i = 0; i < f.count; i++)
        f.items[i] = tw_fields_count(tw_streams_at(app->streams, i)->fields);
    return f;
}

/* Rules that were refused leave nothing behind: a stream has only so many fields. */
static void forget_fields(tw_app *app, field_counts before, bool refused)
{
    for (uint32_t i = 0; refused && i < tw_streams_count(app->streams); i++)
        tw_fields_forget(tw_streams_at(app->streams, i)->fields,
                         i < before.count ? before.items[i] : TW_SLOT_FIRST_FIELD);
    tw_free(before.items);
}

static uint64_t keys_of(void *self, uint32_t rule)
{
    tw_app *app = self;
    tw_rule_counts counts;

    tw_engine_rule_counts(app->engine, rule, &counts);
    return (uint64_t)counts.keys;
}

/* "errors": 12 */
static json_t *open_of(void *self, uint32_t rule)
{
    tw_app *app = self;
    uint64_t by_step[TW_SEQ_MAX_STEPS];
    const tw_rule *r = tw_engine_rules(app->engine)->rules[rule];
    char name[TW_SEQ_STEP_NAME];

    if (!tw_engine_open_matches(app->engine, rule, by_step))
        return NULL;
    json_t *open = json_object();
    for (uint32_t i = 0; i < tw_seq_plan_of(r)->step_count; i++) {
        tw_seq_step_name(r, i, name);
        if (by_step[i] > 0)
            json_object_set_new(open, name, json_integer((json_int_t)by_step[i]));
    }
    return open;
}

static void due_of(void *self, uint32_t rule, const tw_rule *fresh, tw_due *out)
{
    tw_app *app = self;

    tw_engine_due(app->engine, rule, fresh, out);
}

static json_t *ending_of(void *self, uint32_t rule, const tw_rule *fresh)
{
    const tw_app *app = self;

    return tw_incidents_ending(app->incidents, tw_engine_rules(app->engine)->rules[rule],
                               fresh);
}

static json_t *list_changes(tw_app *app, const tw_rule_files *files)
{
    tw_changes_port port = {keys_of, open_of, due_of, ending_of, app};

    return tw_changes_json(files, tw_engine_rules(app->engine),
                           tw_engine_park(app->engine), tw_clock_now_ms(&app->clock),
                           &port);
}

/* What became of the matches that edited rules had open. */
static void add_adopted(const tw_app *app, json_t *changes)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    tw_adopted a;
    size_t n;
    json_t *row;

    json_array_foreach(changes, n, row)
    {
        int64_t number =
            tw_ruleset_find(set, json_string_value(json_object_get(row, "rule")));
        if (!json_object_get(row, "open") || number < 0 ||
            !tw_engine_adopted(app->engine, (uint32_t)number, &a))
            continue;
        json_object_set_new(row, "matches",
                            json_pack("{s:I, s:I, s:I}", "kept", (json_int_t)a.kept,
                                      "migrated", (json_int_t)a.migrated, "dropped",
                                      (json_int_t)a.dropped));
    }
}

/* A reload does not look at tests, so what is wrong with them refuses nothing: one may name a rule that goes. */
static void warn_of_tests(tw_app *app, reading r, tw_findings *out_findings)
{
    tw_findings wrong = {0};

    r.tests = true;
    tw_rule_files_unref(read_rules(app, &r, &wrong));
    for (size_t i = 0; i < wrong.count; i++)
        tw_findings_add(out_findings, &wrong.items[i].err, true);
    tw_findings_done(&wrong);
}

json_t *tw_app_plan(tw_app *app, const char *const *paths, size_t path_count,
                    tw_findings *out_findings)
{
    reading r = reading_of(app->reread ? app->reread : app->config);
    field_counts fields = count_fields(app);

    if (path_count) {
        r.paths = paths;
        r.path_count = path_count;
    }
    tw_rule_files *files = read_rules(app, &r, out_findings);
    json_t *changes =
        tw_findings_errors(out_findings, 0) ? NULL : list_changes(app, files);
    if (changes)
        warn_of_tests(app, r, out_findings);
    tw_rule_files_unref(files);
    forget_fields(app, fields, true);
    return changes;
}

static int switch_rules(tw_app *app, tw_rule_files *files, tw_switch_report *out,
                        tw_err *err)
{
    tw_switch to = {files, app->coming ? tw_app_table_view(app, app->coming) : NULL,
                    on_rule_gone, app};
    int rc = tw_engine_switch(app->engine, &to, out, err);

    if (rc < 0)
        return rc;
    const tw_ruleset *set = tw_engine_rules(app->engine);
    tw_app_order_rules(app->order, set);
    tw_incidents_rules_edited(app->incidents, set->rules, set->rule_count,
                              tw_clock_now_ms(&app->clock));
    return rc;
}

int tw_app_switch_rules(tw_app *app, const tw_config *from, tw_findings *out_findings,
                        tw_switch_report *out, json_t **out_changes, tw_err *err)
{
    field_counts fields = count_fields(app);
    reading r = reading_of(from);
    tw_rule_files *files = read_rules(app, &r, out_findings);
    int rc;

    *out_changes = NULL;
    size_t errors = tw_findings_errors(out_findings, 0);
    if (!errors)
        *out_changes = list_changes(app, files);
    if (errors)
        rc = tw_err_set(err, TW_EINVAL, "%zu mistake%s in the rules", errors,
                        errors == 1 ? "" : "s");
    else
        rc = switch_rules(app, files, out, err);
    if (rc == TW_OK)
        add_adopted(app, *out_changes);
    tw_rule_files_unref(files);
    forget_fields(app, fields, rc < 0);
    return rc;
}

int tw_app_load_rules(tw_app *app, tw_findings *out_findings, tw_err *err)
{
    tw_switch_report report = {0};
    json_t *changes;

    tw_app_watch_rules(app, app->config);
    tw_app_watch_tables(app, app->config);
    int rc = tw_app_switch_rules(app, app->config, out_findings, &report, &changes, err);
    json_decref(changes);
    tw_app_note_reload(app, rc, &report);
    if (rc == TW_OK) {
        tw_app_count_rows(app);
        tw_app_need_columns(app);
        tw_app_warn_of_nobody(app);
    }
    if (rc == TW_OK)
        tw_log_info("rules", "loaded", "rules", TW_LOG_INT(report.added), NULL);
    if (rc == TW_OK && report.added == 0)
        tw_log_warn("rules",
                    "there are none, so nothing will ever be told; `rules.paths` of the "
                    "configuration says where they are",
                    NULL);
    if (app->config->source_count == 0)
        tw_log_warn("app", "the configuration has no sources: there is nothing to read",
                    NULL);
    return rc;
}

/* ---- watching ---------------------------------------------------------------------- */

static void on_files_changed(void *arg)
{
    tw_app_reload(arg, NULL);
}

/* The rules, and the configuration itself. NULL: nothing is to be watched. */
static char *list_watched(const tw_config *c, const char **paths, size_t *count)
{
    tw_buf list;

    if (!c->rules_watch)
        return NULL;
    if (c->is_file)
        paths[(*count)++] = c->path;
    for (uint32_t i = 0; i < c->rule_path_count; i++)
        paths[(*count)++] = c->rule_paths[i];
    tw_buf_init(&list, SIZE_MAX);
    for (size_t i = 0; i < *count; i++)
        tw_buf_printf(&list, "%s\n", paths[i]);
    char *text = tw_strdup(list.data ? list.data : "");
    tw_buf_done(&list);
    return text;
}

void tw_app_watch_rules(tw_app *app, const tw_config *config)
{
    const char **paths = tw_calloc(config->rule_path_count + 1, sizeof *paths);
    size_t count = 0;
    char *watched = list_watched(config, paths, &count);

    if (watched && app->watched && strcmp(watched, app->watched) == 0) {
        tw_free(watched);
        tw_free(paths);
        return;
    }
    tw_file_watch_free(app->rule_watch);
    app->rule_watch = watched ? tw_file_watch_new(app->loop, paths, count, 200, 5000,
                                                  on_files_changed, app)
                              : NULL;
    tw_free(app->watched);
    app->watched = watched;
    tw_free(paths);
}

// SPDX-License-Identifier: Apache-2.0
/* The app's look-up tables: those of files, and what rules and lanes get of both kinds; topics are read in
 * app_topics.c. Shore thread. */
#include <stdio.h>
#include <string.h>

#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/plan_missing.h"

/* ---- files ------------------------------------------------------------------------ */

/* Nothing in the table's file is to blame when err has no line; then the configuration is. */
static int place_table(const tw_config *config, const tw_config_table *t, tw_err *err)
{
    tw_conf *document = config->document;
    json_t *tables = json_object_get(tw_conf_root(document), "tables");
    int line = 0, column = 0;
    char text[sizeof err->text];

    if (err->line)
        return err->code;
    snprintf(text, sizeof text, "table '%s': %.200s%s%.500s", t->name, err->file,
             *err->file ? ": " : "", err->text);
    tw_conf_where_key(document, json_object_get(tables, t->name), "path", &line, &column);
    return tw_err_at(err, err->code, tw_conf_file(document), line, column, "%s", text);
}

int tw_app_open_tables(const tw_config *config, tw_app_tables *out, tw_err *err)
{
    *out =
        (tw_app_tables){.items = tw_calloc(config->table_count + 1, sizeof *out->items)};
    for (uint32_t i = 0; i < config->table_count; i++) {
        const tw_config_table *t = &config->tables[i];
        if (t->topic)
            continue;
        tw_table *table = tw_table_open_with(t->name, t->path, &t->columns, err);
        if (!table) {
            tw_app_free_tables(out);
            return place_table(config, t, err);
        }
        out->items[out->count++] = table;
    }
    return TW_OK;
}

void tw_app_free_tables(tw_app_tables *tables)
{
    for (uint32_t i = 0; i < tables->count; i++)
        tw_table_free(tables->items[i]);
    tw_free(tables->items);
    *tables = (tw_app_tables){0};
}

json_t *tw_app_lookup(void *self, const char *table, const char *key, int64_t at_ms)
{
    tw_app *app = self;

    for (uint32_t i = 0; i < app->tables.count; i++) {
        if (strcmp(tw_table_name(app->tables.items[i]), table) == 0)
            return json_incref(
                tw_rows_at(tw_table_rows(app->tables.items[i]), key, at_ms));
    }
    for (uint32_t i = 0; i < app->topic_count; i++) {
        if (strcmp(app->topics[i].config->name, table) == 0)
            return json_incref(
                tw_rows_at(tw_live_rows_now(app->topics[i].live), key, at_ms));
    }
    return NULL;
}

tw_table_view *tw_app_table_view(const tw_app *app, const tw_app_tables *files)
{
    uint32_t count = 0;
    tw_table_part *parts = tw_calloc(files->count + app->topic_count + 1, sizeof *parts);

    for (uint32_t i = 0; i < files->count; i++)
        parts[count++] = (tw_table_part){tw_table_name(files->items[i]),
                                         tw_table_rows(files->items[i]), NULL};
    for (uint32_t i = 0; i < app->topic_count; i++)
        parts[count++] =
            (tw_table_part){app->topics[i].config->name, NULL, app->topics[i].live};
    tw_table_view *view = tw_table_view_of(parts, count);
    tw_free(parts);
    return view;
}

void tw_app_count_rows(const tw_app *app)
{
    for (uint32_t i = 0; i < app->tables.count; i++) {
        const tw_table *t = app->tables.items[i];
        const char *labels[] = {"table", tw_table_name(t), NULL};
        tw_gauge_set(tw_stats_gauge(app->stats, "table_rows",
                                    "Keys that have a row in a look-up table.", labels),
                     (int64_t)tw_table_count(t));
    }
}

/* Of the tables that rules are about to be held against. */
static const tw_declared *columns_of(const tw_app *app, const char *name)
{
    const tw_app_tables *tables = app->coming ? app->coming : &app->tables;

    for (uint32_t i = 0; i < tables->count; i++)
        if (strcmp(tw_table_name(tables->items[i]), name) == 0)
            return tw_rows_columns(tw_table_rows(tables->items[i]));
    return NULL;
}

void tw_app_name_tables(const tw_app *app, const tw_config *from,
                        tw_rule_options *options)
{
    uint32_t most = from->table_count + app->topic_count, count = 0;
    const char **names = tw_calloc(most + 1, sizeof *names);
    bool *history = tw_calloc(most + 1, sizeof *history);
    const tw_declared **columns = tw_calloc(most + 1, sizeof *columns);

    for (uint32_t i = 0; i < most; i++) {
        const tw_config_table *t = i < from->table_count
                                       ? &from->tables[i]
                                       : app->topics[i - from->table_count].config;
        if (i < from->table_count && t->topic)
            continue;
        names[count] = t->name;
        columns[count] = columns_of(app, t->name);
        history[count++] = tw_config_table_has_history(t);
    }
    tw_free((void *)(uintptr_t)options->tables);
    tw_free((void *)(uintptr_t)options->table_history);
    options->tables = names;
    options->table_history = history;
    options->table_columns = columns;
}

/* A table without a column that rules read would have every look-up find nothing there, without a word. */
void tw_app_need_columns(tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);

    for (uint32_t i = 0; i < app->tables.count; i++) {
        tw_table *table = app->tables.items[i];
        tw_table_need_nothing(table);
        for (uint32_t k = 0; k < set->rule_count; k++)
            for (uint32_t n = 0; n < set->rules[k]->column_count; n++)
                if (strcmp(set->rules[k]->columns[n].table, tw_table_name(table)) == 0)
                    tw_table_need(table, set->rules[k]->columns[n].name,
                                  set->rules[k]->name);
    }
}

static void warn_of_nobody(const tw_app *app, const tw_table *table)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    tw_err err;

    for (uint32_t i = 0; set && i < set->rule_count; i++) {
        const tw_missing_plan *plan = tw_missing_plan_of(set->rules[i]);
        if (plan && plan->table && strcmp(plan->table, tw_table_name(table)) == 0 &&
            tw_missing_expects_nobody(set->rules[i], tw_table_rows(table), &err))
            tw_log_warn("table", err.text, NULL);
    }
}

void tw_app_warn_of_nobody(const tw_app *app)
{
    for (uint32_t i = 0; i < app->tables.count; i++)
        warn_of_nobody(app, app->tables.items[i]);
}

static void refresh_tables(tw_app *app)
{
    bool any = false;

    for (uint32_t i = 0; i < app->tables.count; i++) {
        tw_table *table = app->tables.items[i];
        tw_err err = {0};
        bool changed = false;
        if (tw_table_refresh(table, &changed, &err) < 0)
            tw_log_warn("table", "the last good version stays", "table",
                        tw_table_name(table), "reason", err.text, NULL);
        else if (changed)
            tw_log_info("table", "read again", "table", tw_table_name(table), "rows",
                        TW_LOG_INT(tw_table_count(table)), NULL);
        if (changed)
            warn_of_nobody(app, table);
        any = any || changed;
    }
    if (!any)
        return;
    tw_engine_set_tables(app->engine, tw_app_table_view(app, &app->tables));
    tw_app_count_rows(app);
}

static void on_table_files_changed(void *arg)
{
    refresh_tables(arg);
}

void tw_app_watch_tables(tw_app *app, const tw_config *config)
{
    tw_file_watch_free(app->table_watch);
    app->table_watch = NULL;
    const char **paths = tw_calloc(config->table_count + 1, sizeof *paths);
    size_t count = 0;
    for (uint32_t i = 0; i < config->table_count; i++) {
        if (config->tables[i].path)
            paths[count++] = config->tables[i].path;
    }
    if (count)
        app->table_watch = tw_file_watch_new(app->loop, paths, count, 200, 5000,
                                             on_table_files_changed, app);
    tw_free(paths);
}

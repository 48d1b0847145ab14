// SPDX-License-Identifier: Apache-2.0
/* What a configuration says to the reader of rule files: which streams, tables and routes there are,
 * parameters and limits. Shore thread. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"

static const char **names_of_tables(const tw_config *config)
{
    const char **names = tw_calloc(config->table_count + 1, sizeof *names);

    for (uint32_t i = 0; i < config->table_count; i++)
        names[i] = config->tables[i].name;
    return names;
}

static bool *history_of_tables(const tw_config *config)
{
    bool *history = tw_calloc(config->table_count + 1, sizeof *history);

    for (uint32_t i = 0; i < config->table_count; i++)
        history[i] = tw_config_table_has_history(&config->tables[i]);
    return history;
}

/* Routes may be patterns, and `default` takes whatever has none: only a configuration without either
 * lets a literal route name be checked. */
static const char **names_of_routes(const tw_config *config)
{
    const char **names = tw_calloc(config->route_count + 1, sizeof *names);
    uint32_t count = 0;

    for (uint32_t i = 0; i < config->route_count; i++) {
        const char *pattern = config->routes[i].pattern;
        if (strncmp(pattern, "stream:", 7) == 0)
            continue; /* no alert goes there */
        if (strchr(pattern, '*') || strcmp(pattern, "default") == 0) {
            tw_free(names);
            return NULL;
        }
        names[count++] = pattern;
    }
    return names;
}

static const char **patterns_of_routes(const tw_config *config)
{
    const char **names = tw_calloc(config->route_count + 1, sizeof *names);
    uint32_t count = 0;

    for (uint32_t i = 0; i < config->route_count; i++)
        if (strncmp(config->routes[i].pattern, "stream:", 7) != 0)
            names[count++] = config->routes[i].pattern;
    return names;
}

static bool place_of(const tw_config *config, const json_t *node, tw_err *out)
{
    return node && tw_conf_where(config->document, node, &out->line, &out->column);
}

/* See rule/rules.h. */
static bool find_place(const void *self, const char *path, const char *rule,
                       const char *param, tw_err *out)
{
    const tw_config *config = self;
    json_t *rules = json_object_get(tw_conf_root(config->document), "rules");
    json_t *params = json_object_get(rules, "params");
    json_t *paths = json_object_get(rules, "paths");
    tw_conf *document = config->document;
    bool found = false;

    for (uint32_t i = 0; path && i < config->rule_path_count && !found; i++)
        found = strcmp(path, config->rule_paths[i]) == 0 &&
                (place_of(config, json_array_get(paths, i), out) ||
                 tw_conf_where_key(document, rules, "paths", &out->line, &out->column));
    if (rule && param)
        found = tw_conf_where_key(document, json_object_get(params, rule), param,
                                  &out->line, &out->column);
    else if (rule)
        found = tw_conf_where_key(document, params, rule, &out->line, &out->column);
    if (found)
        snprintf(out->file, sizeof out->file, "%s", tw_conf_file(document));
    return found;
}

static bool sends(const void *self, const char *stream)
{
    return tw_config_stream_route(self, stream) != NULL;
}

void tw_config_rule_options_init(const tw_config *config, tw_streams *streams,
                                 tw_rule_options *out)
{
    *out = (tw_rule_options){.streams = streams,
                             .params = config->rule_params,
                             .tables = names_of_tables(config),
                             .table_history = history_of_tables(config),
                             .routes = names_of_routes(config),
                             .route_patterns = patterns_of_routes(config),
                             .where = find_place,
                             .where_self = config,
                             .sends = sends,
                             .sends_self = config,
                             .memory_bytes = config->rule_memory_bytes,
                             .cpu_ms = config->rule_cpu_ms,
                             .load_cpu_ms = config->rule_load_cpu_ms};
}

void tw_config_rule_options_done(tw_rule_options *options)
{
    tw_free((void *)(uintptr_t)options->tables);
    tw_free((void *)(uintptr_t)options->table_history);
    tw_free((void *)(uintptr_t)options->routes);
    tw_free((void *)(uintptr_t)options->route_patterns);
    options->route_patterns = NULL;
    options->tables = options->routes = NULL;
    options->table_history = NULL;
    options->table_columns = NULL;
}

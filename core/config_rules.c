// SPDX-License-Identifier: Apache-2.0
/* What a configuration says to the reader of rule files: which streams, tables and routes there are,
 * parameters and limits. Shore thread. */
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

/* Routes may be patterns, and `default` takes whatever has none: only a configuration without either
 * lets a literal route name be checked. */
static const char **names_of_routes(const tw_config *config)
{
    const char **names = tw_calloc(config->route_count + 1, sizeof *names);

    for (uint32_t i = 0; i < config->route_count; i++) {
        const char *pattern = config->routes[i].pattern;
        if (strchr(pattern, '*') || strcmp(pattern, "default") == 0) {
            tw_free(names);
            return NULL;
        }
        names[i] = pattern;
    }
    return names;
}

void tw_config_rule_options_init(const tw_config *config, tw_streams *streams,
                                 tw_rule_options *out)
{
    *out = (tw_rule_options){.streams = streams,
                             .params = config->rule_params,
                             .tables = names_of_tables(config),
                             .routes = names_of_routes(config),
                             .memory_bytes = config->rule_memory_bytes,
                             .cpu_ms = config->rule_cpu_ms,
                             .load_cpu_ms = config->rule_load_cpu_ms};
}

void tw_config_rule_options_done(tw_rule_options *options)
{
    tw_free((void *)(uintptr_t)options->tables);
    tw_free((void *)(uintptr_t)options->routes);
    options->tables = options->routes = NULL;
}

// SPDX-License-Identifier: Apache-2.0
/* See test_config.h. */
#include "cli/test_config.h"

#include <stdio.h>

#include "base/mem.h"
#include "flow/table.h"

/* The tests may bring the rows, so nothing is refused for a table. */
static void open_table(tw_test_config *t, const tw_config_table *c, uint32_t number)
{
    tw_err err = {0};
    char line[1400];
    tw_table *table =
        c->topic ? NULL : tw_table_open_with(c->name, c->path, &c->columns, &err);

    if (!table) {
        fprintf(
            stderr,
            "tidewatch test: table '%s' %s%s: look-ups in it miss, but for tests that "
            "bring its rows in `tables`\n",
            c->name, c->topic ? "is a topic, which is not read here" : "cannot be read: ",
            c->topic ? "" : tw_err_format(&err, line, sizeof line));
        return;
    }
    t->columns[number] = tw_rows_columns(tw_table_rows(table));
    t->tables[t->world.table_count] = table;
    t->parts[t->world.table_count++] =
        (tw_table_part){tw_table_name(table), tw_table_rows(table), NULL};
}

void tw_test_config_init(tw_test_config *t, tw_config *config)
{
    *t = (tw_test_config){.config = config, .streams = tw_config_streams(config)};
    tw_config_rule_options_init(config, t->streams, &t->rules);
    /* What a test feeds is an event with its fields, whatever it is made of. */
    for (uint32_t i = 0; i < tw_streams_count(t->streams); i++)
        tw_streams_at(t->streams, i)->format = TW_FORMAT_JSON;
    t->tables = tw_calloc(config->table_count + 1, sizeof(tw_table *));
    t->parts = tw_calloc(config->table_count + 1, sizeof *t->parts);
    t->columns = tw_calloc(config->table_count + 1, sizeof *t->columns);
    t->world = (tw_ruletest_world){.rules = &t->rules, .tables = t->parts};
    for (uint32_t i = 0; i < config->table_count; i++)
        open_table(t, &config->tables[i], i);
    t->rules.table_columns = t->columns;
}

void tw_test_config_done(tw_test_config *t)
{
    if (!t->config)
        return;
    for (uint32_t i = 0; i < t->world.table_count; i++)
        tw_table_free(t->tables[i]);
    tw_free(t->tables);
    tw_free(t->parts);
    tw_free(t->columns);
    tw_config_rule_options_done(&t->rules);
    tw_streams_free(t->streams);
    tw_config_free(t->config);
}

// SPDX-License-Identifier: Apache-2.0
/* See tables.h. Owns the tables and the list of their names. */
#include "cli/tables.h"

#include <string.h>

#include "base/mem.h"
#include "flow/table.h"

struct tw_cli_tables {
    tw_table **items;
    const char **names; /* of the tables, NULL-terminated */
    bool *has_history;  /* by table */
    const tw_declared **columns;
    size_t count;
    bool any_name;
};

bool tw_cli_tables_have(const tw_cli_tables *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->names[i], name) == 0)
            return true;
    }
    return false;
}

static int add(tw_cli_tables *t, const char *name, const char *path,
               const tw_table_columns *columns, tw_err *err)
{
    tw_table *table = tw_table_open_with(name, path, columns, err);

    if (!table)
        return TW_EINVAL;
    t->names[t->count] = tw_table_name(table);
    t->has_history[t->count] = tw_table_has_history(table);
    t->columns[t->count] = tw_rows_columns(tw_table_rows(table));
    t->items[t->count++] = table;
    return TW_OK;
}

/* A file in place of a table of the configuration is read as that one would be. */
static const tw_table_columns *columns_of(const tw_config *config, const char *name)
{
    static const tw_table_columns none = {0};

    for (uint32_t i = 0; config && i < config->table_count; i++) {
        if (strcmp(config->tables[i].name, name) == 0)
            return &config->tables[i].columns;
    }
    return &none;
}

static int add_given(tw_cli_tables *t, const tw_config *config, const char *argument,
                     tw_err *err)
{
    const char *equals = strchr(argument, '=');

    if (!equals || equals == argument || !equals[1])
        return tw_err_set(err, TW_EINVAL, "--table '%s' is not NAME=FILE", argument);
    char *name = tw_strndup(argument, (size_t)(equals - argument));
    int rc = tw_cli_tables_have(t, name)
                 ? tw_err_set(err, TW_EINVAL, "--table '%s' is given twice", name)
                 : add(t, name, equals + 1, columns_of(config, name), err);
    for (uint32_t i = 0; config && rc == TW_OK && i < config->table_count; i++) {
        const tw_config_table *c = &config->tables[i];
        if (c->topic && strcmp(c->name, name) == 0) /* rows of then are rows of always */
            t->has_history[t->count - 1] = tw_config_table_has_history(c);
    }
    tw_free(name);
    return rc;
}

tw_cli_tables *tw_cli_tables_open(const tw_config *config, const char *const *given,
                                  size_t given_count, tw_err *err)
{
    size_t most = given_count + (config ? config->table_count : 0);
    tw_cli_tables *t = tw_alloc(sizeof *t);
    int rc = TW_OK;

    t->items = tw_calloc(most + 1, sizeof(tw_table *));
    t->names = tw_calloc(most + 1, sizeof *t->names);
    t->has_history = tw_calloc(most + 1, sizeof *t->has_history);
    t->columns = tw_calloc(most + 1, sizeof *t->columns);
    t->any_name = most == 0 && !config;
    for (size_t i = 0; i < given_count && rc == TW_OK; i++)
        rc = add_given(t, config, given[i], err);
    for (size_t i = 0; config && i < config->table_count && rc == TW_OK; i++) {
        const tw_config_table *c = &config->tables[i];
        if (c->path && !tw_cli_tables_have(t, c->name))
            rc = add(t, c->name, c->path, &c->columns, err);
    }
    if (rc == TW_OK)
        return t;
    tw_cli_tables_free(t);
    return NULL;
}

void tw_cli_tables_free(tw_cli_tables *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        tw_table_free(t->items[i]);
    tw_free(t->items);
    tw_free(t->names);
    tw_free(t->has_history);
    tw_free(t->columns);
    tw_free(t);
}

const char *const *tw_cli_tables_names(const tw_cli_tables *t)
{
    return t->any_name ? NULL : t->names;
}

const bool *tw_cli_tables_history(const tw_cli_tables *t)
{
    return t->any_name ? NULL : t->has_history;
}

const tw_declared *const *tw_cli_tables_columns(const tw_cli_tables *t)
{
    return t->any_name ? NULL : t->columns;
}

static json_t *row(void *self, const char *table, const char *key, int64_t at_ms)
{
    tw_cli_tables *t = self;

    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->names[i], table) == 0)
            return json_incref(tw_rows_at(tw_table_rows(t->items[i]), key, at_ms));
    }
    return NULL;
}

tw_lookup_port tw_cli_tables_port(tw_cli_tables *t)
{
    return (tw_lookup_port){row, t};
}

tw_table_view *tw_cli_tables_view(const tw_cli_tables *t)
{
    return tw_table_view_new(t->items, (uint32_t)t->count);
}

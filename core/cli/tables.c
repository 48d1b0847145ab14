// SPDX-License-Identifier: Apache-2.0
/* See tables.h. Owns the tables and the list of their names. */
#include "cli/tables.h"

#include <string.h>

#include "base/mem.h"
#include "flow/table.h"

struct tw_cli_tables {
    tw_table **items;
    const char **names; /* of the tables, NULL-terminated */
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

static int add(tw_cli_tables *t, const char *name, const char *path, const char *key,
               tw_err *err)
{
    tw_table *table = tw_table_open(name, path, key, err);

    if (!table)
        return TW_EINVAL;
    t->names[t->count] = tw_table_name(table);
    t->items[t->count++] = table;
    return TW_OK;
}

static int add_given(tw_cli_tables *t, const char *argument, tw_err *err)
{
    const char *equals = strchr(argument, '=');

    if (!equals || equals == argument || !equals[1])
        return tw_err_set(err, TW_EINVAL, "--table '%s' is not NAME=FILE", argument);
    char *name = tw_strndup(argument, (size_t)(equals - argument));
    int rc = tw_cli_tables_have(t, name)
                 ? tw_err_set(err, TW_EINVAL, "--table '%s' is given twice", name)
                 : add(t, name, equals + 1, NULL, err);
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
    t->any_name = most == 0 && !config;
    for (size_t i = 0; i < given_count && rc == TW_OK; i++)
        rc = add_given(t, given[i], err);
    for (size_t i = 0; config && i < config->table_count && rc == TW_OK; i++) {
        const tw_config_table *c = &config->tables[i];
        if (!tw_cli_tables_have(t, c->name))
            rc = add(t, c->name, c->path, c->key, err);
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
    tw_free(t);
}

const char *const *tw_cli_tables_names(const tw_cli_tables *t)
{
    return t->any_name ? NULL : t->names;
}

static json_t *row(void *self, const char *table, const char *key)
{
    tw_cli_tables *t = self;

    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->names[i], table) == 0)
            return json_incref(tw_table_row(t->items[i], key));
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

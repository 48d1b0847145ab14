// SPDX-License-Identifier: Apache-2.0
/* The look-up tables of a configuration: files and topics. Shore thread. */
#include <string.h>

#include "base/mem.h"
#include "config_impl.h"

static const char *const of_files[] = {"since", "until", NULL};
static const char *const of_topics[] = {"topic", "versions", "rows",
                                        "bytes", "wait",     NULL};

/* None of these may stand there; `why` says what for. */
static int refuse(const tw_config *config, const json_t *node, const char *const *keys,
                  const char *name, const char *why, tw_err *err)
{
    for (size_t i = 0; keys[i]; i++) {
        if (json_object_get(node, keys[i]))
            return tw_config_fail_key(config, node, keys[i], err,
                                      "'%s' of table '%s': %s", keys[i], name, why);
    }
    return TW_OK;
}

static int read_file(tw_config *config, tw_config_table *t, json_t *node, tw_err *err)
{
    int rc =
        refuse(config, node, of_topics, t->name,
               "that is for a table of a topic ('source'), and this one is a file", err);

    if (rc < 0 || (rc = tw_config_read_path(config, json_object_get(node, "path"), "path",
                                            &t->path, err)) < 0)
        return rc;
    if (t->columns.until && !t->columns.since)
        return tw_config_fail_key(config, node, "until", err,
                                  "'until' of table '%s' needs 'since', the column of "
                                  "when a row begins to be valid",
                                  t->name);
    return TW_OK;
}

/* Defaults are filled in, so that they show in the effective configuration. */
static void fill_in(json_t *node, const char *name)
{
    json_t *defaults = json_pack("{s:s, s:i, s:i, s:s, s:s}", "topic", name, "versions",
                                 1, "rows", 1000000, "bytes", "64MiB", "wait", "30s");

    json_object_update_missing(node, defaults);
    json_decref(defaults);
}

static int read_topic(tw_config *config, tw_config_table *t, json_t *node, tw_err *err)
{
    int rc = refuse(config, node, of_files, t->name,
                    "that is a column of a file; the rows of a topic begin at the times "
                    "of its records, and 'versions' above 1 keeps them",
                    err);

    if (rc < 0)
        return rc;
    fill_in(node, t->name);
    t->topic = tw_strdup(tw_conf_str(node, "topic"));
    t->versions = (uint32_t)tw_conf_int(node, "versions");
    t->max_rows = (size_t)tw_conf_int(node, "rows");
    if (!*t->topic)
        return tw_config_fail_key(config, node, "topic", err, "a topic without a name");
    if ((rc = tw_config_find_source(config, node, "table", t->name, &t->source, err)) <
            0 ||
        (rc = tw_config_read_bytes(config, node, "bytes", 1, 1 << 20, &t->max_bytes,
                                   err)) < 0)
        return rc;
    return tw_config_read_ms(config, node, "wait", 0, &t->wait_ms, err);
}

static int read_table(tw_config *config, json_t *map, const char *name, json_t *node,
                      tw_err *err)
{
    tw_config_table *t = &config->tables[config->table_count++];
    bool is_file = json_object_get(node, "path"),
         is_topic = json_object_get(node, "source");
    int rc = tw_config_check_name(config, map, "table", name, err);

    t->name = tw_strdup(name);
    t->columns = (tw_table_columns){.key = tw_conf_str(node, "key"),
                                    .since = tw_conf_str(node, "since"),
                                    .until = tw_conf_str(node, "until")};
    if (rc < 0)
        return rc;
    if (is_file && is_topic)
        return tw_config_fail_key(config, node, "source", err,
                                  "table '%s' is a file ('path') or a topic ('source'), "
                                  "not both",
                                  name);
    if (!is_file && !is_topic)
        return tw_config_fail_key(config, map, name, err,
                                  "'path' is missing in table '%s', or 'source' for one "
                                  "of a topic",
                                  name);
    return is_file ? read_file(config, t, node, err) : read_topic(config, t, node, err);
}

int tw_config_read_tables(tw_config *config, tw_err *err)
{
    json_t *map = json_object_get(tw_conf_root(config->document), "tables"), *node;
    const char *name;

    config->tables = tw_calloc(json_object_size(map) + 1, sizeof *config->tables);
    json_object_foreach(map, name, node)
    {
        int rc = read_table(config, map, name, node, err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

bool tw_config_table_has_history(const tw_config_table *t)
{
    return t->topic ? t->versions > 1 : t->columns.since != NULL;
}

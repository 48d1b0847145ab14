// SPDX-License-Identifier: Apache-2.0
/* See preflight.h. Owns a house without rooms: a guest may be opened in it and asked nothing. */
#include "preflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine.h"
#include "flow/plan_missing.h"
#include "flow/table.h"
#include "guest.h"
#include "host/plugin.h"
#include "rule/findings.h"

/* ---- connectors -------------------------------------------------------------------- */

static int no_feed(void *self, tw_guest *g, tw_feed *feed, const char *topic,
                   int32_t partition)
{
    (void)self, (void)g, (void)feed, (void)topic, (void)partition;
    return TW_ESTATE;
}

static int no_feed_back(void *self, tw_guest *g, tw_feed *feed, bool lost,
                        int64_t *out_next)
{
    (void)self, (void)g, (void)feed, (void)lost, (void)out_next;
    return TW_ESTATE;
}

static int no_wake_fd(void *self, const tw_feed *feed)
{
    (void)self, (void)feed;
    return -1;
}

static void no_feed_end(void *self, tw_guest *g, tw_feed *feed)
{
    (void)self, (void)g, (void)feed;
}

static void no_answer(void *self, tw_guest *g, tw_delivery *d, const tw_answer *a)
{
    (void)self, (void)g, (void)d, (void)a;
}

static void no_stop(void *self, tw_guest *g)
{
    (void)self, (void)g;
}

static void no_failure(void *self, tw_guest *g, const char *why, int exit_code)
{
    (void)self, (void)g, (void)why, (void)exit_code;
}

/* What is at work while connectors are looked at. */
typedef struct preflight {
    const tw_config *config;
    tw_findings *out;
    tw_plugins *plugins;
    tw_clock clock;
    tw_house house;
} preflight;

/* The setting that a refusal begins with (security.sasl.mechanism: ..), else the first word between ',
 * says where it belongs. tw_free. */
static char *named_setting(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_.");

    if (n && text[n] == ':') {
        const char *dot = memrchr(text, '.', n);
        const char *name = dot ? dot + 1 : text;
        return tw_strndup(name, n - (size_t)(name - text));
    }
    const char *open = strchr(text, '\''), *close = open ? strchr(open + 1, '\'') : NULL;
    return close ? tw_strndup(open + 1, (size_t)(close - open - 1)) : NULL;
}

static void open_guest(preflight *p, const char *name, const tw_source_type *source,
                       const tw_sink_type *sink, json_t *node, const char **topics,
                       size_t topic_count)
{
    json_t *settings = json_object_get(node, "settings");
    char *text = json_dumps(settings, JSON_COMPACT);
    tw_guest *g = tw_guest_new(&p->house, name, source, sink, text, p->config->state_dir);
    tw_err err = {0};

    if (tw_guest_open(g, topics, topic_count, &err) < 0) {
        const char *sentence = strstr(err.text, "': ");
        char *setting = named_setting(sentence ? sentence + 3 : err.text);
        tw_config_find(p->config, settings, setting, err.text, p->out);
        tw_free(setting);
    }
    tw_guest_free(g);
    free(text);
}

/* "${NAME}" as shells write it. */
static bool looks_like_variable(const char *text)
{
    for (const char *p = strstr(text, "${"); p; p = strstr(p + 2, "${")) {
        size_t n = strspn(p + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        if (n && p[2 + n] == '}')
            return true;
    }
    return false;
}

/* The text itself is not shown: it may have come from a secret. */
static void look_for_variables(preflight *p, const char *who, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        tw_err err = {0};
        int line = 0, column = 0;
        if (json_is_object(value))
            look_for_variables(p, who, value);
        if (!json_is_string(value) || !looks_like_variable(json_string_value(value)))
            continue;
        tw_conf_where_key(p->config->document, object, key, &line, &column);
        tw_err_at(
            &err, TW_EINVAL, tw_conf_file(p->config->document), line, column,
            "%s: '%s' has a ${NAME}, which is taken as it stands; a variable of the "
            "environment is written ${env:NAME}",
            who, key);
        tw_findings_add(p->out, &err, true);
    }
}

static void look_at_source(preflight *p, uint32_t number, json_t *node)
{
    const tw_config_source *s = &p->config->sources[number];
    const char **topics = tw_calloc(1, sizeof *topics);
    size_t count = 0;
    tw_err err = {0};
    const tw_source_type *type = tw_plugins_source(p->plugins, s->kind, &err);
    char *who = tw_asprintf("source '%s'", s->name);

    for (uint32_t i = 0; i < p->config->stream_count; i++) {
        const tw_config_stream *stream = &p->config->streams[i];
        for (uint32_t k = 0; stream->source == number && k < stream->topic_count; k++) {
            topics = tw_realloc(topics, (count + 1) * sizeof *topics);
            topics[count++] = stream->topics[k];
        }
    }
    look_for_variables(p, who, s->settings);
    if (!type)
        tw_config_find(p->config, node, "kind", err.text, p->out);
    else if (!tw_config_check_settings(p->config, who, s->settings, type->settings,
                                       p->out))
        open_guest(p, s->name, type, NULL, node, topics, count);
    tw_free(who);
    tw_free(topics);
}

static void look_at_topic(preflight *p, const tw_config_table *t, json_t *node)
{
    const tw_config_source *s = &p->config->sources[t->source];
    const tw_source_type *type = tw_plugins_source(p->plugins, s->kind, NULL);
    const char *topic = t->topic;
    char *text = NULL;

    if (!type) /* said of the source */
        return;
    type = tw_plugin_table_type(type);
    if (!type) {
        text = tw_asprintf("table '%s': a source of kind '%s' cannot be read as a table",
                           t->name, s->kind);
    } else {
        char *settings = json_dumps(s->settings, JSON_COMPACT);
        tw_guest *g =
            tw_guest_new(&p->house, t->name, type, NULL, settings, p->config->state_dir);
        tw_err err = {0};
        if (tw_guest_open(g, &topic, 1, &err) < 0)
            text = tw_asprintf("table '%s': %s", t->name, err.text);
        tw_guest_free(g);
        free(settings);
    }
    if (text)
        tw_config_find(p->config, node, "source", text, p->out);
    tw_free(text);
}

static void look_at_sink(preflight *p, uint32_t number, json_t *node)
{
    const tw_config_sink *s = &p->config->sinks[number];
    tw_err err = {0};
    const tw_sink_type *type = tw_plugins_sink(p->plugins, s->kind, &err);
    char *who = tw_asprintf("sink '%s'", s->name);

    look_for_variables(p, who, s->settings);
    if (!type)
        tw_config_find(p->config, node, "kind", err.text, p->out);
    else if (!tw_config_check_settings(p->config, who, s->settings, type->settings,
                                       p->out))
        open_guest(p, s->name, NULL, type, node, NULL, 0);
    tw_free(who);
}

static bool load_plugins(preflight *p)
{
    json_t *root = tw_conf_root(p->config->document);
    bool fine = true;

    for (uint32_t i = 0; i < p->config->plugin_dir_count; i++) {
        tw_err err = {0};
        if (tw_plugins_load_dir(p->plugins, p->config->plugin_dirs[i], &err) == TW_OK)
            continue;
        tw_config_find(p->config, root, "plugins", err.text, p->out);
        fine = false;
    }
    return fine;
}

static void look_at_connectors(preflight *p)
{
    json_t *root = tw_conf_root(p->config->document);
    json_t *sources = json_object_get(root, "sources");
    json_t *sinks = json_object_get(root, "sinks");

    for (uint32_t i = 0; i < p->config->source_count; i++)
        look_at_source(p, i, json_object_get(sources, p->config->sources[i].name));
    for (uint32_t i = 0; i < p->config->table_count; i++) {
        const tw_config_table *t = &p->config->tables[i];
        if (t->topic)
            look_at_topic(p, t,
                          json_object_get(json_object_get(root, "tables"), t->name));
    }
    for (uint32_t i = 0; i < p->config->sink_count; i++)
        look_at_sink(p, i, json_object_get(sinks, p->config->sinks[i].name));
}

/* Nothing in the file is to blame, so the configuration is. */
static void say_table(const tw_config *config, const tw_config_table *t,
                      const tw_err *why, tw_findings *out)
{
    json_t *tables = json_object_get(tw_conf_root(config->document), "tables");
    char *text = tw_asprintf("table '%s': %s%s%s", t->name, why->file,
                             *why->file ? ": " : "", why->text);

    tw_config_find(config, json_object_get(tables, t->name), "path", text, out);
    tw_free(text);
}

static void look_at_tables(const tw_config *config, tw_findings *out)
{
    for (uint32_t i = 0; i < config->table_count; i++) {
        const tw_config_table *t = &config->tables[i];
        tw_err err = {0};
        if (t->topic)
            continue;
        tw_table *table = tw_table_open_with(t->name, t->path, &t->columns, &err);
        if (!table && err.line)
            tw_findings_add(out, &err, false);
        else if (!table)
            say_table(config, t, &err, out);
        tw_table_free(table);
    }
}

static void look_at_dead_letters(const tw_config *config, tw_findings *out)
{
    if (config->sink_count > 0 && config->dead_letter_sink < 0)
        tw_config_warn(
            config, tw_conf_root(config->document), "sinks",
            "nobody keeps what a sink refuses or what cannot be decoded: it is "
            "counted and lost. 'dead_letters: { sink: NAME }' names the sink that "
            "gets it, such as one of kind 'file'",
            out);
}

size_t tw_preflight_config(const tw_config *config, tw_findings *out)
{
    size_t before = out->count;
    tw_err err = {0};
    preflight p = {.config = config, .out = out, .plugins = tw_plugins_new()};

    tw_clock_init_real(&p.clock);
    p.house = (tw_house){.loop = tw_loop_new(&err),
                         .clock = &p.clock,
                         .stats = tw_stats_new(),
                         .feed_add = no_feed,
                         .feed_remove = no_feed_back,
                         .feed_wake_fd = no_wake_fd,
                         .feed_end = no_feed_end,
                         .answer = no_answer,
                         .stopped = no_stop,
                         .failed = no_failure,
                         .self = &p};
    if (!p.house.loop)
        tw_findings_add(out, &err, false);
    else if (load_plugins(&p))
        look_at_connectors(&p);
    look_at_tables(config, out);
    look_at_dead_letters(config, out);
    tw_loop_free(p.house.loop);
    tw_stats_free(p.house.stats);
    tw_plugins_free(p.plugins);
    return tw_findings_errors(out, before);
}

/* ---- rules ------------------------------------------------------------------------- */

static void ignore_log(void *self, const char *rule_file, const char *message)
{
    (void)self, (void)rule_file, (void)message;
}

/* Operators may refuse what the reader of rules let pass. */
static int try_switch(tw_rule_files *files, tw_streams *streams, tw_err *err)
{
    tw_clock clock;
    tw_stats *stats = tw_stats_new();
    tw_engine_options options = {.clock = &clock, .streams = streams, .stats = stats};
    tw_switch_report report;

    tw_clock_init_virtual(&clock, 0);
    tw_engine *engine = tw_engine_new(&options);
    int rc = tw_engine_start(engine, err);
    if (rc == TW_OK) {
        rc = tw_engine_switch(engine, &(tw_switch){.files = files}, &report, err);
        tw_engine_stop(engine);
    }
    tw_engine_free(engine);
    tw_stats_free(stats);
    return rc;
}

/* The files among the tables of a configuration, by their numbers in it. */
typedef struct preflight_tables {
    tw_table **items; /* NULL: a topic, or broken, which is told elsewhere */
    const tw_declared **columns;
    uint32_t count;
} preflight_tables;

static preflight_tables open_tables(const tw_config *config)
{
    preflight_tables t = {.count = config ? config->table_count : 0};

    t.items = tw_calloc(t.count + 1, sizeof(tw_table *));
    t.columns = tw_calloc(t.count + 1, sizeof *t.columns);
    for (uint32_t i = 0; i < t.count; i++) {
        const tw_config_table *of = &config->tables[i];
        tw_err err;
        if (of->topic)
            continue;
        t.items[i] = tw_table_open_with(of->name, of->path, &of->columns, &err);
        t.columns[i] = t.items[i] ? tw_rows_columns(tw_table_rows(t.items[i])) : NULL;
    }
    return t;
}

static void close_tables(preflight_tables *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        tw_table_free(t->items[i]);
    tw_free(t->items);
    tw_free(t->columns);
}

/* A rule that expects nobody can never tell of anybody. */
static void look_at_expected(const preflight_tables *t, const tw_rule *rule,
                             tw_findings *out)
{
    const tw_missing_plan *plan = tw_missing_plan_of(rule);
    tw_err err;

    for (uint32_t i = 0; plan && plan->table && i < t->count; i++)
        if (t->items[i] && strcmp(tw_table_name(t->items[i]), plan->table) == 0 &&
            tw_missing_expects_nobody(rule, tw_table_rows(t->items[i]), &err))
            tw_findings_add(out, &err, true);
}

size_t tw_preflight_rules(const tw_config *config, const char *const *paths,
                          size_t path_count, tw_findings *out, uint32_t *out_rules)
{
    size_t before = out->count;
    tw_streams *streams = config ? tw_config_streams(config) : tw_streams_new();
    tw_rule_options options = {.streams = streams, .any_stream = true};
    preflight_tables tables = open_tables(config);
    tw_err err = {0};

    if (config)
        tw_config_rule_options_init(config, streams, &options);
    options.table_columns = tables.columns;
    options.tests = true;
    options.log = ignore_log;
    int watchdog = tw_rule_watchdog_start(&err);
    tw_rule_files *files = tw_rules_load(paths, path_count, &options, out);
    if (watchdog < 0 ||
        (!tw_findings_errors(out, before) && try_switch(files, streams, &err) < 0))
        tw_findings_add(out, &err, false);
    *out_rules = tw_rule_files_rule_count(files);
    for (uint32_t i = 0; i < *out_rules; i++)
        look_at_expected(&tables, tw_rule_files_rule(files, i), out);
    tw_rule_files_unref(files);
    if (watchdog == TW_OK)
        tw_rule_watchdog_stop();
    if (config)
        tw_config_rule_options_done(&options);
    tw_streams_free(streams);
    close_tables(&tables);
    return tw_findings_errors(out, before);
}

// SPDX-License-Identifier: Apache-2.0
/* The configuration of `run`: one file (YAML or JSON), one schema, checked before anything starts.
 *
 *     lanes: 2                                  default: the cores of the machine
 *     state_dir: DIR                            files of plugins; none by default
 *     log:          { level: info, format: logfmt }
 *     control:      { listen: "127.0.0.1:9464", token: "${env:TOKEN}" }
 *     plugins:      [DIR]                       default: those of this build
 *     sources:      NAME: { kind: kafka, settings: {...} }
 *     streams:      NAME: { source: NAME, topics: [T], format: json, time: ts, key: host, future: 1m,
 *                           changes: true | false | { of: [service] },
 *                           strict: true, fields: { PATH: text | number | bool | list | map | any } }
 *     tables:       NAME: { path: FILE, key: COLUMN, since: COLUMN, until: COLUMN }
 *                   NAME: { source: NAME, topic: T, key: MEMBER, versions: 1, wait: 30s,
 *                           rows: 1000000, bytes: 64MiB }
 *     rules:        { paths: [DIR], watch: false, params: {"team/rule": {...}},
 *                     limits: { memory: 32MiB, cpu: 50ms, load_cpu: 500ms } }
 *     sinks:        NAME: { kind: webhook, settings: {...}, queue: 10000, max_age: 1h, timeout: 30s,
 *                           backoff: 500ms, backoff_max: 1m }
 *     routes:       PATTERN: [SINK, ...]        exact, or with a * at the end; `default` takes the rest
 *     dead_letters: { sink: NAME }
 *     limits:       { record: 1MiB, depth: 32, fields: 2000, events: 10000 }
 *     context:      { entities: 10000, entries: 32, age: 24h, memory: 64MiB }
 *     positions:    { commit: 5s }              how often sources learn what has been handled
 *     shutdown:     { drain: 25s }
 *
 * Settings of sources and sinks are checked by their plugins. Shore thread. */
#ifndef TW_CONFIG_H
#define TW_CONFIG_H

#include "base/conf.h"
#include "base/log.h"
#include "context/context.h"
#include "decode/decode.h"
#include "flow/stream.h"
#include "flow/table_read.h"
#include "host/plugin.h"
#include "rule/rules.h"

typedef struct tw_config_source {
    char *name, *kind;
    json_t *settings; /* borrowed from the document; with secrets in clear */
} tw_config_source;

typedef struct tw_config_stream {
    char *name;
    uint32_t source; /* number in sources */
    char **topics;   /* default: one topic of the stream's own name */
    uint32_t topic_count;
    tw_format format;
    char *time_path, *key_path; /* NULL: none */
    int64_t future_ms, align_ms;
    bool changes;     /* its events are changes of what they name */
    char **change_of; /* NULL: the usual fields */
    uint32_t change_of_count;
    tw_declared *declared; /* strict: the fields that rules may name; NULL: any */
} tw_config_stream;

/* A file, or a topic. */
typedef struct tw_config_table {
    char *name, *path;
    tw_table_columns columns; /* borrowed from the document */
    char *topic;              /* NULL: a file */
    uint32_t source;          /* number in sources */
    uint32_t versions;        /* of a key; 1: no history */
    size_t max_rows, max_bytes;
    int64_t wait_ms; /* how long judging waits for it */
} tw_config_table;
bool tw_config_table_has_history(const tw_config_table *t);

typedef struct tw_config_sink {
    char *name, *kind;
    json_t *settings;
    uint32_t queue;
    int64_t max_age_ms, pause_ms, timeout_ms, backoff_ms, backoff_max_ms;
} tw_config_sink;

typedef struct tw_config_route {
    char *pattern;
    uint32_t *sinks;
    uint32_t sink_count;
} tw_config_route;

typedef struct tw_config {
    tw_conf *document;
    json_t *as_written; /* before defaults, secrets hidden */
    char *path;
    bool is_file;   /* and not a text in memory */
    uint32_t lanes; /* default: cores */
    char *state_dir;
    tw_log_level log_level;
    tw_log_format log_format;
    char *control_host; /* "127.0.0.1"; other addresses need a token (refused without) */
    uint16_t control_port;
    char *control_token;
    char **plugin_dirs;
    uint32_t plugin_dir_count;
    tw_config_source *sources;
    uint32_t source_count;
    tw_config_stream *streams;
    uint32_t stream_count;
    tw_config_table *tables;
    uint32_t table_count;
    char **rule_paths;
    uint32_t rule_path_count;
    bool rules_watch;
    json_t *rule_params;
    size_t rule_memory_bytes;
    int64_t rule_cpu_ms, rule_load_cpu_ms;
    tw_config_sink *sinks;
    uint32_t sink_count;
    tw_config_route *routes;
    uint32_t route_count;
    int32_t dead_letter_sink; /* number in sinks, or -1 */
    tw_decode_limits limits;
    tw_context_limits context;
    int64_t drain_ms, commit_ms;
} tw_config;

/* Relative paths are taken from the folder of the configuration file. Beyond the schema
 * it checks that names refer to something (nearest name in the message), that no topic of
 * a source feeds two streams, that listen addresses beyond loopback come with a token.
 * err has file, line, column. */
tw_config *tw_config_load(const char *path, tw_err *err);
/* The same with what else is wrong: all that the schema finds, else one finding for each part of the file. */
tw_config *tw_config_load_all(const char *path, tw_findings *out);
tw_config *tw_config_parse(const char *text, size_t n, const char *name,
                           tw_err *err); /* tests, demo */
void tw_config_free(tw_config *config);

/* With defaults filled in, secrets hidden. New reference. */
json_t *tw_config_effective(const tw_config *config);
json_t *tw_config_as_written(const tw_config *config);
json_t *tw_config_json_schema(void);
/* Adds what plugins publish: the settings of each kind to the schema; their defaults to a tree of
 * tw_config_effective. */
void tw_config_schema_add_plugins(json_t *schema, const tw_plugins *plugins);
void tw_config_fill_settings(json_t *effective, const tw_plugins *plugins);

/* Of a file that was read again while the engine runs by `running`: a warning at every part that is
 * different and only a start takes over, which is all but rules and tables. Their names, a new
 * reference. */
json_t *tw_config_takes_restart(const tw_config *running, const tw_config *fresh,
                                tw_findings *out);

/* The streams of the configuration, ready for the engine. */
tw_streams *tw_config_streams(const tw_config *config);
/* How its rules are read: names of tables and routes, parameters, limits. Borrows from config; done
 * frees the lists. */
void tw_config_rule_options_init(const tw_config *config, tw_streams *streams,
                                 tw_rule_options *out);
void tw_config_rule_options_done(tw_rule_options *options);

/* Holds the settings of a source or sink against the JSON Schema its plugin publishes (NULL: nothing
 * to hold against): unknown names with the nearest one, missing ones, types, choices and ranges, each a
 * finding with its place. who: "sink 'ops'". Returns how many there were. */
size_t tw_config_check_settings(const tw_config *config, const char *who,
                                json_t *settings, const char *schema, tw_findings *out);
/* A finding about something the file names: at a key of an object (searched further down when it
 * is not there), or at the object. */
void tw_config_find(const tw_config *config, const json_t *object, const char *key,
                    const char *text, tw_findings *out);
/* The same as a warning. */
void tw_config_warn(const tw_config *config, const json_t *object, const char *key,
                    const char *text, tw_findings *out);

/* The sinks of a route: exact name, longest pattern with *, then `default`. NULL: nobody.
 */
const tw_config_route *tw_config_route_of(const tw_config *config, const char *route);
/* The sinks of what rules emit to a stream: the route "stream:NAME", or the longest "stream:PREFIX*".
 * `default` and other patterns are for alerts. NULL: none. */
const tw_config_route *tw_config_stream_route(const tw_config *config,
                                              const char *stream);

#endif

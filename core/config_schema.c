// SPDX-License-Identifier: Apache-2.0
/* The schema of the configuration as tables: what `check` holds a file against, what `config schema`
 * prints and where defaults come from. Constant data. Invariant: a default passes its own check, so a
 * configuration that has been filled in is accepted again unchanged. */
#include "config_impl.h"

#define COUNT_MAX 1e9

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};
static const char *const stream_formats[] = {"json", "text", NULL};

static const tw_conf_field text_item[] = {{.name = "", .type = TW_CONF_STRING}};

static const tw_conf_field log_fields[] = {
    {.name = "level",
     .type = TW_CONF_ENUM,
     .choices = levels,
     .fallback = "\"info\"",
     .doc = "The least important records that are written."},
    {.name = "format",
     .type = TW_CONF_ENUM,
     .choices = log_formats,
     .fallback = "\"logfmt\"",
     .doc = "How a record looks: key=value pairs, or one JSON object a line."},
    {0}};

static const tw_conf_field control_fields[] = {
    {.name = "listen",
     .type = TW_CONF_STRING,
     .fallback = "\"127.0.0.1:9464\"",
     .doc = "Address and port of health, metrics and API. Beyond loopback a token is "
            "needed."},
    {.name = "token",
     .type = TW_CONF_STRING,
     .secret = true,
     .doc = "What requests must carry as `Authorization: Bearer TOKEN`."},
    {0}};

static const tw_conf_field source_fields[] = {
    {.name = "kind",
     .type = TW_CONF_STRING,
     .required = true,
     .doc = "What a plugin calls it: kafka, file, prometheus."},
    {.name = "settings",
     .type = TW_CONF_ANY,
     .fallback = "{}",
     .doc = "The connector's own: see plugins/KIND/README.md."},
    {0}};
static const tw_conf_field source_item[] = {
    {.name = "", .type = TW_CONF_OBJECT, .fields = source_fields}};

static const tw_conf_field declared_item[] = {
    {.name = "", .type = TW_CONF_ENUM, .choices = tw_declared_types}};

static const tw_conf_field stream_fields[] = {
    {.name = "source",
     .type = TW_CONF_STRING,
     .required = true,
     .doc = "The source that its records come from."},
    {.name = "topics",
     .type = TW_CONF_LIST,
     .items = text_item,
     .string_ok = true,
     .doc = "Topics, paths or targets of the source. Default: the stream's own name."},
    {.name = "format",
     .type = TW_CONF_ENUM,
     .choices = stream_formats,
     .fallback = "\"json\"",
     .doc = "json: objects or arrays of them; text: a line is an event with the field "
            "`message`."},
    {.name = "time",
     .type = TW_CONF_STRING,
     .doc = "Field of the event's own time. Default: the source's time stamp."},
    {.name = "key",
     .type = TW_CONF_STRING,
     .doc = "Field that rules which name no key are keyed by."},
    {.name = "future",
     .type = TW_CONF_DURATION,
     .fallback = "\"1m\"",
     .doc = "Stamps further ahead of arrival are taken as arrival."},
    {.name = "changes",
     .type = TW_CONF_ANY,
     .doc = "Its events are changes of what they name, and are remembered: true, false, "
            "or { of: "
            "[FIELD] } with the fields that name it. Default: true for streams with "
            "a usual name of such (deploys, config_changes, ...)."},
    {.name = "strict",
     .type = TW_CONF_BOOL,
     .fallback = "false",
     .doc = "Rules may name its `fields` only; any other is an error when they are "
            "loaded."},
    {.name = "fields",
     .type = TW_CONF_MAP,
     .items = declared_item,
     .doc =
         "Of a strict stream: the paths that events have, and what is there. Beneath a "
         "list, a map "
         "and `any` every path may be named."},
    {.name = "align",
     .type = TW_CONF_DURATION,
     .fallback = "\"10s\"",
     .doc =
         "While a backlog is read, how far a partition may run ahead of the slowest; 0s: "
         "as far as it likes."},
    {0}};
static const tw_conf_field stream_item[] = {
    {.name = "", .type = TW_CONF_OBJECT, .fields = stream_fields}};

static const tw_conf_field table_fields[] = {
    {.name = "path",
     .type = TW_CONF_STRING,
     .doc = "A CSV or JSON file, read again when it changes."},
    {.name = "key",
     .type = TW_CONF_STRING,
     .doc = "The column that is looked up. Default: the first one of CSV, `key` of JSON, "
            "the "
            "record's key of a topic."},
    {.name = "since",
     .type = TW_CONF_STRING,
     .doc = "The column of when a row begins to be valid: the table keeps history, and a "
            "key may have many rows."},
    {.name = "until",
     .type = TW_CONF_STRING,
     .doc = "The column of when a row's validity ends. Default: when the next row of its "
            "key begins."},
    {.name = "source",
     .type = TW_CONF_STRING,
     .doc = "Instead of a file: the source whose topic is the table. It is read whole."},
    {.name = "topic",
     .type = TW_CONF_STRING,
     .doc = "The topic, compacted or not. Default: the table's own name."},
    {.name = "versions",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 1000,
     .doc = "Of a topic: how many versions of a row are kept; above 1 the table keeps "
            "history. Default: 1."},
    {.name = "rows",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 100000000,
     .doc = "Of a topic: how many keys the table may have. Default: 1000000."},
    {.name = "bytes",
     .type = TW_CONF_SIZE,
     .doc = "Of a topic: how large its keys and values may be together. Default: 64MiB."},
    {.name = "wait",
     .type = TW_CONF_DURATION,
     .doc = "Of a topic: how long judging waits at the start until it has been read. "
            "Default: 30s."},
    {0}};
static const tw_conf_field table_item[] = {
    {.name = "", .type = TW_CONF_OBJECT, .fields = table_fields}};

static const tw_conf_field rule_limit_fields[] = {
    {.name = "memory",
     .type = TW_CONF_SIZE,
     .fallback = "\"32MiB\"",
     .doc = "Lua memory of one rule file in one lane."},
    {.name = "cpu",
     .type = TW_CONF_DURATION,
     .fallback = "\"50ms\"",
     .doc = "Processor time of one call into a rule."},
    {.name = "load_cpu",
     .type = TW_CONF_DURATION,
     .fallback = "\"500ms\"",
     .doc = "Processor time of loading one rule file."},
    {0}};

static const tw_conf_field param_item[] = {{.name = "", .type = TW_CONF_ANY}};
static const tw_conf_field params_item[] = {
    {.name = "", .type = TW_CONF_MAP, .items = param_item}};

static const tw_conf_field rules_fields[] = {
    {.name = "paths",
     .type = TW_CONF_LIST,
     .items = text_item,
     .string_ok = true,
     .fallback = "[]",
     .doc = "Rule files and folders of them."},
    {.name = "watch",
     .type = TW_CONF_BOOL,
     .fallback = "false",
     .doc = "Reload when a rule file or the configuration changes."},
    {.name = "params",
     .type = TW_CONF_MAP,
     .items = params_item,
     .fallback = "{}",
     .doc = "Parameters of rules, by the rule's name."},
    {.name = "limits",
     .type = TW_CONF_OBJECT,
     .fields = rule_limit_fields,
     .fallback = "{}",
     .doc = "What a rule may use."},
    {0}};

static const tw_conf_field sink_fields[] = {
    {.name = "kind",
     .type = TW_CONF_STRING,
     .required = true,
     .doc = "What a plugin calls it: stdout, file, kafka, webhook, alertmanager."},
    {.name = "settings",
     .type = TW_CONF_ANY,
     .fallback = "{}",
     .doc = "The connector's own: see plugins/KIND/README.md."},
    {.name = "queue",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 10000000,
     .fallback = "10000",
     .doc = "Alerts that may wait, and as many emitted events, beyond which sources "
            "wait."},
    {.name = "pause",
     .type = TW_CONF_DURATION,
     .fallback = "\"5m\"",
     .doc = "How long sources wait at a time for a sink whose queue is full; then what "
            "is too many is given up."},
    {.name = "max_age",
     .type = TW_CONF_DURATION,
     .fallback = "\"1h\"",
     .doc = "How long a record is tried before it is given up."},
    {.name = "timeout",
     .type = TW_CONF_DURATION,
     .fallback = "\"30s\"",
     .doc = "A delivery without an answer for so long is tried again."},
    {.name = "backoff",
     .type = TW_CONF_DURATION,
     .fallback = "\"500ms\"",
     .doc = "The wait before the second attempt; it doubles from there, with jitter."},
    {.name = "backoff_max",
     .type = TW_CONF_DURATION,
     .fallback = "\"1m\"",
     .doc = "The longest wait between attempts."},
    {0}};
static const tw_conf_field sink_item[] = {
    {.name = "", .type = TW_CONF_OBJECT, .fields = sink_fields}};

static const tw_conf_field route_item[] = {
    {.name = "", .type = TW_CONF_LIST, .items = text_item, .string_ok = true}};

static const tw_conf_field dead_letter_fields[] = {
    {.name = "sink",
     .type = TW_CONF_STRING,
     .required = true,
     .doc = "The sink that keeps what could not be handled."},
    {0}};

static const tw_conf_field limit_fields[] = {
    {.name = "record",
     .type = TW_CONF_SIZE,
     .fallback = "\"1MiB\"",
     .doc = "Largest record."},
    {.name = "depth",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 256,
     .fallback = "32",
     .doc = "Deepest nesting of a record."},
    {.name = "fields",
     .type = TW_CONF_INT,
     .min = 1,
     .max = COUNT_MAX,
     .fallback = "2000",
     .doc = "Fields of one event, nested ones included."},
    {.name = "events",
     .type = TW_CONF_INT,
     .min = 1,
     .max = COUNT_MAX,
     .fallback = "10000",
     .doc = "Events of one record that is an array."},
    {0}};

static const tw_conf_field context_fields[] = {
    {.name = "entities",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 10000000,
     .fallback = "10000",
     .doc = "Things whose changes and alerts are remembered; beyond it the one goes of "
            "which "
            "nothing was noted for longest."},
    {.name = "entries",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 1000,
     .fallback = "32",
     .doc = "Changes of one thing, and as many alerts; beyond it the oldest goes."},
    {.name = "age",
     .type = TW_CONF_DURATION,
     .fallback = "\"24h\"",
     .doc = "How far back from the newest change."},
    {.name = "memory",
     .type = TW_CONF_SIZE,
     .fallback = "\"64MiB\"",
     .doc = "Of all of it together."},
    {0}};

static const tw_conf_field position_fields[] = {
    {.name = "commit",
     .type = TW_CONF_DURATION,
     .fallback = "\"5s\"",
     .doc = "How often sources are told what has been handled."},
    {0}};

static const tw_conf_field shutdown_fields[] = {
    {.name = "drain",
     .type = TW_CONF_DURATION,
     .fallback = "\"25s\"",
     .doc = "How long undelivered records are still tried when the engine stops."},
    {0}};

const tw_conf_field tw_config_fields[] = {
    {.name = "lanes",
     .type = TW_CONF_INT,
     .min = 1,
     .max = 64,
     .doc = "Threads that judge events. Default: the cores of the machine, at most 64."},
    {.name = "state_dir",
     .type = TW_CONF_STRING,
     .doc = "A folder in which connectors keep files of their own."},
    {.name = "log",
     .type = TW_CONF_OBJECT,
     .fields = log_fields,
     .fallback = "{}",
     .doc = "The log on standard error."},
    {.name = "control",
     .type = TW_CONF_OBJECT,
     .fields = control_fields,
     .fallback = "{}",
     .doc = "Health, readiness, metrics, reload and API over HTTP."},
    {.name = "plugins",
     .type = TW_CONF_LIST,
     .items = text_item,
     .string_ok = true,
     .doc = "Folders of plugins. Default: those of this build."},
    {.name = "sources",
     .type = TW_CONF_MAP,
     .items = source_item,
     .fallback = "{}",
     .doc = "Where records come from."},
    {.name = "streams",
     .type = TW_CONF_MAP,
     .items = stream_item,
     .fallback = "{}",
     .doc = "What rules name by `from`."},
    {.name = "tables",
     .type = TW_CONF_MAP,
     .items = table_item,
     .fallback = "{}",
     .doc = "What rules name by `lookup`."},
    {.name = "rules",
     .type = TW_CONF_OBJECT,
     .fields = rules_fields,
     .fallback = "{}",
     .doc = "The rules."},
    {.name = "sinks",
     .type = TW_CONF_MAP,
     .items = sink_item,
     .fallback = "{}",
     .doc = "Where alerts go."},
    {.name = "routes",
     .type = TW_CONF_MAP,
     .items = route_item,
     .fallback = "{}",
     .doc = "From the route a rule names, exact or with a * at the end, to sinks; "
            "`default` takes the rest."},
    {.name = "dead_letters",
     .type = TW_CONF_OBJECT,
     .fields = dead_letter_fields,
     .doc = "Where records go that could not be handled."},
    {.name = "limits",
     .type = TW_CONF_OBJECT,
     .fields = limit_fields,
     .fallback = "{}",
     .doc = "Of one record."},
    {.name = "context",
     .type = TW_CONF_OBJECT,
     .fields = context_fields,
     .fallback = "{}",
     .doc = "What is remembered of changes and alerts."},
    {.name = "positions",
     .type = TW_CONF_OBJECT,
     .fields = position_fields,
     .fallback = "{}",
     .doc = "How far sources have been read."},
    {.name = "shutdown",
     .type = TW_CONF_OBJECT,
     .fields = shutdown_fields,
     .fallback = "{}",
     .doc = "The orderly stop."},
    {0}};

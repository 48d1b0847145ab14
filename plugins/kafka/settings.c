// SPDX-License-Identifier: Apache-2.0
/* Reads the settings of both kinds from the host's JSON. Order matters: first our own
 * defaults, then what the operator passes through, last the properties that the plugin's
 * logic rests on, which nobody may change. */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf.h"

#define SET_ALL(conf, list, refusal)                                                     \
    conf_set_all(conf, list, sizeof(list) / sizeof *(list), refusal)

/* fetch.max.bytes: a response that stays in the cache halves the client's CPU time; 1 MB is 4 %
 * cheaper than 2. A distant broker wants more, since one request is under way at a time.
 * fetch.wait.max.ms: while a fetch waits at the end of one partition, librdkafka sends
 * no other to the same broker, so a long wait starves the partitions that are behind. */
static const conf_property source_defaults[] = {
    {"client.id", "tidewatch"},
    {"fetch.max.bytes", "1000000"},
    {"fetch.wait.max.ms", "20"},
    {"queued.max.messages.kbytes", "2000"},
    {"queued.min.messages", "1000000"},
    {"isolation.level", "read_committed"},
    {"check.crcs", "true"},
    {"partition.assignment.strategy", "range,roundrobin"},
    {"topic.metadata.refresh.interval.ms", "10000"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.nagle.disable", "true"},
    {"log.connection.close", "false"},
};

/* session.timeout.ms, set beside these: after a crash the group waits so long before it
 * gives the partitions away. A member with a lasting name should find its own again. */
static const conf_property source_rules[] = {
    {"statistics.interval.ms", "1000"},    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},
    {"enable.partition.eof", "true"},      {"allow.auto.create.topics", "false"},
};

/* message.timeout.ms is short because the host repeats a failed delivery itself. */
static const conf_property sink_defaults[] = {
    {"client.id", "tidewatch"},
    {"enable.idempotence", "true"},
    {"message.timeout.ms", "20000"},
    {"statistics.interval.ms", "1000"},
    {"linger.ms", "5"},
    {"partitioner", "murmur2_random"},
    {"topic.metadata.refresh.interval.ms", "10000"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.nagle.disable", "true"},
    {"log.connection.close", "false"},
    {"queue.buffering.max.messages", "200000"},
};

/* ---- the source's own -------------------------------------------------------------- */

/* RFC 3339, such as 2024-11-21T09:40:05.250+01:00. */
static int parse_time(const char *text, int64_t *out_ms)
{
    struct tm tm = {0};
    const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t fraction_ms = 0, offset_min = 0;

    if (!p)
        return -1;
    if (*p == '.') {
        int64_t unit = 100;
        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            fraction_ms += (*p - '0') * unit;
    }
    if (*p == '+' || *p == '-') {
        unsigned hours, minutes;
        int used = 0;
        if (sscanf(p + 1, "%2u:%2u%n", &hours, &minutes, &used) != 2 || used != 5)
            return -1;
        offset_min = (int64_t)(hours * 60 + minutes) * (*p == '-' ? -1 : 1);
        p += 1 + used;
    } else if (*p++ != 'Z') {
        return -1;
    }
    if (*p)
        return -1;
    *out_ms = ((int64_t)timegm(&tm) - offset_min * 60) * 1000 + fraction_ms;
    return 0;
}

static int read_start(source_settings *out, const json_t *value, tw_refusal *refusal)
{
    const char *text = json_string_value(value);

    if (!value || (text && strcmp(text, "latest") == 0)) {
        out->start = START_LATEST;
    } else if (text && strcmp(text, "earliest") == 0) {
        out->start = START_EARLIEST;
    } else if (text && strcmp(text, "stored") == 0) {
        out->start = START_STORED;
    } else if (json_is_integer(value) && json_integer_value(value) >= 0) {
        out->start = START_TIME;
        out->start_ms = json_integer_value(value);
    } else if (text && parse_time(text, &out->start_ms) == 0) {
        out->start = START_TIME;
    } else {
        kafka_refuse(refusal,
                     "start: must be earliest, latest, stored, a time such as "
                     "2024-11-21T09:40:05Z, or epoch milliseconds%s%s%s",
                     text ? ", not '" : "", text ? text : "", text ? "'" : "");
        return -1;
    }
    return 0;
}

static int read_policies(source_settings *out, const json_t *settings,
                         tw_refusal *refusal)
{
    const char *missing = "fail";

    if (read_start(out, json_object_get(settings, "start"), refusal) < 0 ||
        conf_read_text(settings, "on_missing_offset", &missing, refusal) < 0)
        return -1;
    if (strcmp(missing, "fail") == 0)
        out->missing = MISSING_FAIL;
    else if (strcmp(missing, "earliest") == 0)
        out->missing = MISSING_EARLIEST;
    else if (strcmp(missing, "latest") == 0)
        out->missing = MISSING_LATEST;
    else {
        kafka_refuse(refusal, "on_missing_offset: must be fail, earliest or latest");
        return -1;
    }
    return 0;
}

static int configure_source(rd_kafka_conf_t *conf, source_settings *out,
                            const json_t *settings, const char *name, tw_refusal *refusal)
{
    char group_default[256];
    const char *group = group_default, *instance = NULL;

    snprintf(group_default, sizeof group_default, "tidewatch-%s", name);
    out->self_waking = rd_kafka_version() >= 0x020200ff;
    if (SET_ALL(conf, source_defaults, refusal) < 0 ||
        conf_read_text(settings, "instance_id", &instance, refusal) < 0 ||
        conf_set(conf, "session.timeout.ms", instance ? "45000" : "20000", refusal) < 0 ||
        (out->self_waking &&
         conf_set(conf, "fetch.queue.backoff.ms", "2", refusal) < 0) ||
        conf_read_security(conf, json_object_get(settings, "security"), refusal) < 0 ||
        conf_read_properties(conf, json_object_get(settings, "properties"), refusal) <
            0 ||
        SET_ALL(conf, source_rules, refusal) < 0 ||
        read_policies(out, settings, refusal) < 0 ||
        conf_read_text(settings, "group", &group, refusal) < 0)
        return -1;
    out->group = kafka_copy(group);
    out->group_is_ours = group == group_default;
    out->queue_bytes = conf_number(conf, "queued.max.messages.kbytes") * 1024;
    out->queue_records = conf_number(conf, "queued.min.messages");
    out->brokers = conf_read_brokers(json_object_get(settings, "brokers"), refusal);
    if (!out->brokers)
        return -1;
    out->embedded = strcmp(out->brokers, "embedded") == 0;
    if (conf_set(conf, "group.id", group, refusal) < 0 ||
        (instance && conf_set(conf, "group.instance.id", instance, refusal) < 0))
        return -1;
    return out->embedded ? 0 : conf_set(conf, "bootstrap.servers", out->brokers, refusal);
}

rd_kafka_conf_t *source_settings_read(source_settings *out, const tw_host *h,
                                      tw_refusal *refusal)
{
    static const char *const known[] = {
        "brokers",           "group",    "instance_id", "start",
        "on_missing_offset", "security", "properties"};
    json_t *settings = conf_parse(h, refusal);
    rd_kafka_conf_t *conf;

    *out = (source_settings){0};
    if (!settings)
        return NULL;
    conf = rd_kafka_conf_new();
    if (conf_check_keys(settings, known, sizeof known / sizeof *known, refusal) < 0 ||
        configure_source(conf, out, settings, h->name, refusal) < 0) {
        rd_kafka_conf_destroy(conf);
        conf = NULL;
    }
    json_decref(settings);
    return conf;
}

void source_settings_done(source_settings *s)
{
    free(s->brokers);
    free(s->group);
    *s = (source_settings){0};
}

/* ---- the sink's own ---------------------------------------------------------------- */

static int configure_sink(rd_kafka_conf_t *conf, sink_settings *out,
                          const json_t *settings, const char *name, tw_refusal *refusal)
{
    char source_default[256];
    const char *topic = NULL, *format = "cloudevents", *source = source_default;

    snprintf(source_default, sizeof source_default, "/tidewatch/%s", name);
    if (SET_ALL(conf, sink_defaults, refusal) < 0 ||
        conf_read_security(conf, json_object_get(settings, "security"), refusal) < 0 ||
        conf_read_properties(conf, json_object_get(settings, "properties"), refusal) <
            0 ||
        conf_read_text(settings, "topic", &topic, refusal) < 0 ||
        conf_read_text(settings, "format", &format, refusal) < 0 ||
        conf_read_text(settings, "source", &source, refusal) < 0)
        return -1;
    if (!topic) {
        kafka_refuse(refusal, "topic: is missing");
        return -1;
    }
    out->cloudevents = strcmp(format, "cloudevents") == 0;
    if (!out->cloudevents && strcmp(format, "json") != 0) {
        kafka_refuse(refusal, "format: must be cloudevents or json");
        return -1;
    }
    out->topic = kafka_copy(topic);
    out->ce_source = kafka_copy(source);
    out->brokers = conf_read_brokers(json_object_get(settings, "brokers"), refusal);
    if (!out->brokers)
        return -1;
    out->embedded = strcmp(out->brokers, "embedded") == 0;
    return out->embedded ? 0 : conf_set(conf, "bootstrap.servers", out->brokers, refusal);
}

rd_kafka_conf_t *sink_settings_read(sink_settings *out, const tw_host *h,
                                    tw_refusal *refusal)
{
    static const char *const known[] = {"brokers", "topic",    "format",
                                        "source",  "security", "properties"};
    json_t *settings = conf_parse(h, refusal);
    rd_kafka_conf_t *conf;

    *out = (sink_settings){0};
    if (!settings)
        return NULL;
    conf = rd_kafka_conf_new();
    if (conf_check_keys(settings, known, sizeof known / sizeof *known, refusal) < 0 ||
        configure_sink(conf, out, settings, h->name, refusal) < 0) {
        rd_kafka_conf_destroy(conf);
        conf = NULL;
    }
    json_decref(settings);
    return conf;
}

void sink_settings_done(sink_settings *s)
{
    free(s->brokers);
    free(s->topic);
    free(s->ce_source);
    *s = (sink_settings){0};
}

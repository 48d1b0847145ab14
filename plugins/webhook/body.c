// SPDX-License-Identifier: Apache-2.0
/* The three forms of a webhook's body: Alertmanager's version 4, our own JSON, and a
 * structured CloudEvent around it. */
#include "webhook/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/alert_json.h"

static void set_text(json_t *object, const char *name, const char *text)
{
    json_t *value = json_string(text ? text : "");
    json_object_set_new(object, name, value ? value : json_string("?"));
}

static json_t *alert(const tw_record *r, json_t *labels, json_t *annotations,
                     const char *external_url)
{
    char time[ALERT_TIME_SIZE], fingerprint[17];
    char *generator = alert_generator_url(external_url, r->incident);
    json_t *o = json_object();

    alert_fingerprint(labels, fingerprint);
    set_text(o, "status", r->status);
    json_object_set(o, "labels", labels);
    json_object_set(o, "annotations", annotations);
    set_text(o, "startsAt", alert_time(r->starts_at_ms, time));
    set_text(o, "endsAt", alert_time(r->ends_at_ms, time));
    set_text(o, "generatorURL", generator);
    set_text(o, "fingerprint", fingerprint);
    free(generator);
    return o;
}

/* The group of an alert is its incident. */
static char *group_key(const char *incident)
{
    json_t *text = json_string(incident);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);
    size_t size = (quoted ? strlen(quoted) : 0) + 32;
    char *key = shared_alloc(size);

    snprintf(key, size, "{}:{incident=%s}", quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(text);
    return key;
}

/* What both say alike: of an alert that is ended along, `severity` differs. */
static json_t *common(const json_t *alerts, const char *member)
{
    json_t *first = json_object_get(json_array_get(alerts, 0), member);
    const json_t *last =
        json_object_get(json_array_get(alerts, json_array_size(alerts) - 1), member);
    json_t *o = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(first, name, value)
    {
        if (json_equal(value, json_object_get(last, name)))
            json_object_set(o, name, value);
    }
    return o;
}

static json_t *ended(const json_t *before, int64_t at_ms)
{
    char time[ALERT_TIME_SIZE];
    json_t *o = json_copy((json_t *)(uintptr_t)before);

    set_text(o, "status", "resolved");
    set_text(o, "endsAt", alert_time(at_ms, time));
    return o;
}

static json_t *alertmanager(const body_writer *w, const tw_record *r,
                            const json_t *before, json_t **out_alert)
{
    json_t *labels = alert_labels(r, false), *annotations = alert_annotations(r);
    json_t *o = json_object(), *alerts = json_array();
    char *key = group_key(r->incident);

    *out_alert = alert(r, labels, annotations, w->external_url);
    json_array_append(alerts, *out_alert);
    if (before && !json_equal(json_object_get(before, "labels"), labels))
        json_array_append_new(alerts, ended(before, r->time_ms));
    set_text(o, "version", "4");
    set_text(o, "groupKey", key);
    json_object_set_new(o, "truncatedAlerts", json_integer(0));
    set_text(o, "status", r->status);
    set_text(o, "receiver", w->receiver);
    json_object_set_new(o, "groupLabels",
                        json_pack("{s:o*}", "incident",
                                  json_incref(json_object_get(labels, "incident"))));
    json_object_set_new(o, "commonLabels", common(alerts, "labels"));
    json_object_set_new(o, "commonAnnotations", common(alerts, "annotations"));
    set_text(o, "externalURL", w->external_url);
    json_object_set_new(o, "alerts", alerts);
    free(key);
    json_decref(labels);
    json_decref(annotations);
    return o;
}

static const char *type_of(const tw_record *r)
{
    switch (r->kind) {
    case TW_RECORD_ALERT:
        return strcmp(r->status, "resolved") == 0 ? "tidewatch.alert.resolved"
                                                  : "tidewatch.alert.firing";
    case TW_RECORD_EVENT:
        return "tidewatch.event";
    case TW_RECORD_DEAD_LETTER:
        return "tidewatch.dead_letter";
    }
    return "tidewatch.record";
}

static json_t *cloudevent(const tw_record *r)
{
    char time[ALERT_TIME_SIZE];
    json_t *o = json_object();
    json_t *data = json_loadb(r->json, r->json_size, JSON_ALLOW_NUL, NULL);

    set_text(o, "specversion", "1.0");
    set_text(o, "id", r->id);
    set_text(o, "source", "tidewatch");
    set_text(o, "type", type_of(r));
    if (r->key)
        set_text(o, "subject", r->key);
    set_text(o, "time", alert_time(r->time_ms, time));
    set_text(o, "datacontenttype", "application/json");
    json_object_set_new(o, "data", data ? data : json_null());
    return o;
}

char *body_write(const body_writer *w, const tw_record *r, const json_t *before,
                 json_t **out_alert)
{
    json_t *o = NULL;

    *out_alert = NULL;
    if (w->format == BODY_CLOUDEVENTS)
        o = cloudevent(r);
    else if (w->format == BODY_ALERTMANAGER && r->kind == TW_RECORD_ALERT)
        o = alertmanager(w, r, before, out_alert);
    if (!o)
        return shared_strdup(r->json);
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text ? text : shared_strdup(r->json);
}

const char *body_content_type(body_format format)
{
    return format == BODY_CLOUDEVENTS ? "Content-Type: application/cloudevents+json"
                                      : "Content-Type: application/json";
}

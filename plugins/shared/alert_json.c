// SPDX-License-Identifier: Apache-2.0
/* Alerts as JSON; see alert_json.h. */
#include "shared/alert_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/settings.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(json_t *object)
{
    size_t count = json_object_size(object), n = 0;
    const char **names = shared_alloc(sizeof *names * (count + 1));
    json_t *out = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value) names[n++] = name;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        json_object_set(out, names[i], json_object_get(object, names[i]));
    free(names);
    json_decref(object);
    return out;
}

static char *fitting_name(const char *name)
{
    size_t n = strlen(name);
    char *out = shared_alloc(n + 2), *to = out;

    if (*name >= '0' && *name <= '9')
        *to++ = '_';
    for (; *name; name++) {
        bool fits = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9') || *name == '_';
        *to++ = fits ? *name : '_';
    }
    return out;
}

/* The first of two names that become one stays. Text that is no UTF-8 is left out, as a
 * receiver would refuse the whole request for it. */
static void add(json_t *labels, const char *name, const char *value)
{
    if (value && *value && *name && !json_object_get(labels, name))
        json_object_set_new(labels, name, json_string(value));
}

json_t *alert_labels(const tw_record *r, bool utf8)
{
    json_t *labels = json_object();

    for (size_t i = 0; i < r->label_count; i++) {
        char *name =
            utf8 ? shared_strdup(r->labels[i].name) : fitting_name(r->labels[i].name);
        add(labels, name, r->labels[i].value);
        free(name);
    }
    add(labels, "alertname", r->rule);
    add(labels, "severity", r->level);
    add(labels, "incident", r->incident);
    return sorted(labels);
}

json_t *alert_annotations(const tw_record *r)
{
    json_t *annotations = json_object();

    for (size_t i = 0; i < r->annotation_count; i++)
        add(annotations, r->annotations[i].name, r->annotations[i].value);
    add(annotations, "summary", r->title);
    add(annotations, "description",
        r->body && *r->body ? r->body
                            : json_string_value(json_object_get(annotations, "reason")));
    return annotations;
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return (hash ^ 0xff) * 1099511628211u;
}

void alert_fingerprint(const json_t *labels, char out[17])
{
    uint64_t hash = 14695981039346656037u;
    json_t *in_order = sorted(json_incref((json_t *)(uintptr_t)labels));
    const char *name;
    json_t *value;

    json_object_foreach(in_order, name, value) hash =
        fnv1a(fnv1a(hash, name), json_string_value(value));
    json_decref(in_order);
    snprintf(out, 17, "%016llx", (unsigned long long)hash);
}

const char *alert_time(int64_t ms, char out[ALERT_TIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;

    if (ms < 0 || !gmtime_r(&seconds, &at) || at.tm_year > 9999 - 1900) {
        snprintf(out, ALERT_TIME_SIZE, "0001-01-01T00:00:00Z");
        return out;
    }
    size_t n = strftime(out, ALERT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &at);
    snprintf(out + n, ALERT_TIME_SIZE - n, ".%03dZ", (int)(ms % 1000));
    return out;
}

char *alert_generator_url(const char *external_url, const char *incident)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *text = NULL;
    size_t size, n = external_url ? strlen(external_url) : 0;

    if (n == 0)
        return shared_strdup("");
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    while (n > 0 && external_url[n - 1] == '/')
        n--;
    fprintf(out, "%.*s/incidents/", (int)n, external_url);
    for (const char *p = incident; *p; p++) {
        if (strchr(plain, *p))
            fputc(*p, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*p);
    }
    fclose(out);
    return text;
}

// SPDX-License-Identifier: Apache-2.0
/* The reader of query answers; see query.h. Values come as text, NaN and infinities included; times as
 * seconds. */
#include "prometheus/query.h"

#include <curl/curl.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/memory.h"
#include "prometheus/number.h"

#define MAX_WARNINGS_TEXT 512
#define TIME_MAX_S 253402300799.0 /* the end of the year 9999 */

static bool fail(query_result *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(query_result *out, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(out->error, sizeof out->error, format, ap);
    va_end(ap);
    return false;
}

static text_slice slice_of(const json_t *text)
{
    return (text_slice){json_string_value(text), json_string_length(text)};
}

/* `[1732182005.123, "0.5"]` */
static bool read_point(const json_t *point, text_sample *s, query_result *out)
{
    const json_t *time = json_array_get(point, 0), *value = json_array_get(point, 1);
    text_slice digits = slice_of(value);
    double seconds = json_number_value(time);

    if (!json_is_number(time) || !json_is_string(value))
        return fail(out, "a value is not a pair of time and text");
    if (number_read(digits.at, digits.size, &s->value) != NUMBER_OK)
        return fail(out, "'%.40s' is not a number", digits.at);
    if (!(fabs(seconds) <= TIME_MAX_S))
        return fail(out, "a time stamp is out of range");
    s->time_ms = (int64_t)llround(seconds * 1000);
    return true;
}

static bool read_labels(const json_t *metric, const text_limits *limits,
                        text_label labels[TEXT_LABELS_MAX], text_sample *s,
                        query_result *out)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)metric, name, value)
    {
        if (strcmp(name, "__name__") == 0)
            continue;
        if (s->label_count == limits->labels)
            return fail(out, "more than %u labels", limits->labels);
        if (!json_is_string(value))
            return fail(out, "the label '%.64s' is not text", name);
        labels[s->label_count++] = (text_label){{name, strlen(name)}, slice_of(value)};
    }
    s->labels = labels;
    return true;
}

static bool add_vector(const json_t *result, text_slice name, const text_limits *limits,
                       batch *b, query_result *out)
{
    text_label labels[TEXT_LABELS_MAX];

    if (limits->samples && json_array_size(result) > limits->samples)
        return fail(out, "more than %u samples", limits->samples);
    for (size_t i = 0; i < json_array_size(result); i++) {
        const json_t *element = json_array_get(result, i);
        const json_t *point = json_object_get(element, "value");
        text_sample s = {.name = name};
        if (!point) { /* a native histogram, which has no one value */
            b->not_numbers++;
            continue;
        }
        if (!read_labels(json_object_get(element, "metric"), limits, labels, &s, out) ||
            !read_point(point, &s, out))
            return false;
        batch_add(b, &s, out->extra);
    }
    out->samples = (uint32_t)json_array_size(result);
    return true;
}

static bool add_scalar(const json_t *point, text_slice name, batch *b, query_result *out)
{
    text_sample s = {.name = name};

    if (!read_point(point, &s, out))
        return false;
    batch_add(b, &s, out->extra);
    out->samples = 1;
    return true;
}

/* Warnings mean that the answer may be partial; infos do not. */
static char *warnings_of(const json_t *answer)
{
    const json_t *warnings = json_object_get(answer, "warnings");
    char text[MAX_WARNINGS_TEXT];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(warnings) && n < sizeof text; i++) {
        const char *warning = json_string_value(json_array_get(warnings, i));
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? "; " : "",
                              warning ? warning : "?");
    }
    if (n == 0)
        return NULL;
    char *quoted = json_quote(text), *extra = xprintf(",\"warnings\":%s", quoted);
    free(quoted);
    return extra;
}

static bool read_answer(const json_t *answer, text_slice name, const text_limits *limits,
                        batch *b, query_result *out)
{
    const char *status = json_string_value(json_object_get(answer, "status"));
    const char *why = json_string_value(json_object_get(answer, "error"));
    const json_t *data = json_object_get(answer, "data");
    const json_t *result = json_object_get(data, "result");
    const char *type = json_string_value(json_object_get(data, "resultType"));

    if (!status || strcmp(status, "success") != 0)
        return fail(out, "%s", why ? why : "not an answer of the Prometheus API");
    if (!type || !json_is_array(result))
        return fail(out, "the answer has no result");
    out->extra = warnings_of(answer);
    if (strcmp(type, "vector") == 0)
        return add_vector(result, name, limits, b, out);
    if (strcmp(type, "scalar") == 0)
        return add_scalar(result, name, b, out);
    return fail(out, "the query gives a %.32s; it must give a vector or a scalar", type);
}

bool query_read(const char *body, size_t size, const char *name,
                const text_limits *limits, batch *b, query_result *out)
{
    json_t *answer = json_loadb(body, size, JSON_ALLOW_NUL, NULL);

    *out = (query_result){0};
    bool fine =
        answer ? read_answer(answer, (text_slice){name, strlen(name)}, limits, b, out)
               : fail(out, "the answer is not JSON");
    json_decref(answer);
    return fine;
}

char *query_form(const char *query, int64_t timeout_ms, uint32_t limit)
{
    char *escaped = curl_easy_escape(NULL, query, 0);

    if (!escaped)
        abort();
    char *form = xprintf("query=%s&timeout=%lldms&limit=%u", escaped,
                         (long long)timeout_ms, limit);
    curl_free(escaped);
    return form;
}

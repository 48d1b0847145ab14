// SPDX-License-Identifier: Apache-2.0
/* Silences as data; see silence.h. */
#include "alert/silence.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"

#define MAX_MATCHERS 32

void tw_silence_free(void *p)
{
    tw_silence *s = p;

    if (!s)
        return;
    for (uint32_t i = 0; i < s->matcher_count; i++) {
        tw_free(s->matchers[i].name);
        tw_free(s->matchers[i].value);
        tw_text_pattern_free(s->matchers[i].pattern);
    }
    tw_free(s->matchers);
    tw_free(s->id);
    tw_free(s->by);
    tw_free(s->comment);
    tw_free(s);
}

/* ---- matchers ---------------------------------------------------------------------- */

/* Takes name and value. */
static int add(tw_silence *s, char *name, char *value, bool is_pattern, bool is_negative,
               tw_err *err)
{
    if (s->matcher_count == MAX_MATCHERS) {
        tw_free(name);
        tw_free(value);
        return tw_err_set(err, TW_ELIMIT, "a silence has at most %d matchers",
                          MAX_MATCHERS);
    }
    s->matchers = tw_realloc(s->matchers, (s->matcher_count + 1) * sizeof *s->matchers);
    tw_label_matcher *m = &s->matchers[s->matcher_count++];
    *m = (tw_label_matcher){.name = name, .value = value, .is_negative = is_negative};
    if (is_pattern)
        m->pattern = tw_text_pattern_new(value, err);
    return is_pattern && !m->pattern ? TW_EPARSE : TW_OK;
}

/* "zone=~eu-.*"; quotes around the value are taken off. */
static int add_written(tw_silence *s, const char *text, tw_err *err)
{
    size_t n = strcspn(text, "=!");
    const char *op = text + n;
    bool is_negative = op[0] == '!';
    bool is_pattern = op[0] && op[1] == '~';

    if (n == 0 || !op[0] || (is_negative && op[1] != '=' && op[1] != '~'))
        return tw_err_set(err, TW_EPARSE,
                          "'%s' is no matcher; write label=value, label!=value, "
                          "label=~pattern or label!~pattern",
                          text);
    const char *value = op + 1 + (is_negative || is_pattern);
    size_t size = strlen(value);
    bool is_quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';
    return add(s, tw_strndup(text, n),
               tw_strndup(value + is_quoted, size - 2 * (size_t)is_quoted), is_pattern,
               is_negative, err);
}

static int add_member(tw_silence *s, const char *name, const json_t *value, tw_err *err)
{
    static const struct {
        const char *word;
        bool is_pattern, is_negative;
    } words[] = {{"is", false, false},
                 {"matches", true, false},
                 {"not", false, true},
                 {"not_matches", true, true}};

    if (json_is_string(value))
        return add(s, tw_strdup(name), tw_strdup(json_string_value(value)), false, false,
                   err);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *text = json_string_value(json_object_get(value, words[i].word));
        if (text && json_object_size(value) == 1)
            return add(s, tw_strdup(name), tw_strdup(text), words[i].is_pattern,
                       words[i].is_negative, err);
    }
    return tw_err_set(err, TW_EPARSE,
                      "match: '%s' is a string, or one of {\"matches\": ..}, {\"not\": "
                      "..}, {\"not_matches\": ..}",
                      name);
}

static bool holds(const tw_label_matcher *m, const char *value)
{
    value = value ? value : "";
    bool found = m->pattern ? tw_text_pattern_holds(m->pattern, value)
                            : strcmp(m->value, value) == 0;
    return found != m->is_negative;
}

/* One that holds for an incident without labels would mute everything. */
static int check_matchers(const tw_silence *s, tw_err *err)
{
    for (uint32_t i = 0; i < s->matcher_count; i++) {
        if (!holds(&s->matchers[i], NULL))
            return TW_OK;
    }
    return tw_err_set(err, TW_EINVAL,
                      "the silence would mute everything: at least one matcher must need "
                      "a label");
}

static int read_match(tw_silence *s, json_t *match, tw_err *err)
{
    const char *name;
    json_t *value;
    size_t i;
    int rc = TW_OK;

    if (!json_is_object(match) && !json_is_array(match))
        return tw_err_set(err, TW_EPARSE,
                          "a silence needs 'match': {\"label\": \"value\"} or "
                          "[\"label=value\"]");
    json_object_foreach(match, name, value)
    {
        rc = rc < 0 ? rc : add_member(s, name, value, err);
    }
    json_array_foreach(match, i, value)
    {
        const char *text = json_string_value(value);
        rc = rc < 0 ? rc : add_written(s, text ? text : "", err);
    }
    return rc < 0 ? rc : check_matchers(s, err);
}

bool tw_silence_matches(const tw_silence *s,
                        const char *(*label)(const void *of, const char *name),
                        const void *of)
{
    for (uint32_t i = 0; i < s->matcher_count; i++) {
        if (!holds(&s->matchers[i], label(of, s->matchers[i].name)))
            return false;
    }
    return true;
}

/* ---- times ------------------------------------------------------------------------- */

static int read_time(const json_t *order, const char *name, int64_t *out_ms, tw_err *err)
{
    const json_t *value = json_object_get(order, name);
    const char *text = json_string_value(value);

    if (!value || json_is_null(value))
        return TW_OK;
    if (json_is_integer(value)) {
        *out_ms = json_integer_value(value);
        return TW_OK;
    }
    if (text && tw_time_parse_rfc3339(text, strlen(text), out_ms) == TW_OK)
        return TW_OK;
    return tw_err_set(err, TW_EPARSE, "'%s' is neither epoch milliseconds nor RFC 3339",
                      name);
}

static int read_times(tw_silence *s, const json_t *order, int64_t now_ms, tw_err *err)
{
    const char *length = json_string_value(json_object_get(order, "for"));
    int64_t length_ms;

    s->from_ms = s->until_ms = TW_TIME_NONE;
    if (read_time(order, "from", &s->from_ms, err) < 0 ||
        read_time(order, "until", &s->until_ms, err) < 0)
        return TW_EPARSE;
    if (length && tw_duration_parse(length, strlen(length), &length_ms) < 0)
        return tw_err_set(err, TW_EPARSE, "'for': \"%s\" is not a duration like \"2h\"",
                          length);
    if (length)
        s->until_ms = (s->from_ms == TW_TIME_NONE ? now_ms : s->from_ms) + length_ms;
    if (s->until_ms == TW_TIME_NONE)
        return tw_err_set(err, TW_EINVAL, "a silence needs its end: 'until' or 'for'");
    if (s->until_ms <= s->from_ms || s->until_ms <= now_ms)
        return tw_err_set(err, TW_EINVAL, "the silence would be over before it begins");
    return TW_OK;
}

/* ---- life -------------------------------------------------------------------------- */

static char *text_of(const json_t *order, const char *name)
{
    const char *text = json_string_value(json_object_get(order, name));
    return tw_strdup(text ? text : "");
}

tw_silence *tw_silence_new(const json_t *order, int64_t now_ms, tw_err *err)
{
    tw_silence *s = tw_alloc(sizeof *s);

    s->id = text_of(order, "id");
    s->by = text_of(order, "by");
    s->comment = text_of(order, "comment");
    if (read_match(s, json_object_get(order, "match"), err) < 0 ||
        read_times(s, order, now_ms, err) < 0) {
        tw_silence_free(s);
        return NULL;
    }
    return s;
}

static json_t *written(const tw_label_matcher *m)
{
    static const char *const ops[2][2] = {{"=", "!="}, {"=~", "!~"}};

    return json_sprintf("%s%s%s", m->name, ops[m->pattern != NULL][m->is_negative],
                        m->value);
}

json_t *tw_silence_json(const tw_silence *s, int64_t now_ms)
{
    json_t *match = json_array();
    const char *state = now_ms >= s->until_ms ? "expired"
                        : now_ms < s->from_ms ? "pending"
                                              : "active";

    for (uint32_t i = 0; i < s->matcher_count; i++)
        json_array_append_new(match, written(&s->matchers[i]));
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:I, s:s, s:s}", "id", s->id, "state", state, "match",
        match, "from",
        s->from_ms == TW_TIME_NONE ? json_null() : json_integer((json_int_t)s->from_ms),
        "until", (json_int_t)s->until_ms, "by", s->by, "comment", s->comment);
}

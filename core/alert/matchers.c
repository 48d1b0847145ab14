// SPDX-License-Identifier: Apache-2.0
/* Label matchers as data; see matchers.h. */
#include "alert/matchers.h"

#include <string.h>

#include "base/mem.h"

#define MAX_MATCHERS 32

void tw_label_matchers_done(tw_label_matchers *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        tw_free(m->items[i].name);
        tw_free(m->items[i].value);
        tw_text_pattern_free(m->items[i].pattern);
    }
    tw_free(m->items);
    *m = (tw_label_matchers){0};
}

/* Takes name and value. */
static int add(tw_label_matchers *to, char *name, char *value, bool is_pattern,
               bool is_negative, tw_err *err)
{
    if (to->count == MAX_MATCHERS) {
        tw_free(name);
        tw_free(value);
        return tw_err_set(err, TW_ELIMIT, "there are more than %d matchers",
                          MAX_MATCHERS);
    }
    to->items = tw_realloc(to->items, (to->count + 1) * sizeof *to->items);
    tw_label_matcher *m = &to->items[to->count++];
    *m = (tw_label_matcher){.name = name, .value = value, .is_negative = is_negative};
    if (is_pattern)
        m->pattern = tw_text_pattern_new(value, err);
    return is_pattern && !m->pattern ? TW_EPARSE : TW_OK;
}

/* "zone=~eu-.*"; quotes around the value are taken off. */
static int add_written(tw_label_matchers *to, const char *text, tw_err *err)
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
    return add(to, tw_strndup(text, n),
               tw_strndup(value + is_quoted, size - 2 * (size_t)is_quoted), is_pattern,
               is_negative, err);
}

/* A list has no way to write such a name. */
static bool is_name(const char *name)
{
    return *name && !strpbrk(name, "=!");
}

static int add_member(tw_label_matchers *to, const char *name, const json_t *value,
                      tw_err *err)
{
    static const struct {
        const char *word;
        bool is_pattern, is_negative;
    } words[] = {{"is", false, false},
                 {"matches", true, false},
                 {"not", false, true},
                 {"not_matches", true, true}};

    if (!is_name(name))
        return tw_err_set(
            err, TW_EPARSE,
            "match: '%s' is no name of a label: it is empty, or has = or ! in it", name);
    if (json_is_string(value))
        return add(to, tw_strdup(name), tw_strdup(json_string_value(value)), false, false,
                   err);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *text = json_string_value(json_object_get(value, words[i].word));
        if (text && json_object_size(value) == 1)
            return add(to, tw_strdup(name), tw_strdup(text), words[i].is_pattern,
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

bool tw_label_matchers_need_a_label(const tw_label_matchers *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (!holds(&m->items[i], NULL))
            return true;
    }
    return false;
}

int tw_label_matchers_read(tw_label_matchers *out, json_t *match, tw_err *err)
{
    const char *name;
    json_t *value;
    size_t i;
    int rc = TW_OK;

    *out = (tw_label_matchers){0};
    if (!json_is_object(match) && !json_is_array(match))
        return tw_err_set(err, TW_EPARSE,
                          "matchers are {\"label\": \"value\"} or [\"label=value\"]");
    json_object_foreach(match, name, value)
    {
        rc = rc < 0 ? rc : add_member(out, name, value, err);
    }
    json_array_foreach(match, i, value)
    {
        const char *text = json_string_value(value);
        rc = rc < 0 ? rc : add_written(out, text ? text : "", err);
    }
    if (rc < 0)
        tw_label_matchers_done(out);
    return rc;
}

bool tw_label_matchers_hold(const tw_label_matchers *m,
                            const char *(*label)(const void *of, const char *name),
                            const void *of)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (!holds(&m->items[i], label(of, m->items[i].name)))
            return false;
    }
    return true;
}

static json_t *written(const tw_label_matcher *m)
{
    static const char *const ops[2][2] = {{"=", "!="}, {"=~", "!~"}};

    /* what would be read as the rest of the operator, or as quotes of the list */
    const char *quote = *m->value == '~' || *m->value == '"' ? "\"" : "";

    return json_sprintf("%s%s%s%s%s", m->name, ops[m->pattern != NULL][m->is_negative],
                        quote, m->value, quote);
}

json_t *tw_label_matchers_json(const tw_label_matchers *m)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < m->count; i++)
        json_array_append_new(list, written(&m->items[i]));
    return list;
}

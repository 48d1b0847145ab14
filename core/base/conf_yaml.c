// SPDX-License-Identifier: Apache-2.0
/* YAML into the configuration tree, from libyaml's events. libyaml speaks YAML 1.1, but
 * types are decided here and by the 1.2 core schema, so `no` and `on` stay words. Owns
 * the parser for one call. Invariant: the work is bounded by the text and
 * TW_CONF_MAX_COPIES, whatever the aliases repeat. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/conf_tree.h"
#include "base/mem.h"

typedef struct reader {
    tw_conf *c;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one, owned */
    tw_map *anchors;    /* name -> json_t, borrowed from the growing tree */
    int aliases, copies;
    const char *text;
    tw_err *err;
} reader;

static json_t *read_node(reader *r, int depth);

/* ---- scalars ---- */

static bool is_one_of(const char *s, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == n && memcmp(*words, s, n) == 0)
            return true;
    return false;
}

static size_t skip_digits(const char *s, size_t n, size_t i)
{
    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    return i;
}

/* [-+]? ( . digits | digits ( . digits? )? ) ( [eE] [-+]? digits )? ; *out_whole without
 * . or e */
static bool is_decimal(const char *s, size_t n, bool *out_whole)
{
    size_t i = n && (s[0] == '-' || s[0] == '+'), start = i;
    i = skip_digits(s, n, i);
    size_t digits = i - start;
    *out_whole = digits > 0 && i == n;
    if (i < n && s[i] == '.') {
        start = ++i;
        i = skip_digits(s, n, i);
        digits += i - start;
    }
    if (!digits)
        return false;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        if (i < n && (s[i] == '-' || s[i] == '+'))
            i++;
        start = i;
        i = skip_digits(s, n, i);
        if (i == start)
            return false;
    }
    return i == n;
}

static bool is_prefixed(const char *s, size_t n, char letter, const char *digits)
{
    if (n < 3 || s[0] != '0' || s[1] != letter)
        return false;
    for (size_t i = 2; i < n; i++)
        if (!s[i] || !strchr(digits, s[i]))
            return false;
    return true;
}

static json_t *new_integer(const char *digits, int base, const char **out_problem)
{
    errno = 0;
    long long v = strtoll(digits, NULL, base);
    if (errno == 0)
        return json_integer(v);
    *out_problem = "a whole number beyond 64 bits (put it in quotes if it is a name)";
    return NULL;
}

static json_t *new_real(const char *digits, const char **out_problem)
{
    double v = strtod(digits, NULL);
    if (isfinite(v))
        return json_real(v);
    *out_problem = "a number too large to hold";
    return NULL;
}

json_t *tw_conf_core_value(const char *s, size_t n, const char **out_problem)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const odd[] = {
        ".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL,
    };
    bool whole;
    json_t *value = NULL;
    *out_problem = NULL;
    if (is_one_of(s, n, nulls))
        return json_null();
    if (is_one_of(s, n, trues))
        return json_true();
    if (is_one_of(s, n, falses))
        return json_false();
    if (is_one_of(s, n, odd)) {
        *out_problem = "infinity and not-a-number are no configuration values";
        return NULL;
    }
    char *digits = tw_strndup(s, n);
    if (is_prefixed(s, n, 'x', "0123456789abcdefABCDEF"))
        value = new_integer(digits + 2, 16, out_problem);
    else if (is_prefixed(s, n, 'o', "01234567"))
        value = new_integer(digits + 2, 8, out_problem);
    else if (is_decimal(s, n, &whole))
        value =
            whole ? new_integer(digits, 10, out_problem) : new_real(digits, out_problem);
    tw_free(digits);
    return value;
}

/* ---- events ---- */

static tw_conf_place place_of(const yaml_mark_t *mark)
{
    return (tw_conf_place){.line = (int)mark->line + 1, .column = (int)mark->column + 1};
}

static json_t *refuse(reader *r, int code, const char *what)
{
    tw_conf_place at = place_of(&r->event.start_mark);
    tw_err_at(r->err, code, r->c->file, at.line, at.column, "%s", what);
    return NULL;
}

static int refuse_syntax(reader *r)
{
    const yaml_parser_t *p = &r->parser;
    tw_conf_place at = place_of(&p->problem_mark);
    if (p->error == YAML_READER_ERROR) { /* gives an offset and no mark */
        at = (tw_conf_place){.line = 1, .column = 1};
        for (size_t i = 0; i < p->problem_offset; i++, at.column++)
            if (r->text[i] == '\n') {
                at.line++;
                at.column = 0;
            }
    }
    return tw_err_at(r->err, TW_EPARSE, r->c->file, at.line, at.column, "%s%s%s",
                     p->problem ? p->problem : "not YAML", p->context ? " " : "",
                     p->context ? p->context : "");
}

static int next_event(reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return TW_OK;
    memset(&r->event, 0, sizeof r->event);
    return refuse_syntax(r);
}

static json_t *read_scalar(reader *r)
{
    const char *s = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length;
    const char *tag = (const char *)r->event.data.scalar.tag;
    const char *problem = NULL;
    bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *value = NULL;
    if (memchr(s, '\0', n))
        return refuse(r, TW_EPARSE, "a string with a zero byte");
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return refuse(r, TW_EUNSUPPORTED, "tags other than '!!str' are not supported");
    if (plain && !tag)
        value = tw_conf_core_value(s, n, &problem);
    if (problem)
        return refuse(r, TW_EPARSE, problem);
    if (!value)
        return tw_conf_new_text(r->c, s, n, place_of(&r->event.start_mark), r->err);
    tw_conf_set_place(r->c, value, place_of(&r->event.start_mark));
    return value;
}

/* ---- aliases: each is a copy, so that checking one place does not change another --- */

static json_t *copy_node(reader *r, json_t *node, int depth)
{
    json_t *copy, *child, *child_copy;
    const char *key;
    size_t i;
    if (depth > TW_CONF_MAX_DEPTH || ++r->copies > TW_CONF_MAX_COPIES)
        return refuse(r, TW_ELIMIT,
                      "aliases that grow beyond the limits of a configuration");
    if (json_is_object(node)) {
        copy = json_object();
        json_object_foreach(node, key, child)
        {
            if (!(child_copy = copy_node(r, child, depth + 1)))
                goto fail;
            json_object_set_new(copy, key, child_copy);
            tw_conf_set_key_place(r->c, copy, key,
                                  *tw_conf_find_key_place(r->c, node, key));
        }
    } else if (json_is_array(node)) {
        copy = json_array();
        json_array_foreach(node, i, child)
        {
            if (!(child_copy = copy_node(r, child, depth + 1)))
                goto fail;
            json_array_append_new(copy, child_copy);
        }
    } else {
        copy = json_copy(node);
    }
    if (tw_conf_find_place(r->c, node))
        tw_conf_set_place(r->c, copy, *tw_conf_find_place(r->c, node));
    return copy;
fail:
    json_decref(copy);
    return NULL;
}

static json_t *read_alias(reader *r, int depth)
{
    json_t *target = tw_map_get(r->anchors, (const char *)r->event.data.alias.anchor);
    if (!target)
        return refuse(r, TW_EPARSE, "an alias whose anchor does not stand before it");
    if (++r->aliases > TW_CONF_MAX_ALIASES)
        return refuse(r, TW_ELIMIT, "more than 100 aliases");
    return copy_node(r, target, depth);
}

/* ---- collections ---- */

/* The key under the current event; the caller frees it. */
static char *read_key(reader *r)
{
    const yaml_event_t *e = &r->event;
    if (e->type != YAML_SCALAR_EVENT) {
        refuse(r, TW_EPARSE, "a key must be a string");
        return NULL;
    }
    const char *s = (const char *)e->data.scalar.value;
    size_t n = e->data.scalar.length;
    if (memchr(s, '\0', n)) {
        refuse(r, TW_EPARSE, "a key with a zero byte");
        return NULL;
    }
    if (n == 2 && memcmp(s, "<<", 2) == 0 &&
        e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        refuse(r, TW_EUNSUPPORTED,
               "merge keys ('<<') are not supported; repeat the keys");
        return NULL;
    }
    return tw_strndup(s, n);
}

static json_t *read_mapping(reader *r, int depth)
{
    json_t *object = json_object();
    tw_conf_set_place(r->c, object, place_of(&r->event.start_mark));
    for (;;) {
        json_t *value = NULL;
        int rc = next_event(r);
        if (rc == TW_OK && r->event.type == YAML_MAPPING_END_EVENT)
            return object;
        tw_conf_place at = place_of(&r->event.start_mark);
        char *key = rc == TW_OK ? read_key(r) : NULL;
        if (key && next_event(r) == TW_OK)
            value = read_node(r, depth + 1);
        rc = value ? tw_conf_enter(r->c, object, key, at, value, r->err) : TW_EPARSE;
        tw_free(key);
        if (rc == TW_OK)
            continue;
        json_decref(object);
        return NULL;
    }
}

static json_t *read_sequence(reader *r, int depth)
{
    json_t *array = json_array();
    tw_conf_set_place(r->c, array, place_of(&r->event.start_mark));
    for (;;) {
        int rc = next_event(r);
        if (rc == TW_OK && r->event.type == YAML_SEQUENCE_END_EVENT)
            return array;
        json_t *item = rc == TW_OK ? read_node(r, depth + 1) : NULL;
        if (item && json_array_append_new(array, item) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
}

static char *copy_anchor(const yaml_event_t *e)
{
    const yaml_char_t *name = NULL;
    if (e->type == YAML_SCALAR_EVENT)
        name = e->data.scalar.anchor;
    else if (e->type == YAML_SEQUENCE_START_EVENT)
        name = e->data.sequence_start.anchor;
    else if (e->type == YAML_MAPPING_START_EVENT)
        name = e->data.mapping_start.anchor;
    return tw_strdup((const char *)name);
}

static bool is_tagged(const yaml_event_t *e)
{
    return (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.tag) ||
           (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.tag);
}

/* The value that begins with the current event. */
static json_t *read_node(reader *r, int depth)
{
    if (depth > TW_CONF_MAX_DEPTH)
        return refuse(r, TW_ELIMIT, "nested deeper than 64 levels");
    if (r->event.type == YAML_ALIAS_EVENT)
        return read_alias(r, depth);
    if (is_tagged(&r->event))
        return refuse(r, TW_EUNSUPPORTED, "tags other than '!!str' are not supported");
    char *anchor = copy_anchor(&r->event);
    json_t *node;
    if (r->event.type == YAML_SCALAR_EVENT)
        node = read_scalar(r);
    else if (r->event.type == YAML_SEQUENCE_START_EVENT)
        node = read_sequence(r, depth);
    else
        node = read_mapping(r, depth);
    if (node && anchor)
        tw_map_put(r->anchors, anchor, node);
    tw_free(anchor);
    return node;
}

/* A text without any document is an empty configuration; a second document is an error.
 */
static json_t *read_stream(reader *r)
{
    json_t *root = NULL;
    if (next_event(r) < 0 ||
        next_event(r) < 0) /* stream start, then the document or the end */
        return NULL;
    if (r->event.type == YAML_DOCUMENT_START_EVENT) {
        if (next_event(r) < 0 || !(root = read_node(r, 1)))
            return NULL;
        if (next_event(r) < 0 || next_event(r) < 0)
            goto fail;
        if (r->event.type != YAML_STREAM_END_EVENT) {
            refuse(r, TW_EPARSE, "a second document ('---') in one file");
            goto fail;
        }
    }
    if (root && !json_is_null(root))
        return root;
    root = json_object();
    tw_conf_set_place(r->c, root, (tw_conf_place){.line = 1, .column = 1});
    return root;
fail:
    json_decref(root);
    return NULL;
}

json_t *tw_conf_read_yaml(tw_conf *c, const char *text, size_t n, tw_err *err)
{
    reader r = {.c = c, .text = text, .err = err};
    if (!yaml_parser_initialize(&r.parser)) {
        tw_err_at(err, TW_ELIMIT, c->file, 0, 0, "no memory for the YAML parser");
        return NULL;
    }
    r.anchors = tw_map_new(NULL);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    json_t *root = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    tw_map_free(r.anchors);
    return root;
}

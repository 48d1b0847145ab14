// SPDX-License-Identifier: Apache-2.0
/* A loaded configuration document: its life, its positions, its secrets, and reading
 * values out of it once it is checked. One thread at a time. Owns the tree; every json_t
 * handed out is borrowed unless said otherwise. */
#include "base/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf_tree.h"
#include "base/duration.h"
#include "base/mem.h"

static int read_file(const char *path, tw_buf *out, tw_err *err)
{
    char chunk[8192];
    int rc = TW_OK;
    FILE *in = fopen(path, "re");
    if (!in)
        return tw_err_at(err, errno == ENOENT ? TW_ENOTFOUND : TW_EIO, path, 0, 0, "%s",
                         strerror(errno));
    for (size_t n; rc == TW_OK && (n = fread(chunk, 1, sizeof chunk, in)) > 0;)
        rc = tw_buf_add(out, chunk, n);
    if (rc < 0)
        tw_err_at(err, rc, path, 0, 0, "larger than %zu bytes", out->max);
    else if (ferror(in))
        rc = tw_err_at(err, TW_EIO, path, 0, 0, "%s", strerror(errno));
    fclose(in);
    return rc;
}

tw_conf *tw_conf_load(const char *path, tw_err *err)
{
    tw_buf text;
    tw_conf *c = NULL;
    tw_buf_init(&text, TW_CONF_MAX_BYTES);
    if (read_file(path, &text, err) == TW_OK)
        c = tw_conf_parse(text.data, text.len, path, err);
    tw_buf_done(&text);
    return c;
}

tw_conf *tw_conf_parse(const char *text, size_t n, const char *file, tw_err *err)
{
    tw_conf *c = tw_alloc(sizeof *c);
    c->file = tw_strdup(file ? file : "");
    c->nodes = tw_map_new(tw_free);
    c->keys = tw_map_new(tw_free);
    c->kept = json_array();
    size_t length = strlen(c->file);
    if (n > TW_CONF_MAX_BYTES)
        tw_err_at(err, TW_ELIMIT, c->file, 0, 0, "larger than %d bytes",
                  TW_CONF_MAX_BYTES);
    else if (length >= 5 && strcmp(c->file + length - 5, ".json") == 0)
        c->root = tw_conf_read_json(c, text, n, err);
    else
        c->root = tw_conf_read_yaml(c, text, n, err);
    if (c->root)
        return c;
    tw_conf_free(c);
    return NULL;
}

void tw_conf_free(tw_conf *c)
{
    if (!c)
        return;
    json_decref(c->root);
    json_decref(c->kept);
    tw_map_free(c->nodes);
    tw_map_free(c->keys);
    tw_free(c->file);
    tw_free(c);
}

json_t *tw_conf_root(tw_conf *c)
{
    return c->root;
}

const char *tw_conf_file(const tw_conf *c)
{
    return c->file;
}

/* ---- positions ---- */

static bool is_single_object(const json_t *node)
{
    return json_is_null(node) || json_is_boolean(node);
}

static tw_conf_place *copy_place(tw_conf_place place)
{
    tw_conf_place *copy = tw_alloc(sizeof *copy);
    *copy = place;
    return copy;
}

void tw_conf_set_place(tw_conf *c, const json_t *node, tw_conf_place place)
{
    if (!is_single_object(node))
        tw_map_put_n(c->nodes, &node, sizeof node, copy_place(place));
}

const tw_conf_place *tw_conf_find_place(const tw_conf *c, const json_t *node)
{
    return tw_map_get_n(c->nodes, &node, sizeof node);
}

static size_t key_id(tw_buf *out, const json_t *object, const char *key)
{
    tw_buf_init(out, TW_CONF_MAX_BYTES + sizeof object);
    tw_buf_add(out, &object, sizeof object);
    tw_buf_add_str(out, key);
    return out->len;
}

void tw_conf_set_key_place(tw_conf *c, const json_t *object, const char *key,
                           tw_conf_place place)
{
    tw_buf id;
    size_t n = key_id(&id, object, key);
    tw_map_put_n(c->keys, id.data, n, copy_place(place));
    tw_buf_done(&id);
}

const tw_conf_place *tw_conf_find_key_place(const tw_conf *c, const json_t *object,
                                            const char *key)
{
    tw_buf id;
    size_t n = key_id(&id, object, key);
    const tw_conf_place *place = tw_map_get_n(c->keys, id.data, n);
    tw_buf_done(&id);
    return place;
}

static bool give_position(const tw_conf_place *place, int *out_line, int *out_column)
{
    if (!place)
        return false;
    *out_line = place->line;
    *out_column = place->column;
    return true;
}

bool tw_conf_where(const tw_conf *c, const json_t *node, int *out_line, int *out_column)
{
    return give_position(tw_conf_find_place(c, node), out_line, out_column);
}

bool tw_conf_where_key(const tw_conf *c, const json_t *object, const char *key,
                       int *out_line, int *out_column)
{
    return give_position(tw_conf_find_key_place(c, object, key), out_line, out_column);
}

bool tw_conf_is_secret(const tw_conf *c, const json_t *node)
{
    const tw_conf_place *place = tw_conf_find_place(c, node);
    return place && place->secret;
}

int tw_conf_enter(tw_conf *c, json_t *object, const char *key, tw_conf_place at,
                  json_t *value, tw_err *err)
{
    const tw_conf_place *first = tw_conf_find_key_place(c, object, key);
    if (first) {
        json_decref(value);
        return tw_err_at(err, TW_EPARSE, c->file, at.line, at.column,
                         "duplicate key '%s' (first on line %d)", key, first->line);
    }
    if (json_object_set_new(object, key, value) < 0)
        return tw_err_at(err, TW_EPARSE, c->file, at.line, at.column,
                         "a key that is not valid UTF-8");
    tw_conf_set_key_place(c, object, key, at);
    return TW_OK;
}

/* ---- secrets put into strings ---- */

enum { SECRET_BYTES = 64 * 1024 };

/* Files beside the configuration are named from its folder, wherever the engine was
 * started. */
static char *secret_path(const tw_conf *c, const char *name)
{
    const char *slash = strrchr(c->file, '/');
    if (name[0] == '/' || !slash)
        return tw_strdup(name);
    return tw_asprintf("%.*s/%s", (int)(slash - c->file), c->file, name);
}

static int add_env(const tw_conf *c, tw_buf *out, const char *name, tw_conf_place at,
                   tw_err *err)
{
    const char *value = getenv(name);
    if (!value)
        return tw_err_at(err, TW_ENOTFOUND, c->file, at.line, at.column,
                         "environment variable '%s' is not set", name);
    return tw_buf_add_str(out, value);
}

static int add_file(const tw_conf *c, tw_buf *out, const char *name, tw_conf_place at,
                    tw_err *err)
{
    tw_buf text;
    tw_err why;
    char *path = secret_path(c, name);
    tw_buf_init(&text, SECRET_BYTES);
    int rc = read_file(path, &text, &why);
    if (rc < 0)
        tw_err_at(err, rc, c->file, at.line, at.column, "secret file '%s': %s", path,
                  why.text);
    else if (memchr(text.data, '\0', text.len))
        rc = tw_err_at(err, TW_EPARSE, c->file, at.line, at.column,
                       "secret file '%s': holds a zero byte, which is no text", path);
    size_t n = text.len;
    if (n && text.data[n - 1] == '\n')
        n--;
    if (n && text.data[n - 1] == '\r')
        n--;
    if (rc == TW_OK)
        rc = tw_buf_add(out, text.data, n);
    tw_buf_done(&text);
    tw_free(path);
    return rc;
}

/* *p stands behind "${". Templates such as "${service}" are none of our business and
 * stay. */
static int add_reference(const tw_conf *c, tw_buf *out, const char **p, const char *end,
                         tw_conf_place *at, tw_err *err)
{
    size_t word = 0;
    while (*p + word < end && (*p)[word] >= 'a' && (*p)[word] <= 'z')
        word++;
    if (word == 0 || *p + word == end || (*p)[word] != ':')
        return tw_buf_add_str(out, "${");
    const char *name_at = *p + word + 1;
    const char *close = memchr(name_at, '}', (size_t)(end - name_at));
    char *source = tw_strndup(*p, word), *name = NULL;
    int rc;
    if (!close) {
        rc = tw_err_at(err, TW_EPARSE, c->file, at->line, at->column,
                       "'${%s:' is not closed with '}'", source);
        goto out;
    }
    name = tw_strndup(name_at, (size_t)(close - name_at));
    *p = close + 1;
    at->secret = true;
    if (strcmp(source, "env") == 0)
        rc = add_env(c, out, name, *at, err);
    else if (strcmp(source, "file") == 0)
        rc = add_file(c, out, name, *at, err);
    else
        rc = tw_err_at(
            err, TW_EPARSE, c->file, at->line, at->column,
            "'${%s:...}' is neither '${env:NAME}' nor '${file:PATH}' (write '$${' "
            "for a plain '${')",
            source);
out:
    tw_free(source);
    tw_free(name);
    return rc;
}

json_t *tw_conf_new_text(tw_conf *c, const char *s, size_t n, tw_conf_place at,
                         tw_err *err)
{
    const char *p = s, *end = s + n;
    json_t *node = NULL;
    tw_buf text;
    tw_buf_init(&text, TW_CONF_MAX_BYTES);
    int rc = TW_OK;
    while (p < end && rc == TW_OK) {
        const char *dollar = memchr(p, '$', (size_t)(end - p));
        rc = tw_buf_add(&text, p, (size_t)((dollar ? dollar : end) - p));
        if (!dollar || rc < 0)
            break;
        p = dollar + 1;
        if (end - p >= 2 && p[0] == '$' && p[1] == '{') {
            p += 2;
            rc = tw_buf_add_str(&text, "${");
        } else if (p < end && *p == '{') {
            p++;
            rc = add_reference(c, &text, &p, end, &at, err);
        } else {
            rc = tw_buf_add_char(&text, '$');
        }
    }
    if (text.failed)
        tw_err_at(err, TW_ELIMIT, c->file, at.line, at.column,
                  "string larger than %d bytes", TW_CONF_MAX_BYTES);
    if (rc == TW_OK && !(node = json_stringn(text.data, text.len)))
        tw_err_at(err, TW_EPARSE, c->file, at.line, at.column,
                  "a string that is not valid UTF-8");
    if (node)
        tw_conf_set_place(c, node, at);
    tw_buf_done(&text);
    return node;
}

/* ---- reading a checked tree ---- */

int tw_size_parse(const char *text, int64_t *out_bytes)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"KB", 1000},
        {"MB", 1000 * 1000},
        {"GB", 1000 * 1000 * 1000},
        {"TB", INT64_C(1000) * 1000 * 1000 * 1000},
        {"KiB", 1024},
        {"MiB", 1024 * 1024},
        {"GiB", 1024 * 1024 * 1024},
        {"TiB", INT64_C(1024) * 1024 * 1024 * 1024},
    };
    const char *p = text;
    int64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
            return TW_EPARSE;
    if (p == text)
        return TW_EPARSE;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(p, units[i].name) == 0)
            return __builtin_mul_overflow(v, units[i].bytes, out_bytes) ? TW_EPARSE
                                                                        : TW_OK;
    return TW_EPARSE;
}

const char *tw_conf_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t tw_conf_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

double tw_conf_num(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool tw_conf_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

int64_t tw_conf_ms(const json_t *object, const char *key)
{
    const json_t *node = json_object_get(object, key);
    int64_t ms = 0;
    if (json_is_string(node))
        tw_duration_parse(json_string_value(node), json_string_length(node), &ms);
    return ms;
}

int64_t tw_conf_bytes(const json_t *object, const char *key)
{
    const json_t *node = json_object_get(object, key);
    int64_t bytes = 0;
    if (json_is_string(node))
        tw_size_parse(json_string_value(node), &bytes);
    return json_is_integer(node) ? json_integer_value(node) : bytes;
}

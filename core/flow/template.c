// SPDX-License-Identifier: Apache-2.0
/* Compiling and rendering of `${path}` strings. A compiled template is immutable; any
 * thread may render it with its own values. `$${` writes a plain `${`. */
#include "flow/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define MAX_PARTS 256
#define MAX_TEXT_BYTES (1024 * 1024)

static tw_part *add_part(tw_template *t, tw_part_kind kind)
{
    t->parts = tw_realloc(t->parts, (t->count + 1) * sizeof *t->parts);
    tw_part *p = &t->parts[t->count++];
    *p = (tw_part){.kind = kind};
    return p;
}

static int flush_literal(tw_template *t, tw_buf *text)
{
    if (text->len > 0) {
        tw_part *p = add_part(t, TW_PART_LITERAL);
        p->text = tw_strndup(text->data, text->len);
        tw_buf_reset(text);
    }
    return TW_OK;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* `[0]` or `["any text"]`, s at the bracket; returns the place behind it, NULL when
 * malformed. */
static const char *skip_bracket(const char *s)
{
    s++;
    if (*s == '"') {
        for (s++; *s && *s != '"'; s++)
            if (*s == '\\' && s[1])
                s++;
        if (*s != '"')
            return NULL;
        s++;
    } else {
        const char *digits = s;
        while (*s >= '0' && *s <= '9')
            s++;
        if (s == digits)
            return NULL;
    }
    return *s == ']' ? s + 1 : NULL;
}

/* The end of the path that starts at s: it must stop at `}` or at the colon of a format. NULL when it is not a path.
 */
static const char *skip_path(const char *s)
{
    bool want_name = true; /* at the start and behind a dot: left.@time */
    for (;;) {
        if (want_name && *s == '@')
            s++;
        if (*s == '[' && (!want_name || s[1] == '"')) {
            s = skip_bracket(s);
            if (!s)
                return NULL;
        } else if (want_name && is_name_char(*s)) {
            while (is_name_char(*s))
                s++;
        } else {
            return NULL;
        }
        want_name = false;
        if (*s == '}' || *s == ':')
            return s;
        if (*s == '.') {
            want_name = true;
            s++;
        } else if (*s != '[') {
            return NULL;
        }
    }
}

/* `:.1%` behind a path, up to `}`. */
static int compile_format(const tw_template *t, const char *s, const char *close,
                          tw_number_format *out, tw_err *err)
{
    if (*s == '}' || tw_number_format_parse(s + 1, (size_t)(close - s - 1), out))
        return TW_OK;
    return tw_err_set(
        err, TW_EPARSE,
        "\"%s\": '%.*s' says no way to write a number; it is :%% (percent), "
        ":.1 (so many decimals) or :.1%%",
        t->source, (int)(close - s), s);
}

/* A parameter is put in as text. */
static void format_literal(tw_part *p)
{
    char *end;
    double v = strtod(p->text, &end);
    tw_buf text;

    if (*end || end == p->text)
        return;
    tw_buf_init(&text, MAX_TEXT_BYTES);
    tw_number_format_write(p->format, v, &text);
    tw_free(p->text);
    p->text = tw_buf_take(&text, NULL);
}

/* s behind `${`; on success *io is behind `}`. */
static int compile_path(tw_template *t, const char **io, const tw_template_names *names,
                        tw_err *err)
{
    const char *s = *io;
    const char *close = strchr(s, '}');
    if (!close)
        return tw_err_set(err, TW_EPARSE, "\"%s\": ${ is not closed by }", t->source);
    if (close == s)
        return tw_err_set(err, TW_EPARSE, "\"%s\": ${} holds no path", t->source);
    const char *end = skip_path(s);
    if (!end)
        return tw_err_set(
            err, TW_EPARSE,
            "\"%s\": ${%.*s} is not a path; only field paths stand here, no "
            "expressions",
            t->source, (int)(close - s), s);

    close = strchr(end, '}'); /* one may stand within the path's quotes */
    if (!close)
        return tw_err_set(err, TW_EPARSE, "\"%s\": ${ is not closed by }", t->source);
    tw_number_format format = {0};
    int rc = compile_format(t, end, close, &format, err);
    if (rc < 0)
        return rc;
    char *path = tw_strndup(s, (size_t)(end - s));
    tw_part found = {0};
    rc = names->classify(names->self, path, &found, err);
    tw_free(path);
    if (rc < 0) {
        tw_free(found.text);
        return rc;
    }
    found.format = format;
    if (format.set && found.kind == TW_PART_LITERAL)
        format_literal(&found);
    *add_part(t, found.kind) = found;
    *io = close + 1;
    return TW_OK;
}

static int compile(tw_template *t, tw_buf *literal, const tw_template_names *names,
                   tw_err *err)
{
    for (const char *s = t->source; *s;) {
        if (t->count > MAX_PARTS)
            return tw_err_set(err, TW_ELIMIT, "\"%.40s...\" has more than %d parts",
                              t->source, MAX_PARTS);
        if (strncmp(s, "$${", 3) == 0) {
            tw_buf_add(literal, "${", 2);
            s += 3;
        } else if (strncmp(s, "${", 2) == 0) {
            flush_literal(t, literal);
            s += 2;
            int rc = compile_path(t, &s, names, err);
            if (rc < 0)
                return rc;
        } else {
            tw_buf_add_char(literal, *s++);
        }
    }
    if (literal->failed)
        return tw_err_set(err, TW_ELIMIT, "\"%.40s...\" is too long", t->source);
    return flush_literal(t, literal);
}

int tw_template_compile(tw_template *t, const char *source,
                        const tw_template_names *names, tw_err *err)
{
    *t = (tw_template){.source = tw_strdup(source)};
    tw_buf literal;
    tw_buf_init(&literal, MAX_TEXT_BYTES);
    int rc = compile(t, &literal, names, err);
    tw_buf_done(&literal);
    if (rc < 0)
        tw_template_done(t);
    return rc;
}

void tw_template_done(tw_template *t)
{
    for (uint32_t i = 0; t->parts && i < t->count; i++)
        tw_free(t->parts[i].text);
    tw_free(t->parts);
    tw_free(t->source);
    *t = (tw_template){0};
}

/* As a person reads it: text without quotes, numbers in their shortest form, null as
 * nothing. */
static int write_text(const json_t *v, tw_buf *out)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        return tw_buf_add(out, json_string_value(v), json_string_length(v));
    case JSON_INTEGER:
        return tw_buf_add_int(out, json_integer_value(v));
    case JSON_REAL:
        return tw_buf_add_double(out, json_real_value(v));
    case JSON_TRUE:
        return tw_buf_add_str(out, "true");
    case JSON_FALSE:
        return tw_buf_add_str(out, "false");
    case JSON_NULL:
        return TW_OK;
    case JSON_OBJECT:
    case JSON_ARRAY:
        return tw_json_write(v, out);
    }
    return TW_OK;
}

static int write_rounded(const json_t *v, tw_buf *out)
{
    return json_is_real(v) ? tw_buf_add_double(out, tw_number_rounded(json_real_value(v)))
                           : write_text(v, out);
}

static int write_parts(const tw_template *t, const tw_template_values *values,
                       int (*write)(const json_t *v, tw_buf *out), tw_buf *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const tw_part *p = &t->parts[i];
        if (p->kind == TW_PART_LITERAL) {
            tw_buf_add_str(out, p->text);
            continue;
        }
        json_t *v = values->get(values->self, p);
        if (p->format.set && json_is_number(v))
            tw_number_format_write(p->format, json_number_value(v), out);
        else if (v)
            write(v, out);
        json_decref(v);
    }
    return out->failed ? TW_ELIMIT : TW_OK;
}

int tw_template_render(const tw_template *t, const tw_template_values *values,
                       tw_buf *out)
{
    return write_parts(t, values, write_text, out);
}

int tw_template_say(const tw_template *t, const tw_template_values *values, tw_buf *out)
{
    return write_parts(t, values, write_rounded, out);
}

bool tw_template_is_path(const tw_template *t)
{
    return t->count == 1 && t->parts[0].kind != TW_PART_LITERAL &&
           !t->parts[0].format.set;
}

json_t *tw_template_value(const tw_template *t, const tw_template_values *values)
{
    if (tw_template_is_path(t))
        return values->get(values->self, &t->parts[0]);
    tw_buf text;
    tw_buf_init(&text, MAX_TEXT_BYTES);
    tw_template_render(t, values, &text);
    json_t *v = json_stringn(text.data, text.len);
    if (!v) /* not UTF-8 */
        v = json_string("?");
    tw_buf_done(&text);
    return v;
}

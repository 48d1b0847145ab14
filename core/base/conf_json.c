// SPDX-License-Identifier: Apache-2.0
/* JSON (RFC 8259) into the configuration tree, with the position of every value and key,
 * which jansson's own reader does not keep. Borrows the text for one call. Invariant:
 * `mark` only moves forward, so finding all positions costs one walk over the text. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf_tree.h"
#include "base/mem.h"

typedef struct reader {
    tw_conf *c;
    const char *p, *end;
    const char *mark; /* line and column are those of this byte */
    int line, column;
    tw_err *err;
} reader;

static json_t *read_value(reader *r, int depth);

/* Position of r->p, columns in characters. */
static tw_conf_place here(reader *r)
{
    for (; r->mark < r->p; r->mark++) {
        if (*r->mark == '\n') {
            r->line++;
            r->column = 1;
        } else if (((unsigned char)*r->mark & 0xc0) != 0x80) {
            r->column++;
        }
    }
    return (tw_conf_place){.line = r->line, .column = r->column};
}

static json_t *refuse(reader *r, tw_conf_place at, const char *what)
{
    tw_err_at(r->err, TW_EPARSE, r->c->file, at.line, at.column, "%s", what);
    return NULL;
}

static json_t *refuse_here(reader *r, const char *what)
{
    return refuse(r, here(r), r->p == r->end ? "the text ends too early" : what);
}

static void skip_space(reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static bool take_char(reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* ---- strings ---- */

static bool read_hex4(reader *r, unsigned *out)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        static const char digits[] = "0123456789abcdef";
        const char *d = r->p < r->end && *r->p
                            ? strchr(digits, *r->p >= 'A' ? *r->p | 0x20 : *r->p)
                            : NULL;
        if (!d)
            return false;
        v = v * 16 + (unsigned)(d - digits);
    }
    *out = v;
    return true;
}

static void add_utf8(tw_buf *out, unsigned c)
{
    if (c < 0x80) {
        tw_buf_add_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        tw_buf_add_char(out, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            tw_buf_add_char(out, (char)(0xe0 | c >> 12));
        } else {
            tw_buf_add_char(out, (char)(0xf0 | c >> 18));
            tw_buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        tw_buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    tw_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
}

/* Behind "\u". A zero and half a surrogate pair are no text. */
static bool read_unicode(reader *r, tw_buf *out)
{
    unsigned c, low;
    if (!read_hex4(r, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
        return false;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (!take_char(r, '\\') || !take_char(r, 'u') || !read_hex4(r, &low) ||
            low < 0xdc00 || low > 0xdfff)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(out, c);
    return true;
}

static bool read_escape(reader *r, tw_buf *out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end || !*r->p)
        return false;
    char c = *r->p++;
    const char *name = strchr(names, c);
    if (name) {
        tw_buf_add_char(out, meanings[name - names]);
        return true;
    }
    return c == 'u' && read_unicode(r, out);
}

/* At the opening quote; the text without quotes goes to out (initialised by the caller).
 */
static int read_string(reader *r, tw_buf *out)
{
    r->p++;
    while (r->p < r->end) {
        const char *from = r->p;
        while (r->p < r->end && *r->p != '"' && *r->p != '\\' &&
               (unsigned char)*r->p >= 0x20)
            r->p++;
        tw_buf_add(out, from, (size_t)(r->p - from));
        if (take_char(r, '"'))
            return TW_OK;
        tw_conf_place at = here(r);
        if (take_char(r, '\\')) {
            if (read_escape(r, out))
                continue;
            refuse(r, at, "an escape that JSON does not know");
            return TW_EPARSE;
        }
        if (r->p < r->end) {
            refuse(r, at, "a line break or control character inside a string");
            return TW_EPARSE;
        }
    }
    refuse_here(r, "");
    return TW_EPARSE;
}

static json_t *read_text(reader *r, tw_conf_place at)
{
    tw_buf text;
    json_t *node = NULL;
    tw_buf_init(&text, TW_CONF_MAX_BYTES);
    if (read_string(r, &text) == TW_OK)
        node = tw_conf_new_text(r->c, text.data, text.len, at, r->err);
    tw_buf_done(&text);
    return node;
}

/* ---- numbers and words ---- */

static bool skip_digits(reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

static bool skip_number(reader *r, bool *out_whole)
{
    take_char(r, '-');
    if (!take_char(r, '0') && !skip_digits(r))
        return false;
    *out_whole = true;
    if (take_char(r, '.')) {
        *out_whole = false;
        if (!skip_digits(r))
            return false;
    }
    if (take_char(r, 'e') || take_char(r, 'E')) {
        *out_whole = false;
        if (!take_char(r, '+'))
            take_char(r, '-');
        if (!skip_digits(r))
            return false;
    }
    return true;
}

static json_t *read_number(reader *r, tw_conf_place at)
{
    const char *from = r->p;
    bool whole;
    if (!skip_number(r, &whole))
        return refuse_here(r, "a number that JSON does not know");
    const char *problem;
    json_t *node = tw_conf_core_value(from, (size_t)(r->p - from), &problem);
    if (!node)
        return refuse(r, at, problem);
    tw_conf_set_place(r->c, node, at);
    return node;
}

static json_t *read_word(reader *r, tw_conf_place at)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t left = (size_t)(r->end - r->p);
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (left < n || memcmp(r->p, words[i], n) != 0)
            continue;
        r->p += n;
        return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
    }
    return refuse(r, at, left ? "expected a value" : "the text ends too early");
}

/* ---- objects and arrays ---- */

static int read_member(reader *r, json_t *object, int depth)
{
    tw_buf key;
    json_t *value = NULL;
    int rc = TW_EPARSE;
    tw_buf_init(&key, TW_CONF_MAX_BYTES);
    skip_space(r);
    tw_conf_place at = here(r);
    if (r->p == r->end || *r->p != '"') {
        refuse_here(r, "expected a key in double quotes");
        goto out;
    }
    if (read_string(r, &key) < 0)
        goto out;
    skip_space(r);
    if (!take_char(r, ':')) {
        refuse_here(r, "expected ':' after a key");
        goto out;
    }
    if ((value = read_value(r, depth + 1)))
        rc = tw_conf_enter(r->c, object, key.data, at, value, r->err);
out:
    tw_buf_done(&key);
    return rc;
}

static json_t *read_object(reader *r, tw_conf_place at, int depth)
{
    json_t *object = json_object();
    tw_conf_set_place(r->c, object, at);
    r->p++;
    skip_space(r);
    if (take_char(r, '}'))
        return object;
    while (read_member(r, object, depth) == TW_OK) {
        skip_space(r);
        if (take_char(r, '}'))
            return object;
        if (take_char(r, ','))
            continue;
        refuse_here(r, "expected ',' or '}'");
        break;
    }
    json_decref(object);
    return NULL;
}

static json_t *read_array(reader *r, tw_conf_place at, int depth)
{
    json_t *array = json_array(), *item;
    tw_conf_set_place(r->c, array, at);
    r->p++;
    skip_space(r);
    if (take_char(r, ']'))
        return array;
    while ((item = read_value(r, depth + 1))) {
        json_array_append_new(array, item);
        skip_space(r);
        if (take_char(r, ']'))
            return array;
        if (take_char(r, ','))
            continue;
        refuse_here(r, "expected ',' or ']'");
        break;
    }
    json_decref(array);
    return NULL;
}

static json_t *read_value(reader *r, int depth)
{
    skip_space(r);
    tw_conf_place at = here(r);
    if (depth > TW_CONF_MAX_DEPTH) {
        tw_err_at(r->err, TW_ELIMIT, r->c->file, at.line, at.column,
                  "nested deeper than %d levels", TW_CONF_MAX_DEPTH);
        return NULL;
    }
    char c = r->p < r->end ? *r->p : '\0';
    if (c == '{')
        return read_object(r, at, depth);
    if (c == '[')
        return read_array(r, at, depth);
    if (c == '"')
        return read_text(r, at);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r, at);
    return read_word(r, at);
}

json_t *tw_conf_read_json(tw_conf *c, const char *text, size_t n, tw_err *err)
{
    reader r = {.c = c, .p = text, .end = text + n, .line = 1, .column = 1, .err = err};
    if (n >= 3 &&
        memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark is no content */
        r.p += 3;
    r.mark = r.p;
    json_t *root = read_value(&r, 1);
    if (!root)
        return NULL;
    skip_space(&r);
    if (r.p == r.end)
        return root;
    json_decref(root);
    return refuse(&r, here(&r), "text after the end of the document");
}

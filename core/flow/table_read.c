// SPDX-License-Identifier: Apache-2.0
/* CSV and JSON to rows; see table_read.h. */
#include "flow/table_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "flow/csv.h"

/* What is being read. */
typedef struct reading {
    const tw_table_columns *columns;
    tw_rows *rows;
    tw_err *err;
} reading;

/* ---- times ------------------------------------------------------------------------- */

/* Digits of a cell are a number, too. */
static int time_of_text(const char *text, int64_t *out_ms)
{
    char *end;
    double number = strtod(text, &end);

    if (*text >= '0' && *text <= '9' && *end == '\0')
        return tw_time_from_number(number, out_ms);
    return tw_time_parse_rfc3339(text, strlen(text), out_ms);
}

/* Nothing there leaves *out_ms as it is. */
static int read_time(const json_t *row, const char *column, int line, int64_t *out_ms,
                     tw_err *err)
{
    const json_t *v = column ? json_object_get(row, column) : NULL;
    int rc = TW_EPARSE;

    if (!v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)))
        return TW_OK;
    if (json_is_integer(v))
        rc = tw_time_from_int(json_integer_value(v), out_ms);
    else if (json_is_real(v))
        rc = tw_time_from_number(json_real_value(v), out_ms);
    else if (json_is_string(v))
        rc = time_of_text(json_string_value(v), out_ms);
    if (rc == TW_OK)
        return TW_OK;
    return tw_err_at(err, TW_EPARSE, NULL, line, 0,
                     "\"%.100s\" in the column \"%s\" is no time: RFC 3339, or an epoch "
                     "number of seconds, milli-, micro- or nanoseconds",
                     json_is_string(v) ? json_string_value(v) : "what stands", column);
}

/* Takes row. */
static int add_row(reading *r, const char *key, size_t n, json_t *row, int line)
{
    tw_row_version v = {TW_ROW_ALWAYS, TW_ROW_FOR_EVER, row};
    int rc = read_time(row, r->columns->since, line, &v.since_ms, r->err);

    if (rc == TW_OK)
        rc = read_time(row, r->columns->until, line, &v.until_ms, r->err);
    if (rc == TW_OK)
        return tw_rows_add(r->rows, key, n, v, line, r->err);
    json_decref(row);
    return rc;
}

/* ---- CSV --------------------------------------------------------------------------- */

typedef struct header {
    char *names[TW_CSV_MAX_CELLS];
    int count, key;
} header;

static void header_done(header *h)
{
    for (int i = 0; i < h->count; i++)
        tw_free(h->names[i]);
}

static int find_column(const header *h, const char *name, int line, tw_err *err)
{
    for (int i = 0; i < h->count; i++) {
        if (strcmp(h->names[i], name) == 0)
            return i;
    }
    return tw_err_at(err, TW_EPARSE, NULL, line, 0, "the header row has no column \"%s\"",
                     name);
}

static int read_header(reading *r, header *h, tw_csv *c)
{
    const tw_table_columns *columns = r->columns;
    tw_rows *rows = r->rows;
    tw_err *err = r->err;
    const char *const wanted[] = {columns->since, columns->until};
    int count = tw_csv_row(c, err);

    if (count < 0)
        return count;
    if (count == 0)
        return tw_err_set(err, TW_EPARSE, "the file is empty; a header row is needed");
    for (h->count = 0; h->count < count; h->count++) {
        size_t n;
        const char *name = tw_csv_cell(c, h->count, &n);
        h->names[h->count] = tw_strndup(name, n);
        tw_rows_add_column(rows, h->names[h->count]);
    }
    h->key = columns->key ? find_column(h, columns->key, c->line, err) : 0;
    for (size_t i = 0; i < 2 && h->key >= 0; i++) {
        int rc = wanted[i] ? find_column(h, wanted[i], c->line, err) : 0;
        if (rc < 0)
            return rc;
    }
    return h->key < 0 ? h->key : TW_OK;
}

static int read_csv_row(reading *r, const tw_csv *c, const header *h, int count)
{
    if (count != h->count)
        return tw_err_at(r->err, TW_EPARSE, NULL, c->line, 0,
                         "the row has %d cells and the header %d", count, h->count);
    json_t *row = json_object();
    for (int i = 0; i < count; i++) {
        size_t n;
        const char *cell = tw_csv_cell(c, i, &n);
        if (json_object_set_new(row, h->names[i], json_stringn(cell, n)) < 0) {
            json_decref(row);
            return tw_err_at(r->err, TW_EPARSE, NULL, c->line, 0, "the row is not UTF-8");
        }
    }
    size_t n;
    const char *key = tw_csv_cell(c, h->key, &n);
    return add_row(r, key, n, row, c->line);
}

static int read_csv(reading *r, const tw_buf *text)
{
    tw_csv *c = tw_alloc(sizeof *c);
    header *h = tw_alloc(sizeof *h);
    tw_csv_init(c, text->data, text->len);
    int rc = read_header(r, h, c);
    int count = 0;
    while (rc == TW_OK && (count = tw_csv_row(c, r->err)) > 0)
        rc = read_csv_row(r, c, h, count);
    if (rc == TW_OK && count < 0)
        rc = count;
    header_done(h);
    tw_csv_done(c);
    tw_free(h);
    tw_free(c);
    return rc;
}

/* ---- JSON -------------------------------------------------------------------------- */

static void note_columns(reading *r, json_t *row)
{
    const char *name;
    json_t *value;

    json_object_foreach(row, name, value) tw_rows_add_column(r->rows, name);
}

static int add_member(reading *r, const char *key, json_t *row)
{
    if (json_is_object(row)) {
        note_columns(r, row);
        return add_row(r, key, strlen(key), json_incref(row), 0);
    }
    return tw_err_set(r->err, TW_EPARSE, "the row of \"%.100s\" is not an object%s", key,
                      r->columns->since ? " or a list of them" : "");
}

static int read_json_object(reading *r, json_t *root)
{
    const char *key;
    json_t *value, *row;
    size_t i;
    int rc = TW_OK;

    json_object_foreach(root, key, value)
    {
        if (!r->columns->since || !json_is_array(value)) {
            if ((rc = add_member(r, key, value)) < 0)
                return rc;
            continue;
        }
        json_array_foreach(value, i, row)
        {
            if ((rc = add_member(r, key, row)) < 0)
                return rc;
        }
    }
    return rc;
}

static int read_json_list(reading *r, json_t *root, const char *key)
{
    size_t i;
    json_t *row;

    json_array_foreach(root, i, row)
    {
        json_t *v = json_object_get(row, key);
        if (!json_is_string(v) && !json_is_integer(v))
            return tw_err_set(
                r->err, TW_EPARSE,
                "row %zu is not an object with a text or whole number in \"%s\"", i + 1,
                key);
        char *text = json_is_string(v)
                         ? tw_strdup(json_string_value(v))
                         : tw_asprintf("%jd", (intmax_t)json_integer_value(v));
        note_columns(r, row);
        int rc = add_row(r, text, strlen(text), json_incref(row), 0);
        tw_free(text);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static int read_json(reading *r, const tw_buf *text)
{
    json_error_t why;
    json_t *root = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, &why);

    if (!root)
        return tw_err_at(r->err, TW_EPARSE, NULL, why.line, why.column, "%s", why.text);
    int rc = json_is_object(root)
                 ? read_json_object(r, root)
                 : read_json_list(r, root, r->columns->key ? r->columns->key : "key");
    json_decref(root);
    return rc;
}

int tw_table_read(const tw_buf *text, bool is_json, const tw_table_columns *columns,
                  tw_rows *rows, tw_err *err)
{
    reading r = {columns, rows, err};
    int rc = is_json ? read_json(&r, text) : read_csv(&r, text);

    return rc < 0 ? rc : tw_rows_finish(rows, err);
}

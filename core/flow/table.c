// SPDX-License-Identifier: Apache-2.0
/* Look-up tables: reading the file, turning it into rows by key, and deciding when to read again. A
 * snapshot is replaced only by a whole good one. Shore thread; rows are borrowed until the next
 * refresh, or counted.
 *
 * A file is read again when it is another one or its size or time differ. A time stamp that was
 * young when the file was read proves nothing (two writes may share it), so then the contents are
 * compared by their hash. */
#include "flow/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "flow/csv.h"

#define MAX_BYTES ((size_t)64 * 1024 * 1024)
#define MAX_ROWS 1000000
#define YOUNG_MS 2000

struct tw_rows {
    atomic_uint refs;
    tw_map *by_key; /* json_t */
};

struct tw_table {
    char *name, *path, *key, *error;
    bool is_json;
    tw_rows *rows;    /* NULL before the first good read */
    uint64_t hash;    /* of the contents behind rows */
    struct stat seen; /* of the last read, good or not */
    int64_t seen_at_ms;
};

static tw_rows *new_rows(tw_map *by_key);

static void free_row(void *row)
{
    json_decref(row);
}

/* ---- rows ---- */

/* Takes row. */
static int put_row(tw_map *rows, const char *key, size_t n, json_t *row, int line,
                   tw_err *err)
{
    int rc = TW_OK;
    if (n == 0)
        rc = tw_err_at(err, TW_EPARSE, NULL, line, 0, "a row has no key");
    else if (tw_map_get_n(rows, key, n))
        rc = tw_err_at(err, TW_EPARSE, NULL, line, 0, "the key \"%.*s\" comes twice",
                       (int)(n < 100 ? n : 100), key);
    else if (tw_map_count(rows) >= MAX_ROWS)
        rc = tw_err_at(err, TW_ELIMIT, NULL, line, 0, "more than %d rows", MAX_ROWS);
    else
        tw_map_put_n(rows, key, n, json_incref(row));
    json_decref(row);
    return rc;
}

/* ---- CSV ---- */

typedef struct header {
    char *names[TW_CSV_MAX_CELLS];
    int count, key;
} header;

static void header_done(header *h)
{
    for (int i = 0; i < h->count; i++)
        tw_free(h->names[i]);
}

static int read_header(header *h, tw_csv *c, const char *key, tw_err *err)
{
    int count = tw_csv_row(c, err);
    if (count < 0)
        return count;
    if (count == 0)
        return tw_err_set(err, TW_EPARSE, "the file is empty; a header row is needed");
    h->key = key ? -1 : 0;
    for (h->count = 0; h->count < count; h->count++) {
        size_t n;
        const char *name = tw_csv_cell(c, h->count, &n);
        h->names[h->count] = tw_strndup(name, n);
        if (key && strcmp(h->names[h->count], key) == 0)
            h->key = h->count;
    }
    if (h->key < 0)
        return tw_err_at(err, TW_EPARSE, NULL, c->line, 0,
                         "the header row has no column \"%s\"", key);
    return TW_OK;
}

static int read_csv_row(tw_map *rows, const tw_csv *c, const header *h, int count,
                        tw_err *err)
{
    if (count != h->count)
        return tw_err_at(err, TW_EPARSE, NULL, c->line, 0,
                         "the row has %d cells and the header %d", count, h->count);
    json_t *row = json_object();
    for (int i = 0; i < count; i++) {
        size_t n;
        const char *cell = tw_csv_cell(c, i, &n);
        if (json_object_set_new(row, h->names[i], json_stringn(cell, n)) < 0) {
            json_decref(row);
            return tw_err_at(err, TW_EPARSE, NULL, c->line, 0, "the row is not UTF-8");
        }
    }
    size_t n;
    const char *key = tw_csv_cell(c, h->key, &n);
    return put_row(rows, key, n, row, c->line, err);
}

static int read_csv(tw_map *rows, const tw_buf *text, const char *key, tw_err *err)
{
    tw_csv *c = tw_alloc(sizeof *c);
    header *h = tw_alloc(sizeof *h);
    tw_csv_init(c, text->data, text->len);
    int rc = read_header(h, c, key, err);
    int count = 0;
    while (rc == TW_OK && (count = tw_csv_row(c, err)) > 0)
        rc = read_csv_row(rows, c, h, count, err);
    if (rc == TW_OK && count < 0)
        rc = count;
    header_done(h);
    tw_csv_done(c);
    tw_free(h);
    tw_free(c);
    return rc;
}

/* ---- JSON ---- */

static int read_json_object(tw_map *rows, json_t *root, tw_err *err)
{
    const char *key;
    json_t *row;
    int rc = TW_OK;
    json_object_foreach(root, key, row)
    {
        if (!json_is_object(row))
            return tw_err_set(err, TW_EPARSE, "the row of \"%.100s\" is not an object",
                              key);
        rc = put_row(rows, key, strlen(key), json_incref(row), 0, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int read_json_list(tw_map *rows, json_t *root, const char *key, tw_err *err)
{
    size_t i;
    json_t *row;
    json_array_foreach(root, i, row)
    {
        json_t *v = json_object_get(row, key);
        if (!json_is_string(v) && !json_is_integer(v))
            return tw_err_set(
                err, TW_EPARSE,
                "row %zu is not an object with a text or whole number in \"%s\"", i + 1,
                key);
        char *text = json_is_string(v)
                         ? tw_strdup(json_string_value(v))
                         : tw_asprintf("%jd", (intmax_t)json_integer_value(v));
        int rc = put_row(rows, text, strlen(text), json_incref(row), 0, err);
        tw_free(text);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static int read_json(tw_map *rows, const tw_buf *text, const char *key, tw_err *err)
{
    json_error_t why;
    json_t *root = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return tw_err_at(err, TW_EPARSE, NULL, why.line, why.column, "%s", why.text);
    int rc = json_is_object(root) ? read_json_object(rows, root, err)
                                  : read_json_list(rows, root, key ? key : "key", err);
    json_decref(root);
    return rc;
}

/* ---- the file ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int64_t now_ms(void)
{
    tw_clock clock;
    tw_clock_init_real(&clock);
    return tw_clock_now_ms(&clock);
}

static int read_all(int fd, tw_buf *out, tw_err *err)
{
    char chunk[65536];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tw_err_set(err, TW_EIO, "%s", strerror(errno));
        if (tw_buf_add(out, chunk, (size_t)n) < 0)
            return tw_err_set(err, TW_ELIMIT, "the file is larger than %zu MiB",
                              MAX_BYTES >> 20);
    }
    return TW_OK;
}

/* The contents, and what the file was like; a file that changes under the reader is an error. */
static int read_file(tw_table *t, tw_buf *out, tw_err *err)
{
    struct stat after;
    t->seen_at_ms = now_ms();
    int fd =
        open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    if (fd < 0 || fstat(fd, &t->seen) < 0) {
        int rc = tw_err_set(err, TW_EIO, "%s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = S_ISREG(t->seen.st_mode) ? read_all(fd, out, err)
                                      : tw_err_set(err, TW_EINVAL, "this is not a file");
    if (rc == TW_OK && (fstat(fd, &after) < 0 || !same_file(&t->seen, &after)))
        rc = tw_err_set(err, TW_EAGAIN, "the file is being written");
    close(fd);
    return rc;
}

/* Contents to rows. *out_rows stays NULL when the contents are those there already. */
static int read_rows(tw_table *t, tw_map **out_rows, tw_err *err)
{
    tw_buf text;
    tw_buf_init(&text, MAX_BYTES);
    int rc = read_file(t, &text, err);
    uint64_t hash = rc == TW_OK ? tw_hash_stable(text.data, text.len) : 0;
    if (rc == TW_OK && !(t->rows && hash == t->hash)) {
        tw_map *rows = tw_map_new(free_row);
        rc = t->is_json ? read_json(rows, &text, t->key, err)
                        : read_csv(rows, &text, t->key, err);
        if (rc == TW_OK) {
            *out_rows = rows;
            t->hash = hash;
        } else {
            tw_map_free(rows);
        }
    }
    tw_buf_done(&text);
    return rc;
}

static bool may_have_changed(const tw_table *t)
{
    struct stat st;
    if (stat(t->path, &st) < 0 || !same_file(&st, &t->seen))
        return true;
    int64_t changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return changed_ms > t->seen_at_ms - YOUNG_MS;
}

static void set_error(tw_table *t, const tw_err *err)
{
    char text[sizeof(tw_err) + 32];
    tw_free(t->error);
    t->error = err ? tw_strdup(tw_err_format(err, text, sizeof text)) : NULL;
}

int tw_table_refresh(tw_table *t, bool *out_changed, tw_err *err)
{
    if (!may_have_changed(t)) {
        *out_changed = false;
        return TW_OK;
    }
    tw_map *rows = NULL;
    tw_err why = {0};
    int rc = read_rows(t, &rows, &why);
    if (rc < 0) {
        char text[sizeof why.text];
        memcpy(text, why.text, sizeof text);
        tw_err_at(&why, rc, t->path, why.line, why.column, "%s", text);
        set_error(t, &why);
        if (err)
            *err = why;
        return rc;
    }
    set_error(t, NULL);
    *out_changed = rows != NULL;
    if (rows) {
        tw_rows_unref(t->rows);
        t->rows = new_rows(rows);
    }
    return TW_OK;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

tw_table *tw_table_open(const char *name, const char *path, const char *key, tw_err *err)
{
    bool is_json = has_ending(path, ".json"), changed;
    if (!is_json && !has_ending(path, ".csv")) {
        tw_err_set(err, TW_EINVAL, "%s: the file of a table ends in .csv or .json", path);
        return NULL;
    }
    tw_table *t = tw_alloc(sizeof *t);
    t->name = tw_strdup(name);
    t->path = tw_strdup(path);
    t->key = tw_strdup(key);
    t->is_json = is_json;
    if (tw_table_refresh(t, &changed, err) < 0) {
        tw_table_free(t);
        return NULL;
    }
    return t;
}

void tw_table_free(tw_table *t)
{
    if (!t)
        return;
    tw_rows_unref(t->rows);
    tw_free(t->name);
    tw_free(t->path);
    tw_free(t->key);
    tw_free(t->error);
    tw_free(t);
}

/* ---- a snapshot -------------------------------------------------------------------- */

tw_rows *tw_rows_ref(tw_rows *rows)
{
    if (rows)
        atomic_fetch_add_explicit(&rows->refs, 1, memory_order_relaxed);
    return rows;
}

void tw_rows_unref(tw_rows *rows)
{
    if (!rows || atomic_fetch_sub_explicit(&rows->refs, 1, memory_order_acq_rel) != 1)
        return;
    tw_map_free(rows->by_key);
    tw_free(rows);
}

static tw_rows *new_rows(tw_map *by_key)
{
    tw_rows *rows = tw_alloc(sizeof *rows);

    rows->by_key = by_key;
    atomic_init(&rows->refs, 1);
    return rows;
}

tw_rows *tw_rows_of_json(json_t *object)
{
    tw_map *by_key = tw_map_new(free_row);
    const char *key;
    json_t *row;

    json_object_foreach(object, key, row)
    {
        tw_map_put(by_key, key, json_incref(row));
    }
    return new_rows(by_key);
}

json_t *tw_rows_get(const tw_rows *rows, const char *key)
{
    return rows ? tw_map_get(rows->by_key, key) : NULL;
}

size_t tw_rows_count(const tw_rows *rows)
{
    return rows ? tw_map_count(rows->by_key) : 0;
}

void tw_rows_each(const tw_rows *rows,
                  void (*row)(void *self, const char *key, json_t *value), void *self)
{
    const char *key;
    void *value;

    for (size_t i = 0; rows && tw_map_next(rows->by_key, &i, &key, &value);)
        row(self, key, value);
}

tw_rows *tw_table_rows(const tw_table *t)
{
    return t->rows;
}

json_t *tw_table_row(const tw_table *t, const char *key)
{
    return tw_rows_get(t->rows, key);
}

const char *tw_table_name(const tw_table *t)
{
    return t->name;
}

size_t tw_table_count(const tw_table *t)
{
    return tw_rows_count(t->rows);
}

const char *tw_table_error(const tw_table *t)
{
    return t->error;
}

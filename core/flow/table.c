// SPDX-License-Identifier: Apache-2.0
/* Look-up tables: reading the file, and deciding when to read it again. A
 * snapshot is replaced only by a whole good one. Shore thread; rows are borrowed until the next
 * refresh, or counted.
 *
 * A file is read again when it is another one or its size or time differ. A time stamp that was
 * young when the file was read proves nothing (two writes may share it), so then the contents are
 * compared by their hash. */
#include "flow/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#define MAX_BYTES ((size_t)64 * 1024 * 1024)
#define YOUNG_MS 2000

/* What a rule reads of it. */
typedef struct need {
    char *column, *rule;
} need;

struct tw_table {
    char *name, *path, *error;
    char *key, *since, *until; /* columns */
    bool is_json;
    tw_rows *rows;    /* NULL before the first good read */
    uint64_t hash;    /* of the contents behind rows */
    struct stat seen; /* of the last read, good or not */
    int64_t seen_at_ms;
    need *needs;
    size_t need_count;
    bool lacks_column; /* which is why the last contents were refused */
};

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

/* Without a single row nothing is known of the columns of JSON. */
static int check_needs(tw_table *t, const tw_rows *rows, tw_err *err)
{
    const tw_declared *columns = tw_rows_columns(rows);

    for (size_t i = 0; tw_declared_known(columns) && i < t->need_count; i++) {
        const need *n = &t->needs[i];
        if (tw_declared_has_column(columns, n->column, strlen(n->column)))
            continue;
        t->lacks_column = true;
        return tw_err_set(err, TW_ESTATE,
                          "there is no column '%s' any more, which rule '%s' reads",
                          n->column, n->rule);
    }
    return TW_OK;
}

/* Contents to rows. *out_rows stays NULL when the contents are those there already. */
static int read_rows(tw_table *t, tw_rows **out_rows, tw_err *err)
{
    tw_table_columns columns = {t->key, t->since, t->until};
    tw_buf text;
    tw_buf_init(&text, MAX_BYTES);
    int rc = read_file(t, &text, err);
    uint64_t hash = rc == TW_OK ? tw_hash_stable(text.data, text.len) : 0;
    if (rc == TW_OK && !(t->rows && hash == t->hash)) {
        tw_rows *rows = tw_rows_new(t->since != NULL);
        rc = tw_table_read(&text, t->is_json, &columns, rows, err);
        if (rc == TW_OK)
            rc = check_needs(t, rows, err);
        if (rc == TW_OK) {
            *out_rows = rows;
            t->hash = hash;
        } else {
            tw_rows_unref(rows);
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
    tw_rows *rows = NULL;
    tw_err why = {0};
    t->lacks_column = false;
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
        t->rows = rows;
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
    return tw_table_open_with(name, path, &(tw_table_columns){.key = key}, err);
}

tw_table *tw_table_open_with(const char *name, const char *path,
                             const tw_table_columns *columns, tw_err *err)
{
    bool is_json = has_ending(path, ".json"), changed;
    if (!is_json && !has_ending(path, ".csv")) {
        tw_err_set(err, TW_EINVAL, "%s: the file of a table ends in .csv or .json", path);
        return NULL;
    }
    tw_table *t = tw_alloc(sizeof *t);
    t->name = tw_strdup(name);
    t->path = tw_strdup(path);
    t->key = tw_strdup(columns->key);
    t->since = tw_strdup(columns->since);
    t->until = tw_strdup(columns->until);
    t->is_json = is_json;
    if (tw_table_refresh(t, &changed, err) < 0) {
        tw_table_free(t);
        return NULL;
    }
    return t;
}

void tw_table_need(tw_table *t, const char *column, const char *rule)
{
    t->needs = tw_realloc(t->needs, (t->need_count + 1) * sizeof *t->needs);
    t->needs[t->need_count++] = (need){tw_strdup(column), tw_strdup(rule)};
}

void tw_table_need_nothing(tw_table *t)
{
    for (size_t i = 0; i < t->need_count; i++) {
        tw_free(t->needs[i].column);
        tw_free(t->needs[i].rule);
    }
    tw_free(t->needs);
    t->needs = NULL;
    t->need_count = 0;
}

bool tw_table_lacks_column(const tw_table *t)
{
    return t->lacks_column;
}

void tw_table_free(tw_table *t)
{
    if (!t)
        return;
    tw_table_need_nothing(t);
    tw_rows_unref(t->rows);
    tw_free(t->name);
    tw_free(t->path);
    tw_free(t->key);
    tw_free(t->since);
    tw_free(t->until);
    tw_free(t->error);
    tw_free(t);
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

bool tw_table_has_history(const tw_table *t)
{
    return t->since != NULL;
}

// SPDX-License-Identifier: Apache-2.0
/* Tables: the input is a file, CSV or JSON, with and without history; or records of a topic, a line each
 * ("key<TAB>time<TAB>value", no value: a tombstone), into tables with small bounds, whose account must be
 * right at the end. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "flow/row_tree.h"
#include "flow/table_read.h"
#include "flow/table_topic.h"

static void read_file(const tw_buf *text, bool is_json, bool dated)
{
    tw_table_columns columns = {.key = dated ? "k" : NULL,
                                .since = dated ? "from" : NULL,
                                .until = dated ? "to" : NULL};
    tw_rows *rows = tw_rows_new(dated);

    if (tw_table_read(text, is_json, &columns, rows, NULL) == TW_OK) {
        (void)tw_rows_at(rows, "a", 0);
        (void)tw_rows_get(rows, "a");
    }
    tw_rows_unref(rows);
}

static void count_row(void *self, const char *key, json_t *value)
{
    (void)key;
    if (!value)
        abort();
    ++*(size_t *)self;
}

static void take_line(tw_topic_table *t, const char *line, size_t n)
{
    const char *tab = memchr(line, '\t', n), *why = NULL;
    tw_topic_record r = {.key = line, .key_size = tab ? (size_t)(tab - line) : n};
    const char *rest = tab ? tab + 1 : line + n, *end = line + n;
    const char *next = memchr(rest, '\t', (size_t)(end - rest));

    for (const char *p = rest; p < (next ? next : end) && r.time_ms < 1000000; p++)
        r.time_ms = r.time_ms * 10 + (uint8_t)*p % 10;
    if (next) {
        r.data = next + 1;
        r.size = (size_t)(end - r.data);
    }
    if (tw_topic_table_take(t, &r, &why) != TW_TOPIC_TAKEN && !why)
        abort();
}

static void take_records(const char *data, size_t size, uint32_t versions,
                         const char *key)
{
    tw_topic_table_options o = {.key = key,
                                .versions = versions,
                                .max_rows = 4,
                                .max_bytes = 200,
                                .max_record_bytes = 64};
    tw_topic_table *t = tw_topic_table_new(&o);
    tw_rows *before = NULL;
    size_t count = 0;

    for (size_t at = 0; at < size;) {
        const char *line = data + at, *end = memchr(line, '\n', size - at);
        size_t n = end ? (size_t)(end - line) : size - at;
        take_line(t, line, n);
        tw_rows_unref(before);
        before = tw_topic_table_rows(t);
        at += n + 1;
    }
    tw_rows_each(before, count_row, &count);
    tw_topic_counts c = tw_topic_table_counts(t);
    if (count != c.rows || c.rows > o.max_rows || c.bytes > o.max_bytes)
        abort();
    tw_topic_table_free(t);
    tw_rows_unref(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_buf text;

    tw_buf_init(&text, SIZE_MAX / 2);
    tw_buf_add(&text, data, size);
    for (int i = 0; i < 4; i++)
        read_file(&text, i & 1, i & 2);
    tw_buf_done(&text);
    for (uint32_t versions = 1; versions < 4; versions++) {
        take_records((const char *)data, size, versions, NULL);
        take_records((const char *)data, size, versions, "k");
    }
    return 0;
}

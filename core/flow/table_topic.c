// SPDX-License-Identifier: Apache-2.0
/* Records to rows; see table_topic.h. Versions of a key begin in the order of their records: a record that
 * says an earlier time than the one before it counts from that one's time. */
#include "flow/table_topic.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "flow/row_tree.h"

struct tw_topic_table {
    tw_topic_table_options options;
    char *key;
    tw_row_tree tree;
    tw_map *ended;     /* keys without a row now, oldest first */
    tw_map *by_record; /* record key to row key, where the value names it; else NULL */
    tw_topic_counts counts;
};

tw_topic_table *tw_topic_table_new(const tw_topic_table_options *options)
{
    tw_topic_table *t = tw_alloc(sizeof *t);

    t->options = *options;
    t->options.key = t->key = tw_strdup(options->key);
    t->ended = tw_map_new(NULL);
    t->by_record = options->key ? tw_map_new(tw_free) : NULL;
    return t;
}

void tw_topic_table_free(tw_topic_table *t)
{
    if (!t)
        return;
    tw_row_tree_done(&t->tree);
    tw_map_free(t->ended);
    tw_map_free(t->by_record);
    tw_free(t->key);
    tw_free(t);
}

static tw_topic_fate odd(tw_topic_table *t, const char **out_why, const char *why)
{
    *out_why = why;
    t->counts.odd++;
    return TW_TOPIC_ODD;
}

static tw_topic_fate refuse(tw_topic_table *t, const char **out_why, const char *why)
{
    *out_why = why;
    t->counts.refused++;
    return TW_TOPIC_REFUSED;
}

/* ---- leaves ------------------------------------------------------------------------ */

static const tw_row_version *newest_of(const tw_row_leaf *leaf)
{
    return &leaf->versions[leaf->count - 1];
}

static size_t bytes_of(const tw_row_leaf *leaf)
{
    return leaf ? leaf->bytes : 0;
}

/* Of the key's versions those before this time that are kept beside a new one, newest last. */
static uint32_t kept_before(const tw_topic_table *t, const tw_row_leaf *leaf,
                            int64_t since_ms, uint32_t *out_first)
{
    uint32_t count = 0, most = t->options.versions - 1;

    while (leaf && count < leaf->count && leaf->versions[count].since_ms < since_ms)
        count++;
    *out_first = count > most ? count - most : 0;
    return count - *out_first;
}

/* What the key has with one more version; bytes of versions are shared evenly, as they came one by one. */
static tw_row_leaf *make_leaf(tw_topic_table *t, const tw_row_leaf *before,
                              const char *key, size_t key_size, tw_row_version v,
                              size_t bytes)
{
    uint32_t first, kept = kept_before(t, before, v.since_ms, &first);
    tw_row_leaf *leaf = tw_row_leaf_new(key, key_size, kept + 1);

    for (uint32_t i = 0; i < kept; i++) {
        leaf->versions[i] = before->versions[first + i];
        json_incref(leaf->versions[i].row);
    }
    leaf->versions[kept] = v;
    leaf->bytes = key_size + bytes;
    if (before && before->count)
        leaf->bytes += (before->bytes - before->key_size) / before->count * kept;
    if (t->options.versions > 1)
        t->counts.forgotten += first;
    return leaf;
}

static void put(tw_topic_table *t, const tw_row_leaf *before, tw_row_leaf *leaf)
{
    bool was = before && newest_of(before)->row, is = newest_of(leaf)->row != NULL;

    t->counts.bytes += leaf->bytes - bytes_of(before);
    t->counts.rows += (uint64_t)is - (uint64_t)was;
    if (before && !was)
        tw_map_remove_n(t->ended, leaf->key, leaf->key_size);
    if (!is)
        tw_map_put_n(t->ended, leaf->key, leaf->key_size, t);
    tw_row_tree_put(&t->tree, leaf);
}

/* before is in the tree, and gone afterwards. */
static void drop(tw_topic_table *t, const tw_row_leaf *before)
{
    if (newest_of(before)->row)
        t->counts.rows--;
    else
        tw_map_remove_n(t->ended, before->key, before->key_size);
    t->counts.bytes -= before->bytes;
    tw_row_tree_remove(&t->tree, before->key, before->key_size);
}

static bool drop_an_ended_one(tw_topic_table *t)
{
    const char *key;
    void *value;
    size_t i = 0;

    if (!tw_map_next(t->ended, &i, &key, &value))
        return false;
    const tw_row_leaf *leaf = tw_row_tree_find(&t->tree, key, strlen(key));
    t->counts.forgotten += leaf->count;
    drop(t, leaf);
    return true;
}

/* ---- records ----------------------------------------------------------------------- */

/* Times of one key do not go back. */
static int64_t begin_of(const tw_row_leaf *before, int64_t time_ms)
{
    int64_t last_ms = before ? newest_of(before)->since_ms : TW_ROW_ALWAYS;

    return time_ms > last_ms ? time_ms : last_ms;
}

static void end_row(tw_topic_table *t, const char *key, size_t n, int64_t time_ms)
{
    const tw_row_leaf *before = tw_row_tree_find(&t->tree, key, n);
    tw_row_version end = {begin_of(before, time_ms), TW_ROW_FOR_EVER, NULL};

    if (!before)
        return;
    t->counts.deleted += newest_of(before)->row != NULL;
    if (t->options.versions == 1)
        drop(t, before);
    else if (newest_of(before)->row)
        put(t, before, make_leaf(t, before, key, n, end, 0));
}

/* Takes row. */
static tw_topic_fate put_row(tw_topic_table *t, const char *key, size_t n, json_t *row,
                             const tw_topic_record *r, const char **out_why)
{
    const tw_row_leaf *before = tw_row_tree_find(&t->tree, key, n);
    tw_row_version v = {begin_of(before, r->time_ms), TW_ROW_FOR_EVER, row};

    if (!before && t->tree.count >= t->options.max_rows && !drop_an_ended_one(t)) {
        json_decref(row);
        return refuse(t, out_why,
                      "the table has as many rows as it may have; new keys "
                      "are not taken");
    }
    tw_row_leaf *leaf = make_leaf(t, before, key, n, v, r->size);
    if (t->counts.bytes - bytes_of(before) + leaf->bytes > t->options.max_bytes) {
        tw_row_leaf_unref(leaf);
        if (before)
            drop(t, before);
        return refuse(t, out_why,
                      "the table is as large as it may be; what does not fit "
                      "is not taken, and its key has no row");
    }
    put(t, before, leaf);
    return TW_TOPIC_TAKEN;
}

/* ---- the row's key is a member of the value ---------------------------------------- */

/* Many records may name one row; of the oldest of them a tombstone is not understood any more. */
static void forget_a_record(tw_topic_table *t)
{
    const char *key;
    void *value;
    size_t i = 0;

    if (tw_map_next(t->by_record, &i, &key, &value))
        tw_map_remove(t->by_record, key);
}

/* What the record's key said before is not so any more, when it says another. */
static void rename_row(tw_topic_table *t, const tw_topic_record *r, const char *key)
{
    const char *before = r->key ? tw_map_get_n(t->by_record, r->key, r->key_size) : NULL;

    if (!r->key || (before && strcmp(before, key) == 0))
        return;
    if (before)
        end_row(t, before, strlen(before), r->time_ms);
    else if (tw_map_count(t->by_record) >= t->options.max_rows)
        forget_a_record(t);
    tw_map_put_n(t->by_record, r->key, r->key_size, tw_strdup(key));
}

static tw_topic_fate take_named(tw_topic_table *t, const tw_topic_record *r, json_t *row,
                                const char **out_why)
{
    const json_t *v = json_object_get(row, t->options.key);
    char *key = json_is_string(v) ? tw_strdup(json_string_value(v))
                : json_is_integer(v)
                    ? tw_asprintf("%lld", (long long)json_integer_value(v))
                    : NULL;

    if (!key || !*key) {
        tw_free(key);
        json_decref(row);
        return odd(t, out_why, "a value whose key is not a text or a whole number");
    }
    tw_topic_fate fate = put_row(t, key, strlen(key), row, r, out_why);
    if (fate == TW_TOPIC_TAKEN)
        rename_row(t, r, key);
    tw_free(key);
    return fate;
}

static void end_named(tw_topic_table *t, const tw_topic_record *r)
{
    const char *key = tw_map_get_n(t->by_record, r->key, r->key_size);

    if (key)
        end_row(t, key, strlen(key), r->time_ms);
    tw_map_remove_n(t->by_record, r->key, r->key_size);
}

tw_topic_fate tw_topic_table_take(tw_topic_table *t, const tw_topic_record *r,
                                  const char **out_why)
{
    tw_topic_fate fate;

    t->counts.records++;
    if (!r->key_size && (!t->by_record || !r->data))
        return odd(t, out_why, "a record without a key");
    if (r->key && memchr(r->key, '\0', r->key_size))
        return odd(t, out_why, "a key with a zero byte in it");
    if (!r->data) {
        if (t->by_record)
            end_named(t, r);
        else
            end_row(t, r->key, r->key_size, r->time_ms);
        return TW_TOPIC_TAKEN;
    }
    if (r->size > t->options.max_record_bytes)
        return odd(t, out_why, "a value that is larger than limits.record");
    json_t *row = json_loadb(r->data, r->size, 0, NULL);
    if (!json_is_object(row)) {
        json_decref(row);
        return odd(t, out_why, "a value that is no JSON object");
    }
    fate = t->by_record ? take_named(t, r, row, out_why)
                        : put_row(t, r->key, r->key_size, row, r, out_why);
    return fate;
}

tw_rows *tw_topic_table_rows(const tw_topic_table *t)
{
    return tw_rows_of_tree(&t->tree, (size_t)t->counts.rows);
}

tw_topic_counts tw_topic_table_counts(const tw_topic_table *t)
{
    return t->counts;
}

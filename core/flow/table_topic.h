// SPDX-License-Identifier: Apache-2.0
/* A look-up table made of records: of each key the newest value counts, a record without a value takes the
 * row away. With more than one version a key it keeps history, by the times of the records. Shore thread;
 * tw_topic_table_rows gives what others may read.
 *
 * Bounds. A new key beyond max_rows is refused (ended keys that are kept for their history go first); a value
 * beyond max_bytes is refused, and so that no wrong answer is left its key goes, too. Bytes are those of
 * keys and values as they came; in memory a row takes several times that. */
#ifndef TW_FLOW_TABLE_TOPIC_H
#define TW_FLOW_TABLE_TOPIC_H

#include <stddef.h>

#include "flow/rows.h"

typedef struct tw_topic_table_options {
    const char
        *key; /* member of the value that is the row's key; NULL: the record's key */
    uint32_t versions; /* of a key; 1: no history */
    size_t max_rows, max_bytes, max_record_bytes;
} tw_topic_table_options;

typedef struct tw_topic_record {
    const char *key; /* NULL: none */
    size_t key_size;
    const char *data; /* NULL: a tombstone */
    size_t size;
    int64_t time_ms;
} tw_topic_record;

typedef struct tw_topic_counts {
    uint64_t rows, bytes;      /* now; rows: keys that have one */
    uint64_t records, deleted; /* so far, taken ones */
    uint64_t odd;              /* that are no row and changed nothing */
    uint64_t refused;          /* for the bounds */
    uint64_t
        forgotten; /* versions that went for newer ones, and ended keys for new ones */
} tw_topic_counts;

typedef enum tw_topic_fate {
    TW_TOPIC_TAKEN,
    TW_TOPIC_ODD,
    TW_TOPIC_REFUSED
} tw_topic_fate;

typedef struct tw_topic_table tw_topic_table;

tw_topic_table *tw_topic_table_new(const tw_topic_table_options *options);
void tw_topic_table_free(tw_topic_table *t);
/* *out_why, a constant sentence, when it is not taken. */
tw_topic_fate tw_topic_table_take(tw_topic_table *t, const tw_topic_record *r,
                                  const char **out_why);
/* As it is now; a reference. A handful of instructions, however large it is. */
tw_rows *tw_topic_table_rows(const tw_topic_table *t);
tw_topic_counts tw_topic_table_counts(const tw_topic_table *t);

#endif

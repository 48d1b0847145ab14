// SPDX-License-Identifier: Apache-2.0
/* What waits in outboxes: a record for sinks (plugins/tidewatch.h) with all its text in
 * memory of its own, counted so that several sinks can hold one. Shore thread only. */
#ifndef TW_SINK_RECORD_H
#define TW_SINK_RECORD_H

#include "flow/notification.h"
#include "plugins/tidewatch.h"

typedef struct tw_parcel {
    uint32_t refs;
    tw_record record; /* points into the parcel */
    int64_t made_ms;
} tw_parcel;

tw_parcel *tw_parcel_from_notification(const tw_notification *n);

/* What a rule emitted; id and key as they are to be. */
typedef struct tw_emitted_record {
    const char *id, *key, *stream, *rule, *json;
    size_t json_size;
    int64_t time_ms;
} tw_emitted_record;
tw_parcel *tw_parcel_from_emitted(const tw_emitted_record *e);

/* A record that could not be handled: original key and bytes, and where it came from.
 * Header names tw_dlq_topic, tw_dlq_partition, tw_dlq_offset, tw_dlq_stage, tw_dlq_error,
 * tw_dlq_first_seen; json has the same with the bytes as text (base64 when they are not
 * UTF-8). */
typedef struct tw_dead_letter {
    const char *stream, *topic, *stage, *reason;
    int32_t partition;
    int64_t offset, first_seen_ms;
    const char *key, *data;
    size_t key_size, data_size;
    uint32_t attempts;
} tw_dead_letter;
tw_parcel *tw_parcel_from_dead_letter(const tw_dead_letter *d);

tw_parcel *tw_parcel_ref(tw_parcel *p);
void tw_parcel_unref(tw_parcel *p);

#endif

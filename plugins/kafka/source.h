// SPDX-License-Identifier: Apache-2.0
/* A Kafka source: one group consumer, one feed a partition it was assigned.
 *
 * Shore: everything except kafka_feed_poll and kafka_feed_release, which the feed's lane
 * calls. The feed's queue of librdkafka is where the threads meet; besides it a lane only
 * touches its feed's own members and, by errands_nudge and the host's post, others'.
 *
 * Positions: a frame's offset is stored with the group only after the host said that it
 * was handled, so a crash repeats and never skips. */
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include <stdatomic.h>

#include "errand.h"
#include "settings.h"
#include "voice.h"

typedef struct source source;

typedef struct feed feed;
struct feed {
    tw_feed base; /* first: the host knows the feed by it */
    source *src;
    feed *next_feed;
    const char *topic; /* the source's */
    int32_t partition;
    rd_kafka_queue_t *queue;

    /* lane; others read `next` */
    _Atomic int64_t next; /* records below were delivered or are not wanted */
    _Atomic int at_end;   /* librdkafka has found no more after what it queued */
    int64_t mean_bytes;   /* of a record, moving */
    int is_full;          /* the queue reached its bound and has not been drained since */

    /* shore */
    int64_t handled;    /* what the host said; stored with the group */
    int64_t stored;     /* what we asked the group to store, -1 nothing */
    int64_t end_offset; /* of the log when the feed began */
    bool end_told;
};

struct source {
    const tw_host *h;
    source_settings settings;
    rd_kafka_conf_t *conf; /* until start */
    rd_kafka_t *rk;
    errands *errands;
    char **topics;
    bool *topic_missing;
    bool *topic_is_new; /* was seen not to exist: nothing of it was there before us */
    size_t topic_count;
    int wake_fd; /* librdkafka has something for the shore */
    tw_watch *wake_watch, *tick_watch, *guard_watch;
    rd_kafka_queue_t *main_queue, *close_queue;

    feed *feeds;
    unsigned epoch; /* of the assignment: what was asked under an older one is void */
    bool was_assigned, is_lost;             /* is_lost: and has not been assigned again */
    int share;                              /* partitions of the last assignment */
    rd_kafka_topic_partition_list_t *known; /* where we were in partitions given back */
    int64_t started_ms;
    bool finding_start; /* the position errand is out */
    errand *ask_again;  /* position errands that failed */
    int64_t ask_again_ms;
    bool stopping, gone, failed, brokers_open;

    int brokers_up;   /* -1 not known yet */
    int silent_stats; /* in a row without a broker */
    voice voice;
    int64_t store_again_ms, topics_again_ms;
    rd_kafka_resp_err_t last_error;
    char broker_error[200], start_error[200];
    char trouble[512]; /* what the host was told last */

    tw_metric *messages, *bytes, *dropped, *rebalances, *nudges, *store_failures;
    tw_metric *lag, *partitions, *brokers;
};

/* source.c */
extern const tw_source_type kafka_source_type;
extern const tw_source_type kafka_table_type; /* table.c */
/* Stores the handled positions of all feeds that changed; waits for the answer when
 * wait_ms is not 0. */
void source_store_positions(source *s, int wait_ms);

/* trouble.c */
void source_fail(source *s, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void source_tell_trouble(source *s);
/* So many partitions come to those that there are; says so when others got some of ours. */
void source_tell_share(source *s, int given);
void trouble_on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque);
void trouble_on_log(const rd_kafka_t *rk, int level, const char *facility,
                    const char *text);
void trouble_serve_queue(source *s); /* librdkafka's main queue, without waiting */
void trouble_ask_topics(source *s);  /* are missing topics there by now? */

/* assign.c */
void assign_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque);
/* Looks for a new position for a feed whose next record is not in the log. */
void assign_feed_again(source *s, const char *topic, int32_t partition);
/* Takes all feeds back from the host without storing their positions. */
void assign_drop_feeds(source *s);
/* Repeats failed questions when it is time to. */
void assign_tick(source *s);
void assign_forget(source *s);
/* Before closing: answers librdkafka when it waits for an assignment to be confirmed. */
void assign_give_up(source *s);
feed *assign_find_feed(source *s, const char *topic, int32_t partition);

/* feed.c */
int kafka_feed_poll(tw_feed *base, tw_frame *frames, int max);
void kafka_feed_release(tw_feed *base, tw_frame *frames, int count);

/* Exit codes of the engine, when the instance cannot go on. */
enum { KAFKA_EXIT_FENCED = 77, KAFKA_EXIT_NO_POSITION = 65, KAFKA_EXIT_FATAL = 70 };

#endif

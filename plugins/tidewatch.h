// SPDX-License-Identifier: Apache-2.0
/* tidewatch plugin ABI, version 1.
 *
 * A plugin is a shared object that exports one symbol, `tw_plugin_descriptor`, a const tw_plugin.
 * It includes this header and its own library, nothing else of tidewatch.
 *
 * History: 1 - first version (sources and sinks); sources may offer to be read as tables.
 * The major version changes when something here changes its meaning; new members are only added at
 * the end of a struct, and every struct that crosses starts with its size, so an older plugin keeps
 * loading. The host checks abi first, then size, then names, and refuses with one sentence.
 *
 * Threads. "Shore" is the host's main thread, with an event loop; "lane" is the thread that decodes
 * a feed's frames. Each function says where it is called. A plugin may have threads of its own; from
 * there it calls only the functions marked "any thread". Callbacks never block and never sleep.
 *
 * Life of an instance: open -> start -> ... -> stop -> host.stopped() by the plugin -> close.
 * stop is asynchronous, because closing a client takes time; close frees the memory. */
#ifndef TIDEWATCH_H
#define TIDEWATCH_H

#include <stddef.h>
#include <stdint.h>

#define TW_PLUGIN_ABI 1
#define TW_PLUGIN_SYMBOL "tw_plugin_descriptor"
#define TW_NO_TIME INT64_MIN

#if defined(__GNUC__)
#define TW_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define TW_PLUGIN_EXPORT
#endif

/* Why an instance could not be made: one sentence in the user's words. */
typedef struct tw_refusal {
    size_t size;
    char text[512];
} tw_refusal;

typedef enum tw_plugin_log_level {
    TW_PLUGIN_DEBUG,
    TW_PLUGIN_INFO,
    TW_PLUGIN_WARN,
    TW_PLUGIN_ERROR
} tw_plugin_log_level;

typedef struct tw_watch tw_watch; /* a descriptor or timer watch of the host's loop */
typedef struct tw_metric tw_metric;

enum { TW_WATCH_READ = 1, TW_WATCH_WRITE = 2 };

/* What the host offers to an instance. Borrowed for the life of the instance. */
typedef struct tw_host tw_host;
struct tw_feed;
struct tw_delivery;
struct tw_answer;
struct tw_host {
    size_t size;
    const char *name; /* the instance's name in the configuration */
    const char *
        settings; /* its settings as JSON text, defaults not filled in, secrets resolved */
    const char *state_dir; /* a directory of the engine for files of its own, or NULL */

    /* any thread */
    void (*log)(const tw_host *h, tw_plugin_log_level level, const char *message);
    int64_t (*now_ms)(const tw_host *h); /* epoch milliseconds, by the engine's clock */
    int (*post)(const tw_host *h, void (*fn)(void *arg),
                void *arg); /* run fn on the shore; 0 ok */
    /* Counters and gauges appear in /metrics as tidewatch_<kind>_<name>{instance="..."}; registered
     * on the shore, changed on any thread. name of a counter ends in _total. */
    tw_metric *(*counter)(const tw_host *h, const char *name, const char *help);
    tw_metric *(*gauge)(const tw_host *h, const char *name, const char *help);
    void (*add)(tw_metric *m, uint64_t n);
    void (*set)(tw_metric *m, int64_t v);

    /* shore */
    tw_watch *(*watch_fd)(const tw_host *h, int fd, int events,
                          void (*ready)(void *arg, int fd, int events), void *arg);
    void (*watch_change)(tw_watch *w, int events);
    /* One-shot timer when repeat_ms is 0. */
    tw_watch *(*watch_timer)(const tw_host *h, int64_t after_ms, int64_t repeat_ms,
                             void (*due)(void *arg), void *arg);
    void (*watch_timer_again)(tw_watch *w, int64_t after_ms, int64_t repeat_ms);
    void (*watch_end)(tw_watch *w);    /* never called back again; memory is the host's */
    void (*stopped)(const tw_host *h); /* the answer to stop */
    /* The instance cannot go on (fenced, fatal): the engine says so, and stops with exit_code if not 0. */
    void (*failed)(const tw_host *h, const char *why, int exit_code);
    /* What keeps it from its work (text copied): status says so, and /-/ready while a source has
     * no feed. NULL text: fine again. */
    void (*trouble)(const tw_host *h, const char *text);

    /* sources only, shore */
    /* Announces a feed (a partition, a file, a poll target): the host gives it to one lane, which
     * polls it from now on. topic is one of the wanted topics. 0 ok. */
    int (*feed_add)(const tw_host *h, struct tw_feed *feed, const char *topic,
                    int32_t partition);
    /* Takes a feed back. Returns when its lane has let go and everything it polled has been handled
     * (or dropped, when `lost` is not 0: somebody else owns it already); out_next_offset gets the
     * offset after the last handled frame, or -1 when nothing was handled. */
    int (*feed_remove)(const tw_host *h, struct tw_feed *feed, int lost,
                       int64_t *out_next_offset);
    /* An eventfd of the lane that owns the feed: writing 8 bytes {1} wakes it. Valid after feed_add. */
    int (*feed_wake_fd)(const tw_host *h, const struct tw_feed *feed);
    /* All that the feed had when it began has been polled: a finite one is done, of one that goes on status says that
     * it has been caught up with. `run` goes on, unless told to exit then. */
    void (*feed_end)(const tw_host *h, struct tw_feed *feed);

    /* sinks only, any thread */
    void (*done)(const tw_host *h, struct tw_delivery *delivery,
                 const struct tw_answer *answer);
};

/* ---- sources ----------------------------------------------------------------------- */

/* Bytes from outside. Borrowed from the source until released. */
typedef struct tw_frame {
    const char *data; /* NULL: a tombstone */
    size_t size;
    const char *key;
    size_t key_size;
    int64_t
        time_ms; /* the source's stamp, or TW_NO_TIME: when the record came to lie where it is read,
                      * and the time of events that carry none */
    int64_t offset;
    void *token; /* the source's own */
} tw_frame;

/* The plugin embeds this as the first member of its own feed. */
typedef struct tw_feed {
    void *host_data; /* the host's */
} tw_feed;

typedef struct tw_source_type {
    size_t size;
    const char *kind;     /* "kafka": what `kind` names in the configuration */
    const char *settings; /* JSON Schema of the settings, as text, or NULL */

    /* shore. topics: the topics (paths, targets) that streams want from this instance. */
    void *(*open)(const tw_host *h, const char *const *topics, size_t topic_count,
                  tw_refusal *refusal);
    int (*start)(void *instance, tw_refusal *refusal);
    void (*stop)(void *instance);
    void (*close)(void *instance);
    /* shore, every few seconds and before stop: all frames below next_offset are handled. */
    void (*handled)(void *instance, tw_feed *feed, int64_t next_offset);

    /* lane. Fills up to max frames without blocking; returns how many, 0 when there is nothing now. */
    int (*poll)(tw_feed *feed, tw_frame *frames, int max);
    /* lane. Every polled frame comes back, in order. */
    void (*release)(tw_feed *feed, tw_frame *frames, int count);

    /* The same kind read whole, for a look-up table; NULL: it cannot be. open gets the one topic. It
     * announces one feed, with partition -1, which gives every record from the beginning, tombstones
     * included, and goes on to give new ones; feed_end says that all that was there at start has been
     * polled. poll and release are called on the shore; handled is not called. Added later: a
     * type of a smaller size has none. */
    const struct tw_source_type *table;
} tw_source_type;

/* ---- sinks ------------------------------------------------------------------------- */

typedef struct tw_pair {
    const char *name, *value;
} tw_pair;

typedef enum tw_record_kind {
    TW_RECORD_ALERT,      /* a notification */
    TW_RECORD_EVENT,      /* an emitted event */
    TW_RECORD_DEAD_LETTER /* bytes that could not be handled */
} tw_record_kind;

/* What a sink delivers. Borrowed until the delivery is done. Text is UTF-8. */
typedef struct tw_record {
    size_t size;
    tw_record_kind kind;
    const char
        *id; /* the same for the same thing, also after a crash: deduplicate by it */
    const char
        *key; /* record key for keyed destinations (the incident, the event's key) */
    const char *json; /* the whole record as one line of JSON */
    size_t json_size;
    int64_t time_ms;

    /* alerts */
    const char *rule, *version, *incident;
    const char *status;       /* "firing", "resolved" */
    const char *level;        /* "info", "warn", "crit", "unknown" */
    const char *title, *body; /* never NULL */
    const tw_pair *labels;    /* sorted by name; the identity of the alert */
    size_t label_count;
    const tw_pair *annotations; /* title, body, reason, values, changes; none is empty */
    size_t annotation_count;
    int64_t starts_at_ms, ends_at_ms; /* ends TW_NO_TIME while firing */

    /* events and dead letters */
    const char *stream;
    const tw_pair *headers; /* Kafka headers, dead letter reasons */
    size_t header_count;
    const char *data; /* dead letters: the original bytes; NULL otherwise */
    size_t data_size;
} tw_record;

/* One attempt at one batch. The host keeps it until `done`. */
typedef struct tw_delivery {
    size_t size;
    const tw_record *const *records;
    size_t count;
    uint32_t attempt; /* 1 first */
    void *sink_data;  /* the plugin's, NULL at first */
} tw_delivery;

typedef enum tw_answer_class {
    TW_ANSWER_DONE,
    TW_ANSWER_RETRY,      /* the whole batch, later */
    TW_ANSWER_RETRY_PART, /* only records whose bit is set in `retry` */
    TW_ANSWER_SPLIT,      /* too large: halve it and try again */
    TW_ANSWER_DROP,       /* never will be taken: to the dead letters */
    TW_ANSWER_DISABLE     /* the destination is gone (410): drop, and stop trying */
} tw_answer_class;

typedef struct tw_answer {
    size_t size;
    tw_answer_class answer;
    int64_t retry_after_ms; /* from Retry-After; 0: the host's back-off */
    const uint8_t *retry;   /* RETRY_PART: one byte a record, not 0 = again; else NULL */
    const char *text;       /* for the log: "429 Too Many Requests" */
} tw_answer;

typedef struct tw_sink_type {
    size_t size;
    const char *kind;
    const char *settings;  /* JSON Schema text or NULL */
    uint32_t max_batch;    /* records a delivery at most (1 for a webhook) */
    uint32_t max_inflight; /* deliveries at once; 0 = 1 */

    /* shore */
    void *(*open)(const tw_host *h, tw_refusal *refusal);
    int (*start)(void *instance, tw_refusal *refusal);
    /* Begins one delivery; the answer comes through host.done, once, now or later. One not
     * answered within the sink's timeout counts as RETRY and is sent again as another delivery,
     * also while the first is still open; answer the first all the same. */
    void (*deliver)(void *instance, tw_delivery *delivery);
    void (*stop)(
        void *instance); /* open deliveries are answered (RETRY) before stopped() */
    void (*close)(void *instance);
} tw_sink_type;

/* ---- the descriptor ---------------------------------------------------------------- */

typedef struct tw_plugin {
    uint32_t abi;  /* TW_PLUGIN_ABI; first, so that the rest may be believed */
    uint32_t size; /* sizeof(tw_plugin) */
    const char *name, *version;
    const tw_source_type *const *sources; /* NULL-terminated, or NULL */
    const tw_sink_type *const *sinks;
} tw_plugin;

#endif

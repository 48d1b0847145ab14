// SPDX-License-Identifier: Apache-2.0
/* A host for tests of plugins: a tw_host on a loop of its own, which records what the
 * instance asks for. Plugins are loaded as the engine loads them. One thread, but for
 * post, done and log. */
#ifndef TW_TEST_FAKE_HOST_H
#define TW_TEST_FAKE_HOST_H

#include <pthread.h>

#include "host/loop.h"
#include "host/plugin.h"

#define FAKE_ANSWERS 64
#define FAKE_FEEDS 8

typedef struct fake_answer {
    tw_delivery *delivery;
    tw_answer_class answer;
    int64_t retry_after_ms;
    char text[256];
    uint8_t retry[256]; /* RETRY_PART */
} fake_answer;

typedef struct fake_host {
    tw_host host; /* first */
    tw_loop *loop;
    tw_plugins *plugins;
    int64_t now_ms; /* 0: the real time */
    pthread_mutex_t lock;
    fake_answer answers[FAKE_ANSWERS];
    size_t answer_count; /* under lock */
    char logged[4096];   /* under lock */
    bool stopped;
    char trouble[2048];
    struct tw_feed *feeds[FAKE_FEEDS];
    char *topics[FAKE_FEEDS];
    size_t feed_count, feeds_ended;
    int wake_fd;
    struct tw_metric *metrics;
} fake_host;

/* plugin: its name, as in plugins/NAME. */
void fake_host_init(fake_host *f, const char *plugin, const char *name,
                    const char *settings);
void fake_host_done(fake_host *f);

/* The open, started instance of the sink, or NULL with the refusal's text. */
void *fake_host_sink(fake_host *f, const tw_sink_type *type, char *out_why, size_t size);
const tw_sink_type *fake_host_sink_type(fake_host *f, const char *kind);
const tw_source_type *fake_host_source_type(fake_host *f, const char *kind);

/* Turns the loop until so many answers came; false after five seconds. */
bool fake_host_wait(fake_host *f, size_t answers);
/* Turns the loop until the flag is set; false after five seconds. */
bool fake_host_wait_flag(fake_host *f, const bool *flag);
/* Stops, waits, closes. */
void fake_host_end_sink(fake_host *f, const tw_sink_type *type, void *instance);
int64_t fake_host_metric(fake_host *f, const char *name);

/* An alert with labels service=cart and zone=eu; the texts are borrowed. */
tw_record fake_alert(const char *id, const char *incident, bool resolved,
                     const char *level);

#endif

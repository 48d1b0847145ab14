// SPDX-License-Identifier: Apache-2.0
/* For the tests of the Kafka plugin: a small host. The host's shore and lane are the test's thread: pump() turns the
 * loop until a condition holds; nothing sleeps without something that can wake it. */
#ifndef KAFKA_FIXTURE_H
#define KAFKA_FIXTURE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "host/plugin.h"
#include "kafka_cluster.h"
#include "plugins/tidewatch.h"

enum { MOST_WATCHES = 16, MOST_FEEDS = 16, MOST_SEEN = 4096 };

/* ---- the host ---------------------------------------------------------------------- */

struct tw_watch {
    int fd; /* -1: a timer */
    void (*ready)(void *arg, int fd, int events);
    void (*due)(void *arg);
    void *arg;
    int64_t due_ms, repeat_ms;
    bool live;
};

struct tw_metric {
    char name[48];
    _Atomic int64_t value;
};

typedef struct post {
    struct post *next;
    void (*fn)(void *arg);
    void *arg;
} post;

/* What a lane has been given. */
typedef struct seen {
    char key[32], value[32], topic[32];
    bool is_tombstone;
    int32_t partition;
    int64_t offset, time_ms;
} seen;

typedef struct fake_feed {
    tw_feed *feed;
    char topic[32];
    int32_t partition;
    int64_t next; /* after the last frame, -1 none */
    bool ended;
} fake_feed;

typedef struct fake {
    tw_host host; /* first */
    char settings[2048];
    const tw_source_type *source;
    const tw_sink_type *sink;
    void *instance;
    tw_watch watches[MOST_WATCHES];
    tw_metric metrics[MOST_WATCHES];
    size_t metric_count;
    pthread_mutex_t lock;
    post *posts, **posts_tail;
    int wake_fd;

    fake_feed feeds[MOST_FEEDS];
    size_t feed_count, removed;
    seen *seen;
    size_t seen_count;
    bool stopped;
    int exit_code; /* what the instance failed with, 0 not */
    char trouble[512], why[512];
    char logged[8192]; /* under lock: from information on, a line each */

    tw_answer_class answer;
    uint8_t retry[64];
    unsigned answers;
} fake;

static inline int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline fake *fake_of(const tw_host *h)
{
    return (fake *)(uintptr_t)h;
}

static inline void fake_log(const tw_host *h, tw_plugin_log_level level, const char *text)
{
    fake *f = fake_of(h);

    pthread_mutex_lock(&f->lock);
    size_t at = strlen(f->logged);
    if (level >= TW_PLUGIN_INFO)
        snprintf(f->logged + at, sizeof f->logged - at, "%s\n", text);
    pthread_mutex_unlock(&f->lock);
    if (getenv("KAFKA_TEST_LOG"))
        fprintf(stderr, "%" PRId64 " %s %d %s\n", clock_ms() % 1000000, h->name,
                (int)level, text);
}

static inline int64_t fake_now_ms(const tw_host *h)
{
    (void)h;
    return clock_ms();
}

static inline int fake_post(const tw_host *h, void (*fn)(void *arg), void *arg)
{
    static const uint64_t one = 1;
    fake *f = fake_of(h);
    post *p = calloc(1, sizeof *p);

    *p = (post){NULL, fn, arg};
    pthread_mutex_lock(&f->lock);
    *f->posts_tail = p;
    f->posts_tail = &p->next;
    pthread_mutex_unlock(&f->lock);
    return write(f->wake_fd, &one, sizeof one) == (ssize_t)sizeof one ? 0 : -1;
}

static inline tw_metric *fake_metric(const tw_host *h, const char *name, const char *help)
{
    fake *f = fake_of(h);
    tw_metric *m = &f->metrics[f->metric_count++];

    (void)help;
    snprintf(m->name, sizeof m->name, "%s", name);
    return m;
}

static inline void fake_add(tw_metric *m, uint64_t n)
{
    m->value += (int64_t)n;
}

static inline void fake_set(tw_metric *m, int64_t v)
{
    m->value = v;
}

static inline int64_t metric(const fake *f, const char *name)
{
    for (size_t i = 0; i < f->metric_count; i++)
        if (strcmp(f->metrics[i].name, name) == 0)
            return f->metrics[i].value;
    fail_msg("no metric %s", name);
    return 0;
}

static inline tw_watch *fake_watch(const tw_host *h, tw_watch what)
{
    fake *f = fake_of(h);
    size_t i = 0;

    while (f->watches[i].live)
        assert_true(++i < MOST_WATCHES);
    f->watches[i] = what;
    f->watches[i].live = true;
    return &f->watches[i];
}

static inline tw_watch *fake_watch_fd(const tw_host *h, int fd, int events,
                                      void (*ready)(void *, int, int), void *arg)
{
    (void)events;
    return fake_watch(h, (tw_watch){.fd = fd, .ready = ready, .arg = arg});
}

static inline tw_watch *fake_watch_timer(const tw_host *h, int64_t after_ms,
                                         int64_t repeat_ms, void (*due)(void *),
                                         void *arg)
{
    return fake_watch(h, (tw_watch){.fd = -1,
                                    .due = due,
                                    .arg = arg,
                                    .due_ms = clock_ms() + after_ms,
                                    .repeat_ms = repeat_ms});
}

static inline void fake_watch_end(tw_watch *w)
{
    w->live = false;
}

static inline void fake_stopped(const tw_host *h)
{
    assert_false(fake_of(h)->stopped);
    fake_of(h)->stopped = true;
}

static inline void fake_failed(const tw_host *h, const char *why, int exit_code)
{
    fake_of(h)->exit_code = exit_code;
    snprintf(fake_of(h)->why, sizeof fake_of(h)->why, "%s", why);
}

static inline void fake_trouble(const tw_host *h, const char *text)
{
    snprintf(fake_of(h)->trouble, sizeof fake_of(h)->trouble, "%s", text ? text : "");
}

static inline int fake_feed_add(const tw_host *h, tw_feed *feed, const char *topic,
                                int32_t partition)
{
    fake *f = fake_of(h);
    fake_feed *one = &f->feeds[f->feed_count++];

    assert_true(f->feed_count <= MOST_FEEDS);
    *one = (fake_feed){.feed = feed, .partition = partition, .next = -1};
    snprintf(one->topic, sizeof one->topic, "%s", topic);
    return 0;
}

static inline fake_feed *fake_feed_of(fake *f, const tw_feed *feed)
{
    for (size_t i = 0; i < f->feed_count; i++)
        if (f->feeds[i].feed == feed)
            return &f->feeds[i];
    fail_msg("not a feed");
    return NULL;
}

static inline int fake_feed_remove(const tw_host *h, tw_feed *feed, int lost,
                                   int64_t *out_next)
{
    fake *f = fake_of(h);
    fake_feed *one = fake_feed_of(f, feed);

    (void)lost;
    *out_next = one->next;
    *one = f->feeds[--f->feed_count];
    f->removed++;
    return 0;
}

static inline int fake_feed_wake_fd(const tw_host *h, const tw_feed *feed)
{
    (void)feed;
    return fake_of(h)->wake_fd;
}

static inline void fake_feed_end(const tw_host *h, tw_feed *feed)
{
    fake_feed_of(fake_of(h), feed)->ended = true;
}

static inline void fake_done(const tw_host *h, tw_delivery *d, const tw_answer *a)
{
    fake *f = fake_of(h);

    f->answers++;
    f->answer = a->answer;
    if (a->retry)
        memcpy(f->retry, a->retry, d->count);
}

/* ---- turning the loop -------------------------------------------------------------- */

static inline void run_posts(fake *f)
{
    post *p;

    pthread_mutex_lock(&f->lock);
    p = f->posts;
    f->posts = NULL;
    f->posts_tail = &f->posts;
    pthread_mutex_unlock(&f->lock);
    while (p) {
        post *next = p->next;
        p->fn(p->arg);
        free(p);
        p = next;
    }
}

static inline void see(fake *f, const fake_feed *feed, const tw_frame *frame)
{
    seen *s = &f->seen[f->seen_count++];

    assert_true(f->seen_count <= MOST_SEEN);
    *s = (seen){.is_tombstone = !frame->data,
                .partition = feed->partition,
                .offset = frame->offset,
                .time_ms = frame->time_ms};
    snprintf(s->key, sizeof s->key, "%.*s", (int)frame->key_size, frame->key);
    snprintf(s->value, sizeof s->value, "%.*s", (int)frame->size,
             frame->data ? frame->data : "");
    snprintf(s->topic, sizeof s->topic, "%s", feed->topic);
}

static inline void run_lane(fake *f)
{
    for (size_t i = 0; i < f->feed_count; i++) {
        fake_feed *feed = &f->feeds[i];
        tw_frame frames[7];
        int count;

        while ((count = f->source->poll(feed->feed, frames, 7)) > 0) {
            for (int k = 0; k < count; k++)
                see(f, feed, &frames[k]);
            feed->next = frames[count - 1].offset + 1;
            f->source->release(feed->feed, frames, count);
        }
    }
}

static inline void run_watches(fake *f, const struct pollfd *fds)
{
    for (size_t i = 0; i < MOST_WATCHES; i++) {
        tw_watch *w = &f->watches[i];

        if (w->live && w->fd < 0 && clock_ms() >= w->due_ms) {
            w->due_ms += w->repeat_ms;
            w->live = w->repeat_ms > 0;
            w->due(w->arg);
        } else if (w->live && w->fd >= 0 && fds[i].fd == w->fd && fds[i].revents) {
            w->ready(w->arg, w->fd, TW_WATCH_READ);
        }
    }
}

static inline void turn(fake *f)
{
    struct pollfd fds[MOST_WATCHES + 1];
    uint64_t count;

    for (size_t i = 0; i < MOST_WATCHES; i++)
        fds[i] = (struct pollfd){f->watches[i].live ? f->watches[i].fd : -1, POLLIN, 0};
    fds[MOST_WATCHES] = (struct pollfd){f->wake_fd, POLLIN, 0};
    poll(fds, MOST_WATCHES + 1, 20);
    if (read(f->wake_fd, &count, sizeof count) < 0)
        count = 0;
    run_posts(f);
    run_watches(f, fds);
    if (f->source)
        run_lane(f);
}

/* Turns the loops of up to two hosts until the condition holds. */
#define PUMP_BOTH(a, b, condition)                                                       \
    do {                                                                                 \
        int64_t end_ms = clock_ms() + PATIENCE_MS;                                       \
        while (!(condition)) {                                                           \
            turn(a);                                                                     \
            if (b)                                                                       \
                turn(b);                                                                 \
            if (clock_ms() > end_ms)                                                     \
                fail_msg("never: %s (trouble: %s)", #condition, (a)->trouble);           \
        }                                                                                \
    } while (0)
#define PUMP(f, condition) PUMP_BOTH(f, (fake *)NULL, condition)

/* ---- an instance's life ------------------------------------------------------------ */

static inline tw_plugins *kafka_plugin(void)
{
    tw_err err = {0};
    tw_plugins *p = tw_plugins_new();

    if (tw_plugins_load(p, TW_BUILD_DIR "/plugins/kafka.so", &err) < 0)
        fail_msg("the plugin does not load");
    return p;
}

static inline fake *fake_new(const char *settings, ...)
    __attribute__((format(printf, 1, 2)));
static inline fake *fake_new(const char *settings, ...)
{
    fake *f = calloc(1, sizeof *f);
    va_list args;

    va_start(args, settings);
    vsnprintf(f->settings, sizeof f->settings, settings, args);
    va_end(args);
    f->host = (tw_host){.size = sizeof f->host,
                        .name = "test",
                        .settings = f->settings,
                        .log = fake_log,
                        .now_ms = fake_now_ms,
                        .post = fake_post,
                        .counter = fake_metric,
                        .gauge = fake_metric,
                        .add = fake_add,
                        .set = fake_set,
                        .watch_fd = fake_watch_fd,
                        .watch_timer = fake_watch_timer,
                        .watch_end = fake_watch_end,
                        .stopped = fake_stopped,
                        .failed = fake_failed,
                        .trouble = fake_trouble,
                        .feed_add = fake_feed_add,
                        .feed_remove = fake_feed_remove,
                        .feed_wake_fd = fake_feed_wake_fd,
                        .feed_end = fake_feed_end,
                        .done = fake_done};
    pthread_mutex_init(&f->lock, NULL);
    f->posts_tail = &f->posts;
    f->wake_fd = eventfd(0, EFD_NONBLOCK);
    f->seen = calloc(MOST_SEEN, sizeof *f->seen);
    return f;
}

static inline void fake_stop(fake *f)
{
    if (f->source)
        f->source->stop(f->instance);
    else
        f->sink->stop(f->instance);
    PUMP(f, f->stopped);
    assert_int_equal(f->feed_count, 0);
}

static inline void fake_free(fake *f)
{
    if (f->source)
        f->source->close(f->instance);
    else if (f->sink)
        f->sink->close(f->instance);
    close(f->wake_fd);
    free(f->seen);
    free(f);
}

static inline void source_begin(fake *f, const tw_plugins *p, const char *const *topics,
                                size_t count)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};

    f->source = tw_plugins_source(p, "kafka", &err);
    f->instance = f->source->open(&f->host, topics, count, &refusal);
    if (!f->instance || f->source->start(f->instance, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
}

static inline void sink_begin(fake *f, const tw_plugins *p)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};

    f->sink = tw_plugins_sink(p, "kafka", &err);
    f->instance = f->sink->open(&f->host, &refusal);
    if (!f->instance || f->sink->start(f->instance, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
}

/* ---- all at once ------------------------------------------------------------------- */

/* Nearly all of the time of these tests is waiting for the mock, so each runs in a process
 * of its own, all at the same time. KAFKA_TEST_ONLY in the environment: a pattern of names. */
static inline int run_side_by_side(const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    pid_t children[32];
    int failed = 0;

    assert_true(count <= sizeof children / sizeof *children);
    for (size_t i = 0; i < count; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            cmocka_set_test_filter(getenv("KAFKA_TEST_ONLY"));
            exit(_cmocka_run_group_tests(tests[i].name, &tests[i], 1, set_up, tear_down));
        }
    }
    for (size_t i = 0; i < count; i++) {
        int status = -1;

        if (children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status != 0) {
            fprintf(stderr, "failed: %s\n", tests[i].name);
            failed++;
        }
    }
    return failed;
}

#endif

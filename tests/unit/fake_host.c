// SPDX-License-Identifier: Apache-2.0
/* The host of plugin tests; see fake_host.h. */
#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define PATIENCE_MS 5000

struct tw_metric {
    char *name;
    _Atomic int64_t value;
    struct tw_metric *next;
};

static fake_host *of(const tw_host *h)
{
    return (fake_host *)(uintptr_t)h;
}

static void host_log(const tw_host *h, tw_plugin_log_level level, const char *message)
{
    fake_host *f = of(h);

    (void)level;
    pthread_mutex_lock(&f->lock);
    size_t n = strlen(f->logged);
    snprintf(f->logged + n, sizeof f->logged - n, "%s\n", message);
    pthread_mutex_unlock(&f->lock);
}

static int64_t host_now_ms(const tw_host *h)
{
    tw_clock real;

    if (of(h)->now_ms)
        return of(h)->now_ms;
    tw_clock_init_real(&real);
    return tw_clock_now_ms(&real);
}

static int host_post(const tw_host *h, void (*fn)(void *arg), void *arg)
{
    return tw_loop_post(of(h)->loop, fn, arg);
}

static tw_metric *host_metric(const tw_host *h, const char *name, const char *help)
{
    tw_metric *m = tw_alloc(sizeof *m);

    (void)help;
    m->name = tw_strdup(name);
    m->next = of(h)->metrics;
    of(h)->metrics = m;
    return m;
}

static void host_add(tw_metric *m, uint64_t n)
{
    m->value += (int64_t)n;
}

static void host_set(tw_metric *m, int64_t v)
{
    m->value = v;
}

static tw_watch *host_watch_fd(const tw_host *h, int fd, int events,
                               void (*ready)(void *arg, int fd, int events), void *arg)
{
    return tw_loop_fd(of(h)->loop, fd, events, ready, arg);
}

static tw_watch *host_watch_timer(const tw_host *h, int64_t after_ms, int64_t repeat_ms,
                                  void (*due)(void *arg), void *arg)
{
    return tw_loop_timer(of(h)->loop, after_ms, repeat_ms, due, arg);
}

static void host_stopped(const tw_host *h)
{
    of(h)->stopped = true;
}

static void host_failed(const tw_host *h, const char *why, int exit_code)
{
    (void)exit_code;
    host_log(h, TW_PLUGIN_ERROR, why);
}

static void host_trouble(const tw_host *h, const char *text)
{
    snprintf(of(h)->trouble, sizeof of(h)->trouble, "%s", text ? text : "");
}

static int host_feed_add(const tw_host *h, struct tw_feed *feed, const char *topic,
                         int32_t partition)
{
    fake_host *f = of(h);

    (void)partition;
    if (f->feed_count == FAKE_FEEDS)
        return -1;
    f->feeds[f->feed_count] = feed;
    f->topics[f->feed_count++] = tw_strdup(topic);
    return 0;
}

static int host_feed_remove(const tw_host *h, struct tw_feed *feed, int lost,
                            int64_t *out_next_offset)
{
    (void)h;
    (void)feed;
    (void)lost;
    *out_next_offset = -1;
    return 0;
}

static int host_feed_wake_fd(const tw_host *h, const struct tw_feed *feed)
{
    (void)feed;
    return of(h)->wake_fd;
}

static void host_feed_end(const tw_host *h, struct tw_feed *feed)
{
    (void)feed;
    of(h)->feeds_ended++;
}

static void host_done(const tw_host *h, struct tw_delivery *d, const struct tw_answer *a)
{
    fake_host *f = of(h);

    pthread_mutex_lock(&f->lock);
    if (f->answer_count < FAKE_ANSWERS) {
        fake_answer *to = &f->answers[f->answer_count++];
        *to = (fake_answer){
            .delivery = d, .answer = a->answer, .retry_after_ms = a->retry_after_ms};
        snprintf(to->text, sizeof to->text, "%s", a->text ? a->text : "");
        for (size_t i = 0; a->retry && i < d->count; i++)
            to->retry[i] = a->retry[i];
    }
    pthread_mutex_unlock(&f->lock);
}

void fake_host_init(fake_host *f, const char *plugin, const char *name,
                    const char *settings)
{
    *f = (fake_host){.host = {.size = sizeof(tw_host),
                              .name = name,
                              .settings = settings,
                              .log = host_log,
                              .now_ms = host_now_ms,
                              .post = host_post,
                              .counter = host_metric,
                              .gauge = host_metric,
                              .add = host_add,
                              .set = host_set,
                              .watch_fd = host_watch_fd,
                              .watch_change = tw_watch_change,
                              .watch_timer = host_watch_timer,
                              .watch_timer_again = tw_watch_timer_again,
                              .watch_end = tw_watch_end,
                              .stopped = host_stopped,
                              .failed = host_failed,
                              .trouble = host_trouble,
                              .feed_add = host_feed_add,
                              .feed_remove = host_feed_remove,
                              .feed_wake_fd = host_feed_wake_fd,
                              .feed_end = host_feed_end,
                              .done = host_done}};
    f->loop = tw_loop_new(NULL);
    f->plugins = tw_plugins_new();
    f->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&f->lock, NULL);
    char *path = tw_asprintf("%s/plugins/%s.so", TW_BUILD_DIR, plugin);
    tw_err err = {0};
    if (tw_plugins_load(f->plugins, path, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    tw_free(path);
}

void fake_host_done(fake_host *f)
{
    tw_loop_free(f->loop);
    tw_plugins_free(f->plugins);
    close(f->wake_fd);
    for (size_t i = 0; i < f->feed_count; i++)
        tw_free(f->topics[i]);
    while (f->metrics) {
        struct tw_metric *next = f->metrics->next;
        tw_free(f->metrics->name);
        tw_free(f->metrics);
        f->metrics = next;
    }
    pthread_mutex_destroy(&f->lock);
}

const tw_sink_type *fake_host_sink_type(fake_host *f, const char *kind)
{
    return tw_plugins_sink(f->plugins, kind, NULL);
}

const tw_source_type *fake_host_source_type(fake_host *f, const char *kind)
{
    return tw_plugins_source(f->plugins, kind, NULL);
}

void *fake_host_sink(fake_host *f, const tw_sink_type *type, char *out_why, size_t size)
{
    tw_refusal refusal = {.size = sizeof refusal};
    void *instance = type->open(&f->host, &refusal);

    if (instance && type->start(instance, &refusal) < 0) {
        type->close(instance);
        instance = NULL;
    }
    if (!instance)
        snprintf(out_why, size, "%s", refusal.text);
    return instance;
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static bool turn_until(fake_host *f, bool (*met)(fake_host *f, const void *what),
                       const void *what)
{
    int64_t until_ms = tw_mono_ms() + PATIENCE_MS;
    tw_watch *tick = tw_loop_timer(f->loop, 20, 20, on_nothing, NULL);

    while (!met(f, what) && tw_mono_ms() < until_ms)
        tw_loop_turn(f->loop, true);
    tw_watch_end(tick);
    return met(f, what);
}

static bool has_answers(fake_host *f, const void *what)
{
    pthread_mutex_lock(&f->lock);
    bool met = f->answer_count >= *(const size_t *)what;
    pthread_mutex_unlock(&f->lock);
    return met;
}

static bool is_set(fake_host *f, const void *what)
{
    (void)f;
    return *(const bool *)what;
}

bool fake_host_wait(fake_host *f, size_t answers)
{
    return turn_until(f, has_answers, &answers);
}

bool fake_host_wait_flag(fake_host *f, const bool *flag)
{
    return turn_until(f, is_set, flag);
}

void fake_host_end_sink(fake_host *f, const tw_sink_type *type, void *instance)
{
    type->stop(instance);
    fake_host_wait_flag(f, &f->stopped);
    type->close(instance);
}

int64_t fake_host_metric(fake_host *f, const char *name)
{
    for (struct tw_metric *m = f->metrics; m; m = m->next) {
        if (strcmp(m->name, name) == 0)
            return m->value;
    }
    return -1;
}

tw_record fake_alert(const char *id, const char *incident, bool resolved,
                     const char *level)
{
    static const tw_pair labels[] = {{"service", "cart"}, {"zone", "eu"}};
    static const tw_pair annotations[] = {{"title", "cart fails"}};

    return (tw_record){.size = sizeof(tw_record),
                       .kind = TW_RECORD_ALERT,
                       .id = id,
                       .key = incident,
                       .json = "{\"type\":\"notification\"}",
                       .json_size = sizeof "{\"type\":\"notification\"}" - 1,
                       .time_ms = 1732182005000,
                       .rule = "team/errors",
                       .version = "1",
                       .incident = incident,
                       .status = resolved ? "resolved" : "firing",
                       .level = level,
                       .title = "cart fails",
                       .body = "",
                       .labels = labels,
                       .label_count = 2,
                       .annotations = annotations,
                       .annotation_count = 1,
                       .starts_at_ms = 1732182000000,
                       .ends_at_ms = resolved ? 1732182005000 : TW_NO_TIME};
}

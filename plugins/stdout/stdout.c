// SPDX-License-Identifier: Apache-2.0
/* The sink `stdout`: records on standard output, as lines for people or as NDJSON. One
 * delivery at a time; its bytes are written as the reader takes them, and never more at
 * once than a pipe takes without waiting, so a reader that stands still holds this sink
 * and nothing else. Shore thread. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/settings.h"
#include "stdout/line.h"

#define MAX_BATCH 64

typedef struct stdout_sink {
    const tw_host *host;
    bool json, colours;
    tw_delivery *delivery; /* being written */
    char *text;
    size_t size, written;
    tw_watch *watch;
} stdout_sink;

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"format\": {\"type\": \"string\", \"enum\": [\"text\", \"json\"], \"default\": "
    "\"text\", "
    "\"description\": \"a line for people, or one JSON object a line\"},"
    "\"colours\": {\"type\": \"string\", \"enum\": [\"auto\", \"always\", \"never\"], "
    "\"default\": \"auto\", \"description\": \"auto: on a terminal, unless NO_COLOR is "
    "set\"}"
    "}}";

static bool wants_colours(const char *setting)
{
    const char *no_color = getenv("NO_COLOR");

    if (strcmp(setting, "auto") != 0)
        return strcmp(setting, "always") == 0;
    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static void *stdout_open(const tw_host *h, tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    stdout_sink *s = shared_alloc(sizeof *s);
    s->host = h;
    s->json = strcmp(settings_text(settings, "format"), "json") == 0;
    s->colours = !s->json && wants_colours(settings_text(settings, "colours"));
    json_decref(settings);
    return s;
}

static int stdout_start(void *instance, tw_refusal *refusal)
{
    (void)instance;
    (void)refusal;
    return 0;
}

static void finish(stdout_sink *s, tw_answer_class class, const char *text)
{
    tw_delivery *d = s->delivery;

    if (s->watch)
        s->host->watch_end(s->watch);
    free(s->text);
    s->watch = NULL;
    s->text = NULL;
    s->delivery = NULL;
    s->host->done(s->host, d,
                  &(tw_answer){.size = sizeof(tw_answer), .answer = class, .text = text});
}

static void on_writable(void *arg, int fd, int events);

/* Only a pipe or a terminal is ever not ready, and both can be watched. */
static void wait_writable(stdout_sink *s)
{
    if (s->watch)
        return;
    s->watch = s->host->watch_fd(s->host, STDOUT_FILENO, TW_WATCH_WRITE, on_writable, s);
    if (!s->watch)
        finish(s, TW_ANSWER_RETRY, "standard output takes nothing");
}

static void write_on(stdout_sink *s)
{
    while (s->written < s->size) {
        struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
        size_t n = s->size - s->written;
        if (poll(&ready, 1, 0) == 0) {
            wait_writable(s);
            return;
        }
        ssize_t w =
            write(STDOUT_FILENO, s->text + s->written, n < PIPE_BUF ? n : PIPE_BUF);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EAGAIN) {
            wait_writable(s);
            return;
        }
        if (w < 0) {
            finish(s,
                   errno == EPIPE || errno == EBADF ? TW_ANSWER_DISABLE : TW_ANSWER_RETRY,
                   strerror(errno));
            return;
        }
        s->written += (size_t)w;
    }
    finish(s, TW_ANSWER_DONE, NULL);
}

static void on_writable(void *arg, int fd, int events)
{
    (void)fd;
    (void)events;
    write_on(arg);
}

static void stdout_deliver(void *instance, tw_delivery *d)
{
    stdout_sink *s = instance;

    if (s->delivery) {
        s->host->done(s->host, d,
                      &(tw_answer){.size = sizeof(tw_answer),
                                   .answer = TW_ANSWER_RETRY,
                                   .text = "standard output takes nothing"});
        return;
    }
    FILE *out = open_memstream(&s->text, &s->size);
    if (!out)
        abort();
    for (size_t i = 0; i < d->count; i++) {
        const tw_record *r = d->records[i];
        if (s->json)
            fprintf(out, "%.*s\n", (int)r->json_size, r->json);
        else
            line_write(out, r, s->colours);
    }
    fclose(out);
    s->delivery = d;
    s->written = 0;
    write_on(s);
}

static void stdout_stop(void *instance)
{
    stdout_sink *s = instance;

    if (s->delivery)
        finish(s, TW_ANSWER_RETRY, "the sink stops");
    s->host->stopped(s->host);
}

static void stdout_close(void *instance)
{
    free(instance);
}

static const tw_sink_type stdout_type = {
    .size = sizeof(tw_sink_type),
    .kind = "stdout",
    .settings = schema,
    .max_batch = MAX_BATCH,
    .max_inflight = 1,
    .open = stdout_open,
    .start = stdout_start,
    .deliver = stdout_deliver,
    .stop = stdout_stop,
    .close = stdout_close,
};

static const tw_sink_type *const sinks[] = {&stdout_type, NULL};

extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "stdout",
    .version = "1",
    .sinks = sinks,
};

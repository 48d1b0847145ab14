// SPDX-License-Identifier: Apache-2.0
/* A sink to be copied: it appends each record as one line of JSON to a file. It is small, and yet
 * does everything a sink has to: reads and checks its settings, counts, delivers with every class of
 * answer it needs, and stops cleanly. docs/PLUGINS.md explains what happens around it.
 *
 * Configured as
 *     sinks:
 *       archive: { kind: append, settings: { path: /var/lib/alerts.ndjson } }
 *
 * Threads: everything here is called on the host's main thread, so nothing needs a lock, and
 * nothing may wait. Writing a line to a local file does not count as waiting; a sink that talks to a server
 * starts the request in `deliver`, watches its descriptor (host->watch_fd), and answers later. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tidewatch/tidewatch.h>

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "0"
#endif

/* One instance for each sink of this kind in the configuration: no globals. */
typedef struct append {
    const tw_host *host; /* borrowed, valid until close returns */
    char *path;
    int fd;
    tw_metric *lines;
} append;

/* ---- opening: settings in, instance or refusal out ---- */

static void *refuse(tw_refusal *refusal, const char *what)
{
    snprintf(refusal->text, sizeof refusal->text, "%s", what);
    return NULL;
}

/* The host has put secrets in and checked nothing: what is a mistake is for the plugin to say, in words
 * that help whoever wrote the configuration. */
static char *read_path(const char *settings, tw_refusal *refusal)
{
    json_error_t error;
    json_t *root = json_loads(settings, 0, &error);
    const char *key, *path = json_string_value(json_object_get(root, "path"));
    json_t *value;
    char *copy = NULL;

    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "path") != 0) {
            snprintf(refusal->text, sizeof refusal->text,
                     "unknown setting \"%s\"; there is: path", key);
            goto out;
        }
    }
    if (!path || !path[0])
        refuse(refusal, "setting \"path\" is missing: the file to append to");
    else
        copy = strdup(path);
out:
    json_decref(root);
    return copy;
}

static void *append_open(const tw_host *h, tw_refusal *refusal)
{
    char *path = read_path(h->settings, refusal);
    if (!path)
        return NULL;
    append *a = calloc(1, sizeof *a);
    if (!a) {
        free(path);
        return refuse(refusal, "no memory");
    }
    a->host = h;
    a->path = path;
    a->fd = -1;
    a->lines = h->counter(h, "lines_total", "Lines appended.");
    return a;
}

/* Everything that may fail because of the world, not because of the settings, happens here or later.
 * Returning less than 0 keeps the engine from starting; where the cause may pass by itself (a server
 * that is away), return 0, say so by host->trouble, and try again on a timer. */
static int append_start(void *instance, tw_refusal *refusal)
{
    append *a = instance;
    a->fd = open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (a->fd < 0) {
        snprintf(refusal->text, sizeof refusal->text, "%s: %s", a->path, strerror(errno));
        return -1;
    }
    return 0;
}

/* ---- delivering ---- */

/* Each delivery is answered exactly once; from then on it belongs to the host again. */
static void answer(append *a, tw_delivery *delivery, tw_answer_class class,
                   const char *text)
{
    tw_answer said = {.size = sizeof said, .answer = class, .text = text};
    a->host->done(a->host, delivery, &said);
}

/* One write for a line, so that lines of several writers to one file do not mix. 0, or an errno. */
static int append_line(append *a, const tw_record *record)
{
    size_t size = record->json_size + 1;
    char *line = malloc(size);
    if (!line)
        return ENOMEM;
    memcpy(line, record->json, record->json_size);
    line[size - 1] = '\n';
    ssize_t written = write(a->fd, line, size);
    int error = written < 0 ? errno : (size_t)written < size ? ENOSPC : 0;
    free(line);
    return error;
}

/* A failure is answered with RETRY, and the host comes again with the same records after a back-off:
 * some may then be written twice. Each carries the same `id` each time, which is how a receiver
 * tells. What will never be taken (a 400 of a server) is answered with DROP instead. */
static void append_deliver(void *instance, tw_delivery *delivery)
{
    append *a = instance;
    for (size_t i = 0; i < delivery->count; i++) {
        int error = append_line(a, delivery->records[i]);
        if (error) {
            a->host->trouble(a->host, strerror(error)); /* /-/ready says so */
            answer(a, delivery, TW_ANSWER_RETRY, strerror(error));
            return;
        }
        a->host->add(a->lines, 1);
    }
    a->host->trouble(a->host, NULL); /* fine, or fine again */
    answer(a, delivery, TW_ANSWER_DONE, "appended");
}

/* ---- stopping ---- */

/* No new deliveries come after this. Deliveries still open are answered (RETRY) first, watches are ended,
 * and when nothing of the instance runs any more, `stopped` says so; that may be much later. Here every
 * delivery is answered at once, so there is nothing to wait for. */
static void append_stop(void *instance)
{
    append *a = instance;
    a->host->stopped(a->host);
}

/* Also called for an instance that never started, or whose start was refused. */
static void append_close(void *instance)
{
    append *a = instance;
    if (a->fd >= 0)
        close(a->fd);
    free(a->path);
    free(a);
}

/* ---- what the host sees ---- */

static const tw_sink_type append_type = {
    .size = sizeof append_type,
    .kind = "append",
    .settings =
        "{\"type\": \"object\", \"required\": [\"path\"], \"properties\": {"
        "\"path\": {\"type\": \"string\", \"description\": \"file to append to\"}}}",
    .max_batch = 100,
    .max_inflight = 1,
    .open = append_open,
    .start = append_start,
    .deliver = append_deliver,
    .stop = append_stop,
    .close = append_close,
};

static const tw_sink_type *const sinks[] = {&append_type, NULL};

/* The one symbol a plugin exports. */
extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof tw_plugin_descriptor,
    .name = "append",
    .version = PLUGIN_VERSION,
    .sinks = sinks,
};

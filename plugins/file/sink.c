// SPDX-License-Identifier: Apache-2.0
/* The sink `file`: one JSON object a line, appended, one write a record. Disks may take
 * their time, so a thread of the sink's own writes: the shore hands it one delivery,
 * it writes, syncs when asked to, and posts the outcome back. A line that could not be
 * written whole is taken back, so the file never holds half a record. Before each delivery
 * it looks whether the path still names the file it has: who rotates logs moves or removes
 * them, and the lines belong where the path points.
 *
 * `delivery`, `written` and `error` are the thread's while the slot is full, else the
 * shore's. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file/file.h"
#include "shared/settings.h"

#define MAX_BATCH 256

typedef struct file_sink {
    const tw_host *host;
    char *path;
    int fd; /* from start on; -1 before */
    bool sync, regular;
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { SLOT_EMPTY, SLOT_FULL, SLOT_WRITTEN } slot; /* under lock */
    bool ending;                                       /* under lock */
    tw_delivery *delivery;
    size_t written; /* records of it */
    int error;      /* errno, or 0 */
} file_sink;

static const char schema[] =
    "{\"type\": \"object\", \"required\": [\"path\"], \"properties\": {"
    "\"path\": {\"type\": \"string\", \"description\": \"the file; made when missing\"},"
    "\"fsync\": {\"type\": \"boolean\", \"default\": false, "
    "\"description\": \"a delivery is done when the disk has it\"}"
    "}}";

/* ---- the file ---- */

/* A pipe or a socket without a reader would hold `open` for ever. */
static bool is_file(const struct stat *st)
{
    return S_ISREG(st->st_mode) || S_ISCHR(st->st_mode);
}

/* 0, or errno. On an error the sink keeps what it had. */
static int open_path(file_sink *s)
{
    struct stat st;
    int fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

    if (fd < 0)
        return errno;
    if (fstat(fd, &st) < 0) {
        int error = errno;
        close(fd);
        return error;
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = fd;
    s->regular = S_ISREG(st.st_mode);
    return 0;
}

/* ---- the thread ---- */

/* The file under the path, when it is another one by now. 0, or errno. */
static int open_again(file_sink *s)
{
    struct stat now, before;

    if (stat(s->path, &now) == 0) {
        if (fstat(s->fd, &before) == 0 && now.st_ino == before.st_ino &&
            now.st_dev == before.st_dev)
            return 0;
        if (!is_file(&now))
            return EINVAL;
    }
    int error = open_path(s);
    if (!error)
        s->host->log(s->host, TW_PLUGIN_INFO,
                     "the file was moved or removed; a new one is begun");
    return error;
}

static int write_record(file_sink *s, const tw_record *r)
{
    const char *newline = "\n";
    struct iovec parts[2] = {{(void *)(uintptr_t)r->json, r->json_size},
                             {(void *)(uintptr_t)newline, 1}};
    off_t before = s->regular ? lseek(s->fd, 0, SEEK_END) : -1;
    ssize_t n;

    do {
        n = writev(s->fd, parts, 2);
    } while (n < 0 && errno == EINTR);
    if (n == (ssize_t)(r->json_size + 1))
        return 0;
    int error = n < 0 ? errno : ENOSPC;
    if (n > 0 && before >= 0 && ftruncate(s->fd, before) < 0)
        error = errno;
    return error;
}

static void write_all(file_sink *s)
{
    s->error = open_again(s);
    for (s->written = 0; s->written < s->delivery->count && !s->error; s->written++)
        s->error = write_record(s, s->delivery->records[s->written]);
    if (s->error && s->written)
        s->written--;
    if (s->sync && s->regular && s->written && fdatasync(s->fd) < 0) {
        s->error = errno;
        s->written = 0;
    }
}

static void answer(file_sink *s)
{
    tw_delivery *d = s->delivery;
    uint8_t again[MAX_BATCH] = {0};
    char text[128] = "";
    tw_answer a = {.size = sizeof a, .answer = TW_ANSWER_DONE};

    if (s->error) {
        memset(again + s->written, 1, d->count - s->written);
        snprintf(text, sizeof text, "cannot write: %s", strerror(s->error));
        a.answer = s->written ? TW_ANSWER_RETRY_PART : TW_ANSWER_RETRY;
        a.retry = again;
        a.text = text;
    }
    s->delivery = NULL;
    s->host->done(s->host, d, &a);
}

static void set_slot(file_sink *s, int slot)
{
    pthread_mutex_lock(&s->lock);
    s->slot = slot;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void on_written(void *arg)
{
    file_sink *s = arg;

    set_slot(s, SLOT_EMPTY);
    answer(s);
}

static void on_thread_ended(void *arg)
{
    file_sink *s = arg;

    pthread_join(s->thread, NULL);
    s->threaded = false;
    s->host->stopped(s->host);
}

/* Until the end; what is in the slot by then is still written. */
static void *write_deliveries(void *arg)
{
    file_sink *s = arg;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (s->slot != SLOT_FULL && !s->ending)
            pthread_cond_wait(&s->changed, &s->lock);
        bool full = s->slot == SLOT_FULL;
        pthread_mutex_unlock(&s->lock);
        if (!full)
            break;
        write_all(s);
        set_slot(s, SLOT_WRITTEN);
        s->host->post(s->host, on_written, s);
    }
    s->host->post(s->host, on_thread_ended, s);
    return NULL;
}

/* ---- the shore ---- */

static bool may_be_file(const char *path, tw_refusal *refusal)
{
    struct stat st;

    if (stat(path, &st) == 0 && !is_file(&st)) {
        settings_refuse(refusal, "%s is not a file", path);
        return false;
    }
    const char *slash = strrchr(path, '/');
    char *folder = shared_strdup(path);
    folder[slash ? slash - path : 0] = '\0';
    bool fine = !*folder || (stat(folder, &st) == 0 && S_ISDIR(st.st_mode));
    if (!fine)
        settings_refuse(refusal, "%s: there is no folder %s", path, folder);
    free(folder);
    return fine;
}

static void file_sink_close(void *instance)
{
    file_sink *s = instance;

    if (s->fd >= 0)
        close(s->fd);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

static void *file_sink_open(const tw_host *h, tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    file_sink *s = shared_alloc(sizeof *s);
    s->host = h;
    s->fd = -1;
    s->sync = settings_bool(settings, "fsync");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->path = shared_strdup(settings_text(settings, "path"));
    json_decref(settings);
    if (may_be_file(s->path, refusal))
        return s;
    file_sink_close(s);
    return NULL;
}

static int file_sink_start(void *instance, tw_refusal *refusal)
{
    file_sink *s = instance;

    int rc = open_path(s);

    if (rc != 0) {
        settings_refuse(refusal, "%s: %s", s->path, strerror(rc));
        return -1;
    }
    rc = pthread_create(&s->thread, NULL, write_deliveries, s);
    if (rc != 0) {
        settings_refuse(refusal, "no thread: %s", strerror(rc));
        return -1;
    }
    s->threaded = true;
    return 0;
}

static void file_sink_deliver(void *instance, tw_delivery *d)
{
    file_sink *s = instance;

    if (s->delivery) {
        s->host->done(s->host, d,
                      &(tw_answer){.size = sizeof(tw_answer),
                                   .answer = TW_ANSWER_RETRY,
                                   .text = "the disk takes nothing"});
        return;
    }
    s->delivery = d;
    set_slot(s, SLOT_FULL);
}

static void file_sink_stop(void *instance)
{
    file_sink *s = instance;

    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

const tw_sink_type file_sink_type = {
    .size = sizeof(tw_sink_type),
    .kind = "file",
    .settings = schema,
    .max_batch = MAX_BATCH,
    .max_inflight = 1,
    .open = file_sink_open,
    .start = file_sink_start,
    .deliver = file_sink_deliver,
    .stop = file_sink_stop,
    .close = file_sink_close,
};

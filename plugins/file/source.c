// SPDX-License-Identifier: Apache-2.0
/* The source `file`: lines of files and of standard input, a feed for each. Offsets are
 * line numbers, from 1.
 *
 * A lane reads as long as there is something and then marks the feed idle; the shore
 * looks after idle feeds, by a watch on a pipe or, for a file that is followed, by a
 * timer, and wakes the lane. A followed file that is not there yet is opened by the lane
 * when it appears. `idle` and what it guards pass between the two: the lane sets
 * it, the shore clears it.
 *
 * The stamp of a line is when its file was last written to, so that what was there before is known to be that old: the
 * engine counts from it how late the newest event was, and takes no file that is read again for news. What is added
 * while somebody reads is of when it is read; between two looks a clock may have passed the writing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "file/lines.h"
#include "shared/settings.h"

#define LOOK_EVERY_MS 200
#define NEWS_MS 1000 /* written so shortly ago, it comes as it is written */

typedef struct file_source file_source;

typedef struct file_feed {
    tw_feed feed; /* first */
    file_source *source;
    char *topic, *path;
    int fd; /* -1: the file is not there yet */
    bool regular, added;
    bool missing;     /* shore: it was not there when last heard of */
    lines lines;      /* lane */
    int64_t stamp_ms; /* lane: of the lines read last */
    bool ended;       /* lane */
    bool end_told;    /* lane: all that was there has been read once */
    atomic_bool idle; /* the lane found nothing; the shore is to wake it */
    tw_watch *watch;  /* of a pipe */
} file_feed;

struct file_source {
    const tw_host *host;
    bool follow, at_end;
    size_t max_line;
    file_feed *feeds;
    size_t feed_count;
    tw_watch *timer;
    tw_metric *lines_cut;
};

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"path\": {\"type\": \"string\", \"description\": "
    "\"a file, or - for standard input; without it a topic is a path\"},"
    "\"paths\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}, "
    "\"description\": \"a path for each topic\"},"
    "\"follow\": {\"type\": \"boolean\", \"default\": false, "
    "\"description\": \"wait for more at the end, also through rotation\"},"
    "\"start\": {\"type\": \"string\", \"enum\": [\"beginning\", \"end\"], "
    "\"default\": \"beginning\"},"
    "\"max_line\": {\"type\": \"integer\", \"minimum\": 1024, \"maximum\": 1073741824, "
    "\"default\": 16777216, \"description\": \"bytes; what is beyond is cut\"}"
    "}}";

/* ---- lane ---- */

static void on_end(void *arg)
{
    file_feed *f = arg;
    if (f->added)
        f->source->host->feed_end(f->source->host, &f->feed);
}

/* A file, opened without waiting for anybody; -1: it is none, and for that moment it is as if it were not there. */
static int open_regular(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The file under the path was replaced, or cut: from the start again. */
static bool was_replaced(file_feed *f)
{
    struct stat now, before;

    if (stat(f->path, &now) < 0 || fstat(f->fd, &before) < 0)
        return false;
    if (now.st_ino == before.st_ino && now.st_dev == before.st_dev) {
        off_t at = lseek(f->fd, 0, SEEK_CUR);
        if (at <= now.st_size)
            return false;
        lseek(f->fd, 0, SEEK_SET);
        return true;
    }
    if (lseek(f->fd, 0, SEEK_CUR) < before.st_size)
        return false; /* what was added just before that comes first */
    int fd = open_regular(f->path);
    if (fd < 0)
        return false;
    close(f->fd);
    f->fd = fd;
    return true;
}

static size_t count_missing(const file_source *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->feed_count; i++)
        count += s->feeds[i].missing;
    return count;
}

/* One sentence on who is waited for, or that nobody is. */
static void tell_missing(const file_source *s)
{
    size_t count = count_missing(s), named = 0, used = 0;
    char names[1024] = "", text[1200];

    if (count == 0) {
        s->host->trouble(s->host, NULL);
        return;
    }
    for (size_t i = 0; i < s->feed_count && used < sizeof names - 1; i++) {
        const char *path = s->feeds[i].path;
        if (!s->feeds[i].missing || used + strlen(path) + 3 > sizeof names)
            continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 named++ ? ", " : "", path);
    }
    if (named == 1 && count == 1)
        snprintf(text, sizeof text, "%s is not there yet; waiting", names);
    else if (named == count)
        snprintf(text, sizeof text, "%zu files are not there yet; waiting: %s", count,
                 names);
    else
        snprintf(text, sizeof text,
                 "%zu files are not there yet; waiting: %s and %zu more", count, names,
                 count - named);
    s->host->trouble(s->host, text);
}

static void on_appeared(void *arg)
{
    file_feed *f = arg;

    f->missing = false;
    tell_missing(f->source);
}

static bool has_appeared(file_feed *f)
{
    f->fd = open_regular(f->path);
    if (f->fd >= 0)
        f->source->host->post(f->source->host, on_appeared, f);
    return f->fd >= 0;
}

static bool has_bytes(const file_feed *f)
{
    struct pollfd ready = {.fd = f->fd, .events = POLLIN};
    return f->regular || poll(&ready, 1, 0) > 0;
}

static void on_idle(void *arg)
{
    file_feed *f = arg;
    if (f->watch)
        f->source->host->watch_change(f->watch, TW_WATCH_READ);
}

/* Nothing now: from here on the shore looks after the feed. */
static void rest(file_feed *f)
{
    if (!atomic_exchange(&f->idle, true) && !f->regular)
        f->source->host->post(f->source->host, on_idle, f);
}

static void tell_end(file_feed *f)
{
    if (!f->end_told)
        f->source->host->post(f->source->host, on_end, f);
    f->end_told = true;
}

/* What a pipe gives comes when it comes. A file's clock may be another machine's. */
static int64_t stamp_of(const file_feed *f)
{
    int64_t now_ms = f->source->host->now_ms(f->source->host);
    struct stat st;

    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return TW_NO_TIME;
    int64_t written_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return written_ms < now_ms - NEWS_MS ? written_ms : now_ms;
}

/* Bytes read; 0: at the end; -1: nothing now. */
static ssize_t read_more(file_feed *f)
{
    ssize_t n = has_bytes(f) ? lines_read(&f->lines, f->fd) : -1;

    if (n > 0)
        f->stamp_ms = stamp_of(f);
    return n;
}

/* A file under the old name has a last line too, with or without its newline. */
static bool next_line(file_feed *f, line *out)
{
    while (!lines_next(&f->lines, out)) {
        if (f->ended)
            return false;
        if (f->fd < 0 && !has_appeared(f)) {
            rest(f);
            return false;
        }
        ssize_t n = read_more(f);
        if (n > 0)
            continue;
        bool follows = f->source->follow && f->regular;
        bool replaced = n <= 0 && follows && was_replaced(f); /* n < 0: a stale handle */
        if (n == 0 && !replaced)
            tell_end(f);
        if (n < 0 || (follows && !replaced)) {
            rest(f);
            return false;
        }
        f->ended = !follows;
        if (lines_last(&f->lines, out))
            return true;
    }
    return true;
}

static int file_source_poll(tw_feed *feed, tw_frame *frames, int max)
{
    file_feed *f = (file_feed *)feed;
    uint64_t cut = f->lines.cut;
    line l;
    int n = 0;

    while (n < max && next_line(f, &l))
        frames[n++] = (tw_frame){.data = l.data,
                                 .size = l.size,
                                 .time_ms = f->stamp_ms,
                                 .offset = l.number,
                                 .token = l.block};
    if (f->lines.cut != cut)
        f->source->host->add(f->source->lines_cut, f->lines.cut - cut);
    return n;
}

static void file_source_release(tw_feed *feed, tw_frame *frames, int count)
{
    (void)feed;
    for (int i = 0; i < count; i++)
        lines_release(frames[i].token);
}

/* ---- shore ---- */

static void wake(file_feed *f)
{
    uint64_t one = 1;
    int fd = f->source->host->feed_wake_fd(f->source->host, &f->feed);

    if (fd >= 0 && write(fd, &one, sizeof one) < 0 && errno != EAGAIN)
        f->source->host->log(f->source->host, TW_PLUGIN_ERROR, "cannot wake the lane");
}

static void on_readable(void *arg, int fd, int events)
{
    file_feed *f = arg;

    (void)fd;
    (void)events;
    f->source->host->watch_change(f->watch, 0);
    atomic_store(&f->idle, false);
    wake(f);
}

static void on_look(void *arg)
{
    file_source *s = arg;

    for (size_t i = 0; i < s->feed_count; i++) {
        if (s->feeds[i].added && s->feeds[i].regular &&
            atomic_exchange(&s->feeds[i].idle, false))
            wake(&s->feeds[i]);
    }
}

static const char *path_of(const json_t *settings, const char *topic)
{
    const char *path = settings_text(settings, "path");
    const char *of_topic = settings_text(json_object_get(settings, "paths"), topic);

    if (of_topic)
        return of_topic;
    return path ? path : topic;
}

static bool open_feed(file_feed *f, const char *path, tw_refusal *refusal)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat st;

    f->path = shared_strdup(is_stdin ? "/dev/stdin" : path);
    f->fd = is_stdin ? STDIN_FILENO
                     : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (f->fd < 0 && errno == ENOENT && f->source->follow) {
        f->regular = f->missing = true;
        return true;
    }
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        settings_refuse(refusal, "%s: %s%s", path, strerror(errno),
                        errno == ENOENT ? " ('follow: true' would wait for it)" : "");
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        settings_refuse(refusal, "%s is a folder", path);
        return false;
    }
    f->regular = S_ISREG(st.st_mode);
    if (f->regular && f->source->at_end)
        lseek(f->fd, 0, SEEK_END);
    return true;
}

static void file_source_close(void *instance)
{
    file_source *s = instance;

    for (size_t i = 0; i < s->feed_count; i++) {
        file_feed *f = &s->feeds[i];
        lines_done(&f->lines);
        if (f->fd > STDIN_FILENO)
            close(f->fd);
        free(f->topic);
        free(f->path);
    }
    free(s->feeds);
    free(s);
}

static bool open_feeds(file_source *s, const json_t *settings, const char *const *topics,
                       size_t count, tw_refusal *refusal)
{
    s->feeds = shared_alloc(sizeof *s->feeds * count);
    for (size_t i = 0; i < count; i++) {
        file_feed *f = &s->feeds[i];
        f->source = s;
        f->fd = -1;
        f->topic = shared_strdup(topics[i]);
        lines_init(&f->lines, s->max_line);
        s->feed_count++;
        const char *path = path_of(settings, topics[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(path, path_of(settings, topics[k])) != 0)
                continue;
            settings_refuse(
                refusal, "'%s' and '%s' would both read %s; 'paths' gives each its own",
                topics[k], topics[i], path);
            return false;
        }
        if (!open_feed(f, path, refusal))
            return false;
    }
    return true;
}

static void *file_source_open(const tw_host *h, const char *const *topics, size_t count,
                              tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    file_source *s = shared_alloc(sizeof *s);
    s->host = h;
    s->follow = settings_bool(settings, "follow");
    s->at_end = strcmp(settings_text(settings, "start"), "end") == 0;
    s->max_line = (size_t)settings_int(settings, "max_line");
    s->lines_cut = h->counter(h, "lines_cut_total", "Lines longer than max_line.");
    bool opened = open_feeds(s, settings, topics, count, refusal);
    json_decref(settings);
    if (opened)
        return s;
    file_source_close(s);
    return NULL;
}

static int file_source_start(void *instance, tw_refusal *refusal)
{
    file_source *s = instance;
    const tw_host *h = s->host;

    for (size_t i = 0; i < s->feed_count; i++) {
        file_feed *f = &s->feeds[i];
        if (!f->regular) {
            f->watch = h->watch_fd(h, f->fd, 0, on_readable, f);
            f->regular = !f->watch; /* a device that cannot be watched is always ready */
        }
        if (h->feed_add(h, &f->feed, f->topic, 0) < 0) {
            settings_refuse(refusal, "the feed of '%s' was not taken", f->topic);
            return -1;
        }
        f->added = true;
    }
    tell_missing(s);
    if (s->follow)
        s->timer = h->watch_timer(h, LOOK_EVERY_MS, LOOK_EVERY_MS, on_look, s);
    return 0;
}

static void on_stopped(void *arg)
{
    file_source *s = arg;
    s->host->stopped(s->host);
}

/* What lanes posted before comes first; then nothing of the source is in the loop. */
static void file_source_stop(void *instance)
{
    file_source *s = instance;
    int64_t next_offset;

    for (size_t i = 0; i < s->feed_count; i++) {
        file_feed *f = &s->feeds[i];
        if (f->added)
            s->host->feed_remove(s->host, &f->feed, 0, &next_offset);
        f->added = false;
        if (f->watch)
            s->host->watch_end(f->watch);
        f->watch = NULL;
    }
    if (s->timer)
        s->host->watch_end(s->timer);
    s->timer = NULL;
    s->host->post(s->host, on_stopped, s);
}

static void file_source_handled(void *instance, tw_feed *feed, int64_t next_offset)
{
    (void)instance;
    (void)feed;
    (void)next_offset;
}

const tw_source_type file_source_type = {
    .size = sizeof(tw_source_type),
    .kind = "file",
    .settings = schema,
    .open = file_source_open,
    .start = file_source_start,
    .stop = file_source_stop,
    .close = file_source_close,
    .handled = file_source_handled,
    .poll = file_source_poll,
    .release = file_source_release,
};

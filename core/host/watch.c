// SPDX-License-Identifier: Apache-2.0
/* Notifications say only that it is worth looking; whether something has changed is decided by a
 * fingerprint of names and contents. So a touched file, an editor's swap file or a second notification
 * of one change tell nobody anything, and a change the kernel did not tell of is found by the poll.
 *
 * Watched are: each folder given and every folder below it, and the folder of each file given.
 * Hidden entries are not part of the fingerprint; a ConfigMap's `..data` link counts through the links
 * to its files, which are followed. Large files are known by identity, size and time alone. */
#include "host/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

#define MAX_DEPTH 16
#define MAX_FOLDERS 1024
#define MAX_ENTRIES 20000 /* links may lead in circles */
#define MAX_TEXT_BYTES (64 * 1024 * 1024)
#define READ_BYTES (1024 * 1024) /* larger files are not read */
#define LONGEST_WAIT                                                                     \
    10 /* times quiet_ms: a storm of changes does not put it off for ever */

struct tw_file_watch {
    tw_loop *loop;
    char **paths;
    size_t count;
    int64_t quiet_ms, first_ms; /* first_ms: of the changes not yet looked at; 0 = none */
    uint64_t fingerprint;
    tw_map *folders; /* path to tw_watch */
    tw_watch *quiet, *poll;
    void (*changed)(void *arg);
    void *arg;
};

typedef struct look {
    tw_file_watch *watch;
    tw_buf text; /* names and hashes, hashed in the end */
    char *bytes;
    size_t entries;
} look;

static void on_notified(void *arg);

/* ---- one look at everything ---- */

static void watch_folder(tw_file_watch *w, const char *path)
{
    if (tw_map_get(w->folders, path) || tw_map_count(w->folders) >= MAX_FOLDERS)
        return;
    tw_watch *folder = tw_loop_folder(w->loop, path, on_notified, w);
    if (folder)
        tw_map_put(w->folders, path, folder);
}

static void add_content(look *k, const char *path, const struct stat *st)
{
    int fd = st->st_size <= READ_BYTES ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        tw_buf_printf(&k->text, "%ju %ju %jd %jd.%09ld\n", (uintmax_t)st->st_dev,
                      (uintmax_t)st->st_ino, (intmax_t)st->st_size,
                      (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
        return;
    }
    size_t n = 0;
    ssize_t got;
    while (n < READ_BYTES && (got = read(fd, k->bytes + n, READ_BYTES - n)) > 0)
        n += (size_t)got;
    close(fd);
    tw_buf_printf(&k->text, "%zu %016jx\n", n, (uintmax_t)tw_hash_stable(k->bytes, n));
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void look_at(look *k, const char *path, int depth)
{
    struct stat st;
    tw_buf_printf(&k->text, "%s\n", path);
    if (++k->entries > MAX_ENTRIES)
        return;
    if (stat(path, &st) < 0)
        return; /* its absence is what the name without more says */
    if (S_ISREG(st.st_mode))
        add_content(k, path, &st);
    if (!S_ISDIR(st.st_mode) || depth > MAX_DEPTH)
        return;
    watch_folder(k->watch, path);
    struct dirent **names;
    int count = scandir(path, &names, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *below = tw_asprintf("%s/%s", path, names[i]->d_name);
        look_at(k, below, depth + 1);
        tw_free(below);
        free(names[i]); /* scandir's */
    }
    if (count >= 0)
        free(names);
}

static uint64_t take_fingerprint(tw_file_watch *w)
{
    look k = {.watch = w, .bytes = tw_alloc(READ_BYTES)};
    tw_buf_init(&k.text, MAX_TEXT_BYTES);
    for (size_t i = 0; i < w->count; i++)
        look_at(&k, w->paths[i], 0);
    uint64_t hash = tw_hash_stable(k.text.data, k.text.len);
    tw_buf_done(&k.text);
    tw_free(k.bytes);
    return hash;
}

/* A watch belongs to the folder that had the name when it was set; the name may mean another one by
 * now, or one that has come again unseen. They are all set anew at each look. */
static void drop_folders(tw_file_watch *w)
{
    const char *path;
    void *folder;
    for (size_t i = 0; tw_map_next(w->folders, &i, &path, &folder);)
        tw_watch_end(folder);
    tw_map_free(w->folders);
    w->folders = tw_map_new(NULL);
}

static void watch_parents(tw_file_watch *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const char *slash = strrchr(w->paths[i], '/');
        char *parent = !slash ? tw_strdup(".")
                       : slash == w->paths[i]
                           ? tw_strdup("/")
                           : tw_strndup(w->paths[i], (size_t)(slash - w->paths[i]));
        watch_folder(w, parent);
        tw_free(parent);
    }
}

static void check(tw_file_watch *w)
{
    uint64_t now = take_fingerprint(w);
    w->first_ms = 0;
    if (now == w->fingerprint)
        return;
    w->fingerprint = now;
    w->changed(w->arg);
}

/* ---- when to look ---- */

static void look_anew(void *arg)
{
    tw_file_watch *w = arg;
    drop_folders(w);
    watch_parents(w);
    check(w);
}

static void on_notified(void *arg)
{
    tw_file_watch *w = arg;
    int64_t now_ms = tw_mono_ms();
    if (w->first_ms == 0)
        w->first_ms = now_ms;
    else if (now_ms - w->first_ms > w->quiet_ms * LONGEST_WAIT)
        return; /* the timer that runs is the last */
    tw_watch_timer_again(w->quiet, w->quiet_ms, 0);
}

tw_file_watch *tw_file_watch_new(tw_loop *l, const char *const *paths, size_t count,
                                 int64_t quiet_ms, int64_t poll_ms,
                                 void (*changed)(void *arg), void *arg)
{
    tw_file_watch *w = tw_alloc(sizeof *w);
    w->loop = l;
    w->quiet_ms = quiet_ms;
    w->changed = changed;
    w->arg = arg;
    w->folders = tw_map_new(NULL);
    w->paths = tw_calloc(count + 1, sizeof *w->paths);
    for (w->count = 0; w->count < count; w->count++)
        w->paths[w->count] = tw_strdup(paths[w->count]);
    w->quiet = tw_loop_timer(l, INT64_MAX / 4, 0, look_anew, w);
    w->poll = tw_loop_timer(l, poll_ms, poll_ms, look_anew, w);
    watch_parents(w);
    w->fingerprint = take_fingerprint(w);
    return w;
}

void tw_file_watch_free(tw_file_watch *w)
{
    if (!w)
        return;
    drop_folders(w);
    tw_map_free(w->folders);
    tw_watch_end(w->quiet);
    tw_watch_end(w->poll);
    for (size_t i = 0; i < w->count; i++)
        tw_free(w->paths[i]);
    tw_free(w->paths);
    tw_free(w);
}

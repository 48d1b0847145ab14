// SPDX-License-Identifier: Apache-2.0
/* Which files a list of paths means. Names that begin with a dot are passed over: editors put theirs
 * there, and a mounted ConfigMap keeps its versions there. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rule/rule_files.h"

#define MAX_DEPTH 16
#define MAX_FILES 10000
#define MAX_FOLDERS 10000

typedef struct path_list {
    char **items;
    size_t count, folders;
    tw_findings *findings;
} path_list;

static void say_path(path_list *l, const char *path, const char *what)
{
    tw_err err;
    tw_err_at(&err, TW_EIO, path, 0, 0, "%s", what);
    tw_findings_add(l->findings, &err, false);
}

static void add_file(path_list *l, const char *path)
{
    if (l->count == MAX_FILES) /* all of them together, and then this is told */
        return;
    l->items = tw_realloc(l->items, (l->count + 1) * sizeof *l->items);
    l->items[l->count++] = tw_strdup(path);
}

static bool is_lua(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".lua") == 0;
}

/* The folders from the outermost to the one being walked. */
typedef struct way {
    dev_t device;
    ino_t inode;
    const struct way *up;
    int depth;
} way;

static void walk(path_list *l, const char *path, const struct stat *st, const way *up);

static bool is_on_the_way(const way *w, const struct stat *st)
{
    for (; w; w = w->up)
        if (w->device == st->st_dev && w->inode == st->st_ino)
            return true;
    return false;
}

static void add_entry(path_list *l, const char *dir, const char *name, const way *here)
{
    struct stat st;
    size_t n = strlen(dir);
    char *path = tw_asprintf("%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);

    if (stat(path, &st) != 0) {
        if (is_lua(name))
            say_path(l, path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        walk(l, path, &st, here);
    } else if (S_ISREG(st.st_mode) && is_lua(name)) {
        add_file(l, path);
    }
    tw_free(path);
}

/* A link that leads back to a folder above is passed over: what it holds is read there. */
static void walk(path_list *l, const char *path, const struct stat *st, const way *up)
{
    way here = {st->st_dev, st->st_ino, up, up ? up->depth + 1 : 0};

    if (is_on_the_way(up, st))
        return;
    if (here.depth > MAX_DEPTH) {
        say_path(l, path, "folders of rules are nested too deep (16)");
        return;
    }
    DIR *dir = opendir(path);
    if (!dir) {
        say_path(l, path, strerror(errno));
        return;
    }
    if (++l->folders == MAX_FOLDERS)
        say_path(l, path, "there are too many folders of rules (10000)");
    for (struct dirent *e;
         l->count < MAX_FILES && l->folders < MAX_FOLDERS && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            add_entry(l, path, e->d_name, &here);
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_repeats(path_list *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (kept > 0 && strcmp(l->items[kept - 1], l->items[i]) == 0)
            tw_free(l->items[i]);
        else
            l->items[kept++] = l->items[i];
    }
    l->count = kept;
}

char **tw_rule_paths(const char *const *paths, size_t count, tw_findings *findings,
                     size_t *out_count)
{
    path_list l = {.findings = findings};
    struct stat st;

    for (size_t i = 0; i < count; i++) {
        if (stat(paths[i], &st) != 0)
            say_path(&l, paths[i], strerror(errno));
        else if (S_ISDIR(st.st_mode))
            walk(&l, paths[i], &st, NULL);
        else
            add_file(&l, paths[i]);
    }
    if (l.count == MAX_FILES)
        say_path(&l, l.items[MAX_FILES - 1], "there are too many rule files (10000)");
    if (l.count > 1)
        qsort(l.items, l.count, sizeof *l.items, by_path);
    drop_repeats(&l);
    *out_count = l.count;
    return l.items;
}

// SPDX-License-Identifier: Apache-2.0
/* Opening shared objects and believing them step by step: the ABI number first, because it decides what
 * the rest means, then sizes, then names, then functions. Nothing is ever unmapped: instances,
 * counters and log lines point into a plugin's memory, and a few pages are cheaper than proving
 * that none of them is left. */
#include "host/plugin.h"

#include <stddef.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"

#define MAX_PLUGINS 256
#define MAX_KINDS 64 /* of one plugin */

typedef struct loaded {
    char *path;
    void *handle;
    const tw_plugin *plugin;
} loaded;

struct tw_plugins {
    loaded items[MAX_PLUGINS];
    size_t count;
};

tw_plugins *tw_plugins_new(void)
{
    return tw_alloc(sizeof(tw_plugins));
}

void tw_plugins_free(tw_plugins *p)
{
    for (size_t i = 0; p && i < p->count; i++)
        tw_free(p->items[i].path);
    tw_free(p);
}

/* ---- what makes a plugin ---- */

static bool is_kind(const char *s)
{
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") : 0;
    return n > 0 && n < 64 && s[n] == '\0';
}

static int check_kind(const char *path, const char *what, const char *kind,
                      const char *settings, tw_err *err)
{
    if (!is_kind(kind))
        return tw_err_set(
            err, TW_EINVAL,
            "%s: a %s has no usable kind; lower-case letters, digits, _ and - "
            "make one",
            path, what);
    if (!settings)
        return TW_OK;
    json_t *schema = json_loads(settings, 0, NULL);
    bool fine = json_is_object(schema);
    json_decref(schema);
    return fine ? TW_OK
                : tw_err_set(err, TW_EINVAL,
                             "%s: the settings schema of %s \"%s\" is not a JSON object",
                             path, what, kind);
}

static int too_small(const char *path, const char *what, size_t size, size_t needed,
                     tw_err *err)
{
    return tw_err_set(
        err, TW_EINVAL,
        "%s: its %s is %zu bytes long and ABI %d begins at %zu; build it again "
        "with this engine's tidewatch.h",
        path, what, size, TW_PLUGIN_ABI, needed);
}

static int missing(const char *path, const char *what, const char *kind, const char *fn,
                   tw_err *err)
{
    return tw_err_set(err, TW_EINVAL, "%s: %s \"%s\" leaves out the function `%s`", path,
                      what, kind, fn);
}

/* What an ABI begins at: what was added to it later need not be there. */
static int check_source_type(const char *path, const tw_source_type *t, tw_err *err)
{
    size_t least = offsetof(tw_source_type, table);

    if (t->size < least)
        return too_small(path, "source type", t->size, least, err);
    int rc = check_kind(path, "source", t->kind, t->settings, err);
    if (rc < 0)
        return rc;
    const char *fn = !t->open      ? "open"
                     : !t->start   ? "start"
                     : !t->stop    ? "stop"
                     : !t->close   ? "close"
                     : !t->handled ? "handled"
                     : !t->poll    ? "poll"
                     : !t->release ? "release"
                                   : NULL;
    return fn ? missing(path, "source", t->kind, fn, err) : TW_OK;
}

static int check_source(const char *path, const tw_source_type *t, tw_err *err)
{
    int rc = check_source_type(path, t, err);
    const tw_source_type *table = rc == TW_OK ? tw_plugin_table_type(t) : NULL;

    return table ? check_source_type(path, table, err) : rc;
}

const tw_source_type *tw_plugin_table_type(const tw_source_type *t)
{
    return t->size > offsetof(tw_source_type, table) ? t->table : NULL;
}

static int check_sink(const char *path, const tw_sink_type *t, tw_err *err)
{
    if (t->size < sizeof *t)
        return too_small(path, "sink type", t->size, sizeof *t, err);
    int rc = check_kind(path, "sink", t->kind, t->settings, err);
    if (rc < 0)
        return rc;
    const char *fn = !t->open      ? "open"
                     : !t->start   ? "start"
                     : !t->deliver ? "deliver"
                     : !t->stop    ? "stop"
                     : !t->close   ? "close"
                                   : NULL;
    return fn ? missing(path, "sink", t->kind, fn, err) : TW_OK;
}

static int check_types(const char *path, const tw_plugin *d, tw_err *err)
{
    size_t count = 0;
    for (size_t i = 0; d->sources && d->sources[i]; i++, count++) {
        int rc = check_source(path, d->sources[i], err);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; d->sinks && d->sinks[i]; i++, count++) {
        int rc = check_sink(path, d->sinks[i], err);
        if (rc < 0)
            return rc;
    }
    if (count == 0)
        return tw_err_set(err, TW_EINVAL, "%s: it offers neither a source nor a sink",
                          path);
    if (count > MAX_KINDS)
        return tw_err_set(err, TW_ELIMIT, "%s: it offers %zu kinds, more than %d", path,
                          count, MAX_KINDS);
    return TW_OK;
}

static int check_plugin(const char *path, const tw_plugin *d, tw_err *err)
{
    if (d->abi != TW_PLUGIN_ABI)
        return tw_err_set(err, TW_EINVAL,
                          "%s: it was built for plugin ABI %u, this engine speaks ABI %d",
                          path, d->abi, TW_PLUGIN_ABI);
    if (d->size < sizeof *d)
        return too_small(path, "descriptor", d->size, sizeof *d, err);
    if (!is_kind(d->name))
        return tw_err_set(
            err, TW_EINVAL,
            "%s: its descriptor has no usable name; lower-case letters, digits, "
            "_ and - make one",
            path);
    if (!d->version || !d->version[0])
        return tw_err_set(err, TW_EINVAL, "%s: its descriptor has no version", path);
    return check_types(path, d, err);
}

/* ---- two plugins for one kind ---- */

static const tw_source_type *source_in(const tw_plugin *d, const char *kind)
{
    for (size_t i = 0; d->sources && d->sources[i]; i++)
        if (strcmp(d->sources[i]->kind, kind) == 0)
            return d->sources[i];
    return NULL;
}

static const tw_sink_type *sink_in(const tw_plugin *d, const char *kind)
{
    for (size_t i = 0; d->sinks && d->sinks[i]; i++)
        if (strcmp(d->sinks[i]->kind, kind) == 0)
            return d->sinks[i];
    return NULL;
}

static int check_unique(const tw_plugins *p, const char *path, const tw_plugin *d,
                        tw_err *err)
{
    for (size_t n = 0; n < p->count; n++) {
        const loaded *other = &p->items[n];
        for (size_t i = 0; d->sources && d->sources[i]; i++)
            if (source_in(other->plugin, d->sources[i]->kind))
                return tw_err_set(err, TW_EINVAL,
                                  "%s: source \"%s\" is offered by %s already", path,
                                  d->sources[i]->kind, other->path);
        for (size_t i = 0; d->sinks && d->sinks[i]; i++)
            if (sink_in(other->plugin, d->sinks[i]->kind))
                return tw_err_set(err, TW_EINVAL,
                                  "%s: sink \"%s\" is offered by %s already", path,
                                  d->sinks[i]->kind, other->path);
    }
    return TW_OK;
}

/* ---- loading ---- */

/* dlerror often begins with the path, which the sentence has already. */
static int does_not_open(const char *path, tw_err *err)
{
    const char *why = dlerror();
    size_t n = strlen(path);
    if (why && strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2;
    return tw_err_set(err, TW_EIO, "%s: it does not load: %s", path,
                      why ? why : "unknown reason");
}

static bool has_handle(const tw_plugins *p, const void *handle)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].handle == handle)
            return true;
    return false;
}

/* path holds a slash, or dlopen would search the system's folders. */
static int load(tw_plugins *p, const char *path, tw_err *err)
{
    if (p->count == MAX_PLUGINS)
        return tw_err_set(err, TW_ELIMIT, "%s: more than %d plugins", path, MAX_PLUGINS);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return does_not_open(path, err);
    if (has_handle(p, handle))
        return TW_OK;
    const tw_plugin *d = dlsym(handle, TW_PLUGIN_SYMBOL);
    if (!d)
        return tw_err_set(err, TW_EINVAL,
                          "%s: it exports no %s, so it is not a tidewatch plugin", path,
                          TW_PLUGIN_SYMBOL);
    int rc = check_plugin(path, d, err);
    if (rc == TW_OK)
        rc = check_unique(p, path, d, err);
    if (rc < 0)
        return rc;
    p->items[p->count++] =
        (loaded){.path = tw_strdup(path), .handle = handle, .plugin = d};
    return TW_OK;
}

int tw_plugins_load(tw_plugins *p, const char *path, tw_err *err)
{
    char *with_slash = strchr(path, '/') ? tw_strdup(path) : tw_asprintf("./%s", path);
    int rc = load(p, with_slash, err);
    tw_free(with_slash);
    return rc;
}

static int is_shared_object(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 3 && e->d_name[0] != '.' && strcmp(e->d_name + n - 3, ".so") == 0;
}

int tw_plugins_load_dir(tw_plugins *p, const char *dir, tw_err *err)
{
    struct dirent **names;
    int count = scandir(dir, &names, is_shared_object, alphasort);
    if (count < 0)
        return tw_err_set(
            err, TW_EIO,
            "%s: the plugin folder cannot be read: %s (a copy of the program "
            "alone has no plugins: link to it, install it with cmake --install, "
            "or set `plugins`)",
            dir, strerror(errno));
    int rc = TW_OK;
    for (int i = 0; i < count; i++) {
        char *path = tw_asprintf("%s/%s", dir, names[i]->d_name);
        if (rc == TW_OK)
            rc = tw_plugins_load(p, path, err);
        tw_free(path);
        free(names[i]); /* scandir's */
    }
    free(names);
    return rc;
}

/* ---- finding ---- */

static int unknown_kind(const char *what, const char *kind, const char *const *known,
                        size_t count, tw_err *err)
{
    const char *nearest = tw_nearest(kind, known, count);
    if (nearest)
        return tw_err_set(err, TW_ENOTFOUND,
                          "no plugin offers a %s of kind \"%s\" (did you mean \"%s\"?)",
                          what, kind, nearest);
    tw_buf list;
    tw_buf_init(&list, 400);
    for (size_t i = 0; i < count; i++)
        tw_buf_printf(&list, "%s%s", i ? ", " : "", known[i]);
    int rc = tw_err_set(err, TW_ENOTFOUND,
                        "no plugin offers a %s of kind \"%s\"; there is: %s", what, kind,
                        list.len ? list.data : "none");
    tw_buf_done(&list);
    return rc;
}

const tw_source_type *tw_plugins_source(const tw_plugins *p, const char *kind,
                                        tw_err *err)
{
    const char *known[MAX_KINDS];
    size_t count = 0;
    for (size_t n = 0; n < p->count; n++) {
        const tw_plugin *d = p->items[n].plugin;
        const tw_source_type *t = source_in(d, kind);
        if (t)
            return t;
        for (size_t i = 0; d->sources && d->sources[i] && count < MAX_KINDS; i++)
            known[count++] = d->sources[i]->kind;
    }
    unknown_kind("source", kind, known, count, err);
    return NULL;
}

const tw_sink_type *tw_plugins_sink(const tw_plugins *p, const char *kind, tw_err *err)
{
    const char *known[MAX_KINDS];
    size_t count = 0;
    for (size_t n = 0; n < p->count; n++) {
        const tw_plugin *d = p->items[n].plugin;
        const tw_sink_type *t = sink_in(d, kind);
        if (t)
            return t;
        for (size_t i = 0; d->sinks && d->sinks[i] && count < MAX_KINDS; i++)
            known[count++] = d->sinks[i]->kind;
    }
    unknown_kind("sink", kind, known, count, err);
    return NULL;
}

size_t tw_plugins_count(const tw_plugins *p)
{
    return p->count;
}

const tw_plugin *tw_plugins_at(const tw_plugins *p, size_t i, const char **out_path)
{
    if (out_path)
        *out_path = p->items[i].path;
    return p->items[i].plugin;
}

char *tw_plugins_default_dir(void)
{
    char program[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return tw_strdup("plugins");
    *slash = '\0';
    char *beside = tw_asprintf("%s/plugins", program);
    if (access(beside, R_OK) == 0)
        return beside;
    tw_free(beside);
    return tw_asprintf("%s/../" TW_LIBDIR "/tidewatch/plugins", program);
}

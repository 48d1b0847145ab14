// SPDX-License-Identifier: Apache-2.0
/* The registry of the engine's numbers. Registering and writing take its lock and may
 * happen on any thread; adding to a handle takes none. The registry owns every handle.
 * Invariant: a handle never moves and stays valid until tw_stats_free, and each has a
 * cache line of its own, so that two lanes counting side by side do not slow each other.
 */
#include "base/stats.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define PREFIX "tidewatch_"
#define SUFFIX "_total"

enum { CACHE_LINE = 64, MAX_BUCKETS = 64, LABEL_BYTES = 4 << 20 };

typedef enum metric_kind { COUNTER, GAUGE, HISTOGRAM } metric_kind;

struct tw_histogram {
    int count;              /* bounds, without +Inf */
    _Atomic int64_t sum_ns; /* an integer, because C has no atomic add of doubles */
    _Atomic uint64_t hits[MAX_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    double bounds[MAX_BUCKETS];
};

typedef struct family {
    char *name; /* as written, with prefix */
    char *help;
    metric_kind kind;
    tw_map *series; /* label text, `k="v",...` -> handle */
} family;

struct tw_stats {
    pthread_mutex_t lock;
    tw_map *families; /* by written name */
};

static void free_family(void *p)
{
    family *f = p;
    tw_map_free(f->series);
    tw_free(f->name);
    tw_free(f->help);
    tw_free(f);
}

tw_stats *tw_stats_new(void)
{
    tw_stats *s = tw_alloc(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    s->families = tw_map_new(free_family);
    return s;
}

void tw_stats_free(tw_stats *s)
{
    if (!s)
        return;
    tw_map_free(s->families);
    pthread_mutex_destroy(&s->lock);
    tw_free(s);
}

/* ---- registering ---- */

static void add_escaped(tw_buf *out, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            tw_buf_add_str(out, "\\n");
        else if (*text == '\\')
            tw_buf_add_str(out, "\\\\");
        else if (*text == '"' && quotes)
            tw_buf_add_str(out, "\\\"");
        else
            tw_buf_add_char(out, *text);
    }
}

static char *label_text(const char *const *labels)
{
    tw_buf text;
    tw_buf_init(&text, LABEL_BYTES);
    for (size_t i = 0; labels && labels[i] && labels[i + 1]; i += 2) {
        if (i)
            tw_buf_add_char(&text, ',');
        tw_buf_add_str(&text, labels[i]);
        tw_buf_add_str(&text, "=\"");
        add_escaped(&text, labels[i + 1], true);
        tw_buf_add_char(&text, '"');
    }
    return tw_buf_take(&text, NULL);
}

static char *full_name(const char *name, metric_kind kind)
{
    size_t n = strlen(name), suffix = strlen(SUFFIX);
    bool ends = n >= suffix && strcmp(name + n - suffix, SUFFIX) == 0;
    return tw_asprintf(PREFIX "%s%s", name, kind == COUNTER && !ends ? SUFFIX : "");
}

static family *find_family(tw_stats *s, const char *name, const char *help,
                           metric_kind kind)
{
    char *full = full_name(name, kind);
    family *f = tw_map_get(s->families, full);
    if (f) {
        tw_free(full);
        return f->kind == kind ? f : NULL;
    }
    f = tw_alloc(sizeof *f);
    *f = (family){.name = full, .help = tw_strdup(help ? help : name), .kind = kind};
    f->series = tw_map_new(tw_free);
    tw_map_put(s->families, full, f);
    return f;
}

/* The handle for name and labels, made zeroed when it is new; *out_new says so. */
static void *find_series(tw_stats *s, const char *name, const char *help,
                         metric_kind kind, const char *const *labels, bool *out_new)
{
    family *f = find_family(s, name, help, kind);
    if (!f)
        return NULL;
    char *text = label_text(labels);
    void *handle = tw_map_get(f->series, text);
    *out_new = !handle;
    if (!handle) {
        size_t size = kind == HISTOGRAM ? sizeof(tw_histogram) : CACHE_LINE;
        size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
        handle = aligned_alloc(CACHE_LINE, size);
        if (!handle)
            abort();
        memset(handle, 0, size);
        tw_map_put(f->series, text, handle);
    }
    tw_free(text);
    return handle;
}

tw_counter *tw_stats_counter(tw_stats *s, const char *name, const char *help,
                             const char *const *labels)
{
    bool is_new;
    pthread_mutex_lock(&s->lock);
    tw_counter *c = find_series(s, name, help, COUNTER, labels, &is_new);
    pthread_mutex_unlock(&s->lock);
    return c;
}

tw_gauge *tw_stats_gauge(tw_stats *s, const char *name, const char *help,
                         const char *const *labels)
{
    bool is_new;
    pthread_mutex_lock(&s->lock);
    tw_gauge *g = find_series(s, name, help, GAUGE, labels, &is_new);
    pthread_mutex_unlock(&s->lock);
    return g;
}

tw_histogram *tw_stats_histogram(tw_stats *s, const char *name, const char *help,
                                 const char *const *labels, const double *bounds,
                                 int count)
{
    bool is_new = false;
    pthread_mutex_lock(&s->lock);
    tw_histogram *h = find_series(s, name, help, HISTOGRAM, labels, &is_new);
    if (h && is_new) {
        h->count = count < MAX_BUCKETS ? count : MAX_BUCKETS;
        for (int i = 0; i < h->count; i++)
            h->bounds[i] = bounds[i];
    }
    pthread_mutex_unlock(&s->lock);
    return h;
}

void tw_histogram_observe(tw_histogram *h, double seconds)
{
    if (isnan(seconds))
        return;
    int i = 0;
    while (i < h->count && seconds > h->bounds[i])
        i++;
    /* A century is more than anything here lasts, and keeps the sum far from its end. */
    double ns = fmax(-3.2e18, fmin(seconds * 1e9, 3.2e18));
    atomic_fetch_add_explicit(&h->hits[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, (int64_t)ns, memory_order_relaxed);
}

/* ---- reading ---- */

uint64_t tw_stats_sum(tw_stats *s, const char *name)
{
    uint64_t sum = 0;
    char *full = full_name(name, COUNTER);
    pthread_mutex_lock(&s->lock);
    family *f = tw_map_get(s->families, full);
    void *handle;
    for (size_t i = 0;
         f && f->kind == COUNTER && tw_map_next(f->series, &i, NULL, &handle);)
        sum += atomic_load_explicit(&((tw_counter *)handle)->value, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    tw_free(full);
    return sum;
}

static void write_labels(tw_buf *out, const char *labels)
{
    if (*labels)
        tw_buf_printf(out, "{%s}", labels);
    tw_buf_add_char(out, ' ');
}

static void write_histogram(tw_buf *out, const family *f, const char *labels,
                            tw_histogram *h)
{
    const char *comma = *labels ? "," : "";
    uint64_t total = 0;
    for (int i = 0; i <= h->count; i++) {
        char bound[32];
        tw_double_format(bound, i < h->count ? h->bounds[i] : INFINITY);
        total += atomic_load_explicit(&h->hits[i], memory_order_relaxed);
        tw_buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", f->name, labels, comma,
                      bound, (unsigned long long)total);
    }
    int64_t sum_ns = atomic_load_explicit(&h->sum_ns, memory_order_relaxed);
    tw_buf_printf(out, "%s_sum", f->name);
    write_labels(out, labels);
    tw_buf_add_double(out, (double)sum_ns / 1e9);
    tw_buf_printf(out, "\n%s_count", f->name);
    write_labels(out, labels);
    tw_buf_printf(out, "%llu\n", (unsigned long long)total);
}

static void write_gauge(tw_buf *out, const tw_gauge *g)
{
    int64_t value = atomic_load_explicit(&g->value, memory_order_relaxed);
    int64_t scale = atomic_load_explicit(&g->scale, memory_order_relaxed);
    if (scale > 1)
        tw_buf_add_double(out, (double)value / (double)scale);
    else
        tw_buf_add_int(out, value);
}

static void write_family(tw_buf *out, const family *f)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    tw_buf_printf(out, "# HELP %s ", f->name);
    add_escaped(out, f->help, false);
    tw_buf_printf(out, "\n# TYPE %s %s\n", f->name, types[f->kind]);
    const char *labels;
    void *handle;
    for (size_t i = 0; tw_map_next(f->series, &i, &labels, &handle);) {
        if (f->kind == HISTOGRAM) {
            write_histogram(out, f, labels, handle);
            continue;
        }
        tw_buf_add_str(out, f->name);
        write_labels(out, labels);
        if (f->kind == GAUGE)
            write_gauge(out, handle);
        else
            tw_buf_printf(out, "%llu",
                          (unsigned long long)atomic_load_explicit(
                              &((tw_counter *)handle)->value, memory_order_relaxed));
        tw_buf_add_char(out, '\n');
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(family *const *)a)->name, (*(family *const *)b)->name);
}

void tw_stats_write(tw_stats *s, tw_buf *out)
{
    pthread_mutex_lock(&s->lock);
    size_t count = tw_map_count(s->families), n = 0;
    family **sorted = tw_calloc(count, sizeof *sorted);
    void *f;
    for (size_t i = 0; tw_map_next(s->families, &i, NULL, &f);)
        sorted[n++] = f;
    if (n > 1)
        qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++)
        write_family(out, sorted[i]);
    pthread_mutex_unlock(&s->lock);
    tw_free(sorted);
}

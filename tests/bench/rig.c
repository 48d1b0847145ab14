// SPDX-License-Identifier: Apache-2.0
/* Feeds in memory and a run of the engine over them; see rig.h. */
#include "rig.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "figures.h"

enum { TIME_AT = 32, TIME_DIGITS = 13 }; /* {"id":"0123456789abcdef","time": */

typedef struct memory_feed {
    tw_feed feed;
    rig *rig;
    tw_feed_state state;
    char *bytes;
    size_t size, room;
    uint32_t *at; /* offsets of events, and of the end */
    int64_t *times;
    uint32_t count;
    /* a run */
    uint64_t next, end, half;
    _Atomic bool go;
    bool begun, told;
    uint64_t allocations_half, allocations_end; /* of the lane's thread */
    int64_t begin_ns, end_ns;                   /* its own time */
} memory_feed;

struct rig {
    memory_feed feeds[RIG_PARTITIONS];
    uint32_t count;
    int64_t span_ms; /* event time of one pass */
    sem_t done;
    uint64_t signals;
};

/* ---- rules ---- */

tw_rule_files *rig_rules(tw_streams *streams, const char *text)
{
    char path[] = "/tmp/tw-bench-XXXXXX.lua";
    const char *paths[] = {path};
    tw_rule_options options = {.streams = streams};
    tw_findings findings = {0};
    int fd = mkstemps(path, 4);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        fprintf(stderr, "bench: cannot write %s\n", path);
        exit(2);
    }
    close(fd);
    tw_rule_files *files = tw_rules_load(paths, 1, &options, &findings);
    unlink(path);
    if (findings.count > 0) {
        fprintf(stderr, "bench: %s\n", findings.items[0].err.text);
        exit(2);
    }
    tw_findings_done(&findings);
    return files;
}

/* ---- the feed ---- */

static void write_time(char *out, int64_t time_ms)
{
    uint64_t rest = (uint64_t)time_ms;

    for (int n = TIME_DIGITS; n-- > 0; rest /= 10) {
        out[n] = (char)('0' + rest % 10);
    }
}

/* Monotonic time less what the thread has waited for a core that others had: what a run
 * takes on a machine of its own, sleeping included. */
static int64_t own_ns(void)
{
    char text[96] = "";
    char *rest = text;
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) > 0) {
            (void)strtoll(text, &rest, 10); /* on a core */
        }
        close(fd);
    }
    return tw_mono_ns() - strtoll(rest, NULL, 10);
}

static void note_progress(memory_feed *f)
{
    if (!f->begun) {
        f->begun = true;
        f->begin_ns = own_ns();
    }
    if (f->allocations_half == 0 && f->next >= f->half) {
        f->allocations_half = figure_allocations();
    }
    if (f->next == f->end && !f->told) {
        f->told = true;
        f->allocations_end = figure_allocations();
        f->end_ns = own_ns();
        sem_post(&f->rig->done);
    }
}

static int poll_memory(tw_feed *feed, tw_frame *frames, int max)
{
    memory_feed *f = (memory_feed *)(void *)feed;
    int n = 0;

    if (!atomic_load_explicit(&f->go, memory_order_acquire)) {
        return 0;
    }
    note_progress(f);
    for (; n < max && f->next < f->end; n++, f->next++) {
        uint64_t pass = f->next / f->count, i = f->next % f->count;
        char *data = f->bytes + f->at[i];
        write_time(data + TIME_AT, f->times[i] + (int64_t)pass * f->rig->span_ms);
        frames[n] = (tw_frame){.data = data,
                               .size = f->at[i + 1] - f->at[i],
                               .time_ms = TW_NO_TIME,
                               .offset = (int64_t)f->next};
    }
    return n;
}

static void release_memory(tw_feed *feed, tw_frame *frames, int count)
{
    (void)feed, (void)frames, (void)count;
}

static const tw_source_type memory_source = {.size = sizeof(tw_source_type),
                                             .kind = "memory",
                                             .poll = poll_memory,
                                             .release = release_memory};

/* ---- events ---- */

static void take_event(memory_feed *f, const char *data, size_t n, int64_t time_ms)
{
    if (f->size + n > f->room) {
        f->room = f->room * 2 + (1u << 20);
        f->bytes = tw_realloc(f->bytes, f->room);
    }
    memcpy(f->bytes + f->size, data, n);
    f->times[f->count] = time_ms;
    f->at[f->count++] = (uint32_t)f->size;
    f->size += n;
    f->at[f->count] = (uint32_t)f->size;
}

rig *rig_new(uint32_t count)
{
    rig *r = tw_alloc(sizeof *r);
    char data[EVENTS_MAX_BYTES];
    event_facts facts;
    events g;

    tw_log_setup(stderr, TW_LOG_ERROR, TW_LOG_LOGFMT);
    sem_init(&r->done, 0, 0);
    r->span_ms = (int64_t)count * 1000 / EVENTS_PER_SECOND;
    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        r->feeds[p].rig = r;
        r->feeds[p].at = tw_calloc(count + 1, sizeof *r->feeds[p].at);
        r->feeds[p].times = tw_calloc(count + 1, sizeof *r->feeds[p].times);
    }
    events_init(&g, 1);
    for (uint32_t n = 0; n < count; n++) {
        size_t size = events_next(&g, data, &facts);
        take_event(&r->feeds[facts.host_number * 2654435769u >> 30], data, size,
                   facts.time_ms);
    }
    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        r->count += r->feeds[p].count;
    }
    return r;
}

void rig_free(rig *r)
{
    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        tw_free(r->feeds[p].bytes);
        tw_free(r->feeds[p].at);
        tw_free(r->feeds[p].times);
    }
    sem_destroy(&r->done);
    tw_free(r);
}

/* ---- a run ---- */

typedef struct session {
    tw_clock clock;
    tw_streams *streams;
    tw_stream *stream;
    tw_stats *stats;
    tw_engine *engine;
} session;

static void must(int rc, const tw_err *err)
{
    if (rc < 0) {
        fprintf(stderr, "bench: %s\n", err->text);
        exit(2);
    }
}

static void on_signal(void *self, const tw_signal *s)
{
    rig *r = self;

    (void)s;
    r->signals++;
}

static void session_open(session *s, rig *r, const char *rules, uint32_t lanes)
{
    tw_switch_report report;
    tw_err err = {0};

    tw_clock_init_real(&s->clock);
    s->streams = tw_streams_new();
    s->stream = tw_streams_add(s->streams, "requests");
    s->stream->time_path = tw_strdup("time");
    s->stats = tw_stats_new();
    tw_engine_options options = {.lanes = lanes,
                                 .clock = &s->clock,
                                 .streams = s->streams,
                                 .stats = s->stats,
                                 .limits = TW_DECODE_LIMITS_DEFAULT,
                                 .ports = {.signal = on_signal, .self = r}};
    must(tw_rule_watchdog_start(&err), &err);
    s->engine = tw_engine_new(&options);
    must(tw_engine_start(s->engine, &err), &err);
    tw_rule_files *files = rig_rules(s->streams, rules);
    must(tw_engine_switch(s->engine, &(tw_switch){.files = files}, &report, &err), &err);
    tw_rule_files_unref(files);
    for (int32_t p = 0; p < RIG_PARTITIONS; p++) {
        memory_feed *f = &r->feeds[p];
        f->state = (tw_feed_state){.feed = &f->feed,
                                   .type = &memory_source,
                                   .stream = s->stream,
                                   .partition = p};
        tw_engine_feed_add(s->engine, &f->state);
    }
}

static void session_close(session *s, rig *r)
{
    int64_t next;

    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        tw_engine_feed_remove(s->engine, &r->feeds[p].state, &next);
    }
    tw_engine_stop(s->engine);
    tw_rule_watchdog_stop();
    tw_engine_free(s->engine);
    tw_stats_free(s->stats);
    tw_streams_free(s->streams);
}

static int64_t process_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void let_go(rig *r, uint64_t count)
{
    r->signals = 0;
    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        memory_feed *f = &r->feeds[p];
        f->next = 0;
        f->end = count * f->count / r->count;
        f->half = f->end / 2;
        f->begun = f->told = false;
        f->allocations_half = f->allocations_end = 0;
        atomic_store_explicit(&f->go, true, memory_order_release);
        tw_wake_ring(f->state.lane->wake);
    }
}

/* Feeds of one lane count on the same thread, so the widest span is its count. */
static double allocations_of(const rig *r, uint32_t lanes)
{
    uint64_t count = 0, allocations = 0;

    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        const memory_feed *f = &r->feeds[p];
        count += f->end - f->half;
        allocations += f->allocations_end - f->allocations_half;
    }
    return (double)allocations * lanes / RIG_PARTITIONS / (double)count;
}

/* 1 when a feed has ended, else 0 after 20 ms. */
static int wait_a_little(sem_t *done)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return sem_timedwait(done, &until) == 0;
}

static double own_ns_of(const rig *r)
{
    int64_t most = 0;

    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        int64_t ns = r->feeds[p].end_ns - r->feeds[p].begin_ns;
        most = ns > most ? ns : most;
    }
    return (double)most;
}

rig_figures rig_run(rig *r, const char *rules, uint32_t lanes, uint64_t count)
{
    session s;
    rig_figures f;

    session_open(&s, r, rules, lanes);
    int64_t cpu_ns = process_cpu_ns();
    let_go(r, count);
    for (int done = 0; done < RIG_PARTITIONS;) {
        done += wait_a_little(&r->done);
        tw_engine_collect(s.engine); /* a full shore would stop the lanes */
    }
    tw_engine_pause(s.engine);
    f.wall_ns = own_ns_of(r) / (double)count;
    f.cpu_ns = (double)(process_cpu_ns() - cpu_ns) / (double)count;
    tw_engine_collect(s.engine);
    f.signals = r->signals;
    f.allocations = allocations_of(r, lanes);
    tw_engine_resume(s.engine);
    for (uint32_t p = 0; p < RIG_PARTITIONS; p++) {
        atomic_store(&r->feeds[p].go, false);
    }
    session_close(&s, r);
    return f;
}

// SPDX-License-Identifier: Apache-2.0
/* The lanes together; see engine.h. */
#include "engine_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define SHORE_FULL 10000

static void *lane_thread(void *arg)
{
    tw_lane_main(arg);
    return NULL;
}

tw_engine *tw_engine_new(const tw_engine_options *options)
{
    tw_engine *e = tw_alloc(sizeof *e);

    e->options = *options;
    tw_ground_init(&e->ground);
    tw_park_init(&e->park, options->stats);
    e->tables = options->tables;
    e->tables_generation = 1;
    e->context = tw_context_new(&options->context, options->streams, options->stats);
    e->context_port =
        (tw_context_port){tw_context_read, tw_context_note_alert, e->context};
    e->threads = options->lanes > 0;
    e->lane_count = options->lanes ? options->lanes : 1;
    pthread_mutex_init(&e->mutex, NULL);
    pthread_mutex_init(&e->told_mutex, NULL);
    pthread_cond_init(&e->parked_all, NULL);
    pthread_cond_init(&e->resumed, NULL);
    e->lanes = tw_calloc(e->lane_count, sizeof *e->lanes);
    for (uint32_t i = 0; i < e->lane_count; i++)
        e->lanes[i] = tw_lane_new(e, i, e->lane_count);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        e->lanes[i]->peers = e->lanes;
        for (uint32_t from = 0; from < e->lane_count; from++)
            e->lanes[i]->in[from] = e->lanes[from]->out[i];
    }
    return e;
}

static int start_threads(tw_engine *e, tw_err *err)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 8u << 20); /* Lua nests up to 200 C calls deep */
    for (uint32_t i = 0; i < e->lane_count; i++) {
        int rc = pthread_create(&e->lanes[i]->thread, &attr, lane_thread, e->lanes[i]);
        if (rc)
            return tw_err_set(err, TW_EIO, "cannot start lane %u: %s", i, strerror(rc));
        e->lanes[i]->started = true;
    }
    pthread_attr_destroy(&attr);
    return TW_OK;
}

int tw_engine_start(tw_engine *e, tw_err *err)
{
    tw_rule_options none = {.streams = e->options.streams};
    tw_findings findings = {0};
    tw_rule_files *files = tw_rules_load(NULL, 0, &none, &findings);
    int rc = TW_OK;

    tw_findings_done(&findings);
    e->rules = tw_ruleset_new(files, e->options.streams, &e->ground, 0, err);
    tw_rule_files_unref(files);
    if (!e->rules)
        return TW_EINVAL;
    for (uint32_t i = 0; i < e->lane_count && rc == TW_OK; i++) {
        e->lanes[i]->rules = tw_lane_rules_new(e->lanes[i], e->rules, err);
        rc = e->lanes[i]->rules ? TW_OK : TW_EINVAL;
    }
    if (rc < 0)
        return rc;
    return e->threads ? start_threads(e, err) : tw_rule_thread_enter(err);
}

void tw_engine_stop(tw_engine *e)
{
    if (!e->threads) {
        tw_rule_thread_leave();
        return;
    }
    atomic_store(&e->stop_wanted, true);
    if (e->paused)
        tw_engine_resume(e);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        if (!e->lanes[i]->started)
            continue;
        tw_wake_ring(e->lanes[i]->wake);
        pthread_join(e->lanes[i]->thread, NULL);
        e->lanes[i]->started = false;
    }
}

static void told_done(tw_told *t)
{
    tw_signal_free(t->signal);
    if (t->bad) {
        tw_free(t->bad->reason);
        tw_free(t->bad->key);
        tw_free(t->bad->data);
        tw_free(t->bad);
    }
    if (t->late) {
        tw_rule_unref(t->late->rule);
        tw_free(t->late->key);
        tw_free(t->late->raw);
        tw_free(t->late);
    }
    tw_emitted_free(t->emitted);
}

void tw_engine_free(tw_engine *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->told_count; i++)
        told_done(&e->told[i]);
    tw_free(e->told);
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_lane_free(e->lanes[i]);
    tw_free(e->lanes);
    tw_ruleset_free(e->rules);
    tw_park_done(&e->park);
    tw_ground_done(&e->ground);
    tw_table_view_unref(e->tables);
    tw_context_free(e->context);
    pthread_mutex_destroy(&e->mutex);
    pthread_mutex_destroy(&e->told_mutex);
    pthread_cond_destroy(&e->parked_all);
    pthread_cond_destroy(&e->resumed);
    tw_free(e);
}

/* ---- lanes to shore ---------------------------------------------------------------- */

void tw_engine_tell(tw_engine *e, tw_told what)
{
    pthread_mutex_lock(&e->told_mutex);
    if (e->told_count == e->told_cap) {
        e->told_cap = e->told_cap ? 2 * e->told_cap : 64;
        e->told = tw_realloc(e->told, e->told_cap * sizeof *e->told);
    }
    what.order = e->told_count;
    e->told[e->told_count] = what;
    bool first = e->told_count++ == 0;
    atomic_store(&e->told_waiting, e->told_count);
    pthread_mutex_unlock(&e->told_mutex);
    if (first && e->options.wake_shore)
        e->options.wake_shore(e->options.wake_self);
}

void tw_engine_on_signal(void *self, const tw_signal *s)
{
    tw_lane *lane = self;
    tw_signal *copy = tw_signal_copy(s);

    copy->seq = lane->engine->seq;
    tw_engine_tell(lane->engine, (tw_told){.signal = copy});
}

void tw_engine_on_bad_frame(tw_lane *lane, const tw_frame *f, const tw_err *err)
{
    tw_bad_frame *bad = tw_alloc(sizeof *bad);

    *bad = (tw_bad_frame){.stream = lane->stream,
                          .topic = lane->topic,
                          .partition = lane->partition,
                          .offset = f->offset,
                          .arrival_ms = lane->arrival_ms,
                          .reason = tw_strdup(err->text),
                          .key_size = f->key_size,
                          .data_size = f->size};
    bad->data = tw_alloc(f->size + 1);
    memcpy(bad->data, f->data, f->size);
    if (f->key) {
        bad->key = tw_alloc(f->key_size + 1);
        memcpy(bad->key, f->key, f->key_size);
    }
    tw_engine_tell(lane->engine, (tw_told){.bad = bad});
}

bool tw_engine_tells_late(const tw_engine *e)
{
    return e->options.ports.late != NULL;
}

void tw_engine_on_late(tw_lane *lane, const tw_instance *inst, const tw_key *key,
                       uint32_t input, const tw_event *ev, int64_t time_ms)
{
    tw_late_event *late = tw_alloc(sizeof *late);

    *late = (tw_late_event){.rule = tw_rule_ref(inst->rule),
                            .stream = inst->rule->inputs[input].stream,
                            .arrival_ms = tw_clock_now_ms(lane->clock),
                            .time_ms = time_ms,
                            .key = tw_alloc(key->len + 1),
                            .key_len = key->len,
                            .partition = ev->partition,
                            .offset = ev->offset,
                            .raw = tw_strndup(ev->raw, ev->raw_len),
                            .raw_size = ev->raw_len};
    memcpy(late->key, key->data, key->len);
    tw_engine_tell(lane->engine, (tw_told){.late = late});
}

bool tw_engine_shore_is_full(const tw_engine *e)
{
    return atomic_load_explicit(&e->told_waiting, memory_order_relaxed) > SHORE_FULL ||
           atomic_load_explicit(&e->sources_held, memory_order_relaxed);
}

void tw_engine_hold_sources(tw_engine *e, bool hold)
{
    atomic_store(&e->sources_held, hold);
    for (uint32_t i = 0; !hold && i < e->lane_count; i++)
        tw_wake_ring(e->lanes[i]->wake);
}

static int compare_bytes(const uint8_t *a, uint32_t a_len, const uint8_t *b,
                         uint32_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_signals(const tw_signal *a, const tw_signal *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    int order = strcmp(a->rule->name, b->rule->name);
    return order ? order
                 : compare_bytes(a->key.data, a->key.len, b->key.data, b->key.len);
}

static int compare_late(const tw_late_event *a, const tw_late_event *b)
{
    int order = strcmp(a->rule->name, b->rule->name);
    return order ? order : compare_bytes(a->key, a->key_len, b->key, b->key_len);
}

static int rank_of(const tw_told *t)
{
    return t->signal ? 3 : t->emitted ? 2 : t->late ? 1 : 0;
}

/* What several lanes told in one step, in an order that does not depend on how many they
 * are. What one key of one rule told stays in its own order: it came from one lane. */
static int compare_told(const void *pa, const void *pb)
{
    const tw_told *a = pa, *b = pb;
    int order = rank_of(a) - rank_of(b);

    if (order == 0 && a->signal)
        order = compare_signals(a->signal, b->signal);
    else if (order == 0 && a->late)
        order = compare_late(a->late, b->late);
    else if (order == 0 && a->emitted)
        order = tw_emitted_compare(a->emitted, b->emitted);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static void hand_over(const tw_engine_ports *ports, const tw_told *t)
{
    if (t->signal)
        ports->signal(ports->self, t->signal);
    else if (t->late)
        ports->late(ports->self, t->late);
    else if (t->emitted)
        ports->emitted(ports->self, t->emitted);
    else if (ports->bad_frame)
        ports->bad_frame(ports->self, t->bad);
}

uint32_t tw_engine_collect(tw_engine *e)
{
    pthread_mutex_lock(&e->told_mutex);
    tw_told *told = e->told;
    uint32_t count = e->told_count;
    e->told = NULL;
    e->told_count = e->told_cap = 0;
    atomic_store(&e->told_waiting, 0);
    pthread_mutex_unlock(&e->told_mutex);

    if (e->options.clock->is_virtual && count > 1)
        qsort(told, count, sizeof *told, compare_told);
    for (uint32_t i = 0; i < count; i++) {
        hand_over(&e->options.ports, &told[i]);
        told_done(&told[i]);
    }
    tw_free(told);
    if (e->park.count > 0)
        tw_park_expire(&e->park, tw_clock_now_ms(e->options.clock));
    return count;
}

/* ---- feeds ------------------------------------------------------------------------- */

static tw_lane *least_busy(tw_engine *e)
{
    tw_lane *best = e->lanes[0];

    for (uint32_t i = 1; i < e->lane_count; i++) {
        if (e->lanes[i]->feed_count < best->feed_count)
            best = e->lanes[i];
    }
    return best;
}

void tw_engine_sources_begin(tw_engine *e)
{
    tw_engine_pause(e);
    for (uint32_t i = 0; i < e->lane_count; i++)
        e->lanes[i]->clocks.since_ms = tw_clock_now_ms(e->options.clock);
    tw_engine_resume(e);
}

void tw_engine_feed_add(tw_engine *e, tw_feed_state *feed)
{
    int64_t now_ms = tw_clock_now_ms(e->options.clock);

    tw_engine_pause_soon(e);
    tw_lane *lane = least_busy(e);
    feed->lane = lane;
    feed->next_offset = feed->reported_offset = -1;
    lane->feeds =
        tw_realloc(lane->feeds, (lane->feed_count + 1) * sizeof(tw_feed_state *));
    lane->feeds[lane->feed_count++] = feed;
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_lane_partition_add(e->lanes[i], feed->stream->id, feed->source,
                              feed->partition, now_ms);
    tw_engine_resume(e);
}

void tw_engine_feeds_begin(tw_engine *e)
{
    tw_engine_pause_soon(e);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        for (uint32_t k = 0; k < e->lanes[i]->feed_count; k++)
            e->lanes[i]->feeds[k]->rests = false;
    }
    tw_engine_resume(e);
}

void tw_engine_feed_remove(tw_engine *e, tw_feed_state *feed, int64_t *out_next)
{
    tw_engine_pause(e);
    tw_lane *lane = feed->lane;
    for (uint32_t i = 0; lane && i < lane->feed_count; i++) {
        if (lane->feeds[i] == feed)
            lane->feeds[i--] = lane->feeds[--lane->feed_count];
    }
    feed->lane = NULL;
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_lane_partition_remove(e->lanes[i], feed->stream->id, feed->source,
                                 feed->partition);
    tw_engine_collect(e);
    *out_next = feed->next_offset;
    tw_engine_resume(e);
}

void tw_engine_positions(tw_engine *e, tw_feed_visit visit, void *self)
{
    tw_engine_pause_soon(e);
    tw_engine_collect(e);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        for (uint32_t k = 0; k < e->lanes[i]->feed_count; k++)
            visit(self, e->lanes[i]->feeds[k]);
    }
    tw_engine_resume(e);
}

/* ---- in step ----------------------------------------------------------------------- */

/* Events travel between lanes while a step settles, and each lane's clock may move by
 * what it hears, so everything the step causes has happened when all rings are empty. */
static void settle_inline(tw_engine *e)
{
    tw_lane_flush(e->lanes[0]);
}

void tw_engine_step(tw_engine *e, const tw_stream *stream, uint32_t source,
                    int32_t partition, const tw_frame *frame)
{
    e->seq++;
    if (!e->threads) {
        if (frame)
            tw_lane_frame(e->lanes[0], stream, source, partition, frame, e->seq);
        else
            tw_lane_tick(e->lanes[0], tw_clock_now_ms(e->options.clock));
        settle_inline(e);
        return;
    }
    if (!e->paused)
        tw_engine_pause(e);
    e->step.stream = stream;
    e->step.source = source;
    e->step.partition = partition;
    e->step.frame = frame;
    e->step.lane = (uint32_t)partition % e->lane_count;
    atomic_fetch_add(&e->steps, 1);
    tw_engine_resume(e);
    tw_engine_pause(e);
}

void tw_engine_partition(tw_engine *e, const tw_stream *stream, uint32_t source,
                         int32_t partition, bool assigned)
{
    for (uint32_t i = 0; i < e->lane_count; i++) {
        if (assigned)
            tw_lane_partition_add(e->lanes[i], stream->id, source, partition,
                                  tw_clock_now_ms(e->options.clock));
        else
            tw_lane_partition_remove(e->lanes[i], stream->id, source, partition);
    }
}

void tw_engine_exchange(tw_engine *e)
{
    bool any;

    do {
        any = false;
        for (uint32_t i = 0; i < e->lane_count; i++)
            tw_lane_flush(e->lanes[i]);
        for (uint32_t i = 0; i < e->lane_count; i++)
            any = tw_lane_drain(e->lanes[i]) || any;
    } while (any);
}

void tw_engine_end(tw_engine *e)
{
    e->seq++;
    if (!e->paused)
        tw_engine_pause(e);
    /* Rules run here, on the caller's thread: it needs the watchdog for as long. */
    tw_err err = {0};
    int rc = tw_rule_thread_enter(&err);
    if (rc < 0)
        tw_log_error("engine", "no watchdog at the end", "reason", err.text, NULL);
    e->one = true;
    for (uint32_t rank = 0; rank < e->rules->rank_count; rank++) {
        for (uint32_t i = 0; i < e->lane_count; i++)
            tw_lane_end(e->lanes[i], rank);
        tw_engine_exchange(e);
    }
    e->one = false;
    if (rc == TW_OK)
        tw_rule_thread_leave();
    if (!e->threads)
        e->paused = false;
}

// SPDX-License-Identifier: Apache-2.0
/* A lane emits; see lane_emit.h. Runs on the lane's thread, or on the shore while the lane is paused.
 *
 * Invariant: the lane's clock of a derived stream passes a time only when every event emitted here
 * before that time has been handed out. */
#include "lane_emit.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "detect/raised.h"
#include "detect/throttle.h"
#include "engine.h"
#include "flow/emit.h"
#include "lane_rules.h"

struct tw_lane_emitter {
    tw_buf queue, work; /* items that wait, and those being handed out */
    tw_buf text, scratch;
    tw_decoder *decoder;     /* of its own: the lane's may be in the middle of a frame */
    tw_route_scratch *route; /* likewise */
    uint32_t number;         /* of the next event */
    bool busy;
    size_t max_bytes;
};

/* In the queue; its JSON follows. */
typedef struct item {
    const tw_stream *stream;
    int64_t time_ms;
    int64_t order; /* of events of one instant: the same on any number of lanes */
    uint64_t seq;
    uint32_t number, size;
    tw_origin led_by;
} __attribute__((aligned(16))) item;

tw_lane_emitter *tw_lane_emitter_new(const tw_decode_limits *limits)
{
    tw_lane_emitter *em = tw_alloc(sizeof *em);

    em->max_bytes = limits->size_bytes;
    tw_buf_init(&em->queue, SIZE_MAX / 2);
    tw_buf_init(&em->work, SIZE_MAX / 2);
    tw_buf_init(&em->text, em->max_bytes);
    tw_buf_init(&em->scratch, em->max_bytes);
    em->decoder = tw_decoder_new(limits);
    em->route = tw_route_scratch_new();
    return em;
}

void tw_lane_emitter_free(tw_lane_emitter *em)
{
    if (!em)
        return;
    tw_buf_done(&em->queue);
    tw_buf_done(&em->work);
    tw_buf_done(&em->text);
    tw_buf_done(&em->scratch);
    tw_decoder_free(em->decoder);
    tw_route_scratch_free(em->route);
    tw_free(em);
}

/* ---- making ------------------------------------------------------------------------ */

/* Of a table that is published anew all the time; live: borrowed from the view. */
typedef struct tw_held_rows {
    tw_live_rows *live; /* NULL: it does not change */
    uint64_t version;
    tw_rows *rows;
} tw_held_rows;

static void hold(tw_instance *inst, uint32_t i, tw_live_rows *live)
{
    tw_held_rows *h = &inst->held[i];
    tw_rows *before = h->rows;

    h->live = live;
    h->rows = tw_live_rows_take(live, &h->version);
    inst->rows[i] = h->rows;
    tw_rows_unref(before);
}

static void find_rows(tw_instance *inst, const tw_table_view *view)
{
    uint32_t count = inst->rule->lookup_count;

    tw_instance_rows_done(inst);
    inst->rows = tw_calloc(count + 1, sizeof *inst->rows);
    inst->held = tw_calloc(count + 1, sizeof *inst->held);
    for (uint32_t i = 0; i < count; i++) {
        const char *table = inst->rule->lookups[i].table;
        if (!table) /* what is remembered */
            continue;
        tw_live_rows *live = tw_table_view_live(view, table);
        if (live)
            hold(inst, i, live);
        else
            inst->rows[i] = tw_table_view_rows(view, table);
    }
}

/* The rows its look-ups read: of files as they are since the last pause, of topics as they are now. */
static const tw_rows *const *rows_of(tw_instance *inst)
{
    uint64_t generation;
    const tw_table_view *view = tw_engine_tables(inst->lane->engine, &generation);

    if (!inst->rows || inst->rows_generation != generation) {
        find_rows(inst, view);
        inst->rows_generation = generation;
        return inst->rows;
    }
    for (uint32_t i = 0; i < inst->rule->lookup_count; i++) {
        tw_held_rows *h = &inst->held[i];
        if (h->live && tw_live_rows_version(h->live) != h->version)
            hold(inst, i, h->live);
    }
    return inst->rows;
}

void tw_instance_rows_done(tw_instance *inst)
{
    for (uint32_t i = 0; inst->held && i < inst->rule->lookup_count; i++)
        tw_rows_unref(inst->held[i].rows);
    tw_free(inst->held);
    tw_free(inst->rows);
    inst->held = NULL;
    inst->rows = NULL;
}

/* Of two rules or keys at one instant one is before the other, whichever lane they are on. Events that
 * pass through have no key; a partition is read in order by one lane. */
static int64_t order_of(const tw_instance *inst, const tw_signal *s)
{
    uint64_t parts[3] = {inst->name_hash, tw_hash_stable(s->key.data, s->key.len), 0};

    if (s->event)
        parts[2] = (uint64_t)s->event->stream << 32 | (uint32_t)s->event->partition;
    return (int64_t)(tw_hash_stable(parts, sizeof parts) & INT64_MAX);
}

static void enqueue(tw_lane_emitter *em, const item *head)
{
    static const char zeros[16] = {0};
    size_t rest = (16 - head->size % 16) % 16;

    tw_buf_add(&em->queue, head, sizeof *head);
    tw_buf_add(&em->queue, em->text.data, head->size);
    tw_buf_add(&em->queue, zeros, rest);
}

static void tell_throttled(const tw_instance *inst)
{
    const tw_emit_plan *plan = inst->rule->emit;

    if (!tw_engine_clock(inst->lane->engine)->is_virtual) /* replay tells it at its end */
        tw_log_warn("rule", "emits more than its throttle lets out", "rule",
                    inst->rule->name, "max", TW_LOG_INT(plan->throttle_max), "per_ms",
                    TW_LOG_INT(plan->throttle_per_ms), NULL);
}

static tw_emit_outcome write_event(tw_instance *inst, const tw_signal *s)
{
    tw_lane_emitter *em = inst->lane->emitter;
    int64_t clock_ms = inst->lane->rules->domains[inst->domain].clock_ms;

    tw_buf_reset(&em->text);
    tw_emit_outcome outcome =
        tw_emit_write(s, rows_of(inst), tw_engine_context_port(inst->lane->engine),
                      &em->scratch, &em->text);
    if (outcome != TW_EMIT_WRITTEN || !inst->throttle ||
        tw_throttle_takes(inst->throttle, &s->key, s->at_ms, clock_ms))
        return outcome;
    if (tw_throttle_is_news(inst->throttle, s->at_ms))
        tell_throttled(inst);
    return TW_EMIT_THROTTLED;
}

static void emit(tw_instance *inst, const tw_signal *s)
{
    tw_lane *lane = inst->lane;
    tw_lane_emitter *em = lane->emitter;
    const tw_emit_plan *plan = inst->rule->emit;

    tw_emit_outcome outcome = write_event(inst, s);
    if (outcome != TW_EMIT_WRITTEN) {
        tw_count_own(inst->unsent[outcome], 1);
        return;
    }
    item head = {.stream = plan->stream,
                 .time_ms = s->at_ms,
                 .order = order_of(inst, s),
                 .seq = s->seq,
                 .number = em->number++,
                 .size = (uint32_t)em->text.len};
    head.led_by = s->newest;
    head.led_by.via = inst->emitter;
    head.led_by.index = head.number * lane->lane_count + lane->number;
    tw_count_own(inst->emitted, 1);
    if (inst->emits_to_rules)
        enqueue(em, &head);
    if (tw_engine_wants_emitted(lane->engine, plan))
        tw_engine_on_emitted(lane, s, head.order, em->text.data, em->text.len);
}

void tw_instance_on_signal(void *self, const tw_signal *s)
{
    tw_instance *inst = self;
    tw_signal warming;

    if (inst->raised)
        tw_raised_note(inst->raised, s);
    if (s->at_ms < inst->warming_until_ms) {
        warming = *s;
        warming.warming_until_ms = inst->warming_until_ms;
        s = &warming;
    }
    if (tw_emit_wants(s))
        emit(inst, s);
    if (s->kind != TW_SIGNAL_VALUE)
        tw_engine_on_signal(inst->lane, s);
}

/* ---- handing out ------------------------------------------------------------------- */

typedef struct delivery {
    tw_lane *lane;
    const item *head;
} delivery;

static void on_derived(void *self, const tw_event *ev)
{
    delivery *d = self;
    tw_event mine = *ev;

    mine.index = d->head->number;
    mine.led_by = d->head->led_by;
    tw_lane_route(d->lane, d->head->stream, d->lane->emitter->route, &mine);
}

static void hand_out(tw_lane *lane, const item *head)
{
    const tw_ruleset *set = lane->rules->set;
    tw_decode_origin origin = {.partition = -1,
                               .offset = head->order,
                               .time_ms = head->time_ms,
                               .arrival_ms = tw_clock_now_ms(lane->clock),
                               .seq = head->seq};
    delivery d = {lane, head};
    tw_event_port port = {on_derived, &d};
    tw_err err;

    if (head->stream->id >= set->stream_count ||
        !set->streams[head->stream->id].projection)
        return;
    if (tw_decode(lane->emitter->decoder, set->streams[head->stream->id].decode,
                  head->stream, (const char *)(head + 1), head->size, &origin, &port,
                  &err) < 0)
        tw_count_own(lane->bad_frames, 1);
}

static void hand_out_all(tw_lane *lane)
{
    tw_lane_emitter *em = lane->emitter;

    while (em->queue.len > 0) {
        tw_buf work = em->queue;
        em->queue = em->work;
        em->work = work;
        for (size_t at = 0; at < em->work.len;) {
            const item *head = (const item *)(const void *)(em->work.data + at);
            hand_out(lane, head);
            at += sizeof *head + (head->size + 15u) / 16 * 16;
        }
        tw_buf_reset(&em->work);
    }
}

/* ---- clocks ------------------------------------------------------------------------ */

static void move_clock(tw_lane *lane, const tw_derived *d, int64_t now_ms)
{
    int64_t min_ms = INT64_MAX, first_ms = INT64_MAX;

    for (uint32_t i = 0; i < d->domain_count; i++) {
        const tw_domain *domain = &lane->rules->domains[d->domains[i]];
        int64_t begun_ms =
            domain->begun_ms == TW_TIME_NONE
                ? domain->clock_ms
                : domain->begun_ms - lane->rules->set->domains[d->domains[i]].lateness_ms;
        min_ms = domain->clock_ms < min_ms ? domain->clock_ms : min_ms;
        first_ms = begun_ms < first_ms ? begun_ms : first_ms;
    }
    tw_partition_clock *p = tw_clocks_partition(
        &lane->clocks, d->track, TW_DERIVED_SOURCE, (int32_t)lane->number, now_ms);
    if (min_ms == TW_TIME_NONE || (p->max_ms != TW_TIME_NONE && p->max_ms >= min_ms))
        return;
    bool begins = p->max_ms == TW_TIME_NONE;
    tw_partition_clock_observe(p, min_ms, now_ms, TW_TIME_NONE);
    if (begins)
        p->first_ms = first_ms;
}

void tw_lane_settle(tw_lane *lane)
{
    tw_lane_emitter *em = lane->emitter;
    const tw_ruleset *set = lane->rules->set;

    if (em->busy || !set->derived_count)
        return;
    em->busy = true;
    hand_out_all(lane);
    em->busy = false;
    for (uint32_t i = 0; i < set->derived_count; i++)
        move_clock(lane, &set->derived[i], tw_clock_now_ms(lane->clock));
}

static bool reads_track(const tw_domain_spec *spec, uint32_t track)
{
    for (uint32_t i = 0; i < spec->track_count; i++) {
        if (spec->tracks[i] == track)
            return true;
    }
    return false;
}

bool tw_lane_derived_idle(const tw_lane *lane, const tw_domain_spec *spec)
{
    const tw_ruleset *set = lane->rules->set;

    for (uint32_t i = 0; i < set->derived_count; i++) {
        const tw_derived *d = &set->derived[i];
        for (uint32_t k = 0; k < d->domain_count && reads_track(spec, d->track); k++) {
            if (!lane->rules->domains[d->domains[k]].idle)
                return false;
        }
    }
    return true;
}

uint32_t tw_lane_emitted(const tw_lane *lane)
{
    return lane->emitter->number;
}

void tw_lane_emits_from(tw_lane *lane, uint32_t number)
{
    lane->emitter->number = number;
}

void tw_lane_hold(tw_lane *lane, bool hold)
{
    lane->emitter->busy = hold;
}

static bool is_derived(const tw_ruleset *set, uint32_t track)
{
    for (uint32_t i = 0; i < set->derived_count; i++) {
        if (set->derived_tracks[i] == track)
            return true;
    }
    return false;
}

void tw_lane_derive(tw_lane *lane)
{
    const tw_ruleset *set = lane->rules->set;
    int64_t now_ms = tw_clock_now_ms(lane->clock);

    for (uint32_t track = 0; track < lane->clocks.count; track++) {
        tw_track_clock *t = &lane->clocks.tracks[track];
        if (t->count > 0 && t->parts[0].source == TW_DERIVED_SOURCE &&
            !is_derived(set, track))
            t->count = 0; /* nobody emits it any more */
    }
    for (uint32_t i = 0; i < set->derived_count; i++) {
        for (uint32_t n = 0; n < lane->lane_count; n++) {
            tw_partition_clock *p =
                tw_clocks_partition(&lane->clocks, set->derived[i].track,
                                    TW_DERIVED_SOURCE, (int32_t)n, now_ms);
            p->changed = p->changed && p->max_ms != TW_TIME_NONE;
        }
    }
}

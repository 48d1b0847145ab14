// SPDX-License-Identifier: Apache-2.0
/* One lane's turn: rings, feeds, frames; see lane.h. Runs on the lane's thread only, or
 * on the shore while the lane is paused.
 *
 * Invariant: when a turn ends, every frame it polled has been handled, which means judged
 * here or standing, published, in the ring of the lane that owns its key; or it waits as the rest of
 * its feed, behind next_offset, since a pause that may cut a batch came. */
#include "lane.h"

#include <string.h>

#include "base/mem.h"
#include "engine.h"
#include "lane_emit.h"
#include "lane_rules.h"

#define BATCH_FRAMES 64
#define TICK_MS 100
#define RING_BYTES (4u << 20)

void tw_lane_tick(tw_lane *lane, int64_t now_ms)
{
    lane->tick_ms = now_ms;
    tw_domains_update(lane, NULL, 0, now_ms);
}

void tw_lane_end(tw_lane *lane, uint32_t rank)
{
    tw_domains_end(lane, rank);
}

/* ---- frames ------------------------------------------------------------------------ */

static void observe(tw_lane *lane, const tw_event *ev)
{
    for (uint32_t i = 0; i < lane->seen_count; i++) {
        tw_track_seen *seen = &lane->seen[i];
        int64_t time_ms = ev->time_ms;
        bool clamped = false;
        if ((seen->time_slot != TW_SLOT_TIME || seen->future_ms >= 0) &&
            !tw_lane_own_time(lane, ev, seen->time_slot, seen->future_ms, &time_ms,
                              &clamped))
            continue;
        if (clamped && seen->future_ms < 0)
            tw_count_own(lane->clamped, 1);
        if (time_ms > seen->max_ms)
            seen->max_ms = time_ms;
    }
}

static void on_event(void *self, const tw_event *ev)
{
    tw_lane *lane = self;
    const tw_route_target *targets;

    lane->tally.events++;
    if (ev->flags & TW_EVENT_CLAMPED)
        tw_count_own(lane->clamped, 1);
    uint32_t n =
        tw_router_match(lane->stream_plan->router, ev, lane->route_scratch, &targets);
    tw_lane_meet(lane, ev, targets, n);
    lane->tally.matched += n > 0;
    observe(lane, ev);
}

static void on_change(void *self, const tw_event *ev)
{
    const tw_lane *lane = self;

    tw_change_note(tw_engine_context(lane->engine), lane->change_plan->fields, ev);
}

/* All changes of a record are known before any rule sees an event of it, whichever lane judges. A record that cannot be
 * read is told by whoever reads it for rules. */
static void note_changes(tw_lane *lane, const tw_frame *frame,
                         const tw_decode_origin *origin)
{
    tw_event_port port = {on_change, lane};
    tw_err err;

    if (tw_decode(lane->decoder, lane->change_plan->decode, lane->stream, frame->data,
                  frame->size, origin, &port, &err) < 0 &&
        !lane->stream_plan) {
        tw_count_own(lane->bad_frames, 1);
        tw_engine_on_bad_frame(lane, frame, &err);
    }
}

static void decode_frame(tw_lane *lane, const tw_frame *frame, uint64_t seq)
{
    tw_decode_origin origin = {.partition = lane->partition,
                               .offset = frame->offset,
                               .time_ms = frame->time_ms,
                               .arrival_ms = lane->arrival_ms,
                               .seq = seq};
    tw_event_port port = {on_event, lane};
    tw_err err;

    lane->tally.frames++;
    if (frame->time_ms != TW_NO_TIME && frame->time_ms > lane->stamp_ms)
        lane->stamp_ms = frame->time_ms;
    lane->tally.bytes += frame->size;
    if (!frame->data) {
        tw_count_own(lane->tombstones, 1);
        return;
    }
    if (lane->change_plan)
        note_changes(lane, frame, &origin);
    if (!lane->stream_plan)
        return;
    if (tw_decode(lane->decoder, lane->stream_plan->decode, lane->stream, frame->data,
                  frame->size, &origin, &port, &err) < 0) {
        tw_count_own(lane->bad_frames, 1);
        tw_engine_on_bad_frame(lane, frame, &err);
    }
}

static void expect_tracks(tw_lane *lane, const tw_stream_plan *plan)
{
    if (plan->track_count > lane->seen_room) {
        lane->seen_room = plan->track_count;
        lane->seen = tw_realloc(lane->seen, lane->seen_room * sizeof *lane->seen);
    }
    lane->seen_count = plan->track_count;
    for (uint32_t i = 0; i < plan->track_count; i++) {
        uint32_t track = plan->tracks[i];
        const tw_track *t = tw_engine_track(lane->engine, track);
        lane->seen[i] = (tw_track_seen){track, t->time_slot, t->future_ms, TW_TIME_NONE};
    }
}

/* The frames until leave_stream come from this partition. */
static void enter_stream(tw_lane *lane, const tw_stream *stream, const char *topic,
                         uint32_t source, int32_t partition)
{
    const tw_ruleset *set = lane->rules->set;

    lane->stream = stream;
    lane->topic = topic;
    lane->source = source;
    lane->partition = partition;
    lane->arrival_ms = tw_clock_now_ms(lane->clock);
    lane->stamp_ms = TW_TIME_NONE;
    lane->stream_plan = NULL;
    lane->change_plan =
        stream->id < set->stream_count ? set->streams[stream->id].changes : NULL;
    lane->seen_count = 0;
    if (stream->id < set->stream_count && set->streams[stream->id].projection) {
        lane->stream_plan = &set->streams[stream->id];
        expect_tracks(lane, lane->stream_plan);
    }
}

/* Counters and clocks learn what the batch came to, and what is due by then fires. */
static void leave_stream(tw_lane *lane)
{
    const tw_stream_plan *plan = lane->stream_plan;

    tw_count_own(lane->frames, lane->tally.frames);
    tw_count_own(lane->bytes, lane->tally.bytes);
    tw_count_own(lane->events, lane->tally.events);
    tw_count_own(lane->matched, lane->tally.matched);
    memset(&lane->tally, 0, sizeof lane->tally);
    for (uint32_t i = 0; i < lane->seen_count; i++) {
        const tw_track_seen *seen = &lane->seen[i];
        if (seen->max_ms == TW_TIME_NONE)
            continue;
        tw_partition_clock *p = tw_clocks_partition(
            &lane->clocks, seen->track, lane->source, lane->partition, lane->arrival_ms);
        tw_partition_clock_observe(p, seen->max_ms, lane->arrival_ms, lane->stamp_ms);
        if (lane->full_batch)
            p->backlog_ms = lane->arrival_ms;
    }
    if (plan)
        tw_domains_update(lane, plan->tracks, plan->track_count, lane->arrival_ms);
}

void tw_lane_frame(tw_lane *lane, const tw_stream *stream, uint32_t source,
                   int32_t partition, const tw_frame *frame, uint64_t seq)
{
    enter_stream(lane, stream, NULL, source, partition);
    lane->seq = seq;
    decode_frame(lane, frame, seq);
    leave_stream(lane);
}

/* Handles frames from `at` on, at least one, until a pause wants the lane. Returns where it stopped. The first of a
 * partition is handled alone: where time begins the other lanes are to know before they get what comes behind it. */
static int handle_frames(tw_lane *lane, tw_feed_state *feed, const tw_frame *frames,
                         int at, int count)
{
    enter_stream(lane, feed->stream, feed->topic, feed->source, feed->partition);
    do {
        decode_frame(lane, &frames[at++], 0);
    } while (at < count && feed->has_begun && !tw_engine_wants_cut(lane->engine));
    feed->has_begun = true;
    if (frames[at - 1].offset >= 0)
        feed->next_offset = frames[at - 1].offset + 1;
    leave_stream(lane);
    return at;
}

/* A frame may take as long as all functions it meets may run; a pause waits for one and not for all. */
static void keep_rest(tw_feed_state *feed, const tw_frame *frames, int at, int count)
{
    if (!feed->rest) {
        feed->rest = tw_calloc((size_t)count, sizeof *feed->rest);
        memcpy(feed->rest, frames, (size_t)count * sizeof *frames);
    }
    feed->rest_at = at;
    feed->rest_count = count;
}

static uint32_t poll_feed(tw_lane *lane, tw_feed_state *feed)
{
    tw_frame polled[BATCH_FRAMES], *frames = feed->rest ? feed->rest : polled;
    int from = feed->rest ? feed->rest_at : 0;
    int count = feed->rest ? feed->rest_count
                           : feed->type->poll(feed->feed, polled, BATCH_FRAMES);

    if (count <= 0)
        return 0;
    lane->full_batch = count == BATCH_FRAMES;
    int at = handle_frames(lane, feed, frames, from, count);
    if (at < count) {
        keep_rest(feed, frames, at, count);
        return (uint32_t)(at - from);
    }
    feed->type->release(feed->feed, frames, count);
    tw_free(feed->rest);
    feed->rest = NULL;
    return (uint32_t)(at - from);
}

void tw_lane_finish(tw_lane *lane)
{
    for (uint32_t i = 0; i < lane->feed_count; i++) {
        while (lane->feeds[i]->rest)
            poll_feed(lane, lane->feeds[i]);
    }
}

/* Nobody asks the partitions, so that nothing comes from them says nothing of what time it is. */
static void keep_awake(tw_lane *lane, const tw_feed_state *feed, int64_t now_ms)
{
    const tw_ruleset *set = lane->rules->set;
    uint32_t stream = feed->stream->id;

    if (stream >= set->stream_count)
        return;
    for (uint32_t i = 0; i < set->streams[stream].track_count; i++) {
        tw_partition_clock *p =
            tw_clocks_partition(&lane->clocks, set->streams[stream].tracks[i],
                                feed->source, feed->partition, now_ms);
        if (p->arrival_ms < now_ms) {
            p->arrival_ms = p->since_ms = now_ms;
            p->changed = true;
        }
    }
}

uint32_t tw_lane_turn(tw_lane *lane)
{
    uint32_t done = tw_lane_drain(lane) ? 1 : 0;
    int64_t now_ms = tw_clock_now_ms(lane->clock);

    if (!tw_engine_shore_is_full(lane->engine)) {
        for (uint32_t i = 0; i < lane->feed_count && !tw_engine_wants_cut(lane->engine);
             i++)
            if (!tw_feed_is_held(lane, lane->feeds[i], now_ms))
                done += poll_feed(lane, lane->feeds[i]);
    } else {
        for (uint32_t i = 0; i < lane->feed_count; i++)
            keep_awake(lane, lane->feeds[i], now_ms);
    }
    now_ms = tw_clock_now_ms(lane->clock);
    if (now_ms - lane->tick_ms >= TICK_MS)
        tw_lane_tick(lane, now_ms);
    tw_lane_flush(lane);
    return done;
}

/* ---- life ----------------------------------------------------------- */

tw_lane *tw_lane_new(struct tw_engine *engine, uint32_t number, uint32_t lane_count)
{
    tw_lane *lane = tw_alloc(sizeof *lane);
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    tw_err err;

    lane->engine = engine;
    lane->number = number;
    lane->lane_count = lane_count;
    lane->clock = tw_engine_clock(engine);
    lane->decoder = tw_decoder_new(tw_engine_decode_limits(engine, &limits));
    lane->emitter = tw_lane_emitter_new(tw_engine_decode_limits(engine, &limits));
    lane->route_scratch = tw_route_scratch_new();
    lane->slab = tw_slab_new();
    lane->out = tw_calloc(lane_count, sizeof *lane->out);
    lane->in = tw_calloc(lane_count, sizeof *lane->in);
    lane->wake = tw_wake_new(&err);
    for (uint32_t to = 0; to < lane_count; to++) {
        if (to != number)
            lane->out[to] = tw_ring_new(RING_BYTES);
    }
    tw_engine_lane_stats(engine, lane);
    return lane;
}

void tw_lane_free(tw_lane *lane)
{
    if (!lane)
        return;
    for (uint32_t to = 0; to < lane->lane_count; to++)
        tw_ring_free(lane->out[to]);
    tw_lane_rules_free(lane->rules);
    tw_clocks_done(&lane->clocks);
    tw_decoder_free(lane->decoder);
    tw_lane_emitter_free(lane->emitter);
    tw_route_scratch_free(lane->route_scratch);
    tw_slab_free(lane->slab);
    tw_wake_free(lane->wake);
    tw_free(lane->out);
    tw_free(lane->in);
    tw_free(lane->feeds);
    tw_free(lane->seen);
    tw_free(lane);
}

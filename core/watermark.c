// SPDX-License-Identifier: Apache-2.0
/* Partition clocks and the clocks of rules; see watermark.h for what they mean. */
#include "watermark.h"

#include <string.h>

#include "base/mem.h"

void tw_tracks_init(tw_tracks *t)
{
    t->items = tw_calloc(TW_MAX_TRACKS, sizeof *t->items);
    t->count = 0;
}

uint32_t tw_tracks_number(tw_tracks *t, uint32_t stream, uint32_t time_slot,
                          int64_t future_ms)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const tw_track *has = &t->items[i];
        if (has->stream == stream && has->time_slot == time_slot &&
            has->future_ms == future_ms)
            return i;
    }
    if (t->count == TW_MAX_TRACKS)
        return TW_NO_TRACK;
    t->items[t->count] = (tw_track){stream, time_slot, future_ms};
    return t->count++;
}

void tw_tracks_done(tw_tracks *t)
{
    tw_free(t->items);
    *t = (tw_tracks){0};
}

void tw_clocks_done(tw_clocks *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        tw_free(c->tracks[i].parts);
    tw_free(c->tracks);
    *c = (tw_clocks){0};
}

static void make_room(tw_clocks *c, uint32_t track)
{
    if (track < c->count)
        return;
    c->tracks = tw_realloc(c->tracks, (track + 1) * sizeof *c->tracks);
    memset(c->tracks + c->count, 0, (track + 1 - c->count) * sizeof *c->tracks);
    c->count = track + 1;
}

tw_partition_clock *tw_clocks_partition(tw_clocks *c, uint32_t track, uint32_t source,
                                        int32_t partition, int64_t arrival_ms)
{
    make_room(c, track);
    tw_track_clock *t = &c->tracks[track];
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->parts[i].partition == partition && t->parts[i].source == source)
            return &t->parts[i];
    }
    t->parts = tw_realloc(t->parts, (t->count + 1) * sizeof *t->parts);
    tw_partition_clock *p = &t->parts[t->count++];
    *p = (tw_partition_clock){.partition = partition,
                              .source = source,
                              .max_ms = TW_TIME_NONE,
                              .first_ms = TW_TIME_NONE,
                              .arrival_ms = arrival_ms,
                              .since_ms = arrival_ms,
                              .known_ms = arrival_ms,
                              .backlog_ms = TW_TIME_NONE,
                              .changed = true};
    return p;
}

static void remember_gone(tw_track_clock *t, const tw_partition_clock *p)
{
    if (p->max_ms == TW_TIME_NONE || (t->any_gone && t->gone_arrival_ms >= p->arrival_ms))
        return;
    t->any_gone = true;
    t->gone_arrival_ms = p->arrival_ms;
    t->gone_known_ms = p->known_ms;
    t->gone_max_ms = p->max_ms;
}

void tw_clocks_forget(tw_clocks *c, uint32_t track, uint32_t source, int32_t partition)
{
    if (track >= c->count)
        return;
    tw_track_clock *t = &c->tracks[track];
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->parts[i].partition == partition && t->parts[i].source == source) {
            remember_gone(t, &t->parts[i]);
            t->parts[i] = t->parts[--t->count];
            return;
        }
    }
}

/* Before its event a stamp is that of a wrong clock, or of a history that was written anew. */
static int64_t known_at(const tw_partition_clock *p, int64_t stamp_ms)
{
    if (stamp_ms == TW_TIME_NONE || stamp_ms >= p->since_ms)
        return p->arrival_ms;
    int64_t known_ms = (stamp_ms > p->max_ms ? stamp_ms : p->max_ms) + TW_TRANSIT_MS;
    return known_ms < p->arrival_ms ? known_ms : p->arrival_ms;
}

void tw_partition_clock_observe(tw_partition_clock *p, int64_t time_ms,
                                int64_t arrival_ms, int64_t stamp_ms)
{
    if (p->max_ms == TW_TIME_NONE)
        p->first_ms = time_ms;
    if (p->max_ms == TW_TIME_NONE || time_ms > p->max_ms)
        p->max_ms = time_ms;
    if (arrival_ms > p->arrival_ms)
        p->arrival_ms = arrival_ms;
    p->known_ms = known_at(p, stamp_ms);
    p->changed = true;
}

bool tw_clocks_is_ahead(const tw_clocks *c, uint32_t track, const tw_partition_clock *p,
                        int64_t align_ms, int64_t now_ms)
{
    if (track >= c->count || p->max_ms == TW_TIME_NONE)
        return false;
    for (uint32_t i = 0; i < c->tracks[track].count; i++) {
        const tw_partition_clock *other = &c->tracks[track].parts[i];
        if (other->max_ms != TW_TIME_NONE && other->backlog_ms != TW_TIME_NONE &&
            now_ms - other->backlog_ms <= TW_BACKLOG_MS &&
            p->max_ms - other->max_ms > align_ms)
            return true;
    }
    return false;
}

bool tw_domain_spec_equal(const tw_domain_spec *a, const tw_domain_spec *b)
{
    return a->lateness_ms == b->lateness_ms && a->idle_ms == b->idle_ms &&
           a->track_count == b->track_count &&
           memcmp(a->tracks, b->tracks, a->track_count * sizeof *a->tracks) == 0;
}

/* What one walk over a domain's partitions finds. */
typedef struct survey {
    int64_t min_ms;       /* over partitions that speak */
    int64_t heard_ms;     /* newest arrival of a partition that ever spoke */
    int64_t heard_max_ms; /* its highest event time */
    int64_t known_ms;     /* when that was there to be read */
    bool speaking, waiting, heard;
    bool fresh; /* of those that speak one is of a source */
} survey;

static void survey_heard(survey *s, int64_t arrival_ms, int64_t max_ms, int64_t known_ms)
{
    bool newer = !s->heard || arrival_ms > s->heard_ms;

    if (newer || (arrival_ms == s->heard_ms && max_ms > s->heard_max_ms)) {
        s->heard = true;
        s->heard_ms = arrival_ms;
        s->heard_max_ms = max_ms;
        s->known_ms = known_ms;
    }
}

static void survey_partition(survey *s, const tw_partition_clock *p, int64_t idle_ms,
                             int64_t now_ms)
{
    bool idle = now_ms - p->arrival_ms > idle_ms;
    if (p->max_ms == TW_TIME_NONE) {
        s->waiting = s->waiting || !idle;
        return;
    }
    s->fresh = s->fresh || !idle;
    if (!idle && (!s->speaking || p->max_ms < s->min_ms)) {
        s->speaking = true;
        s->min_ms = p->max_ms;
    }
    survey_heard(s, p->arrival_ms, p->max_ms, p->known_ms);
}

/* The partitions of a stream that rules emit, one a lane. */
static void survey_derived(survey *s, const tw_track_clock *t, int64_t idle_ms,
                           int64_t now_ms)
{
    uint32_t spoken = 0;
    int64_t min_ms = INT64_MAX;

    for (uint32_t i = 0; i < t->count; i++) {
        spoken += t->parts[i].max_ms != TW_TIME_NONE;
        min_ms = t->parts[i].max_ms < min_ms ? t->parts[i].max_ms : min_ms;
    }
    if (spoken < t->count) {
        bool idle = now_ms - t->parts[0].arrival_ms > idle_ms;
        s->waiting = s->waiting || spoken > 0 || !idle;
        return;
    }
    if (!s->speaking || min_ms < s->min_ms)
        s->min_ms = min_ms;
    s->speaking = true;
}

/* One whose partitions were all taken away is silent, not unread. */
static bool is_unread(const tw_clocks *c, uint32_t track)
{
    return track >= c->count ||
           (c->tracks[track].count == 0 && !c->tracks[track].any_gone);
}

static survey survey_domain(const tw_domain_spec *d, const tw_clocks *c, int64_t now_ms)
{
    survey s = {0};
    bool is_starting = c->since_ms && now_ms - c->since_ms <= d->idle_ms;

    for (uint32_t i = 0; i < d->track_count; i++) {
        if (is_unread(c, d->tracks[i])) {
            s.waiting = s.waiting || is_starting;
            continue;
        }
        const tw_track_clock *t = &c->tracks[d->tracks[i]];
        if (t->count > 0 && t->parts[0].source == TW_DERIVED_SOURCE) {
            survey_derived(&s, t, d->idle_ms, now_ms);
            continue;
        }
        for (uint32_t k = 0; k < t->count; k++)
            survey_partition(&s, &t->parts[k], d->idle_ms, now_ms);
        if (t->count > 0 && t->any_gone)
            survey_heard(&s, t->gone_arrival_ms, t->gone_max_ms, t->gone_known_ms);
    }
    return s;
}

int64_t tw_domain_clock(const tw_domain_spec *d, const tw_clocks *c, int64_t previous_ms,
                        int64_t now_ms, bool *out_idle)
{
    survey s = survey_domain(d, c, now_ms);
    int64_t clock_ms;

    if (out_idle)
        *out_idle = !s.fresh && !s.waiting;
    if (s.waiting)
        return previous_ms;
    if (s.speaking)
        clock_ms = s.min_ms - d->lateness_ms;
    else if (s.heard)
        clock_ms = s.heard_max_ms + (now_ms - s.known_ms) - d->lateness_ms;
    else
        return previous_ms;
    return previous_ms != TW_TIME_NONE && previous_ms > clock_ms ? previous_ms : clock_ms;
}

int64_t tw_domain_end(const tw_domain_spec *d, const tw_clocks *c, int64_t previous_ms)
{
    int64_t end_ms = previous_ms;
    for (uint32_t i = 0; i < d->track_count; i++) {
        if (d->tracks[i] >= c->count)
            continue;
        const tw_track_clock *t = &c->tracks[d->tracks[i]];
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->parts[k].max_ms != TW_TIME_NONE && t->parts[k].max_ms > end_ms)
                end_ms = t->parts[k].max_ms;
        }
    }
    return end_ms;
}

int64_t tw_domain_first(const tw_domain_spec *d, const tw_clocks *c, int64_t time_ms)
{
    for (uint32_t i = 0; i < d->track_count; i++) {
        if (d->tracks[i] >= c->count)
            continue;
        const tw_track_clock *t = &c->tracks[d->tracks[i]];
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->parts[k].max_ms != TW_TIME_NONE && t->parts[k].first_ms < time_ms)
                time_ms = t->parts[k].first_ms;
        }
    }
    return time_ms;
}

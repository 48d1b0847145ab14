// SPDX-License-Identifier: Apache-2.0
/* Time of streams and clocks of rules, for one lane.
 *
 * A track is one time line of one stream: (stream, time field, how far ahead a stamp may be). Tracks are numbered for
 * the life of the process, so clocks survive a reload. Of every partition of a track a
 * lane knows the highest event time seen and when something last arrived; its own
 * partitions it observes, those of other lanes it is told of.
 *
 * A domain is what rules with the same tracks, lateness and idle share: one clock. It is
 * the minimum over the partitions that are not idle, minus lateness; when all are idle it
 * walks on with wall time from the partition that was heard last, as far behind it as its newest event was when
 * it came, but for the time that it waited while nobody read the partition; it never goes back. A
 * partition that was assigned and has not spoken yet holds the clock until it counts as
 * idle: with a backlog to read, nobody may run ahead. So does, after the start, a stream of which no partition
 * was assigned yet: of two sources one is ready first.
 *
 * One lane's thread (or whoever has paused it). */
#ifndef TW_WATERMARK_H
#define TW_WATERMARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* ---- tracks: shore only ------------------------------------------------------------ */

typedef struct tw_track {
    uint32_t stream;    /* tw_stream id */
    uint32_t time_slot; /* TW_SLOT_TIME or the slot of a rule's own time field */
    int64_t future_ms;  /* of a rule's own clock; TW_NO_FUTURE: the stream's */
} tw_track;

#define TW_MAX_TRACKS 4096
#define TW_NO_TRACK UINT32_MAX

/* Of fixed capacity, because lanes read while the shore adds. */
typedef struct tw_tracks {
    tw_track *items;
    uint32_t count;
} tw_tracks;

void tw_tracks_init(tw_tracks *t);
/* The number of a track, added when new; TW_NO_TRACK when there is no more room. */
uint32_t tw_tracks_number(tw_tracks *t, uint32_t stream, uint32_t time_slot,
                          int64_t future_ms);
void tw_tracks_done(tw_tracks *t);

/* ---- partition clocks: one table a lane -------------------------------------------- */

/* The source of what rules emit; the partition is the number of the lane. Its max_ms is how far the
 * rules that emit have come there: nothing before it is still to come, so such a partition is never
 * idle, and while any lane has not come to a time yet all wait for it. */
#define TW_DERIVED_SOURCE UINT32_MAX

typedef struct tw_partition_clock {
    int32_t partition;
    uint32_t source; /* tells equal partition numbers of two topics of one stream apart */
    int64_t max_ms;  /* TW_TIME_NONE before the first event */
    int64_t first_ms;   /* what max_ms was first: the time of its first record */
    int64_t arrival_ms; /* of the newest frame, or when it was assigned */
    int64_t since_ms; /* it has been read since: what is stamped before that has waited */
    int64_t
        known_ms; /* when the newest frame came, or would have come had it been read then */
    int64_t backlog_ms; /* when it last gave all it was asked for: it has more to read */
    bool changed;       /* since the last report to other lanes */
} tw_partition_clock;

/* What was heard last of partitions that are gone stays: one that is given back after a rebalance, and
 * silent, must not stop the clock. */
typedef struct tw_track_clock {
    tw_partition_clock *parts;
    uint32_t count;
    bool any_gone;
    int64_t gone_arrival_ms, gone_known_ms, gone_max_ms;
} tw_track_clock;

typedef struct tw_clocks {
    tw_track_clock *tracks; /* by track number */
    uint32_t count;
    int64_t
        since_ms; /* partitions are given out since; 0: all that will ever be are there */
} tw_clocks;

void tw_clocks_done(tw_clocks *c);
/* The clock of a partition, made when new (max_ms none, arrival_ms as given). The pointer
 * is good until the next call that makes one. */
tw_partition_clock *tw_clocks_partition(tw_clocks *c, uint32_t track, uint32_t source,
                                        int32_t partition, int64_t arrival_ms);
void tw_clocks_forget(tw_clocks *c, uint32_t track, uint32_t source, int32_t partition);
#define TW_TRANSIT_MS 1000 /* what a record is given to come from its source */
/* stamp_ms: the newest of the source's own stamps; TW_TIME_NONE: it has none. */
void tw_partition_clock_observe(tw_partition_clock *p, int64_t time_ms,
                                int64_t arrival_ms, int64_t stamp_ms);

/* While a backlog is read, partitions are kept together: one whose event time is more than align_ms
 * ahead of the slowest that still has a backlog waits for it. One that is at the end of its topic,
 * or only slow, holds up nobody, however old its events are. */
#define TW_BACKLOG_MS 250 /* so long after its last full batch a partition has one */
bool tw_clocks_is_ahead(const tw_clocks *c, uint32_t track, const tw_partition_clock *p,
                        int64_t align_ms, int64_t now_ms);

/* ---- domains ----------------------------------------------------------------------- */

typedef struct tw_domain_spec {
    uint32_t *tracks; /* ascending */
    uint32_t track_count;
    int64_t lateness_ms, idle_ms;
    uint32_t
        rank; /* how many rules stand before those of this clock in the longest chain */
} tw_domain_spec;

bool tw_domain_spec_equal(const tw_domain_spec *a, const tw_domain_spec *b);

/* The clock now, given the clock before (TW_TIME_NONE: none yet). Returns previous when
 * nothing allows more. out_idle (may be NULL): every partition of a source is idle, so what there was to read has been read;
 * of derived streams it says nothing. */
int64_t tw_domain_clock(const tw_domain_spec *d, const tw_clocks *c, int64_t previous_ms,
                        int64_t now_ms, bool *out_idle);
/* The earliest first record of all partitions, not after time_ms: where time begins. */
int64_t tw_domain_first(const tw_domain_spec *d, const tw_clocks *c, int64_t time_ms);
/* The newest event time over all partitions: where the clock goes when input has ended.
 */
int64_t tw_domain_end(const tw_domain_spec *d, const tw_clocks *c, int64_t previous_ms);

#endif

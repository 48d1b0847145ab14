// SPDX-License-Identifier: Apache-2.0
/* What one key's window holds, and what the aggregates of it come to.
 *
 *   sliding   entries sorted by event time while there are at most `exact`; beyond that 64
 *             panes, until the window is empty again
 *   count     the last N entries in order of arrival
 *   hopping,  slices between the edges of windows (Krishnamurthy, Wu and Franklin 2006,
 *   tumbling  "paired windows"): each event is added once however many windows hold it
 *   none      the newest sample of each aggregate; `ewma`, `elapsed` and `latest` go on
 *   session   a pane for the running session, one for the last that ended, and with `prev` one
 *             for that before it; what is read is the last that ended
 *
 * With `prev` what leaves stays for one window more: of a sliding window it moves on into a
 * second state, `before`; the others hold twice as much and are read in two parts. Whose session
 * begins and ends when is for the caller to say.
 *
 * An entry is a time, the mask of aggregates that take it (left out when all do) and a value
 * a column; four bare times live in the window itself, more in a block of the slab. Times
 * are stored as 4 bytes, read against the newest time of the key.
 *
 * Thread: one lane. A zeroed tw_window_state is empty. Nothing here knows of levels or clocks. */
#ifndef TW_DETECT_WINDOW_H
#define TW_DETECT_WINDOW_H

#include "base/clock.h"
#include "base/mem.h"
#include "detect/aggregate.h"
#include "detect/expr.h"

#define TW_SLIDING_PANES 64
#define TW_MAX_HOPS 4096   /* windows that may overlap, `over` / `every` */
#define TW_MAX_EXACT 65536 /* entries */
#define TW_MAX_LAST 100000 /* entries */

typedef struct tw_window_state {
    union {
        uint8_t inside[16];
        struct {
            void *block;
            uint32_t room; /* entries or panes the block has room for */
        };
    };
    uint32_t head : 30, mode : 2; /* first in use; tw_window_mode */
    uint32_t count;               /* entries or panes in use */
} tw_window_state;

/* What all windows of an operator have in common. */
typedef struct tw_windows {
    tw_window_kind kind;
    int64_t over_ms, every_ms;
    uint32_t last, exact;
    bool needs_span; /* a count window whose aggregates divide by its span */
    bool prev;
    uint32_t
        before_at; /* sliding with prev, session: where the states before it lie, from the state on */
    int64_t session_ms, prev_session_ms; /* of those to be read next: for rates */
    const tw_zone *zone;
    const tw_aggs *aggs;
    tw_slab *slab;
    /* entries */
    uint32_t time_bytes, entry_bytes, inside_room, block_room;
    bool bare; /* an entry is a time of 4 bytes and nothing else */
    /* panes */
    int64_t pane_ms;
    uint32_t pane_bytes;
    uint32_t acc_at[TW_MAX_AGGS]; /* offset in a pane */
    uint64_t lasting; /* aggregates that without a window go on from event to event */
    void *scratch;    /* a pane: the sum of others */
    /* lists: those of the last reading, by aggregate; NULL: the rule has none */
    struct tw_window_tops *tops;
} tw_windows;

/* The values of all aggregates at one time; of the window before from TW_PREV_AGGS on. */
typedef struct tw_window_values {
    double values[TW_PREV_AGGS + TW_MAX_AGGS];
    bool has[TW_PREV_AGGS + TW_MAX_AGGS];
    uint64_t samples, prev_samples;
    bool approx; /* one of the values is */
} tw_window_values;

/* aggs and slab are borrowed. TW_ELIMIT for a window beyond the limits above, TW_EINVAL for
 * one without a span. */
int tw_windows_init(tw_windows *ws, const tw_rule *rule, const tw_aggs *aggs,
                    tw_slab *slab, tw_err *err);
void tw_windows_done(tw_windows *ws);
/* Gives back what the last reading holds of the slab: before the slab changes. */
void tw_windows_rest(tw_windows *ws);
/* How many states lie at `before_at`. */
static inline uint32_t tw_windows_befores(const tw_windows *ws)
{
    if (ws->kind == TW_WINDOW_SESSION) {
        return ws->prev ? 2 : 1;
    }
    return ws->prev && ws->kind == TW_WINDOW_SLIDING ? 1 : 0;
}

/* newest_ms, here and below: the newest time this window was ever given; it must not be
 * further than 2^31 ms from any entry, which holds when tw_window_leave is called with the
 * new time first. origin_ms: where the grid of hopping windows begins (0: the epoch). */
void tw_window_add(tw_windows *ws, tw_window_state *w, const tw_sample *sample,
                   int64_t time_ms, int64_t newest_ms, int64_t origin_ms);

/* Asks the memory for what adding an event will read. Changes nothing. */
void tw_window_hint(const tw_windows *ws, const tw_window_state *w);

/* Sliding: drops what has left (t - over, t] at now_ms. Hopping: drops what no window that
 * ends at now_ms or later holds. */
void tw_window_leave(tw_windows *ws, tw_window_state *w, int64_t now_ms,
                     int64_t newest_ms, int64_t origin_ms);
/* When the next entry or pane of a sliding window leaves; INT64_MAX: none will. */
int64_t tw_window_next_leave(const tw_windows *ws, const tw_window_state *w,
                             int64_t newest_ms);

/* end_ms: hopping: the end of the window to read; others: not looked at. */
void tw_window_read(tw_windows *ws, const tw_window_state *w, int64_t end_ms,
                    int64_t newest_ms, int64_t origin_ms, tw_window_values *out);
/* The list that an aggregate came to when last read; its text is good until the window
 * changes or is read again. */
tw_top tw_window_list(const tw_windows *ws, uint32_t agg);
/* Entries held now (panes count as what they hold). */
uint64_t tw_window_samples(const tw_windows *ws, const tw_window_state *w);
static inline bool tw_window_empty(const tw_window_state *w)
{
    return w->count == 0;
}
/* The same of a sliding window all of whose aggregates take each entry, at little cost; UINT64_MAX: not known
 * without adding up. */
uint64_t tw_window_entries(const tw_windows *ws, const tw_window_state *w);
/* Times of the oldest and newest entry of a count window that is not empty. */
void tw_window_span(const tw_windows *ws, const tw_window_state *w, int64_t *out_from,
                    int64_t *out_to);
/* Some of it would leave later than it should. */
bool tw_window_approx(const tw_windows *ws, const tw_window_state *w);
/* The running session is the last that ended; the next has nothing yet. */
void tw_window_end_session(tw_windows *ws, tw_window_state *w);
void tw_window_clear(tw_windows *ws, tw_window_state *w);

/* All it holds as bytes, and back into an empty one. load: false when the bytes are not what
 * save of the same windows wrote; it is to be cleared then. */
void tw_window_save(const tw_windows *ws, const tw_window_state *w, int64_t newest_ms,
                    tw_buf *out);
bool tw_window_load(tw_windows *ws, tw_window_state *w, tw_state_in *in);

/* From the windows of one version of a rule to those of a newer one (window_edit.c). Both take from one slab
 * while states follow. */
typedef struct tw_windows_edit {
    tw_windows *to, *from;
    int agg_from[TW_MAX_AGGS]; /* by aggregate: where it was; -1: it is new */
    uint64_t read_on;          /* old aggregates whose input is read by one of the new */
    bool anew;                 /* nothing that a window holds can be carried over */
    bool same;                 /* a state is good as it is */
} tw_windows_edit;

void tw_windows_edit_init(tw_windows_edit *e, tw_windows *to, const tw_rule *fresh,
                          tw_windows *from, const tw_rule *old);
/* to: empty, where its entry will be; from: emptied. at_ms: the key's time, what has left by then goes. */
void tw_window_follow(const tw_windows_edit *e, tw_window_state *to,
                      tw_window_state *from, int64_t newest_ms, int64_t origin_ms,
                      int64_t at_ms);
/* Grids: every window of `a` is made of whole steps of `b`. */
bool tw_window_same_grid(const tw_window *a, const tw_window *b);

/* The grid of hopping and tumbling windows. */
int64_t tw_windows_end_from(const tw_windows *ws, int64_t origin_ms,
                            int64_t now_ms); /* earliest end >= now */
int64_t tw_windows_last_end(const tw_windows *ws, int64_t origin_ms,
                            int64_t time_ms); /* of the last window that holds time */
/* Of a window that ends at end_ms: the ends next to it, and where it starts. */
int64_t tw_windows_end_after(const tw_windows *ws, int64_t end_ms);
int64_t tw_windows_end_before(const tw_windows *ws, int64_t end_ms);
int64_t tw_windows_start(const tw_windows *ws, int64_t end_ms);

#endif

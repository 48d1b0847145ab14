// SPDX-License-Identifier: Apache-2.0
/* The level operator's insides, shared by level*.c.
 *
 * A key is at rest when no level is active, pending or clearing and nothing was told of it:
 * then it has no `open` block, and unless a departure could raise a level by itself it
 * waits for nothing but being forgotten. That is what keeps a million quiet keys small and
 * the clock's work proportional to what is going on. */
#ifndef TW_DETECT_LEVEL_IMPL_H
#define TW_DETECT_LEVEL_IMPL_H

#include "detect/carry.h"
#include "detect/level.h"
#include "detect/window.h"
#include "state/timers.h"

enum {
    KEY_SETTLED = 1,     /* its grid window is empty and was judged so */
    KEY_NODATA_DONE = 2, /* nodata has acted on this silence */
    KEY_EDITED = 4 /* an edit took something out of its window: judged at edited_ms */
};

/* Level bits: 1 << tw_level. */
typedef struct level_open {
    int64_t since_ms[TW_LEVELS - 1];    /* pending: when the condition became true */
    int64_t clearing_ms[TW_LEVELS - 1]; /* clearing: when the clear condition did */
    uint8_t active, pending, clearing;
    uint8_t override; /* level that nodata put on top, 0 none */
    uint8_t told_pending;
    uint8_t from;    /* the level before the one that was told */
    bool news;       /* its values are others than those that were told */
    uint64_t said;   /* what stands for those; 0: none */
    int64_t news_ms; /* not told of before */
} level_open;

typedef struct level_key {
    int64_t newest_ms; /* time of its newest event */
    tw_window_state window;
    level_open *open; /* NULL: at rest */
    tw_timer timer;   /* not later than the key's next deadline */
    uint8_t told;     /* level the incident stage knows */
    uint8_t flags;
    /* what only some rules need follows, at the offsets of level_layout */
} level_key;

/* Of a session window: the running session, the one that was judged last, and the length of the one
 * before that. */
typedef struct level_session {
    int64_t start_ms, stop_ms;               /* start TW_TIME_NONE: none is running */
    int64_t judged_start_ms, judged_stop_ms; /* TW_TIME_NONE: none was */
    int64_t prev_ms;
    int64_t ended_ms; /* no later session takes what is this old */
} level_session;

/* Offsets into an entry; 0: the rule does not need it. */
typedef struct level_layout {
    uint32_t next_end; /* int64_t: grid: the next window end to judge */
    uint32_t first;    /* int64_t: time of the key's first event */
    uint32_t sample;   /* int64_t: time of its newest sample */
    uint32_t seen;     /* uint64_t: samples of a count window so far */
    uint32_t origin;   /* tw_origin of the newest event */
    uint32_t session;  /* level_session */
    uint32_t before; /* tw_window_state: the windows before a sliding one or a session */
    uint32_t carried, carried_first; /* tw_carried * */
    uint32_t bytes;
} level_layout;

typedef struct level {
    tw_detector base;
    tw_rule *rule;
    const tw_level_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_aggs aggs;
    tw_windows windows;
    tw_keyed *keys;
    tw_timers *timers;
    level_layout layout;
    uint32_t used;       /* level bits the rule declares */
    uint32_t need;       /* samples without which there is no value */
    bool grid;           /* hopping or tumbling */
    bool measures;       /* no levels: each judgement is told */
    bool raise_on_leave; /* a departure alone may raise a level */
    bool takes_older;    /* without a window: an older event may be a sub-key's newest */
    bool only_forgets;   /* at rest a key waits for nothing but being forgotten */
    double
        quiet_below; /* with fewer entries in its window a key at rest stays so; 0: that cannot be said */
    int64_t edited_ms; /* of the last edit: nothing falls due before; INT64_MIN: none */
    uint32_t result_count;
    /* scratch of one judgement */
    tw_window_values window_values;
    const char **names; /* of the values, then "count" */
    double *values;
    bool *has;
    tw_top *tops; /* NULL: no value is a list */
    bool fresh;   /* names/values/has are of the instant being judged */
    double *node_values;
    bool *node_has;
    tw_value *absent;   /* fields of a key that carries none yet */
    const tw_event *ev; /* being handled; NULL when the clock acts */
} level;

static inline void *level_part(level_key *key, uint32_t offset)
{
    return (char *)key + offset;
}

static inline int64_t *level_time(level_key *key, uint32_t offset)
{
    return level_part(key, offset);
}

static inline tw_carried **level_carried(level_key *key, uint32_t offset)
{
    return level_part(key, offset);
}

static inline bool level_at_rest(const level_key *key)
{
    return !key->open;
}

static inline int64_t level_grid_origin(const level *d, level_key *key)
{
    return d->plan->window.align_first ? *level_time(key, d->layout.first) : 0;
}

/* Of the grid's window that was judged last, or is judged now. */
static inline int64_t level_judged_end(const level *d, level_key *key)
{
    return tw_windows_end_before(&d->windows, *level_time(key, d->layout.next_end));
}

/* level_judge.c: conditions, holds and what a key waits for */
bool level_departure_raises(const level *d);
double level_quiet_below(const level *d);
/* The window has changed or ended at at_ms; a condition that becomes true did so at since_ms. */
void level_judge(level *d, level_key *key, int64_t at_ms, int64_t since_ms);
void level_fire_holds(level *d, level_key *key, int64_t at_ms);
void level_nodata(level *d, level_key *key);
bool level_is_nodata(const level *d, level_key *key, int64_t at_ms);
int64_t level_next(const level *d, level_key *key);
void level_read(level *d, level_key *key, int64_t at_ms);

/* level_tell.c: signals */
/* Sends what differs from what was told; then the key is at rest if nothing is left. */
void level_tell(level *d, uint32_t number, int64_t at_ms, const char *reason);
/* Ends what was told of a key that goes. */
void level_tell_gone(level *d, uint32_t number, int64_t at_ms, const char *reason);

/* level_keys.c: the life of keys */
level_layout level_lay_out(const level *d);
/* now_ms: the key's time with this event. */
uint32_t level_key_add(level *d, const tw_key *key, int64_t time_ms, int64_t now_ms);
void level_key_remove(level *d, uint32_t number);
/* Keeps what templates and evidence will ask of this event. */
void level_key_remember(level *d, level_key *key, uint32_t input, const tw_event *ev);
void level_key_remember_first(level *d, level_key *key, uint32_t input,
                              const tw_event *ev);
/* The timer is not later than what the key waits for. */
void level_key_arm(level *d, uint32_t number, level_key *key);
void level_show_count(level *d);

/* level_edit.c */
void level_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void level_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms);

/* level_due.c */
void level_compare_levels(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void level_count_due(const tw_detector *base, const tw_rule *fresh, int64_t clock_ms,
                     tw_due *out);

/* level_session.c */
void level_session_init(const level *d, level_key *key);
bool level_session_runs(const level *d, level_key *key);
/* When the running one is over; INT64_MAX: none is. */
int64_t level_session_end(const level *d, level_key *key);
bool level_session_is_late(const level *d, level_key *key, int64_t time_ms,
                           int64_t now_ms);
/* An event of it; true: one begins. */
bool level_session_take(level *d, level_key *key, int64_t time_ms);
/* True: the running one is over by then, and is the one to be judged. */
bool level_session_turn(level *d, level_key *key, int64_t at_ms);
/* First and last event of the one that was judged last. */
void level_session_span(const level *d, level_key *key, int64_t *out_start_ms,
                        int64_t *out_stop_ms);
/* Tells the windows how long it was, and the one before. */
void level_session_read(level *d, level_key *key);
void level_session_save(const level *d, level_key *key, tw_buf *out);
bool level_session_load(level *d, level_key *key, tw_state_in *in);

/* level_state.c */
void level_save(const tw_detector *base, tw_buf *out);
int level_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif

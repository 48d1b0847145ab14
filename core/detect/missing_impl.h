// SPDX-License-Identifier: Apache-2.0
/* The missing operator's insides, shared by missing*.c. */
#ifndef TW_DETECT_MISSING_IMPL_H
#define TW_DETECT_MISSING_IMPL_H

#include "base/clock.h"
#include "detect/kept.h"
#include "detect/missing.h"
#include "flow/plan_missing.h"
#include "state/timers.h"

enum {
    KEY_LISTED = 1,  /* the table has it */
    KEY_MISSING = 2, /* it was found missing */
    KEY_TOLD = 4,    /* and the incident stage knows */
    KEY_STOPPED = 8  /* taken off the list until it is heard again */
};

typedef struct missing_key {
    int64_t base_ms;   /* silence counts from here; TW_TIME_NONE: time has not begun */
    int64_t newest_ms; /* of its newest event; TW_TIME_NONE: never heard */
    int64_t every_ms;  /* its own, where a field says; 0: not known */
    tw_timer timer;
    tw_kept kept; /* the newest event */
    uint32_t mark;
    uint8_t flags;
} missing_key;

/* The source, as all keys together: spans in which it was heard at least every `guard`. Only the last
 * that began before the clock, and those behind the clock, are kept. */
enum { MAX_RUNS = 64 };
typedef struct missing_run {
    int64_t from_ms, to_ms;
} missing_run;

typedef struct missing {
    tw_detector base;
    tw_rule *rule;
    const tw_missing_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *timers;
    tw_expected *expected; /* NULL: no table, or not told yet */
    int64_t clock_ms;      /* the last the lane told; TW_TIME_NONE: time has not begun */
    int64_t wait_ms;       /* wall time until then; TW_TIME_NONE: not waiting */
    uint32_t mark;
    missing_run runs[MAX_RUNS];
    uint32_t run_count;
    bool source_told, is_source_owner;
    int64_t source_ms; /* what became of the source up to here has been told */
    uint64_t seq;      /* of the event in hand, 0 none */
    tw_value *fields;  /* scratch of a signal */
} missing;

/* missing.c */
void missing_key_arm(missing *d, uint32_t number);
uint32_t missing_key_add(missing *d, const tw_key *key);
void missing_key_remove(missing *d, uint32_t number);
/* Time begins, once: keys that are expected count from newest_ms, as does the source. */
void missing_begin(missing *d, int64_t clock_ms, int64_t newest_ms);

/* missing_source.c */
/* Whether it was heard within the guard before `at_ms`; then *out_since is where that span began. */
bool missing_source_alive(const missing *d, int64_t at_ms, int64_t *out_since_ms);
void missing_source_heard(missing *d, int64_t from_ms, int64_t to_ms);
void missing_source_advance(missing *d, int64_t clock_ms);
/* Nobody has asked after it: it counts as alive up to now. */
void missing_source_trust(missing *d, int64_t now_ms);
void missing_source_join(missing *d); /* runs that a longer guard bridges become one */
/* Everything before acted_ms has been told. */
void missing_source_prune(missing *d, int64_t acted_ms);
int64_t missing_source_next(const missing *d);

/* missing_state.c */
void missing_expect(tw_detector *d, tw_expected *set, int64_t clock_ms,
                    int64_t newest_ms);
void missing_save(const tw_detector *d, tw_buf *out);
int missing_load(tw_detector *d, tw_state_in *in, tw_err *err);

/* missing_edit.c */
void missing_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void missing_adopt(tw_detector *d, tw_detector *old, int64_t clock_ms);

/* missing_tell.c */
void missing_tell_silent(missing *d, uint32_t number, int64_t at_ms);
void missing_tell_heard(missing *d, uint32_t number, int64_t at_ms, const char *reason);
void missing_tell_source(missing *d, bool silent, int64_t at_ms);

static inline int64_t missing_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* A level operator as its documentation says it, told a second time: no windows kept, no
 * timers, no panes. Every event and every judgement of a key stays in a list, and all is
 * worked out anew at each millisecond. One at a time; of the calling thread.
 *
 * The tests compare what it tells with what the real one tells. */
#ifndef TW_TEST_LEVEL_MODEL_H
#define TW_TEST_LEVEL_MODEL_H

#include "flow/plan.h"
#include "flow/signal.h"

enum { MODEL_KEYS = 3, MODEL_EVENTS = 90, MODEL_FACTS = 2000, MODEL_TOLD = 4000 };

typedef struct model_event {
    int64_t time_ms;
    uint32_t input;
    bool has;
    double value;
    int kind;
} model_event;

typedef struct model_fact { /* a judgement, or that nodata acted */
    int64_t at_ms, since_ms;
    bool nodata, has;
    double value;
} model_fact;

typedef struct model_key {
    bool lives;
    model_event events[MODEL_EVENTS];
    uint32_t event_count;
    uint64_t seen; /* samples of a count window */
    model_fact facts[MODEL_FACTS];
    uint32_t fact_count;
    int64_t first_ms, newest_ms, sample_ms, acted_ms; /* every instant before has acted */
    tw_level told, told_pending;
} model_key;

/* One thing told. The keys are called a, b, c. */
typedef struct model_line {
    int64_t at_ms;
    char key;
    tw_signal_kind kind;
    tw_level from, to;
    bool has;
    double value;
} model_line;

void model_start(const tw_rule *rule);
/* An event of a key; clock_ms: the rule's clock. */
void model_feed(uint32_t key, const model_event *e, int64_t clock_ms);
/* The clock goes from one time to another; every millisecond in between acts. */
void model_advance(int64_t from_ms, int64_t clock_ms);
const model_line *model_told(uint32_t *out_count);
uint64_t model_late(void);
uint32_t model_living(void);

/* level_model_value.c: what the window of a key comes to at a time. False: no value. */
bool model_value(const tw_rule *rule, const model_key *k, int64_t t, double *out);
bool model_is_sample(const tw_rule *rule, const model_event *e);
bool model_is_grid(const tw_rule *rule);
bool model_is_end(const tw_rule *rule, const model_key *k, int64_t t);
int64_t model_floor(int64_t a, int64_t b); /* of a / b, towards the past */

#endif

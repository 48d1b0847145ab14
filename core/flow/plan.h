// SPDX-License-Identifier: Apache-2.0
/* A rule as the engine runs it: everything a rule file said, checked and compiled, as plain data.
 * Built by core/rule, read by route, detect and alert; immutable, shared by all lanes, counted.
 * Functions of the rule file are numbers (`fn`), the same on every lane; -1 means none. */
#ifndef TW_FLOW_PLAN_H
#define TW_FLOW_PLAN_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"
#include "flow/key.h"
#include "flow/match.h"
#include "flow/plan_incident.h"
#include "flow/stream.h"
#include "flow/template.h"

#define TW_NO_FN (-1)
#define TW_NO_FUTURE (-1)
#define TW_MAX_ROLES 16
#define TW_MAX_KEPT 64 /* fields of an event that a rule keeps */

typedef struct tw_input {
    char *name; /* as in `inputs` */
    tw_stream *stream;
    tw_match_table *match; /* NULL: every event */
    int where_fn;
    uint32_t time_slot; /* the rule's clock.time; TW_SLOT_TIME: the stream's own */
    int line, column;   /* where the stream is named */
} tw_input;

typedef enum tw_agg_kind {
    TW_AGG_COUNT,
    TW_AGG_SUM,
    TW_AGG_AVG,
    TW_AGG_MIN,
    TW_AGG_MAX,
    TW_AGG_FIRST,
    TW_AGG_LAST,
    TW_AGG_DELTA,        /* last - first */
    TW_AGG_RATE_EVENTS,  /* events per second over the window */
    TW_AGG_RATE_COUNTER, /* per second of a counter with resets, first to last sample */
    TW_AGG_STDDEV,       /* of the sample */
    TW_AGG_INCREASE,     /* of a counter with resets, first to last sample */
    TW_AGG_CHANGES,      /* samples that differ from the one before; text, too */
    TW_AGG_RESETS,       /* samples lower than the one before */
    TW_AGG_ELAPSED,      /* seconds between the two newest events */
    TW_AGG_TREND,        /* slope per second of the least squares line */
    TW_AGG_EWMA,         /* mean; a sample weighs half after `param` milliseconds */
    TW_AGG_LATEST,       /* `fold` over the newest sample of each sub-key (`second`) */
    TW_AGG_DISTINCT,     /* how many values of a field */
    TW_AGG_QUANTILE,     /* `param` from 0 to 1 */
    TW_AGG_TOPK          /* a list: the `top` most frequent values of a field */
} tw_agg_kind;

typedef struct tw_aggregate {
    tw_agg_kind kind;
    uint32_t input;
    tw_match_table *match; /* narrows the input further; NULL: all */
    bool has_field;
    uint32_t slot; /* when has_field */
    int fn;        /* mapper instead of a field */
    bool has_second;
    uint32_t second;  /* slot of LATEST's sub-key, of what TOPK sums */
    tw_agg_kind fold; /* LATEST: SUM, AVG, MIN, MAX or COUNT */
    uint32_t top;     /* TOPK: entries of the list */
    double param;     /* EWMA: half-life in ms; QUANTILE: which */
    uint64_t id; /* of what it keeps, whichever place it has and whatever is read of it */
} tw_aggregate;

typedef enum tw_expr_op {
    TW_EXPR_NUMBER,
    TW_EXPR_AGG,
    TW_EXPR_ADD,
    TW_EXPR_SUB,
    TW_EXPR_MUL,
    TW_EXPR_DIV,
    TW_EXPR_NEG
} tw_expr_op;

/* Nodes in post-order: the value of node n is computed from nodes before it. */
typedef struct tw_expr_node {
    tw_expr_op op;
    uint32_t left, right; /* node numbers */
    uint32_t agg;         /* AGG: number of the aggregate in the operator */
    bool prev;            /* AGG: of the window before */
    double number;
} tw_expr_node;

typedef struct tw_expr {
    tw_expr_node *nodes;
    uint32_t count; /* the last node is the result */
} tw_expr;

typedef enum tw_window_kind {
    TW_WINDOW_NONE,     /* the newest event's value */
    TW_WINDOW_SLIDING,  /* over */
    TW_WINDOW_HOPPING,  /* over, every */
    TW_WINDOW_TUMBLING, /* every (= over) */
    TW_WINDOW_COUNT,    /* last; every in `count_every`, 0 = at each event */
    TW_WINDOW_SESSION   /* gap, max */
} tw_window_kind;

typedef struct tw_window {
    tw_window_kind kind;
    int64_t over_ms, every_ms;
    int64_t gap_ms, max_ms; /* max 0: none */
    uint32_t last, count_every;
    uint32_t exact;   /* sliding: entries a key before panes are used (default 128) */
    bool align_first; /* windows start at a key's first event, not at the epoch */
    bool full;        /* judge only once filled */
    bool prev;        /* the window before is read, too */
    tw_zone *zone; /* days of HOPPING, TUMBLING begin at its midnight; NULL: no matter */
} tw_window;

typedef struct tw_bound {
    bool set;
    double value;
} tw_bound;

typedef struct tw_level_spec {
    bool used;
    tw_bound above, at_least, below, at_most; /* all that are set must hold */
    bool outside;                             /* value < lo or value > hi */
    double outside_lo, outside_hi;
    int when_fn; /* over named values instead of bounds */
    int64_t hold_ms;
    tw_bound clear; /* the value at which the level ends, on the far side of its bound */
    double clear_lo, clear_hi; /* for outside: back inside these; used when clear.set */
    int64_t clear_hold_ms;
} tw_level_spec;

typedef enum tw_nodata_be {
    TW_NODATA_OK,
    TW_NODATA_KEEP,
    TW_NODATA_UNKNOWN,
    TW_NODATA_ALERT /* the rule's highest level */
} tw_nodata_be;

typedef struct tw_level_plan {
    tw_aggregate *aggs;
    uint32_t agg_count;
    char **value_names; /* "value" when `of` is one expression */
    tw_expr *values;
    uint32_t value_count;
    tw_window window;
    tw_level_spec levels[TW_LEVELS]; /* by tw_level; OK unused */
    uint32_t min_samples;            /* 0: no minimum */
    bool has_nodata;
    int64_t nodata_after_ms;
    tw_nodata_be nodata_be;
    int at_input; /* judge only when this input's events arrive; -1: all */
} tw_level_plan;

/* The aggregate whose list a value is; NULL: the value is a number. */
const tw_aggregate *tw_level_list(const tw_level_plan *l, uint32_t value);

typedef struct tw_handler_plan {
    int event_fn, timer_fn;
    uint32_t max_state_bytes, max_timers; /* per key */
} tw_handler_plan;

typedef enum tw_detector_kind {
    TW_DETECT_LEVEL,
    TW_DETECT_HANDLER,
    TW_DETECT_MEASURE,
    TW_DETECT_CHANGE,
    TW_DETECT_JOIN,
    TW_DETECT_TOGETHER,
    TW_DETECT_SEQ,
    TW_DETECT_MISSING,
    TW_DETECT_SESSION,
    TW_DETECT_IMPACT,
    TW_DETECT_PASS /* none: each event that matches is emitted */
} tw_detector_kind;

/* A part that an event can have in what a detector found: the step of a sequence, the side of a join.
 * Templates and functions call it by its name. */
typedef struct tw_role {
    char *name;
    bool is_list;    /* may stand for several events: `first`, `last`, `count` */
    uint64_t inputs; /* whose events may have it; 0: any */
} tw_role;

/* Slots of one input that its detector reads beyond matchers, key and carried fields. */
typedef struct tw_reads {
    uint32_t *slots;
    uint32_t count;
} tw_reads;

/* Events whose fields of `by` were there before, no longer than `within` ago, are repeats. */
typedef struct tw_dedup_plan {
    uint32_t by_count;
    uint32_t *slots; /* input_count rows of by_count */
    int64_t within_ms;
    uint32_t max; /* how many are remembered on a lane */
} tw_dedup_plan;

typedef enum tw_miss { TW_MISS_KEEP, TW_MISS_DROP, TW_MISS_DEFAULT } tw_miss;

typedef struct tw_lookup {
    char *name;                      /* what templates call it: "owner" */
    struct tw_context_plan *context; /* flow/context.h: no table is read; NULL: one is */
    char *table;                     /* name of a table in the configuration */
    tw_template key;                 /* "${service}" */
    bool as_of_event;                /* the row of then; else the newest */
    tw_miss miss;
    json_t *fallback; /* MISS_DEFAULT */
} tw_lookup;

/* A column of a look-up table that a rule reads. */
typedef struct tw_column {
    char *table, *name;
} tw_column;

/* One option of a rule's table, to tell what an edit touched. */
typedef struct tw_rule_part {
    char *name;
    uint64_t hash; /* of what was written, parameters with their values */
} tw_rule_part;

typedef struct tw_rule {
    atomic_uint refs;
    char *name; /* team/name, unique: the identity of its state */
    char *version, *owner, *doc;
    char *file;
    int line;
    char **was; /* names it had before: what is remembered under them is its own */
    uint32_t was_count;
    int was_line, was_column;
    int migrate_fn;      /* of a seq: migrate(old) */
    int64_t park_ms;     /* how long what it knows is kept when it goes; 0: not */
    uint32_t script;     /* number of its file in the rule set */
    char hash[33];       /* of everything: equal means the rule did not change */
    char state_hash[33]; /* of what shapes its state: equal means state can be kept */
    tw_rule_part *parts; /* as written: detect, inputs, alert, ... */
    uint32_t part_count;
    json_t *params; /* name to value, overrides applied */

    char *key_names[TW_MAX_KEY_FIELDS]; /* as written in `key` */
    uint32_t key_count;

    int64_t lateness_ms, idle_ms; /* default 0, 5000 */
    int64_t future_ms;            /* clock.future; TW_NO_FUTURE: the stream's */
    int64_t forget_ms;            /* computed default: longest span + 1 h */
    uint32_t max_keys;            /* default 100,000 */

    tw_input *inputs;
    uint32_t input_count;
    uint32_t *key_slots; /* input_count rows of key_count slots (streams differ) */

    tw_detector_kind detector;
    tw_level_plan level;
    tw_handler_plan handler;
    /* the others': flow/plan_KIND.h says what it is */
    void *detail;
    void (*detail_free)(void *detail);
    int64_t span_ms; /* the longest time one event can matter to it */
    tw_reads *reads; /* by input; NULL: none */

    /* What it finds: events in roles, and facts by name (`from`, `to`, `verdict`). */
    tw_role *roles;
    uint32_t role_count;
    char **facts;
    uint32_t fact_count;
    uint32_t
        elapsed_fact; /* the one that counts seconds up to the alert, from 1; 0: none */
    /* Fields of an event that are kept while it waits for others: what templates and functions read of
     * roles, and what they carry. kept_slots: input_count rows of kept_count slots. carried_kept and
     * carried_first_kept: where a carried field is among them. All NULL for level and handler. */
    char **kept;
    uint32_t kept_count;
    uint32_t *kept_slots, *carried_kept, *carried_first_kept;

    tw_incident_plan incident;
    tw_dedup_plan *dedup;      /* NULL: none */
    struct tw_emit_plan *emit; /* flow/plan_emit.h; NULL: nothing is emitted */
    tw_lookup *lookups;
    uint32_t lookup_count;
    tw_column *columns; /* of look-ups and of what is expected */
    uint32_t column_count;

    /* Fields of the newest and of the first event that templates read: by name, since a slot
     * differs from stream to stream. carried_slots: input_count rows of carried_count slots. */
    char **carried, **carried_first;
    uint32_t carried_count, carried_first_count;
    uint32_t *carried_slots, *carried_first_slots;
} tw_rule;

tw_rule *
tw_rule_new(void); /* zeroed, refs 1, fns -1, defaults of the plain numbers set */
tw_rule *tw_rule_ref(tw_rule *r);
void tw_rule_unref(tw_rule *r);
/* Whether it says that it had this name before. */
bool tw_rule_was(const tw_rule *r, const char *name);
/* How far ahead of its arrival a stamp of this stream may lie for the rule; TW_NO_FUTURE: as far as for
 * all of the stream. What rules emit has the time of a clock, which needs no correction. */
int64_t tw_rule_future(const tw_rule *r, const tw_stream *stream);

#endif

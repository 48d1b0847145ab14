// SPDX-License-Identifier: Apache-2.0
/* One operator of one rule on one lane: takes the events of the keys this lane owns, keeps keyed
 * state, and says when a level changes or something occurred. All its methods run on its lane.
 *
 * Time: the lane moves the rule's clock with `advance`; deadlines strictly before the clock fire
 * (events at one instant come before deadlines), each with its own time in `at_ms`. An event of
 * a key also moves that key: its deadlines before the event's time fire first, even when the
 * rule's clock, held back by another partition, is not there yet.
 *
 * State survives a reload through `adopt`, and is reached by nobody else. */
#ifndef TW_DETECT_DETECTOR_H
#define TW_DETECT_DETECTOR_H

#include "base/stats.h"
#include "flow/plan_missing.h"
#include "flow/script.h"
#include "flow/signal.h"
#include "state/bytes.h"

typedef struct tw_detector tw_detector;

/* What the lane lends to an operator for life; copied. */
typedef struct tw_detect_env {
    tw_script *script; /* may be replaced by tw_detector_class.rebind */
    tw_signal_port out;
    uint32_t lane,
        lane_count; /* it gets keys whose group % lane_count is lane; 0: all keys */
    tw_counter *late, *evicted; /* per rule, one writer each */
    tw_counter *dropped;        /* kept events that went early: their key had too many */
    tw_gauge *keys;
} tw_detect_env;

/* What an edit of a rule does to its state. */
typedef enum tw_fate {
    TW_FATE_KEPT,
    TW_FATE_WARMING, /* kept, and full only after a while */
    TW_FATE_TRIMMED, /* what the new span does not hold is dropped */
    TW_FATE_PARTLY,  /* some of it is dropped */
    TW_FATE_COLD     /* the rule starts anew */
} tw_fate;
const char *tw_fate_name(tw_fate fate);

/* What an edit does, and what people are told of it. */
typedef struct tw_edit {
    tw_fate fate;
    /* How much further back the rule looks than before (below zero: less far): from the switch on it is
     * warming for so long. 0 with WARMING: it differs from key to key. */
    int64_t warming_ms;
    char why[256];
} tw_edit;
/* One thing more that the edit does: the graver fate and the longer time win, reasons are listed. */
void tw_edit_add(tw_edit *edit, tw_fate fate, int64_t warming_ms, const char *why);
/* The edit makes a span longer, which then warms, or shorter, which trims; or neither. */
void tw_edit_span(tw_edit *edit, int64_t fresh_ms, int64_t old_ms, const char *longer,
                  const char *shorter);
/* The same of sessions; max 0: none. */
void tw_edit_sessions(tw_edit *edit, int64_t gap_ms, int64_t was_gap_ms, int64_t max_ms,
                      int64_t was_max_ms);
/* Until when the rule is warming; 0: it is not. was_ms: the same of the old rule; clock_ms: now. */
int64_t tw_edit_warming_until(const tw_edit *edit, int64_t was_ms, int64_t clock_ms);
/* The number that input `number` of `from` has in `to`, by name; -1: it is not there. */
int tw_edit_input(const tw_rule *to, const tw_rule *from, uint32_t number);
/* An event that waits under its key for one of them is one for the other, too. */
bool tw_edit_same_events(const tw_rule *fresh, const tw_rule *old);
bool tw_edit_same_inputs(const tw_rule *fresh, const tw_rule *old);

/* What became of the open matches of the version before. */
typedef struct tw_adopted {
    uint64_t kept, migrated, dropped;
} tw_adopted;

/* Keys of which something begins, or ends, at the moment of an edit. */
typedef struct tw_due {
    uint64_t fires, ends;
} tw_due;

#define TW_HINT_STEPS 3

typedef struct tw_detector_class {
    const char *name;
    tw_detector *(*new)(tw_rule *rule, const tw_detect_env *env,
                        tw_err *err); /* refs the rule */
    void (*free)(tw_detector *d);
    /* clock_ms: the rule's clock now, or TW_TIME_NONE before it has one. time_ms is the event's time
     * by the rule's own time field. */
    void (*event)(tw_detector *d, const tw_key *key, uint32_t input, const tw_event *ev,
                  int64_t time_ms, int64_t clock_ms);
    /* An event of this key comes within the next few hundred nanoseconds: asks the memory for what `event` will
     * read. Steps from 0 on, each after the same of other operators, so that it may read what the step before has asked
     * for. Changes nothing that shows. NULL: no use. */
    void (*hint)(tw_detector *d, const tw_key *key, uint32_t step);
    /* Fires every deadline < clock_ms in order of (deadline, key bytes). */
    void (*advance)(tw_detector *d, int64_t clock_ms);
    /* Earliest pending deadline, INT64_MAX when none; cheap, asked after every event. May be
     * early (a lower bound), never late. */
    int64_t (*next_deadline)(const tw_detector *d);
    /* While the rule has no clock, because nothing ever came: wall time passes. NULL: it may. */
    void (*wait)(tw_detector *d, int64_t now_ms);
    /* Its time begins, if it has not: at the rule's first clock (TW_TIME_NONE: it has none yet), before anything
     * that waited for it is judged. At a reload also of an operator that goes on. newest_ms: what its
     * streams have come to. The same on all lanes. NULL: any time will do. */
    void (*begin)(tw_detector *d, int64_t clock_ms, int64_t newest_ms);
    /* Of rules with a source guard: the guarded input was heard, on any lane, by any key, at
     * these two times and at least every guard between them. Before the event itself, which may wait. NULL: nobody
     * cares. */
    void (*heard)(tw_detector *d, int64_t from_ms, int64_t to_ms, int64_t clock_ms);
    /* The keys that a table expects now, in place of those before. New ones count from newest_ms. NULL: no rule asks
     * for it. */
    void (*expect)(tw_detector *d, tw_expected *set, int64_t clock_ms, int64_t newest_ms);
    /* What becomes of the state of `old`, a rule of the same key and kind whose inputs of the same name mean the
     * same; adds what differs to `out`, in which nothing does. Pure. NULL: it starts cold when state_hash
     * differs. */
    void (*fate)(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
    /* Takes over the state of `old`, an operator of a rule of which tw_rule_fate says anything but COLD;
     * old is empty afterwards. Spans, thresholds and holds may differ: deadlines are counted anew from their
     * stored starts, and none acts before clock_ms, the rule's clock (TW_TIME_NONE: it has none). */
    void (*adopt)(tw_detector *d, tw_detector *old, int64_t clock_ms);
    /* Everything it knows, key by key, as bytes (state/bytes.h), and into one that is new: the outcome
     * from then on is as if nothing had been. At a barrier. load: TW_EPARSE when the bytes are
     * not what save of the same state_hash wrote; d is to be freed then. NULL: not yet. */
    void (*save)(const tw_detector *d, tw_buf *out);
    int (*load)(tw_detector *d, tw_state_in *in, tw_err *err);
    uint64_t (*key_count)(const tw_detector *d);
    /* Of sequences (else NULL): adds how many matches are open by the step they wait for, and what the
     * last adopt did. */
    void (*count_open)(const tw_detector *d, uint64_t *by_step);
    void (*tell_adopted)(const tw_detector *d, tw_adopted *out);
    /* Adds what an edit to `fresh`, which is not COLD, makes due at once by its holds. NULL: nothing. */
    void (*count_due)(const tw_detector *d, const tw_rule *fresh, int64_t clock_ms,
                      tw_due *out);
} tw_detector_class;

struct tw_detector {
    const tw_detector_class *cls;
};

/* What becomes of a rule's state when `old` is edited to `fresh`, which has its name. Pure; what `tidewatch plan`
 * shows and a reload does. */
tw_fate tw_rule_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);

/* The class that runs a rule's detector. */
const tw_detector_class *tw_detector_class_of(const tw_rule *rule);

#endif

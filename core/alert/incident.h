// SPDX-License-Identifier: Apache-2.0
/* The incident stage: many signals, one incident. Takes what detectors say, keeps each
 * incident from its first symptom to its resolve, and decides what a person is told.
 * Shore thread only.
 *
 *     level signals   OK -> warn opens and tells; warn -> crit tells the rise; crit -> warn is
 *                     kept and not told; -> OK resolves and tells
 *     occurrences     open at their severity, count while open, resolve `resolve_after` after
 *                     the newest by the rule's clock
 *
 * An incident is known by its id. Several keys (or rules) may render the same id: it
 * stands at the highest level any of them is at and ends when all are OK. Labels are
 * fixed when it opens, so receivers that know an alert by its labels see one alert;
 * title, body and values are rendered anew each time. */
#ifndef TW_ALERT_INCIDENT_H
#define TW_ALERT_INCIDENT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/stats.h"
#include "flow/context.h"
#include "flow/notification.h"
#include "flow/signal.h"

/* A row of a look-up table by key text, as it was then or TW_ROW_NEWEST (flow/rows.h): new
 * reference, or NULL for a miss. */
typedef struct tw_lookup_port {
    json_t *(*row)(void *self, const char *table, const char *key, int64_t at_ms);
    void *self;
} tw_lookup_port;

/* Every change of state, told or not: what `replay --all` prints. Texts are borrowed. */
typedef struct tw_change {
    int64_t at_ms;
    uint64_t seq;
    const char *rule, *incident;
    const char *change; /* pending, firing, level, resolved, dropped */
    const char *reason; /* or NULL */
    tw_level level;
} tw_change;
typedef struct tw_change_port {
    void (*change)(void *self, const tw_change *change);
    void *self;
} tw_change_port;

/* How far a rule's time has come; TW_TIME_NONE: it has none. */
typedef int64_t (*tw_rule_clock)(void *self, const char *rule);
typedef struct tw_rule_clock_port {
    tw_rule_clock ms;
    /* Nothing is left to read for it, and all that came of what was read has been handed over: it is not behind,
     * however old the events were. NULL: never known. */
    bool (*idle)(void *self, const char *rule);
    void *self;
} tw_rule_clock_port;

typedef struct tw_incidents_options {
    tw_notification_port notify;
    tw_change_port change;     /* change may be NULL */
    tw_lookup_port lookup;     /* row may be NULL: every look-up misses */
    tw_context_port context;   /* what is remembered; its functions may be NULL */
    const tw_streams *streams; /* names for evidence */
    tw_rule_clock_port clock;  /* what advance is given; ms may be NULL */
    const tw_clock *now;       /* for max_age; NULL: nothing is ever too old */
    tw_stats *stats;
} tw_incidents_options;

typedef struct tw_incidents tw_incidents;

tw_incidents *tw_incidents_new(const tw_incidents_options *options);
void tw_incidents_free(tw_incidents *in);

void tw_incidents_signal(tw_incidents *in, const tw_signal *s);

/* Moves the clocks of rules that have incidents with a deadline; deadlines before the
 * clock (with inclusive: at it, too) resolve in order of (deadline, id). */
void tw_incidents_advance(tw_incidents *in, tw_rule_clock clock, void *self,
                          bool inclusive);

/* Something that is to be known of a rule itself, and is no incident of it: told to where its alerts go, if that is a
 * name, else to `default`. The same kind and opened_ms is the same matter. */
typedef struct tw_notice {
    const char *kind; /* "max_keys" */
    const char *title;
    tw_level level;
    int64_t opened_ms, at_ms;
    bool resolved;
} tw_notice;
void tw_incidents_notice(tw_incidents *in, const tw_rule *rule, const tw_notice *notice);

/* Nobody will be here when it is time: what waits for its inhibitors or for company is told now. */
void tw_incidents_release(tw_incidents *in, int64_t at_ms);

/* A rule was removed, or changed so that its state is gone: what it opened resolves, with
 * the reason. */
void tw_incidents_rule_gone(tw_incidents *in, const tw_rule *rule, const char *reason,
                            int64_t at_ms);

/* A rule goes on under another name: so do its incidents and silences of its `rule` label. What was told keeps
 * the name it was told with until it ends. An incident whose id has the rule's name in it resolves, with the
 * reason, and goes on under the new id. (moved.c) */
void tw_incidents_rule_moved(tw_incidents *in, const tw_rule *old, tw_rule *now,
                             const char *reason, int64_t at_ms);

/* These run now, perhaps in a newer version: what is open is told by that from here on. (moved.c) */
void tw_incidents_rules_edited(tw_incidents *in, tw_rule *const *rules, uint32_t count,
                               int64_t at_ms);

/* The ids of open incidents of a rule that end when it goes (now NULL), or goes on under another name. New
 * reference. */
json_t *tw_incidents_ending(const tw_incidents *in, const tw_rule *old,
                            const tw_rule *now);

/* ---- what people do (quiet.c). now_ms: of the day, not of a rule */

/* A silence as silence.h writes it; one of the same id is replaced. out (may be NULL): as it was taken, and
 * how many open incidents it `covers`. */
int tw_incidents_silence(tw_incidents *in, const json_t *order, int64_t now_ms,
                         json_t **out, tw_err *err);
int tw_incidents_unsilence(tw_incidents *in, const char *id, int64_t now_ms, tw_err *err);
json_t *tw_incidents_silences_json(const tw_incidents *in, int64_t now_ms);
/* Somebody takes care of an incident, or of all of a group: it is not told any more, until it rises. */
int tw_incidents_ack(tw_incidents *in, const char *id, const char *by, int64_t now_ms,
                     tw_err *err);

/* ---- state (incident_state.c) */

/* Everything it knows, as bytes. */
void tw_incidents_save(const tw_incidents *in, tw_buf *out);
/* The rule of a name, as it is now; borrowed, NULL: there is none. */
typedef struct tw_rule_finder {
    tw_rule *(*rule)(void *self, const char *name);
    void *self;
    tw_rule *(*heir)(void *self, const char *name); /* that had it before; NULL: nobody */
} tw_rule_finder;
/* Into a new one: from then on the outcome is as if nothing had been. What rules opened that are not
 * found resolves at now_ms. TW_EPARSE: the bytes are not what save wrote; it is to be freed then. */
int tw_incidents_load(tw_incidents *in, const void *data, size_t size,
                      tw_rule_finder find, int64_t now_ms, tw_err *err);

size_t tw_incidents_count(const tw_incidents *in);
/* List, newest first; new reference. Besides what it is: `told`, `told_level`, and in `held` what keeps it, or what it is
 * now, from being told, each with `why` (inhibited, silenced, inactive, grouped, pending, max_age, storm) and, where
 * there are such, `by` and `until`. */
json_t *tw_incidents_json(const tw_incidents *in);
/* The names of their labels as the members of an object; new reference. */
json_t *tw_incidents_label_names(const tw_incidents *in);

#endif

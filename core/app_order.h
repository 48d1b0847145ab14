// SPDX-License-Identifier: Apache-2.0
/* Signals of rules whose incidents depend on each other's (they inhibit, are grouped, or may become a storm) in order
 * of time across lanes. Lanes are not equally fast, above all with a backlog, so what one of them says of ten o'clock
 * may come behind what another says of noon; whether one incident stood while another one opened could then not be
 * told. Such signals wait until the clocks of the rules concerned have come to them. What any other rule says goes
 * on at once. Shore thread. */
#ifndef TW_APP_ORDER_H
#define TW_APP_ORDER_H

#include "alert/incident.h"
#include "base/buf.h"
#include "ruleset.h"

typedef struct tw_app_order tw_app_order;

tw_app_order *tw_app_order_new(tw_incidents *incidents); /* borrowed */
void tw_app_order_free(tw_app_order *o); /* what waits is lost: release it first */

/* From now on these are the incidents. What waits is for them. */
void tw_app_order_serve(tw_app_order *o, tw_incidents *incidents);
/* From now on these rules run. What waits goes on waiting. */
void tw_app_order_rules(tw_app_order *o, const tw_ruleset *set);
void tw_app_order_signal(tw_app_order *o, const tw_signal *s);

/* The rule is gone or begins anew: what it said is handed over, before its incidents end. */
void tw_app_order_rule_gone(tw_app_order *o, const tw_rule *rule);

/* times: of all rules, by number; NULL: whatever the clocks are, everything is released, in order. All that lanes
 * told before their clocks came to these values, and before they were idle, must have been handed over. */
typedef struct tw_rule_time {
    int64_t clock_ms;
    int64_t
        waited_ms; /* without a clock: the time of the wall instead; 0: it has none either */
    bool idle;     /* nothing is left to read */
} tw_rule_time;
void tw_app_order_advance(tw_app_order *o, const tw_rule_time *times);
/* What waits, as bytes, and into a new one that has the rules, when its incidents have been read. What rules said
 * that are gone is dropped; they end. TW_EPARSE: the bytes are not what save wrote. */
void tw_app_order_save(const tw_app_order *o, tw_buf *out);
int tw_app_order_load(tw_app_order *o, const void *data, size_t size, tw_rule_finder find,
                      tw_err *err);
/* The clock of a rule as incidents are to know it now; TW_TIME_NONE: none. */
int64_t tw_app_order_clock(const tw_app_order *o, const char *rule);
/* Nothing is left to read for it, and incidents know all that came of what was read. */
bool tw_app_order_idle(const tw_app_order *o, const char *rule);

#endif

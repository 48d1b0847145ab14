// SPDX-License-Identifier: Apache-2.0
/* Which incidents inhibit which, without looking at all of them: incidents that may inhibit by their rule (or any), the
 * values of the labels that have to be equal and of those that `match` names; and those that are held back by the same.
 * Only an inhibitor whose `equal` has "severity" cannot be found so; tw_peers_knows says whether it can. Shore thread only. */
#ifndef TW_ALERT_PEERS_H
#define TW_ALERT_PEERS_H

#include "alert/incident_impl.h"

typedef struct tw_peers tw_peers;

/* Incidents that have a value in common. */
typedef struct tw_bucket {
    tw_incident **items;
    uint32_t count, room;
    char *key;
    size_t key_len;
} tw_bucket;

tw_peers *tw_peers_new(void);
void tw_peers_free(tw_peers *p); /* every incident has left */

bool tw_peers_knows(const tw_inhibitor *by);
/* An incident has its labels, and will not change them; it leaves before it is freed. */
void tw_peers_enter(tw_incident *inc);
void tw_peers_leave(tw_incident *inc);
/* The incidents that may be meant by it; NULL: none. */
const tw_bucket *tw_peers_of(const tw_incident *inc, const tw_inhibitor *by);
/* It is held back now by the inhibitors of its rule, or no longer. */
void tw_peers_hold_back(tw_incident *inc);
void tw_peers_let_go(tw_incident *inc);
/* Its rule is another now, by name or by what inhibits it. */
void tw_peers_rule_changed(tw_incident *inc);
/* Its level is another now. */
void tw_peers_level_changed(tw_incident *inc);
/* Each incident that may have been held back by this one, when it stood at that level, is looked at again then; of
 * those that are held back by inhibitors that are not known here (in->held_by_any of them) nothing is done. */
void tw_peers_look_again(const tw_incident *inhibitor, tw_level before, int64_t at_ms);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What rules knew that are gone, or were edited into something else, for as long as their `park` says: if they
 * come back within that time they go on with it. It stands still as bytes; what of it still holds then is
 * decided when it wakes (detect/wake.h). Bounded in rules and bytes: beyond that the oldest goes.
 *
 * Shore thread, while the lanes stand still. Owned by the engine. */
#ifndef TW_PARK_H
#define TW_PARK_H

#include "lane.h"

#define TW_PARK_MAX_RULES 64
#define TW_PARK_MAX_BYTES ((size_t)256 << 20)

typedef struct tw_parked_lane {
    void *state, *known; /* of the detector, of dedup; NULL: nothing */
    size_t state_size, known_size;
} tw_parked_lane;

typedef struct tw_parked {
    char *name;
    char state_hash[33];
    tw_rule *rule; /* NULL: read from a saved state, where only its shape is known */
    int64_t since_ms, until_ms; /* of the day, not of the rule's clock */
    uint64_t keys;
    size_t bytes;
    tw_parked_lane *lanes;
    uint32_t lane_count;
} tw_parked;

typedef struct tw_park {
    tw_parked **items; /* oldest first */
    uint32_t count;
    size_t bytes;
    tw_gauge *rules_gauge, *bytes_gauge;
    tw_counter *revived, *dropped;
} tw_park;

void tw_park_init(tw_park *p, tw_stats *stats);
void tw_park_done(tw_park *p);

/* What the instances of a rule know, one a lane, as long as the rule says; in place of what is parked under
 * its name with the same shape. */
void tw_park_put(tw_park *p, tw_instance *const *instances, uint32_t lane_count,
                 int64_t now_ms);
/* What a saved state says of a rule that is not there any more, a lane after the other. */
typedef struct tw_saved_rule {
    const char *name, *state_hash; /* less than 33 bytes */
    int64_t park_ms;
    const void *state, *known;
    size_t state_size, known_size;
} tw_saved_rule;
void tw_park_saved(tw_park *p, const tw_saved_rule *saved, uint32_t lane,
                   uint32_t lane_count, int64_t now_ms);
/* What a rule that begins can go on with: of its name or of one it had. Borrowed; NULL: nothing. why: what
 * will become of it. */
tw_parked *tw_park_find(const tw_park *p, const tw_rule *fresh, int64_t now_ms, char *why,
                        size_t size);
/* It is the caller's from now on. */
void tw_park_take(tw_park *p, tw_parked *parked);
void tw_parked_free(tw_parked *parked);
/* The instance, which knows nothing yet, goes on with it. */
void tw_parked_wake(const tw_parked *parked, tw_instance *inst, tw_script *script,
                    int64_t now_ms);
/* What nobody came back for in time goes. */
void tw_park_expire(tw_park *p, int64_t now_ms);
/* Whether a rule that goes now would be parked; why: what can become of it. */
bool tw_park_would_take(const tw_rule *rule, char *why, size_t size);
json_t *tw_park_json(const tw_park *p); /* new reference */

void tw_park_save(const tw_park *p, tw_buf *out);
int tw_park_load(tw_park *p, tw_state_in *in, uint32_t lane_count, tw_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What a switch to other rules changes, rule by rule: what `tidewatch plan` shows before it is done and a
 * reload tells afterwards. Shore thread. */
#ifndef TW_CHANGES_H
#define TW_CHANGES_H

#include "park.h"
#include "ruleset.h"

/* How many keys rule number i of the running set has. */
typedef uint64_t (*tw_changes_keys)(void *self, uint32_t rule);

/* A list sorted by rule name, a new reference. Each: rule, change ("added", "changed", "moved", "unchanged",
 * "removed"), file, line, and but for an added one keys; of a changed or moved one parts (what of its table
 * was edited), state (tw_fate_name), why and, when it is to be warming, warming_ms, of a moved one was. What is parked when it goes, and revived, says so as its
 * state. running may be NULL: everything is new. */
json_t *tw_changes_json(const tw_rule_files *fresh, const tw_ruleset *running,
                        const tw_park *park, int64_t now_ms, tw_changes_keys keys,
                        void *self);

#endif

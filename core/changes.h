// SPDX-License-Identifier: Apache-2.0
/* What a switch to other rules changes, rule by rule: what `tidewatch plan` shows before it is done and a
 * reload tells afterwards. Shore thread. */
#ifndef TW_CHANGES_H
#define TW_CHANGES_H

#include "detect/detector.h"
#include "park.h"
#include "ruleset.h"

/* Of rule number i of the running set: how many keys it has, and its open matches by the step they wait for,
 * as an object, a new reference (NULL: it has none); what an edit makes due at once by its holds; and the ids of open
 * incidents that end as it goes (fresh NULL) or goes on under another name, a new reference. */
typedef struct tw_changes_port {
    uint64_t (*keys)(void *self, uint32_t rule);
    json_t *(*open)(void *self, uint32_t rule);
    void (*due)(void *self, uint32_t rule, const tw_rule *fresh, tw_due *out);
    json_t *(*ending)(void *self, uint32_t rule, const tw_rule *fresh);
    void *self;
} tw_changes_port;

/* A list sorted by rule name, a new reference. Each: rule, change ("added", "changed", "moved", "unchanged",
 * "removed"), file, line, and but for an added one keys; of a changed or moved one parts (what of its table
 * was edited), state (tw_fate_name), why and, when it is to be warming, warming_ms, of a moved one was. What is
 * parked when it goes, and revived, says so as its state. `open`, `due` ({ "fires", "ends" }) and
 * `ending` of one that is not unchanged: see tw_changes_port; each only where there are such. `params`: those that
 * differ, name to [before, now]; null: there is none. running may be NULL: everything is new. */
json_t *tw_changes_json(const tw_rule_files *fresh, const tw_ruleset *running,
                        const tw_park *park, int64_t now_ms, const tw_changes_port *port);

#endif

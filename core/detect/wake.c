// SPDX-License-Identifier: Apache-2.0
/* What of each detector's state goes on behind a hole; docs/RULES.md says it to users.
 *
 *     judged ........|  hole: nobody looked  |........ judged
 *                 parked                  revived
 */
#include "detect/wake.h"

#include <stdio.h>

#include "detect/wake_impl.h"
#include "flow/plan_join.h"
#include "flow/plan_seq.h"
#include "flow/plan_together.h"

/* What panes of a sliding window do not see either. */
#define HOLE_SHARE TW_SLIDING_PANES

static bool say(bool yes, char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return yes;
}

static bool can_wake_level(const tw_rule *rule, int64_t hole_ms, char *why, size_t size)
{
    const tw_level_plan *p = &rule->level;
    bool is_timed = p->window.kind == TW_WINDOW_SLIDING ||
                    p->window.kind == TW_WINDOW_HOPPING ||
                    p->window.kind == TW_WINDOW_TUMBLING;

    if (!is_timed || p->has_nodata)
        return say(false, why, size, "a value may be another by now; it starts anew");
    if (hole_ms > p->window.over_ms / HOLE_SHARE)
        return say(false, why, size, "its window has too large a hole; it starts anew");
    return say(true, why, size, "windows go on, levels are judged anew");
}

static bool can_wake_join(const tw_rule *rule, char *why, size_t size)
{
    tw_join_tells tells = tw_rule_join(rule)->tells;

    if (tells != TW_JOIN_EACH && tells != TW_JOIN_COMPLETE)
        return say(false, why, size, "who came meanwhile is not known; it starts anew");
    return say(true, why, size, "events wait on for their partners");
}

static bool can_wake_together(const tw_rule *rule, char *why, size_t size)
{
    if (tw_rule_together(rule)->where_fn != TW_NO_FN)
        return say(false, why, size,
                   "the newest of each kind is not known; it starts anew");
    return say(true, why, size, "events wait on for the other kinds");
}

bool tw_detector_can_wake(const tw_rule *rule, int64_t hole_ms, char *why, size_t size)
{
    switch (rule->detector) {
    case TW_DETECT_LEVEL:
    case TW_DETECT_MEASURE:
        return can_wake_level(rule, hole_ms, why, size);
    case TW_DETECT_JOIN:
        return can_wake_join(rule, why, size);
    case TW_DETECT_TOGETHER:
        return can_wake_together(rule, why, size);
    case TW_DETECT_MISSING:
        return say(true, why, size,
                   "what is expected is known, and its time begins anew");
    case TW_DETECT_SEQ:
        return seq_can_wake(rule)
                   ? say(true, why, size,
                         "matches go on that nothing in between can have ended")
                   : say(false, why, size,
                         "what came in between may have ended matches; it starts anew");
    case TW_DETECT_PASS:
        return say(false, why, size, "it remembers nothing");
    case TW_DETECT_HANDLER:
    case TW_DETECT_SESSION:
    case TW_DETECT_CHANGE:
    case TW_DETECT_IMPACT:
        break;
    }
    return say(false, why, size,
               "it would have to know what came in between; it starts anew");
}

void tw_detector_wake(tw_detector *d, const tw_rule *rule)
{
    if (rule->detector == TW_DETECT_LEVEL || rule->detector == TW_DETECT_MEASURE)
        level_wake(d);
    else if (rule->detector == TW_DETECT_MISSING)
        missing_wake(d);
    else if (rule->detector == TW_DETECT_SEQ)
        seq_wake(d);
}

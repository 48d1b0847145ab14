// SPDX-License-Identifier: Apache-2.0
/* Which class runs a rule's detector, and what an edit does to its state. Any thread. */
#include "detect/detector.h"

#include <stdio.h>
#include <string.h>

#include "detect/change.h"
#include "detect/handler.h"
#include "detect/impact.h"
#include "detect/join.h"
#include "detect/level.h"
#include "detect/missing.h"
#include "detect/session.h"
#include "detect/pass.h"
#include "detect/seq.h"
#include "detect/together.h"

const tw_detector_class *tw_detector_class_of(const tw_rule *rule)
{
    switch (rule->detector) {
    case TW_DETECT_LEVEL:
    case TW_DETECT_MEASURE:
        return &tw_level_class;
    case TW_DETECT_HANDLER:
        return &tw_handler_class;
    case TW_DETECT_PASS:
        return &tw_pass_class;
    case TW_DETECT_SESSION:
        return &tw_session_class;
    case TW_DETECT_CHANGE:
        return &tw_change_class;
    case TW_DETECT_JOIN:
        return &tw_join_class;
    case TW_DETECT_TOGETHER:
        return &tw_together_class;
    case TW_DETECT_SEQ:
        return &tw_seq_class;
    case TW_DETECT_MISSING:
        return &tw_missing_class;
    case TW_DETECT_IMPACT:
        return &tw_impact_class;
    }
    return NULL;
}

/* ---- edits ------------------------------------------------------------------------- */

const char *tw_fate_name(tw_fate fate)
{
    switch (fate) {
    case TW_FATE_KEPT:
        return "kept";
    case TW_FATE_WARMING:
        return "warming";
    case TW_FATE_TRIMMED:
        return "trimmed";
    case TW_FATE_PARTLY:
        return "partly";
    case TW_FATE_COLD:
        return "cold";
    }
    return "cold";
}

static tw_fate say(tw_fate fate, char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return fate;
}

static bool same_key(const tw_rule *a, const tw_rule *b)
{
    if (a->key_count != b->key_count)
        return false;
    for (uint32_t i = 0; i < a->key_count; i++)
        if (strcmp(a->key_names[i], b->key_names[i]) != 0)
            return false;
    return true;
}

static bool same_inputs(const tw_rule *a, const tw_rule *b)
{
    if (a->input_count != b->input_count)
        return false;
    for (uint32_t i = 0; i < a->input_count; i++)
        if (strcmp(a->inputs[i].name, b->inputs[i].name) != 0 ||
            a->inputs[i].stream != b->inputs[i].stream)
            return false;
    return true;
}

tw_fate tw_rule_fate(const tw_rule *fresh, const tw_rule *old, char *why, size_t size)
{
    const tw_detector_class *cls = tw_detector_class_of(fresh);

    if (strcmp(fresh->hash, old->hash) == 0)
        return say(TW_FATE_KEPT, why, size, "nothing changed");
    if (!same_key(fresh, old))
        return say(TW_FATE_COLD, why, size, "the key is another one");
    if (fresh->detector != old->detector)
        return say(TW_FATE_COLD, why, size, "it is another detector");
    if (strcmp(fresh->state_hash, old->state_hash) == 0)
        return say(TW_FATE_KEPT, why, size, "the edit does not touch it");
    if (!same_inputs(fresh, old))
        return say(TW_FATE_COLD, why, size, "the inputs are others");
    if (cls && cls->fate)
        return cls->fate(fresh, old, why, size);
    return say(TW_FATE_COLD, why, size, "what is remembered would mean something else");
}

// SPDX-License-Identifier: Apache-2.0
/* Which class runs a rule's detector, and what an edit does to its state. Any thread. */
#include "detect/detector.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
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

void tw_edit_add(tw_edit *edit, tw_fate fate, int64_t warming_ms, const char *why)
{
    size_t used = strlen(edit->why);

    edit->fate = fate > edit->fate ? fate : edit->fate;
    if (edit->warming_ms == 0 || warming_ms > edit->warming_ms) {
        edit->warming_ms = warming_ms;
    }
    snprintf(edit->why + used, sizeof edit->why - used, "%s%s", used > 0 ? "; " : "",
             why);
}

void tw_edit_span(tw_edit *edit, int64_t fresh_ms, int64_t old_ms, const char *longer,
                  const char *shorter)
{
    if (fresh_ms > old_ms) {
        tw_edit_add(edit, TW_FATE_WARMING, fresh_ms - old_ms, longer);
    } else if (fresh_ms < old_ms) {
        tw_edit_add(edit, TW_FATE_TRIMMED, fresh_ms - old_ms, shorter);
    }
}

void tw_edit_sessions(tw_edit *edit, int64_t gap_ms, int64_t was_gap_ms, int64_t max_ms,
                      int64_t was_max_ms)
{
    tw_edit_span(edit, gap_ms, was_gap_ms, "a session that has ended does not go on",
                 "silence ends open sessions sooner");
    if (max_ms > 0 && was_max_ms > 0)
        tw_edit_span(edit, max_ms, was_max_ms,
                     "a session that max has ended does not go on",
                     "max ends open sessions sooner");
    else if (max_ms > 0)
        tw_edit_add(edit, TW_FATE_TRIMMED, 0, "max ends open sessions");
    else if (was_max_ms > 0)
        tw_edit_add(edit, TW_FATE_KEPT, 0, "max ends no session any more");
}

/* What is remembered reaches back from now, or from when it was to be warm, as far as the old rule looked. */
int64_t tw_edit_warming_until(const tw_edit *edit, int64_t was_ms, int64_t clock_ms)
{
    int64_t from_ms = was_ms > clock_ms ? was_ms : clock_ms;

    if (clock_ms == TW_TIME_NONE || from_ms + edit->warming_ms <= clock_ms)
        return 0;
    return from_ms + edit->warming_ms;
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

/* Of the same name: events come from the same stream, and have the same time. */
static bool same_input(const tw_input *a, const tw_input *b)
{
    return (a->stream == b->stream ||
            (a->stream && b->stream && strcmp(a->stream->name, b->stream->name) == 0)) &&
           a->time_slot == b->time_slot;
}

int tw_edit_input(const tw_rule *to, const tw_rule *from, uint32_t number)
{
    for (uint32_t i = 0; i < to->input_count; i++)
        if (strcmp(to->inputs[i].name, from->inputs[number].name) == 0)
            return (int)i;
    return -1;
}

bool tw_edit_same_inputs(const tw_rule *fresh, const tw_rule *old)
{
    for (uint32_t i = 0; i < fresh->input_count && i < old->input_count; i++)
        if (strcmp(fresh->inputs[i].name, old->inputs[i].name) != 0)
            return false;
    return fresh->input_count == old->input_count;
}

/* The first input whose name now stands for other events or times; NULL: none does. */
static const char *changed_input(const tw_rule *fresh, const tw_rule *old)
{
    for (uint32_t i = 0; i < fresh->input_count; i++) {
        int was = tw_edit_input(old, fresh, i);
        if (was >= 0 && !same_input(&fresh->inputs[i], &old->inputs[was]))
            return fresh->inputs[i].name;
    }
    return NULL;
}

bool tw_edit_same_events(const tw_rule *fresh, const tw_rule *old)
{
    return same_key(fresh, old) && !changed_input(fresh, old);
}

static void compare(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_detector_class *cls = tw_detector_class_of(fresh);

    if (strcmp(fresh->hash, old->hash) == 0)
        tw_edit_add(out, TW_FATE_KEPT, 0, "nothing changed");
    else if (!same_key(fresh, old))
        tw_edit_add(out, TW_FATE_COLD, 0, "the key is another one");
    else if (fresh->detector != old->detector)
        tw_edit_add(out, TW_FATE_COLD, 0, "it is another detector");
    else if (changed_input(fresh, old))
        tw_edit_add(out, TW_FATE_COLD, 0,
                    "the times or the stream of an input are others");
    else if (cls && cls->fate)
        cls->fate(fresh, old, out);
    else if (strcmp(fresh->state_hash, old->state_hash) != 0)
        tw_edit_add(out, TW_FATE_COLD, 0, "what is remembered would mean something else");
}

tw_fate tw_rule_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    *out = (tw_edit){.fate = TW_FATE_KEPT};
    compare(fresh, old, out);
    if (out->why[0] == '\0')
        tw_edit_add(out, TW_FATE_KEPT, 0, "the edit does not touch it");
    return out->fate;
}

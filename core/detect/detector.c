// SPDX-License-Identifier: Apache-2.0
/* Which class runs a rule's detector. Any thread. */
#include "detect/detector.h"

#include "detect/change.h"
#include "detect/handler.h"
#include "detect/join.h"
#include "detect/level.h"
#include "detect/together.h"

const tw_detector_class *tw_detector_class_of(const tw_rule *rule)
{
    switch (rule->detector) {
    case TW_DETECT_LEVEL:
        return &tw_level_class;
    case TW_DETECT_HANDLER:
        return &tw_handler_class;
    case TW_DETECT_CHANGE:
        return &tw_change_class;
    case TW_DETECT_JOIN:
        return &tw_join_class;
    case TW_DETECT_TOGETHER:
        return &tw_together_class;
    case TW_DETECT_MEASURE:
    case TW_DETECT_SEQ:
    case TW_DETECT_MISSING:
    case TW_DETECT_SESSION:
    case TW_DETECT_IMPACT:
        break; /* core/rule refuses them */
    }
    return NULL;
}

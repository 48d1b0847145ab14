// SPDX-License-Identifier: Apache-2.0
/* Which class runs a rule's detector. Any thread. */
#include "detect/detector.h"

#include "detect/handler.h"
#include "detect/level.h"

const tw_detector_class *tw_detector_class_of(const tw_rule *rule)
{
    switch (rule->detector) {
    case TW_DETECT_LEVEL:
        return &tw_level_class;
    case TW_DETECT_HANDLER:
        return &tw_handler_class;
    }
    return NULL;
}

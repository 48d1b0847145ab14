// SPDX-License-Identifier: Apache-2.0
/* The handler detector: Lua functions of the rule decide what occurred; the state, timers
 * and caps of each key are kept here. Reached through tw_detector_class_of. */
#ifndef TW_DETECT_HANDLER_H
#define TW_DETECT_HANDLER_H

#include "detect/detector.h"

extern const tw_detector_class tw_handler_class;

#endif

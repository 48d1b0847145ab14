// SPDX-License-Identifier: Apache-2.0
/* The level detector: keeps a window for each key, judges its value and says when the level
 * changes. Reached through tw_detector_class_of; docs/RULES.md says what it does, to the
 * instant. */
#ifndef TW_DETECT_LEVEL_H
#define TW_DETECT_LEVEL_H

#include "detect/detector.h"

extern const tw_detector_class tw_level_class;

#endif

// SPDX-License-Identifier: Apache-2.0
/* The missing detector: keys that are expected and were not heard for too long. Reached through
 * tw_detector_class_of; docs/RULES.md says what it does, to the instant. */
#ifndef TW_DETECT_MISSING_H
#define TW_DETECT_MISSING_H

#include "detect/detector.h"

extern const tw_detector_class tw_missing_class;

#endif

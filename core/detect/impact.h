// SPDX-License-Identifier: Apache-2.0
/* The impact detector: whether a metric changed after an event of the same key. Reached through
 * tw_detector_class_of; docs/RULES.md says what it does, to the instant. */
#ifndef TW_DETECT_IMPACT_H
#define TW_DETECT_IMPACT_H

#include "detect/detector.h"

extern const tw_detector_class tw_impact_class;

#endif

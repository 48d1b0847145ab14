// SPDX-License-Identifier: Apache-2.0
/* The together detector: events of several kinds of one key within a span, in any order. Reached
 * through tw_detector_class_of. */
#ifndef TW_DETECT_TOGETHER_H
#define TW_DETECT_TOGETHER_H

#include "detect/detector.h"

extern const tw_detector_class tw_together_class;

#endif

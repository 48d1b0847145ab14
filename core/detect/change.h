// SPDX-License-Identifier: Apache-2.0
/* The change detector: a field of a key differs from what it was. Reached through
 * tw_detector_class_of. */
#ifndef TW_DETECT_CHANGE_H
#define TW_DETECT_CHANGE_H

#include "detect/detector.h"

extern const tw_detector_class tw_change_class;

#endif

// SPDX-License-Identifier: Apache-2.0
/* The join detector: left and right events of one key that lie within a bound of each other. Reached
 * through tw_detector_class_of. */
#ifndef TW_DETECT_JOIN_H
#define TW_DETECT_JOIN_H

#include "detect/detector.h"

extern const tw_detector_class tw_join_class;

#endif

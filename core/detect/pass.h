// SPDX-License-Identifier: Apache-2.0
/* No detector at all: every event that matches is told as it is, so that it can be emitted with what
 * look-ups add to it. Keeps nothing. One lane's thread. */
#ifndef TW_DETECT_PASS_H
#define TW_DETECT_PASS_H

#include "detect/detector.h"

extern const tw_detector_class tw_pass_class;

#endif

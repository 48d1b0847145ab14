// SPDX-License-Identifier: Apache-2.0
/* The session detector: events of a key with no long silence between them. Reached through
 * tw_detector_class_of. */
#ifndef TW_DETECT_SESSION_H
#define TW_DETECT_SESSION_H

#include "detect/detector.h"

extern const tw_detector_class tw_session_class;

#endif

// SPDX-License-Identifier: Apache-2.0
/* A detector's state that stood still while its rule was gone, and is to go on. Events went by that nobody
 * judged, so what they might have ended, changed or put off is not true any more; what they cannot have touched
 * stays. What a detector finds afterwards it would have found without the hole, too. One lane's thread. */
#ifndef TW_DETECT_WAKE_H
#define TW_DETECT_WAKE_H

#include "detect/detector.h"

/* Whether anything of such a rule's state can go on behind a hole of that length. Pure. why: a sentence. */
bool tw_detector_can_wake(const tw_rule *rule, int64_t hole_ms, char *why, size_t size);
/* Drops what cannot. Only where tw_detector_can_wake; before its first event and its first clock since. */
void tw_detector_wake(tw_detector *d, const tw_rule *rule);

#endif

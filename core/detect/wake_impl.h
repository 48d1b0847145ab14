// SPDX-License-Identifier: Apache-2.0
/* Detectors that drop something when they wake; for wake.c and *_wake.c only. */
#ifndef TW_DETECT_WAKE_IMPL_H
#define TW_DETECT_WAKE_IMPL_H

#include "detect/window.h"
#include "detect/wake.h"

void level_wake(tw_detector *d);
void missing_wake(tw_detector *d);
bool seq_can_wake(const tw_rule *rule);
void seq_wake(tw_detector *d);

#endif

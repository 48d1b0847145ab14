// SPDX-License-Identifier: Apache-2.0
/* The sequence operator: steps that happen in order (flow/plan_seq.h). docs/RULES.md says what each
 * option means; one deterministic path a match, never a tree of possibilities. */
#ifndef TW_DETECT_SEQ_H
#define TW_DETECT_SEQ_H

#include "detect/detector.h"

extern const tw_detector_class tw_seq_class;

#endif

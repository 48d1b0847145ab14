// SPDX-License-Identifier: Apache-2.0
/* A regular expression that a whole text must match, as label matchers mean it: anchored at both ends,
 * with bounds on the work it may cause. Immutable; one thread at a time. */
#ifndef TW_FLOW_TEXT_PATTERN_H
#define TW_FLOW_TEXT_PATTERN_H

#include <stdbool.h>

#include "base/err.h"

typedef struct tw_text_pattern tw_text_pattern;

tw_text_pattern *tw_text_pattern_new(const char *pattern, tw_err *err); /* TW_EPARSE */
void tw_text_pattern_free(tw_text_pattern *p);
bool tw_text_pattern_holds(const tw_text_pattern *p, const char *text);

#endif

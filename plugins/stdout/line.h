// SPDX-License-Identifier: Apache-2.0
/* A record as one line for people. */
#ifndef TW_STDOUT_LINE_H
#define TW_STDOUT_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "tidewatch.h"

/* Time, what happened, level, rule, title, labels. Control characters of what came from
 * outside are replaced, so that no event can steer the terminal. */
void line_write(FILE *out, const tw_record *r, bool colours);

#endif

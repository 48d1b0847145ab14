// SPDX-License-Identifier: Apache-2.0
/* Text for a terminal, broken between words. Main thread. */
#ifndef TW_CLI_WRAP_H
#define TW_CLI_WRAP_H

#include <stdio.h>

/* Of the terminal, from 60 to 120; 100 where there is none. */
int tw_cli_width(FILE *out);
/* A text that begins at column `at` and goes on, where a line is full, on a new one at `indent`; ends the line. A
 * word that is wider than the line stands on one of its own. */
void tw_cli_wrap(FILE *out, int width, int at, int indent, const char *text);

#endif

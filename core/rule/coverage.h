// SPDX-License-Identifier: Apache-2.0
/* Which lines of the functions of rule files were run, and which answers their predicates gave. Filled by
 * scripts of files that were told to (tw_rule_files_cover); shore thread only, so not with lane threads. Knows
 * functions of rules, and others of the file that these can reach or that were called. */
#ifndef TW_RULE_COVERAGE_H
#define TW_RULE_COVERAGE_H

#include "rule/rules.h"

enum { TW_LINE_ACTIVE = 1, TW_LINE_REACHED = 2 };           /* of lines */
enum { TW_FN_ASKED = 1, TW_FN_HELD = 2, TW_FN_FAILED = 4 }; /* of functions */

typedef struct tw_file_coverage {
    char *path;
    uint8_t *lines; /* from 1 */
    int line_count;
    uint8_t *fns; /* by number */
    int *fn_lines;
    int fn_count;
} tw_file_coverage;

typedef struct tw_coverage {
    tw_file_coverage *files;
    uint32_t count;
} tw_coverage;

tw_coverage *tw_coverage_new(void);
void tw_coverage_free(tw_coverage *c);
/* The pointer is good until the next file is added. */
tw_file_coverage *tw_coverage_file(tw_coverage *c, const char *path);

/* Scripts that are made of these files from now on write down what is run; c is borrowed. */
void tw_rule_files_cover(tw_rule_files *f, tw_coverage *c);

#endif

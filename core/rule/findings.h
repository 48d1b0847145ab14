// SPDX-License-Identifier: Apache-2.0
/* Collecting what is wrong with rule files. The list grows as long as the files have mistakes, up
 * to a limit a person can still read. */
#ifndef TW_RULE_FINDINGS_H
#define TW_RULE_FINDINGS_H

#include "rule/rules.h"

enum { TW_FINDINGS_PER_FILE = 50 };

/* Copies err. The same place and text twice is told once. */
void tw_findings_add(tw_findings *f, const tw_err *err, bool warning);
/* Items from `first` on into the order of the text. */
void tw_findings_sort(tw_findings *f, size_t first);
size_t tw_findings_errors(const tw_findings *f, size_t first); /* without warnings */
/* A list of {file, line, column, text, warning}. New reference. */
json_t *tw_findings_json(const tw_findings *f);

#endif

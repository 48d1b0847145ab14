// SPDX-License-Identifier: Apache-2.0
/* What Lua says of a rule file that it cannot run, made fit for who wrote it: the column, and what was probably meant. Shore
 * only. */
#ifndef TW_RULE_LOAD_ERROR_H
#define TW_RULE_LOAD_ERROR_H

#include "rule/compile.h"

/* Lua knows the line only; the thing it names gives the column. */
void tw_load_error_complete(tw_err *err, const tw_rule_text *source);

#endif

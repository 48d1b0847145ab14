// SPDX-License-Identifier: Apache-2.0
/* Writes a jansson tree. jansson's own dumps pass a callback for every few bytes and keep a table of the pointers of
 * all containers they are in, against cycles; of an alert that was most of what it cost. Trees here are made by the
 * program from values, and have no cycles. Any thread that owns the tree. */
#ifndef TW_BASE_JSON_H
#define TW_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* Compact, keys in their order, text in UTF-8, reals in their shortest form with a point or exponent. TW_ELIMIT
 * when it does not fit, as of any append. */
int tw_json_write(const json_t *v, tw_buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Looks into the JSON text of an array (a TW_JSON value) without building a tree: what
 * the matcher `has` needs. Nothing is allocated. The text comes from the decoder, which
 * has checked its grammar; text that is malformed all the same ends the walk early and
 * never reads beyond n. Any thread. */
#ifndef TW_FLOW_JSON_ARRAY_H
#define TW_FLOW_JSON_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/value.h"

/* True when text is an array with an element equal to wanted (tw_value_equal; escapes in
 * text are undone while comparing). */
bool tw_json_array_has(const char *text, size_t n, tw_value wanted);

#endif

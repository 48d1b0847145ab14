// SPDX-License-Identifier: Apache-2.0
/* Values and figures as members of JSON objects. New references. */
#ifndef TW_FLOW_VALUE_JSON_H
#define TW_FLOW_VALUE_JSON_H

#include <jansson.h>

#include "flow/value.h"

/* A decimal beyond a double is its text. NULL: absent, null, or not what JSON can say. */
json_t *tw_value_json(tw_value v);
/* A whole number without a point. NULL: not a number, or without an end. */
json_t *tw_number_json(double v);

#endif

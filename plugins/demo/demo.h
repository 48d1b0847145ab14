// SPDX-License-Identifier: Apache-2.0
/* What the two kinds of the plugin share. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "tidewatch.h"

#define DEMO_COLOURS_SCHEMA                                                              \
    "\"colours\": {\"type\": \"string\", \"enum\": [\"auto\", \"always\", \"never\"], "  \
    "\"default\": \"auto\", \"description\": \"auto: on a terminal, unless NO_COLOR is " \
    "set\"}"

extern const tw_source_type demo_source_type;
extern const tw_sink_type demo_sink_type;

#endif

// SPDX-License-Identifier: Apache-2.0
/* A Kafka sink, see sink.c. */
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include "settings.h"

extern const tw_sink_type kafka_sink_type;

#endif

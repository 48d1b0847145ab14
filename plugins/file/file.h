// SPDX-License-Identifier: Apache-2.0
/* The plugin `file`: NDJSON out of a file and into one. */
#ifndef TW_FILE_FILE_H
#define TW_FILE_FILE_H

#include "tidewatch.h"

extern const tw_sink_type file_sink_type;
extern const tw_source_type file_source_type;

#endif

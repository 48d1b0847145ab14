// SPDX-License-Identifier: Apache-2.0
/* The plugin's descriptor. */
#include "demo/demo.h"

static const tw_source_type *const sources[] = {&demo_source_type, NULL};
static const tw_sink_type *const sinks[] = {&demo_sink_type, NULL};

extern const tw_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "demo",
    .version = "1",
    .sources = sources,
    .sinks = sinks,
};

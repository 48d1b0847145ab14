// SPDX-License-Identifier: Apache-2.0
/* Everything that `run` would refuse, found without running: connectors are asked whether they take
 * their settings but are not started, tables are read once, rules are compiled into an engine that
 * gets no events. Nothing is connected to, nothing is written. Shore thread. */
#ifndef TW_PREFLIGHT_H
#define TW_PREFLIGHT_H

#include "config.h"

/* Plugins, kinds, settings, tables. Returns the number of errors added to out. */
size_t tw_preflight_config(const tw_config *config, tw_findings *out);

/* Rule files and folders of them, against a configuration, or with NULL by themselves: then streams,
 * tables and routes may have any name. Returns the number of errors; out_rules gets how many rules
 * there are. */
size_t tw_preflight_rules(const tw_config *config, const char *const *paths,
                          size_t path_count, tw_findings *out, uint32_t *out_rules);

#endif

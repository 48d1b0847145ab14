// SPDX-License-Identifier: Apache-2.0
/* Loading plugins: shared objects with one exported descriptor (plugins/tidewatch.h).
 * dlopen lives here. A file is refused, with one sentence that names its path, when it
 * does not open, exports no descriptor, was built for another ABI, or leaves out a
 * function. A mapping, once made, stays until the process ends, so no pointer into it
 * ever dangles. Shore thread. */
#ifndef TW_HOST_PLUGIN_H
#define TW_HOST_PLUGIN_H

#include "base/err.h"
#include "plugins/tidewatch.h"

typedef struct tw_plugins tw_plugins;

tw_plugins *tw_plugins_new(void);
void tw_plugins_free(tw_plugins *p);
/* Loads one file. The same path twice is fine. TW_EINVAL, TW_EIO. */
int tw_plugins_load(tw_plugins *p, const char *path, tw_err *err);
/* Loads every *.so of a folder, sorted by name; a refused file is an error. A folder that
 * does not exist is an error too. */
int tw_plugins_load_dir(tw_plugins *p, const char *dir, tw_err *err);
/* The type of that kind, or NULL with an error that lists the nearest or the known kinds.
 */
const tw_source_type *tw_plugins_source(const tw_plugins *p, const char *kind,
                                        tw_err *err);
const tw_sink_type *tw_plugins_sink(const tw_plugins *p, const char *kind, tw_err *err);
/* How a source of that type is read as a table; NULL: it cannot be. */
const tw_source_type *tw_plugin_table_type(const tw_source_type *t);
/* Loaded plugins, for `version` and status. */
size_t tw_plugins_count(const tw_plugins *p);
const tw_plugin *tw_plugins_at(const tw_plugins *p, size_t i, const char **out_path);
/* Where the plugins of this build lie: beside the program, or the installed folder.
 * tw_free. */
char *tw_plugins_default_dir(void);

#endif

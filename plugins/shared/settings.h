// SPDX-License-Identifier: Apache-2.0
/* A connector's settings, checked against the JSON Schema the connector publishes, so
 * that what is documented is what is taken. Of JSON Schema this reads: properties, type,
 * enum, items, minimum, maximum, default, required, and format "duration" ("90s"); an
 * unknown setting is refused. Any thread. */
#ifndef TW_SHARED_SETTINGS_H
#define TW_SHARED_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "tidewatch.h"

/* The settings with defaults filled in, a new reference; NULL with a refusal. */
json_t *settings_read(const char *text, const char *schema, tw_refusal *refusal);

/* Reading what was checked. Text is borrowed; NULL or 0 when absent. */
const char *settings_text(const json_t *settings, const char *name);
int64_t settings_int(const json_t *settings, const char *name);
bool settings_bool(const json_t *settings, const char *name);
int64_t settings_ms(const json_t *settings, const char *name);

/* Fills the refusal and returns NULL. */
void *settings_refuse(tw_refusal *refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Zeroed memory; ends the process when there is none, as the engine does. */
void *shared_alloc(size_t size);
char *shared_strdup(const char *text); /* NULL gives NULL */

#endif

// SPDX-License-Identifier: Apache-2.0
/* Which fields there are, where that is known: those a strict stream declares, or the columns of a look-up table. Rules
 * that name another one are refused. Filled by one owner, then immutable. */
#ifndef TW_FLOW_DECLARED_H
#define TW_FLOW_DECLARED_H

#include "flow/fields.h"
#include "flow/value.h"

typedef enum tw_declared_type {
    TW_DECLARED_ANY,
    TW_DECLARED_TEXT,
    TW_DECLARED_NUMBER,
    TW_DECLARED_BOOL,
    TW_DECLARED_LIST,
    TW_DECLARED_MAP
} tw_declared_type;

/* As the configuration writes them, by tw_declared_type; NULL-terminated. */
extern const char *const tw_declared_types[];

typedef struct tw_declared tw_declared;

tw_declared *tw_declared_new(void);
tw_declared *tw_declared_copy(const tw_declared *d); /* NULL gives NULL */
void tw_declared_free(tw_declared *d);
/* A path of a stream, or a column as it stands in the table. What is there already stays. Beyond 10,000 the list
 * is given up: nothing is known any more. */
void tw_declared_add(tw_declared *d, const char *path, tw_declared_type type);
bool tw_declared_known(const tw_declared *d); /* false: NULL, empty, or given up */

bool tw_declared_has_column(const tw_declared *d, const char *name, size_t n);
/* Of a stream: what is declared, what lies in a declared list, map or `any`, and what holds something declared. */
bool tw_declared_has(const tw_declared *d, const tw_field *field);
/* ANY where it is not declared by itself. */
tw_declared_type tw_declared_type_of(const tw_declared *d, const char *path);
/* NULL: no name is near. Borrowed. */
const char *tw_declared_nearest(const tw_declared *d, const char *name);

#endif

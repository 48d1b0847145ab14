// SPDX-License-Identifier: Apache-2.0
/* One field's exact conditions: which targets wait for which value. Built on the shore,
 * then finished and immutable; any lane looks up. Values are borrowed from the match
 * tables. Numbers have one canonical form, so 5 finds what waits for 5.0. */
#ifndef TW_ROUTE_EXACT_H
#define TW_ROUTE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/value.h"

typedef struct tw_exact tw_exact;

/* Values that only equal values of the same canonical form. Numbers beyond 64 bits and
 * JSON text are not of that kind and are left to the full check. */
bool tw_exact_takes(tw_value v);

tw_exact *tw_exact_new(void);
void tw_exact_free(tw_exact *x);
/* Targets come in ascending order; the same one for the same value again does nothing. */
void tw_exact_add(tw_exact *x, tw_value v, uint32_t target);
void tw_exact_finish(tw_exact *x);
uint32_t tw_exact_values(const tw_exact *x); /* distinct ones */

/* The targets that wait for v, ascending, borrowed. For a DECIMAL they are only likely
 * ones. */
uint32_t tw_exact_find(const tw_exact *x, tw_value v, const uint32_t **out);

#endif

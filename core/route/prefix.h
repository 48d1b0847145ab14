// SPDX-License-Identifier: Apache-2.0
/* One field's prefixes: which targets wait for a beginning of a text. Built on the shore,
 * then finished and immutable. Texts are borrowed from the match tables. One binary
 * search finds the longest, links lead to the shorter ones. */
#ifndef TW_ROUTE_PREFIX_H
#define TW_ROUTE_PREFIX_H

#include <stdint.h>

typedef struct tw_prefixes tw_prefixes;

tw_prefixes *tw_prefixes_new(void);
void tw_prefixes_free(tw_prefixes *x);
void tw_prefixes_add(tw_prefixes *x, const char *text, uint32_t n, uint32_t target);
void tw_prefixes_finish(tw_prefixes *x);

/* Appends the targets whose prefix starts text, in no order; returns how many. out has
 * room for all. */
uint32_t tw_prefixes_find(const tw_prefixes *x, const char *text, uint32_t n,
                          uint32_t *out);

#endif

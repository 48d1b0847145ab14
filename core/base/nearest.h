// SPDX-License-Identifier: Apache-2.0
/* "did you mean ...?": the nearest of a list of names by Damerau-Levenshtein distance. */
#ifndef TW_BASE_NEAREST_H
#define TW_BASE_NEAREST_H

#include <stddef.h>

/* The nearest name within a third of the length (at least 2), or NULL. */
const char *tw_nearest(const char *name, const char *const *names, size_t count);

#endif

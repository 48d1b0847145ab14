// SPDX-License-Identifier: Apache-2.0
/* A map from byte strings to pointers that keeps insertion order, so walking it is
 * deterministic. Keys are copied. Not thread-safe. */
#ifndef TW_BASE_MAP_H
#define TW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tw_map tw_map;

tw_map *tw_map_new(void (*free_value)(void *)); /* free_value may be NULL */
void tw_map_free(tw_map *m);
void *tw_map_get(const tw_map *m, const char *key);
void *tw_map_get_n(const tw_map *m, const void *key, size_t n);
void tw_map_put(tw_map *m, const char *key, void *value); /* replaces and frees the old */
void tw_map_put_n(tw_map *m, const void *key, size_t n, void *value);
void *tw_map_take(tw_map *m, const char *key); /* out, without freeing */
bool tw_map_remove(tw_map *m, const char *key);
bool tw_map_remove_n(tw_map *m, const void *key, size_t n);
size_t tw_map_count(const tw_map *m);
/* for (size_t i = 0; tw_map_next(m, &i, &key, &value);)  Removing on the way is fine,
 * putting a new key is not. */
bool tw_map_next(const tw_map *m, size_t *i, const char **out_key, void **out_value);

#endif

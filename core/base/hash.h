// SPDX-License-Identifier: Apache-2.0
/* Hashes. tw_hash is seeded once a process (random unless TIDEWATCH_HASH_SEED is set) and
 * is for in-memory tables only; tw_hash_stable never changes and is for ids and key
 * groups. */
#ifndef TW_BASE_HASH_H
#define TW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t tw_hash(const void *data, size_t n);
uint64_t tw_hash_stable(const void *data, size_t n); /* XXH3 64 bit, seed 0 */
/* XXH3 128 bit as 32 hex digits */
void tw_hash_hex128(const void *data, size_t n, char out[33]);

#endif

// SPDX-License-Identifier: Apache-2.0
/* A rule's key of one event: the values of its key fields, encoded one after the other as type
 * byte, varint length, bytes (numbers as 8 bytes; a whole double equals the integer). Equal keys
 * have equal bytes. */
#ifndef TW_FLOW_KEY_H
#define TW_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/event.h"

#define TW_MAX_KEY_FIELDS 8
#define TW_MAX_KEY_BYTES 1024
#define TW_KEY_GROUPS 256 /* fixed for ever: key group = stable hash modulo this */

typedef struct tw_key {
    const uint8_t *data;
    uint32_t len;
    uint32_t group;
    uint64_t hash; /* seeded, for in-memory tables */
} tw_key;

/* Encodes into scratch (TW_MAX_KEY_BYTES). False when a field is absent, null, an array or
 * object, or the key is too long. count 0 gives the empty key. */
bool tw_key_from_event(const tw_event *ev, const uint32_t *slots, uint32_t count,
                       uint8_t *scratch, tw_key *out);
tw_key tw_key_from_bytes(const uint8_t *data, uint32_t len); /* computes hash and group */
/* Decodes up to max values, borrowed from data; returns how many. */
uint32_t tw_key_values(const uint8_t *data, uint32_t len, tw_value *out, uint32_t max);

#endif

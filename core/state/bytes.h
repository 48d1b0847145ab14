// SPDX-License-Identifier: Apache-2.0
/* State as bytes and back: whole numbers as varints (LEB128, signed ones zigzag), doubles as eight
 * bytes, text with its length. Readers take from untrusted bytes: each says false when there is not
 * what it wants, and from then on every reader of the same input does. Pure functions. */
#ifndef TW_STATE_BYTES_H
#define TW_STATE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "flow/event.h"
#include "flow/value.h"

void tw_state_put_u64(tw_buf *out, uint64_t v);
void tw_state_put_i64(tw_buf *out, int64_t v);
void tw_state_put_double(tw_buf *out, double v);
void tw_state_put_bytes(tw_buf *out, const void *data, size_t size);
void tw_state_put_value(tw_buf *out, tw_value v);
void tw_state_put_origin(tw_buf *out, const tw_origin *o);

typedef struct tw_state_in {
    const uint8_t *at, *end;
    bool broken;
} tw_state_in;

static inline tw_state_in tw_state_in_of(const void *data, size_t size)
{
    return (tw_state_in){.at = data, .end = (const uint8_t *)data + size};
}

bool tw_state_take_u64(tw_state_in *in, uint64_t *out);
bool tw_state_take_u32(tw_state_in *in, uint32_t *out); /* false beyond 32 bits */
bool tw_state_take_i64(tw_state_in *in, int64_t *out);
bool tw_state_take_double(tw_state_in *in, double *out);
/* Borrowed from the input. */
bool tw_state_take_bytes(tw_state_in *in, const void **out, size_t *out_size);
bool tw_state_take_value(tw_state_in *in, tw_value *out);
bool tw_state_take_origin(tw_state_in *in, tw_origin *out);

#endif

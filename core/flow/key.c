// SPDX-License-Identifier: Apache-2.0
/* Keys of events as bytes. Pure functions, any thread.
 *
 *     field:  type byte | length as varint | bytes
 *
 * Integers and whole doubles are 'i' with 8 bytes, little end first; other doubles 'd';
 * booleans 'b'; text 's'; numbers beyond those 'n' with their text. Stored keys outlive
 * the process, so these bytes never change their meaning. */
#include "flow/key.h"

#include <string.h>

#include "base/hash.h"

typedef struct key_writer {
    uint8_t *at, *end;
} key_writer;

static bool put_field(key_writer *w, uint8_t type, const void *data, uint32_t len)
{
    if ((size_t)(w->end - w->at) < (size_t)len + 6) {
        return false;
    }
    *w->at++ = type;
    for (uint32_t rest = len;; rest >>= 7) {
        *w->at++ = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        if (rest <= 0x7f) {
            break;
        }
    }
    if (len > 0) {
        memcpy(w->at, data, len);
        w->at += len;
    }
    return true;
}

static bool put_bits(key_writer *w, uint8_t type, uint64_t bits)
{
    uint8_t bytes[8];

    for (int n = 0; n < 8; n++) {
        bytes[n] = (uint8_t)(bits >> (8 * n));
    }
    return put_field(w, type, bytes, sizeof bytes);
}

static bool put_double(key_writer *w, double d)
{
    if (d >= -9223372036854775808.0 && d < 9223372036854775808.0 &&
        d == (double)(int64_t)d) {
        return put_bits(w, 'i', (uint64_t)(int64_t)d);
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return put_bits(w, 'd', bits);
}

static bool put_value(key_writer *w, tw_value v)
{
    uint8_t b;

    switch ((tw_type)v.type) {
    case TW_ABSENT:
    case TW_NULL:
    case TW_JSON:
        return false;
    case TW_BOOL:
        b = v.b;
        return put_field(w, 'b', &b, 1);
    case TW_INT:
        return put_bits(w, 'i', (uint64_t)v.i);
    case TW_DOUBLE:
        return put_double(w, v.d);
    case TW_STRING:
        return put_field(w, 's', v.s, v.len);
    case TW_DECIMAL:
        return put_field(w, 'n', v.s, v.len);
    }
    return false;
}

bool tw_key_from_event(const tw_event *ev, const uint32_t *slots, uint32_t count,
                       uint8_t *scratch, tw_key *out)
{
    key_writer w = {.at = scratch, .end = scratch + TW_MAX_KEY_BYTES};

    for (uint32_t n = 0; n < count; n++) {
        if (!put_value(&w, tw_event_slot(ev, slots[n]))) {
            return false;
        }
    }
    *out = tw_key_from_bytes(scratch, (uint32_t)(w.at - scratch));
    return true;
}

tw_key tw_key_from_bytes(const uint8_t *data, uint32_t len)
{
    return (tw_key){.data = data,
                    .len = len,
                    .group = (uint32_t)(tw_hash_stable(data, len) % TW_KEY_GROUPS),
                    .hash = tw_hash(data, len)};
}

static uint64_t get_bits(const uint8_t *data)
{
    uint64_t bits = 0;

    for (int n = 7; n >= 0; n--) {
        bits = bits << 8 | data[n];
    }
    return bits;
}

static tw_value get_value(uint8_t type, const uint8_t *data, uint32_t len)
{
    tw_value v = tw_value_string((const char *)data, len);
    uint64_t bits;

    if (type == 'b' && len == 1) {
        return tw_value_bool(data[0] != 0);
    }
    if (type == 'i' && len == 8) {
        return tw_value_int((int64_t)get_bits(data));
    }
    if (type == 'd' && len == 8) {
        bits = get_bits(data);
        v = tw_value_double(0);
        memcpy(&v.d, &bits, sizeof bits);
    } else if (type == 'n') {
        v.type = TW_DECIMAL;
    }
    return v;
}

uint32_t tw_key_values(const uint8_t *data, uint32_t len, tw_value *out, uint32_t max)
{
    const uint8_t *end = data + len;
    uint32_t count = 0;

    while (count < max && end - data >= 2) {
        uint8_t type = *data++;
        uint32_t n = 0;
        for (int shift = 0; data < end && shift < 32; shift += 7) {
            n |= (uint32_t)(*data & 0x7f) << shift;
            if (!(*data++ & 0x80)) {
                break;
            }
        }
        if (n > (size_t)(end - data)) {
            break; /* not a key we wrote */
        }
        out[count++] = get_value(type, data, n);
        data += n;
    }
    return count;
}

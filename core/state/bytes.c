// SPDX-License-Identifier: Apache-2.0
#include "state/bytes.h"

#include <string.h>

enum { VARINT_BYTES = 10 };

void tw_state_put_u64(tw_buf *out, uint64_t v)
{
    char bytes[VARINT_BYTES];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (char)(uint8_t)(v | 0x80);
    bytes[n++] = (char)(uint8_t)v;
    (void)tw_buf_add(out, bytes, n);
}

void tw_state_put_i64(tw_buf *out, int64_t v)
{
    tw_state_put_u64(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void tw_state_put_double(tw_buf *out, double v)
{
    char bytes[sizeof v];

    memcpy(bytes, &v, sizeof v);
    (void)tw_buf_add(out, bytes, sizeof bytes);
}

void tw_state_put_bytes(tw_buf *out, const void *data, size_t size)
{
    tw_state_put_u64(out, size);
    (void)tw_buf_add(out, data, size);
}

void tw_state_put_value(tw_buf *out, tw_value v)
{
    tw_state_put_u64(out, v.type);
    switch ((tw_type)v.type) {
    case TW_ABSENT:
    case TW_NULL:
        break;
    case TW_BOOL:
        tw_state_put_u64(out, v.b);
        break;
    case TW_INT:
        tw_state_put_i64(out, v.i);
        break;
    case TW_DOUBLE:
        tw_state_put_double(out, v.d);
        break;
    case TW_STRING:
    case TW_DECIMAL:
    case TW_JSON:
        tw_state_put_bytes(out, v.s, v.len);
        break;
    }
}

static bool fail(tw_state_in *in)
{
    in->broken = true;
    return false;
}

bool tw_state_take_u64(tw_state_in *in, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && !in->broken && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return fail(in);
}

bool tw_state_take_u32(tw_state_in *in, uint32_t *out)
{
    uint64_t v;

    if (!tw_state_take_u64(in, &v) || v > UINT32_MAX)
        return fail(in);
    *out = (uint32_t)v;
    return true;
}

bool tw_state_take_i64(tw_state_in *in, int64_t *out)
{
    uint64_t v;

    if (!tw_state_take_u64(in, &v))
        return false;
    *out = (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
    return true;
}

bool tw_state_take_double(tw_state_in *in, double *out)
{
    if (in->broken || (size_t)(in->end - in->at) < sizeof *out)
        return fail(in);
    memcpy(out, in->at, sizeof *out);
    in->at += sizeof *out;
    return true;
}

bool tw_state_take_bytes(tw_state_in *in, const void **out, size_t *out_size)
{
    uint64_t size;

    if (!tw_state_take_u64(in, &size) || size > (uint64_t)(in->end - in->at))
        return fail(in);
    *out = in->at;
    *out_size = (size_t)size;
    in->at += size;
    return true;
}

static bool take_text(tw_state_in *in, tw_type type, tw_value *out)
{
    const void *text;
    size_t size;

    if (!tw_state_take_bytes(in, &text, &size) || size > UINT32_MAX)
        return fail(in);
    *out = tw_value_string(text, size);
    out->type = (uint8_t)type;
    return true;
}

bool tw_state_take_value(tw_state_in *in, tw_value *out)
{
    uint64_t type, b = 0;

    *out = tw_value_absent();
    if (!tw_state_take_u64(in, &type) || type > TW_JSON)
        return fail(in);
    switch ((tw_type)type) {
    case TW_ABSENT:
    case TW_NULL:
        out->type = (uint8_t)type;
        return true;
    case TW_BOOL:
        if (!tw_state_take_u64(in, &b))
            return false;
        *out = tw_value_bool(b != 0);
        return true;
    case TW_INT:
        *out = tw_value_int(0);
        return tw_state_take_i64(in, &out->i);
    case TW_DOUBLE:
        *out = tw_value_double(0);
        return tw_state_take_double(in, &out->d);
    case TW_STRING:
    case TW_DECIMAL:
    case TW_JSON:
        break;
    }
    return take_text(in, (tw_type)type, out);
}

/* Streams by number: whoever reads it has made its streams of the same configuration. */
void tw_state_put_origin(tw_buf *out, const tw_origin *o)
{
    tw_state_put_u64(out, o->stream);
    tw_state_put_i64(out, o->partition);
    tw_state_put_i64(out, o->offset);
    tw_state_put_u64(out, o->index);
    tw_state_put_u64(out, o->via);
}

bool tw_state_take_origin(tw_state_in *in, tw_origin *out)
{
    int64_t partition;

    if (!tw_state_take_u32(in, &out->stream) || !tw_state_take_i64(in, &partition) ||
        !tw_state_take_i64(in, &out->offset) || !tw_state_take_u32(in, &out->index) ||
        !tw_state_take_u32(in, &out->via)) {
        return false;
    }
    out->partition = (int32_t)partition;
    return true;
}

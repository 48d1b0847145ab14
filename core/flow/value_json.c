// SPDX-License-Identifier: Apache-2.0
/* See value_json.h. */
#include "flow/value_json.h"

json_t *tw_value_json(tw_value v)
{
    switch ((tw_type)v.type) {
    case TW_BOOL:
        return json_boolean(v.b);
    case TW_INT:
        return json_integer(v.i);
    case TW_DOUBLE:
        return json_real(v.d);
    case TW_STRING:
    case TW_DECIMAL:
        return json_stringn(v.s, v.len);
    case TW_JSON:
        return json_loadb(v.s, v.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    case TW_ABSENT:
    case TW_NULL:
        break;
    }
    return NULL;
}

json_t *tw_number_json(double v)
{
    if (v > -1e15 && v < 1e15 && v == (double)(int64_t)v)
        return json_integer((json_int_t)v);
    return json_real(v);
}

// SPDX-License-Identifier: Apache-2.0
#include "detect/name.h"

#include <string.h>

#include "base/hash.h"

static bool has_text(tw_value v)
{
    return v.type == TW_STRING || v.type == TW_DECIMAL || v.type == TW_JSON;
}

uint64_t tw_name_hash(tw_value v)
{
    double number = 0;

    if (has_text(v) && v.type != TW_DECIMAL) {
        return tw_hash_stable(v.s, v.len);
    }
    if (v.type == TW_BOOL) {
        return tw_hash_stable(v.b ? "\1true" : "\1false", v.b ? 5 : 6);
    }
    (void)tw_value_number(v, &number);
    number += 0.0; /* -0 is 0 */
    char bytes[1 + sizeof number] = {2};
    memcpy(bytes + 1, &number, sizeof number);
    return tw_hash_stable(bytes, sizeof bytes);
}

tw_value tw_name_cut(tw_value v)
{
    if (has_text(v) && v.len > TW_MAX_NAME) {
        v.len = TW_MAX_NAME;
        while (v.len > 0 && ((uint8_t)v.s[v.len] & 0xc0) == 0x80) {
            v.len--;
        }
        v.type = TW_STRING;
    }
    return v;
}

tw_name *tw_name_new(tw_slab *slab, uint64_t hash, tw_value v)
{
    uint32_t len = has_text(v) ? v.len : 0;
    uint32_t bytes = (uint32_t)sizeof(tw_name) + len;
    tw_name *name = tw_slab_take(slab, bytes);

    *name = (tw_name){.hash = hash, .bytes = bytes, .value = v};
    if (has_text(v)) {
        name->value.s = (const char *)(name + 1);
        if (len > 0) {
            memcpy(name + 1, v.s, len);
        }
    }
    return name;
}

void tw_name_give(tw_slab *slab, tw_name *name)
{
    if (name) {
        tw_slab_give(slab, name, name->bytes);
    }
}

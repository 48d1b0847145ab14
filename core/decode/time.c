// SPDX-License-Identifier: Apache-2.0
/* Event time from a value. Pure functions, any thread. */
#include "base/duration.h"
#include "decode/decode.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int time_of_text(tw_value v, int64_t *out_ms)
{
    int64_t ms;

    if (tw_time_parse_rfc3339(v.s, v.len, &ms) < 0 || ms < 0 || ms > LAST_MS) {
        return TW_EPARSE;
    }
    *out_ms = ms;
    return TW_OK;
}

int tw_event_time(tw_value v, int64_t *out_ms)
{
    switch ((tw_type)v.type) {
    case TW_INT:
        return tw_time_from_int(v.i, out_ms);
    case TW_DOUBLE:
        return tw_time_from_number(v.d, out_ms);
    case TW_STRING:
        return time_of_text(v, out_ms);
    case TW_ABSENT:
    case TW_NULL:
    case TW_BOOL:
    case TW_DECIMAL:
    case TW_JSON:
        break;
    }
    return TW_EPARSE;
}

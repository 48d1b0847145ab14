// SPDX-License-Identifier: Apache-2.0
/* Event time from a value. Pure functions, any thread. */
#include "decode/decode.h"

#include "base/duration.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Two digits; 100 or more when they are none. */
static inline uint32_t two_digits(const char *s)
{
    uint32_t tens = (uint32_t)(unsigned char)s[0] - '0';
    uint32_t ones = (uint32_t)(unsigned char)s[1] - '0';

    return tens < 10 && ones < 10 ? tens * 10 + ones : 100;
}

/* Days from 1970-01-01 to a date from then on, counted in years that begin in March. */
static int64_t days_to(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = year - (month <= 2);
    uint32_t m = month > 2 ? month - 3 : month + 9;

    return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1) -
           719468;
}

/* "2024-11-21T09:39:59Z" and "2024-11-21T09:39:59.123Z", which is what almost everybody writes, on a
 * day that every month has. False: somebody else has to look. */
static bool usual_text(const char *s, size_t n, int64_t *out_ms)
{
    if ((n != 20 && n != 24) || s[4] != '-' || s[7] != '-' || s[10] != 'T' ||
        s[13] != ':' || s[16] != ':' || s[n - 1] != 'Z') {
        return false;
    }
    uint32_t century = two_digits(s), years = two_digits(s + 2),
             month = two_digits(s + 5);
    uint32_t day = two_digits(s + 8), hour = two_digits(s + 11);
    uint32_t minute = two_digits(s + 14), second = two_digits(s + 17);
    uint32_t ms = 0;
    if (n == 24) {
        uint32_t ones = (uint32_t)(unsigned char)s[22] - '0';
        ms = s[19] == '.' && ones < 10 ? two_digits(s + 20) * 10 + ones : 1000;
    }
    if (century < 20 || century > 99 || years > 99 || month - 1 > 11 || day - 1 > 27 ||
        hour > 23 || minute > 59 || second > 59 || ms > 999) {
        return false;
    }
    *out_ms = days_to(century * 100 + years, month, day) * 86400000 +
              (int64_t)((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

static int time_of_text(tw_value v, int64_t *out_ms)
{
    int64_t ms;

    if (usual_text(v.s, v.len, out_ms)) {
        return TW_OK;
    }

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

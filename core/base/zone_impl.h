// SPDX-License-Identifier: Apache-2.0
/* The inside of zone*.c: the rule that holds behind the last transition of a zone file, the TZ string of
 * POSIX with the longer times of RFC 8536. */
#ifndef TW_BASE_ZONE_IMPL_H
#define TW_BASE_ZONE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tw_zone_day_kind {
    TW_ZONE_MONTH_WEEK, /* M3.5.0 */
    TW_ZONE_JULIAN,     /* J60: 1 to 365, 29 February never counts */
    TW_ZONE_DAY         /* 59: 0 to 365 */
} tw_zone_day_kind;

typedef struct tw_zone_change {
    tw_zone_day_kind kind;
    int32_t month, week, day; /* day: of the week from Sunday, or of the year */
    int32_t time_s;           /* of the wall before the change; may leave the day */
} tw_zone_change;

typedef struct tw_zone_rule {
    int32_t standard_s, summer_s; /* ahead of UTC */
    bool has_summer;
    tw_zone_change start, end; /* of summer */
} tw_zone_rule;

/* The text ends at a newline. False: it is none, and there is no rule. */
bool tw_zone_rule_read(tw_zone_rule *out, const char *text, const char *end);
int32_t tw_zone_rule_offset_s(const tw_zone_rule *r, int64_t utc_s);

#endif

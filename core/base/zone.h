// SPDX-License-Identifier: Apache-2.0
/* Time zones: what the clock on a wall shows at an instant, and the instant at which it shows something. Reads
 * the tz database that the C library brings (TZDIR or /usr/share/zoneinfo, TZif files of RFC 8536 with
 * their rule for the time behind the last transition), because localtime knows one zone a process.
 *
 * A zone is immutable once opened and may be read by any thread. */
#ifndef TW_BASE_ZONE_H
#define TW_BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct tw_zone tw_zone;

/* "Europe/Berlin", "UTC". NULL with err (TW_ENOTFOUND, TW_EPARSE) when there is no such zone. */
tw_zone *tw_zone_open(const char *name, tw_err *err);
void tw_zone_free(tw_zone *z);
/* Clocks show the same there. NULL is UTC and equals only itself. */
bool tw_zone_equal(const tw_zone *a, const tw_zone *b);

/* How far the wall is ahead of UTC at an instant. z NULL is UTC, here and below. */
int64_t tw_zone_offset_ms(const tw_zone *z, int64_t utc_ms);
/* The first instant at which the wall shows local_ms (counted as if it were UTC) or more: of a time that comes
 * twice the first, of one that is skipped the moment of the jump. */
int64_t tw_zone_instant_ms(const tw_zone *z, int64_t local_ms);

/* Days of the week as bits, bit 0 Monday: "mon-fri", "sat,sun", "fri-mon". Negative: TW_EPARSE. */
#define TW_ALL_DAYS 0x7fu
int tw_days_parse(const char *text, uint32_t *out_days, tw_err *err);
/* "03:00", "23:59:30", "24:00" to milliseconds of the day. */
int tw_daytime_parse(const char *text, int64_t *out_ms, tw_err *err);

/* The first instant at or after `from_ms` at which a wall of this zone comes to `daytime_ms` on one of `days`. */
int64_t tw_zone_next_daily(const tw_zone *z, uint32_t days, int64_t daytime_ms,
                           int64_t from_ms);

#endif

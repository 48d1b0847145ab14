// SPDX-License-Identifier: Apache-2.0
/* Durations ("90s", "2h30m", "250ms", "7d", "2w") and points in time (RFC 3339, epoch
 * numbers). */
#ifndef TW_BASE_DURATION_H
#define TW_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* A hundred years, so that sums of times and spans never overflow. */
#define TW_DURATION_MAX_MS (INT64_C(36525) * 86400000)

/* Units ms s m h d w, each at most once, largest first; "0" is zero. TW_EPARSE; TW_ELIMIT beyond the longest. */
int tw_duration_parse(const char *text, size_t n, int64_t *out_ms);
size_t tw_duration_format(int64_t ms, char *out, size_t out_size); /* "2h30m", "0s" */

/* RFC 3339 with offset, 'T' or space, any number of fraction digits (cut to ms).
 * TW_EPARSE. */
int tw_time_parse_rfc3339(const char *text, size_t n, int64_t *out_ms);
/* Epoch s, ms, us or ns told apart by magnitude; range years 1970 to 9999, else
 * TW_EPARSE. Seconds: |v| < 1e11, ms: < 1e14, us: < 1e17, ns: the rest. */
int tw_time_from_number(double v, int64_t *out_ms);
int tw_time_from_int(int64_t v, int64_t *out_ms);
/* UTC, "....123Z" */
size_t tw_time_format_rfc3339(int64_t ms, char *out, size_t out_size);

#endif

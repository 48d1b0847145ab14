// SPDX-License-Identifier: Apache-2.0
/* Durations and points in time, to and from text. Any thread, nothing kept. All times are
 * epoch milliseconds in UTC; leap seconds do not exist (":60" is read as the next
 * second). Days are counted in 400-year eras of 146097 days that start on 1 March, so
 * that the leap day comes last (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
#include "base/duration.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

typedef struct unit {
    const char *name;
    int64_t ms;
} unit;

static const unit units[] = {
    {"w", INT64_C(604800000)}, {"d", INT64_C(86400000)}, {"h", INT64_C(3600000)},
    {"m", INT64_C(60000)},     {"s", INT64_C(1000)},     {"ms", INT64_C(1)},
};
enum { UNITS = sizeof units / sizeof units[0] };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *i into *out; false when there are none or too many. */
static bool read_count(const char *text, size_t n, size_t *i, int64_t *out)
{
    size_t start = *i;
    int64_t v = 0;
    for (; *i < n && is_digit(text[*i]); ++*i)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, text[*i] - '0', &v))
            return false;
    *out = v;
    return *i > start;
}

static size_t find_unit(const char *text, size_t length)
{
    size_t u = 0;
    while (u < UNITS &&
           (strlen(units[u].name) != length || memcmp(units[u].name, text, length) != 0))
        u++;
    return u;
}

int tw_duration_parse(const char *text, size_t n, int64_t *out_ms)
{
    int64_t total = 0, count;
    size_t i = 0, next_unit = 0;
    if (n == 0)
        return TW_EPARSE;
    if (n == 1 && text[0] == '0') {
        *out_ms = 0;
        return TW_OK;
    }
    while (i < n) {
        if (!read_count(text, n, &i, &count))
            return TW_EPARSE;
        size_t start = i;
        while (i < n && !is_digit(text[i]))
            i++;
        size_t u = find_unit(text + start, i - start);
        if (u >= UNITS || u < next_unit ||
            __builtin_mul_overflow(count, units[u].ms, &count) ||
            __builtin_add_overflow(total, count, &total))
            return TW_EPARSE;
        next_unit = u + 1;
    }
    if (total > TW_DURATION_MAX_MS)
        return TW_ELIMIT;
    *out_ms = total;
    return TW_OK;
}

size_t tw_duration_format(int64_t ms, char *out, size_t out_size)
{
    char text[64] = "";
    size_t n = 0;
    uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    if (ms < 0)
        text[n++] = '-';
    /* Days are the largest unit written: "14d" is read the same by everybody. */
    for (size_t u = 1; u < UNITS && rest; u++) {
        uint64_t size = (uint64_t)units[u].ms, count = rest / size;
        rest %= size;
        if (count)
            n += (size_t)snprintf(text + n, sizeof text - n, "%llu%s",
                                  (unsigned long long)count, units[u].name);
    }
    int written = snprintf(out, out_size, "%s", n ? text : "0s");
    return written < 0 ? 0 : (size_t)written;
}

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months since March */
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly `width` digits between lo and hi. */
static bool read_field(const char **p, const char *end, int width, int64_t lo, int64_t hi,
                       int64_t *out)
{
    int64_t v = 0;
    if (end - *p < width)
        return false;
    for (int i = 0; i < width; i++, ++*p) {
        if (!is_digit(**p))
            return false;
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return v >= lo && v <= hi;
}

static bool read_char(const char **p, const char *end, const char *any_of)
{
    if (*p == end || !**p || !strchr(any_of, **p))
        return false;
    ++*p;
    return true;
}

static bool read_date(const char **p, const char *end, int64_t *out_days)
{
    int64_t year, month, day;
    if (!read_field(p, end, 4, 0, 9999, &year) || !read_char(p, end, "-") ||
        !read_field(p, end, 2, 1, 12, &month) || !read_char(p, end, "-") ||
        !read_field(p, end, 2, 1, days_in(year, month), &day))
        return false;
    *out_days = days_of(year, month, day);
    return true;
}

static bool read_time(const char **p, const char *end, int64_t *out_ms)
{
    int64_t hour, minute, second, ms = 0, unit_ms = 100;
    if (!read_field(p, end, 2, 0, 23, &hour) || !read_char(p, end, ":") ||
        !read_field(p, end, 2, 0, 59, &minute) || !read_char(p, end, ":") ||
        !read_field(p, end, 2, 0, 60, &second))
        return false;
    if (read_char(p, end, ".")) {
        if (*p == end || !is_digit(**p))
            return false;
        for (; *p < end && is_digit(**p); ++*p, unit_ms /= 10)
            ms += (**p - '0') * unit_ms;
    }
    *out_ms = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

static bool read_offset(const char **p, const char *end, int64_t *out_ms)
{
    int64_t hour, minute;
    *out_ms = 0;
    if (read_char(p, end, "Zz"))
        return true;
    bool west = *p < end && **p == '-';
    if (!read_char(p, end, "+-") || !read_field(p, end, 2, 0, 23, &hour) ||
        !read_char(p, end, ":") || !read_field(p, end, 2, 0, 59, &minute))
        return false;
    *out_ms = (hour * 60 + minute) * 60000 * (west ? -1 : 1);
    return true;
}

int tw_time_parse_rfc3339(const char *text, size_t n, int64_t *out_ms)
{
    const char *p = text, *end = text + n;
    int64_t days, time_ms, offset_ms;
    if (!read_date(&p, end, &days) || !read_char(&p, end, "Tt ") ||
        !read_time(&p, end, &time_ms) || !read_offset(&p, end, &offset_ms) || p != end)
        return TW_EPARSE;
    *out_ms = days * 86400000 + time_ms - offset_ms;
    return TW_OK;
}

int tw_time_from_number(double v, int64_t *out_ms)
{
    if (!(v >= 0)) /* also what is not a number */
        return TW_EPARSE;
    double ms;
    if (v < 1e11)
        /* 1073741824.001 times 1000 may come out a little below; the cut must not lose
         * that ms.
         */
        ms = v * 1e3 + 0.01;
    else if (v < 1e14)
        ms = v;
    else if (v < 1e17)
        ms = v / 1e3;
    else
        ms = v / 1e6;
    if (ms > (double)LAST_MS)
        return TW_EPARSE;
    *out_ms = (int64_t)ms;
    return TW_OK;
}

int tw_time_from_int(int64_t v, int64_t *out_ms)
{
    if (v < 0)
        return TW_EPARSE;
    if (v < INT64_C(100000000000))
        *out_ms = v * 1000;
    else if (v < INT64_C(100000000000000))
        *out_ms = v;
    else if (v < INT64_C(100000000000000000))
        *out_ms = v / 1000;
    else
        *out_ms = v / 1000000;
    return TW_OK;
}

size_t tw_time_format_rfc3339(int64_t ms, char *out, size_t out_size)
{
    int64_t days = ms / 86400000, rest = ms % 86400000, year;
    int month, day;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    civil_of(days, &year, &month, &day);
    int n =
        snprintf(out, out_size, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)year,
                 month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                 (int)(rest / 1000 % 60), (int)(rest % 1000));
    return n < 0 ? 0 : (size_t)n;
}

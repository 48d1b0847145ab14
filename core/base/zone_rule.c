// SPDX-License-Identifier: Apache-2.0
/* The rule of a zone for all time to come: "CET-1CEST,M3.5.0,M10.5.0/3". Pure functions. Days are counted from
 * the epoch; the calendar is Hinnant's (days from civil). */
#include "base/zone_impl.h"

#include <stddef.h>

typedef struct scan {
    const char *at, *end;
    bool broken;
} scan;

static char peek(const scan *s)
{
    return s->at < s->end ? *s->at : '\n';
}

static bool take_char(scan *s, char c)
{
    if (peek(s) != c)
        return false;
    s->at++;
    return true;
}

static int32_t take_int(scan *s, int32_t most)
{
    int32_t v = 0;

    s->broken = s->broken || peek(s) < '0' || peek(s) > '9';
    while (!s->broken && peek(s) >= '0' && peek(s) <= '9') {
        v = v * 10 + (*s->at++ - '0');
        s->broken = v > most;
    }
    return v;
}

/* A name, or one in <>. */
static void take_name(scan *s)
{
    const char *from = s->at;

    if (take_char(s, '<')) {
        while (peek(s) != '\n' && peek(s) != '>')
            s->at++;
        s->broken = s->broken || !take_char(s, '>');
        return;
    }
    while ((peek(s) | 32) >= 'a' && (peek(s) | 32) <= 'z')
        s->at++;
    s->broken = s->broken || s->at - from < 3;
}

/* [+-]h[:m[:s]] */
static int32_t take_time(scan *s)
{
    int32_t sign = take_char(s, '-') ? -1 : 1;

    if (sign > 0)
        take_char(s, '+');
    int32_t v = take_int(s, 167) * 3600;
    if (take_char(s, ':'))
        v += take_int(s, 59) * 60;
    if (take_char(s, ':'))
        v += take_int(s, 59);
    return sign * v;
}

static void take_change(scan *s, tw_zone_change *out)
{
    *out = (tw_zone_change){.kind = TW_ZONE_DAY, .time_s = 7200};
    s->broken = s->broken || !take_char(s, ',');
    if (take_char(s, 'M')) {
        out->kind = TW_ZONE_MONTH_WEEK;
        out->month = take_int(s, 12);
        s->broken = s->broken || !take_char(s, '.');
        out->week = take_int(s, 5);
        s->broken = s->broken || !take_char(s, '.');
        out->day = take_int(s, 6);
        s->broken = s->broken || out->month < 1 || out->week < 1;
    } else if (take_char(s, 'J')) {
        out->kind = TW_ZONE_JULIAN;
        out->day = take_int(s, 365);
    } else {
        out->day = take_int(s, 365);
    }
    if (take_char(s, '/'))
        out->time_s = take_time(s);
}

bool tw_zone_rule_read(tw_zone_rule *out, const char *text, const char *end)
{
    scan s = {text, end, false};

    *out = (tw_zone_rule){0};
    take_name(&s);
    out->standard_s = -take_time(&s); /* POSIX counts west */
    if (!s.broken && peek(&s) != '\n') {
        out->has_summer = true;
        take_name(&s);
        out->summer_s = peek(&s) == ',' ? out->standard_s + 3600 : -take_time(&s);
        take_change(&s, &out->start);
        take_change(&s, &out->end);
    }
    return !s.broken && peek(&s) == '\n';
}

/* ---- the calendar ------------------------------------------------------------------ */

static int64_t days_from_civil(int64_t year, int32_t month, int32_t day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t utc_s)
{
    int64_t day = utc_s / 86400 - (utc_s % 86400 < 0);
    int64_t year = 1970 + day * 400 / 146097;

    while (days_from_civil(year, 1, 1) > day)
        year--;
    while (days_from_civil(year + 1, 1, 1) <= day)
        year++;
    return year;
}

static int64_t day_of_change(const tw_zone_change *c, int64_t year)
{
    int64_t first = days_from_civil(year, 1, 1);
    bool leap = days_from_civil(year, 3, 1) - first == 60;

    if (c->kind == TW_ZONE_DAY)
        return first + c->day;
    if (c->kind == TW_ZONE_JULIAN)
        return first + c->day - 1 + (leap && c->day >= 60);
    int64_t month = days_from_civil(year, c->month, 1);
    int64_t behind = c->month == 12 ? days_from_civil(year + 1, 1, 1)
                                    : days_from_civil(year, c->month + 1, 1);
    int64_t first_weekday = ((month + 4) % 7 + 7) % 7; /* Sunday 0 */
    int64_t day = month + (c->day - first_weekday + 7) % 7 + (c->week - 1) * 7;
    return day < behind ? day : day - 7;
}

int32_t tw_zone_rule_offset_s(const tw_zone_rule *r, int64_t utc_s)
{
    if (!r->has_summer)
        return r->standard_s;
    int64_t year = year_of(utc_s + r->standard_s);
    int64_t start =
        day_of_change(&r->start, year) * 86400 + r->start.time_s - r->standard_s;
    int64_t end = day_of_change(&r->end, year) * 86400 + r->end.time_s - r->summer_s;
    bool summer =
        start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;

    return summer ? r->summer_s : r->standard_s;
}

// SPDX-License-Identifier: Apache-2.0
/* Time zones; see zone.h. The file is read once into a sorted list of transitions; the rule at its end
 * ("CET-1CEST,M3.5.0,M10.5.0/3") is read by zone_rule.c and asked behind the last of them. */
#include "base/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/zone_impl.h"

#define MAX_FILE_BYTES ((size_t)1 << 20)
#define DAY_MS INT64_C(86400000)

struct tw_zone {
    int64_t *at_s;     /* ascending */
    int32_t *offset_s; /* from at_s[i] on */
    uint32_t count;
    int32_t first_s; /* before the first */
    bool has_rule;
    tw_zone_rule rule; /* behind the last */
};

/* ---- the file ---------------------------------------------------------------------- */

typedef struct reader {
    const uint8_t *at, *end;
} reader;

static uint64_t take_number(reader *r, uint32_t bytes)
{
    uint64_t v = 0;

    if ((size_t)(r->end - r->at) < bytes) {
        r->at = r->end;
        return 0;
    }
    for (uint32_t i = 0; i < bytes; i++)
        v = v << 8 | *r->at++;
    return v;
}

typedef struct header {
    uint32_t utc_count, std_count, leap_count, time_count, type_count, char_count;
    char version;
} header;

static bool take_header(reader *r, header *h)
{
    if (r->end - r->at < 44 || memcmp(r->at, "TZif", 4) != 0)
        return false;
    h->version = (char)r->at[4];
    r->at += 20;
    h->utc_count = (uint32_t)take_number(r, 4);
    h->std_count = (uint32_t)take_number(r, 4);
    h->leap_count = (uint32_t)take_number(r, 4);
    h->time_count = (uint32_t)take_number(r, 4);
    h->type_count = (uint32_t)take_number(r, 4);
    h->char_count = (uint32_t)take_number(r, 4);
    return h->type_count > 0;
}

static size_t body_bytes(const header *h, uint32_t time_bytes)
{
    return (size_t)h->time_count * (time_bytes + 1) + (size_t)h->type_count * 6 +
           h->char_count + (size_t)h->leap_count * (time_bytes + 4) + h->std_count +
           h->utc_count;
}

/* The transitions of one body, whose size has been checked. */
static bool take_body(tw_zone *z, reader *r, const header *h, uint32_t time_bytes)
{
    const uint8_t *types = r->at + (size_t)h->time_count * time_bytes;
    const uint8_t *infos = types + h->time_count;

    z->at_s = tw_calloc(h->time_count + 1, sizeof *z->at_s);
    z->offset_s = tw_calloc(h->time_count + 1, sizeof *z->offset_s);
    z->count = h->time_count;
    for (uint32_t i = 0; i < h->time_count; i++) {
        uint64_t at = take_number(r, time_bytes);
        reader info = {infos + (size_t)types[i] * 6, r->end};
        z->at_s[i] = time_bytes == 8 ? (int64_t)at : (int32_t)(uint32_t)at;
        if (types[i] >= h->type_count || (i > 0 && z->at_s[i] <= z->at_s[i - 1]))
            return false;
        z->offset_s[i] = (int32_t)(uint32_t)take_number(&info, 4);
    }
    reader first = {infos, r->end};
    z->first_s = (int32_t)(uint32_t)take_number(&first, 4);
    return true;
}

static bool read_zone(tw_zone *z, const tw_buf *text)
{
    reader r = {(const uint8_t *)text->data, (const uint8_t *)text->data + text->len};
    uint32_t time_bytes = 4;
    header h;

    if (!take_header(&r, &h))
        return false;
    if (h.version >= '2') {
        size_t skipped = body_bytes(&h, 4);
        if ((size_t)(r.end - r.at) < skipped)
            return false;
        r.at += skipped;
        time_bytes = 8;
        if (!take_header(&r, &h))
            return false;
    }
    size_t size = body_bytes(&h, time_bytes);
    const uint8_t *behind = r.at + size;
    if ((size_t)(r.end - r.at) < size || !take_body(z, &r, &h, time_bytes))
        return false;
    if (time_bytes == 8 && behind < r.end && *behind == '\n')
        z->has_rule =
            tw_zone_rule_read(&z->rule, (const char *)behind + 1, (const char *)r.end);
    return true;
}

static int read_file(const char *path, tw_buf *out)
{
    char chunk[4096];
    size_t n;
    FILE *f = fopen(path, "rb");

    if (!f)
        return -errno;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        tw_buf_add(out, chunk, n);
    int rc = ferror(f) || out->failed ? -EIO : 0;
    fclose(f);
    return rc;
}

static bool is_zone_name(const char *name)
{
    if (!*name || *name == '/' || strstr(name, ".."))
        return false;
    return strspn(name,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-") ==
           strlen(name);
}

tw_zone *tw_zone_open(const char *name, tw_err *err)
{
    const char *dir = getenv("TZDIR");
    tw_zone *z = tw_alloc(sizeof *z);
    tw_buf text;

    tw_buf_init(&text, MAX_FILE_BYTES);
    char *path = tw_asprintf("%s/%s", dir && *dir ? dir : "/usr/share/zoneinfo", name);
    int rc = is_zone_name(name) ? read_file(path, &text) : -ENOENT;
    if (rc < 0)
        tw_err_set(err, TW_ENOTFOUND,
                   "there is no time zone '%.60s'; write it as in \"Europe/Berlin\" or "
                   "\"UTC\"",
                   name);
    else if (!read_zone(z, &text))
        rc = tw_err_set(err, TW_EPARSE, "%s is no time zone file", path);
    tw_free(path);
    tw_buf_done(&text);
    if (rc == 0)
        return z;
    tw_zone_free(z);
    return NULL;
}

bool tw_zone_equal(const tw_zone *a, const tw_zone *b)
{
    if (!a || !b || a->count != b->count)
        return a == b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->at_s[i] != b->at_s[i] || a->offset_s[i] != b->offset_s[i])
            return false;
    return a->first_s == b->first_s && a->has_rule == b->has_rule &&
           (!a->has_rule || (a->rule.standard_s == b->rule.standard_s &&
                             a->rule.has_summer == b->rule.has_summer));
}

void tw_zone_free(tw_zone *z)
{
    if (!z)
        return;
    tw_free(z->at_s);
    tw_free(z->offset_s);
    tw_free(z);
}

/* ---- instants ---------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t tw_zone_offset_ms(const tw_zone *z, int64_t utc_ms)
{
    int64_t utc_s = floor_div(utc_ms, 1000);
    uint32_t low = 0, high = z ? z->count : 0;

    if (!z)
        return 0;
    if (z->has_rule && (z->count == 0 || utc_s >= z->at_s[z->count - 1]))
        return tw_zone_rule_offset_s(&z->rule, utc_s) * INT64_C(1000);
    while (low < high) { /* the first transition behind utc_s */
        uint32_t middle = low + (high - low) / 2;
        if (z->at_s[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return (low == 0 ? z->first_s : z->offset_s[low - 1]) * INT64_C(1000);
}

/* What the wall shows grows with the instant but for jumps, and a zone does not jump twice in two days: the
 * answer lies a day around the guess, before or behind the one jump there. */
int64_t tw_zone_instant_ms(const tw_zone *z, int64_t local_ms)
{
    int64_t from = local_ms - DAY_MS, to = local_ms + DAY_MS;
    int64_t before = tw_zone_offset_ms(z, from), after = tw_zone_offset_ms(z, to);
    int64_t early = local_ms - before;

    if (before == after || tw_zone_offset_ms(z, early) == before)
        return early;
    while (to - from > 1) { /* the jump: the first instant that is not `before` */
        int64_t middle = from + (to - from) / 2;
        if (tw_zone_offset_ms(z, middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to + after >= local_ms ? to : local_ms - after;
}

/* ---- days and times of the day ----------------------------------------------------- */

static int take_day(const char **text)
{
    static const char names[] = "montuewedthufrisatsun";

    for (int day = 0; day < 7; day++) {
        if (strncmp(*text, names + 3 * day, 3) == 0) {
            *text += 3;
            return day;
        }
    }
    return -1;
}

int tw_days_parse(const char *text, uint32_t *out_days, tw_err *err)
{
    const char *at = text;
    uint32_t days = 0;

    for (;;) {
        int first = take_day(&at), last = first;
        if (first >= 0 && *at == '-' && at++)
            last = take_day(&at);
        if (first < 0 || last < 0)
            break;
        for (int day = first;; day = (day + 1) % 7) {
            days |= 1u << day;
            if (day == last)
                break;
        }
        if (!*at) {
            *out_days = days;
            return TW_OK;
        }
        if (*at++ != ',')
            break;
        at += *at == ' ';
    }
    return tw_err_set(err, TW_EPARSE,
                      "\"%.40s\" is not days of the week; write \"mon-fri\" or "
                      "\"sat,sun\"",
                      text);
}

static bool take_two(const char **text, int64_t most, int64_t *out)
{
    const char *t = *text;

    if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
        return false;
    *out = (t[0] - '0') * 10 + (t[1] - '0');
    *text += 2;
    return *out <= most;
}

int tw_daytime_parse(const char *text, int64_t *out_ms, tw_err *err)
{
    const char *at = text;
    int64_t hour, minute, second = 0;
    bool good = take_two(&at, 24, &hour) && *at++ == ':' && take_two(&at, 59, &minute);

    if (good && *at == ':' && at++)
        good = take_two(&at, 59, &second);
    if (!good || *at || hour * 3600 + minute * 60 + second > 86400)
        return tw_err_set(err, TW_EPARSE,
                          "\"%.40s\" is not a time of the day; write \"03:00\"", text);
    *out_ms = ((hour * 60 + minute) * 60 + second) * 1000;
    return TW_OK;
}

/* Monday is 0; the epoch began on a Thursday. */
static uint32_t weekday(int64_t day)
{
    return (uint32_t)(((day + 3) % 7 + 7) % 7);
}

int64_t tw_zone_next_daily(const tw_zone *z, uint32_t days, int64_t daytime_ms,
                           int64_t from_ms)
{
    int64_t day = floor_div(from_ms + tw_zone_offset_ms(z, from_ms), DAY_MS) - 1;

    for (int tried = 0; tried < 10; tried++, day++) {
        if (!(days >> weekday(day) & 1))
            continue;
        int64_t at_ms = tw_zone_instant_ms(z, day * DAY_MS + daytime_ms);
        if (at_ms >= from_ms)
            return at_ms;
    }
    return INT64_MAX; /* no days */
}

// SPDX-License-Identifier: Apache-2.0
/* The line for people; see line.h. */
#include "stdout/line.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

/* C0, DEL and C1 (which is C2 80 to C2 9F in UTF-8) become spaces. */
static void write_clean(FILE *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            fputc(' ', out), p++;
        else
            fputc(*p < 0x20 || *p == 0x7f ? ' ' : *p, out);
    }
}

static void write_value(FILE *out, const char *text)
{
    bool quoted = !*text || strpbrk(text, " \t\n\"=");

    if (quoted)
        fputc('"', out);
    write_clean(out, text);
    if (quoted)
        fputc('"', out);
}

static void write_pairs(FILE *out, const tw_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i ? " " : "  ", out);
        write_clean(out, pairs[i].name);
        fputc('=', out);
        write_value(out, pairs[i].value);
    }
}

static void write_time(FILE *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;
    char text[32];

    if (ms < 0 || !gmtime_r(&seconds, &at) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &at) == 0)
        fprintf(out, "%" PRId64, ms);
    else
        fputs(text, out);
}

static const char *colour_of(const tw_record *r)
{
    if (strcmp(r->status, "resolved") == 0)
        return GREEN;
    return strcmp(r->level, "crit") == 0 ? RED : YELLOW;
}

/* What had changed before it, a line each. */
static void write_changes(FILE *out, const tw_record *r)
{
    for (size_t i = 0; i < r->annotation_count; i++) {
        if (strcmp(r->annotations[i].name, "changes") != 0)
            continue;
        for (const char *p = r->annotations[i].value; *p;) {
            size_t n = strcspn(p, "\n");
            char line[512];
            snprintf(line, sizeof line, "%.*s", (int)(n < 500 ? n : 500), p);
            fputs("\n    ", out);
            write_clean(out, line);
            p += n + (p[n] == '\n');
        }
    }
}

static void write_alert(FILE *out, const tw_record *r, bool colours)
{
    bool resolved = strcmp(r->status, "resolved") == 0;

    fprintf(out, "%s%s%-4s%s ", colours ? colour_of(r) : "",
            resolved ? "RESOLVED " : "FIRING   ", r->level, colours ? PLAIN : "");
    write_clean(out, r->rule);
    fprintf(out, "  %s", colours ? BOLD : "");
    write_clean(out, r->title);
    fputs(colours ? PLAIN FAINT : "", out);
    write_pairs(out, r->labels, r->label_count);
    write_changes(out, r);
    fputs(colours ? PLAIN : "", out);
}

void line_write(FILE *out, const tw_record *r, bool colours)
{
    fputs(colours ? FAINT : "", out);
    write_time(out, r->time_ms);
    fprintf(out, "%s  ", colours ? PLAIN : "");
    switch (r->kind) {
    case TW_RECORD_ALERT:
        write_alert(out, r, colours);
        break;
    case TW_RECORD_EVENT:
        fputs("EVENT    ", out);
        write_clean(out, r->json);
        break;
    case TW_RECORD_DEAD_LETTER:
        fputs("DEAD     ", out);
        write_pairs(out, r->headers, r->header_count);
        break;
    }
    fputc('\n', out);
}

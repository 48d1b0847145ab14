// SPDX-License-Identifier: Apache-2.0
/* The demo's lines; see voice.h. */
#include "demo/voice.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define BLUE "\033[1;34m"
#define GREEN "\033[1;32m"
#define BOLD "\033[1m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

enum {
    TOPIC_AT = 8, /* columns */
    TEXT_AT = 31,
    TITLE_AT = 26,
    NARROWEST = 60,
    WIDEST = 120,
    UNKNOWN_WIDTH = 100,
    MAX_MEMBERS = 256,
    SHOWN_MEMBERS = 8,
    SHOWN_RECORDS = 8,
    SHOWN_CHANGES = 3,
    MAX_CHANGES = 32
};

/* The one thing that the source and the sink, which know nothing of each other, must agree on. */
static int64_t began_ms;

void voice_begin(int64_t now_ms)
{
    began_ms = now_ms;
}

static int terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return UNKNOWN_WIDTH;
    return size.ws_col < NARROWEST ? NARROWEST
           : size.ws_col > WIDEST  ? WIDEST
                                   : size.ws_col;
}

void voice_init(voice *v, const char *setting)
{
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDOUT_FILENO) && !(no_color && *no_color);

    *v = (voice){.out = stdout, .width = terminal_width()};
    v->colours = strcmp(setting, "auto") == 0 ? terminal : strcmp(setting, "always") == 0;
}

/* ---- the lines ---------------------------------------------------------------------- */

static const char *ink(const voice *v, const char *colour)
{
    return v->colours ? colour : "";
}

static void add_time(FILE *out, int width, int64_t at_ms)
{
    int64_t s = at_ms > began_ms ? (at_ms - began_ms) / 1000 : 0;
    fprintf(out, "%*d:%02d", width, (int)(s / 60), (int)(s % 60));
}

static void write_time(const voice *v, int64_t now_ms)
{
    fputs(ink(v, FAINT), v->out);
    add_time(v->out, 3, now_ms);
    fprintf(v->out, "%s  ", ink(v, PLAIN));
}

/* Columns that text takes: bytes that do not go on a character. */
static int columns(const char *text, size_t n)
{
    int count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The line stands at `indent`; where it is full, it goes on below. */
static void write_wrapped(const voice *v, int indent, const char *colour,
                          const char *text)
{
    int at = indent;

    fputs(ink(v, colour), v->out);
    while (*text) {
        size_t n = strcspn(text, " ");
        int width = columns(text, n);
        if (at > indent && at + 1 + width > v->width) {
            fprintf(v->out, "%s\n%*s%s", ink(v, PLAIN), indent, "", ink(v, colour));
            at = indent;
        } else if (at > indent) {
            fputc(' ', v->out);
            at++;
        }
        fwrite(text, 1, n, v->out);
        at += width;
        text += n + strspn(text + n, " ");
    }
    fprintf(v->out, "%s\n", ink(v, PLAIN));
}

void voice_part(const voice *v, const char *text)
{
    fprintf(v->out, "\n%s%s%s\n", ink(v, BOLD), text, ink(v, PLAIN));
    fflush(v->out);
}

void voice_happened(const voice *v, int64_t now_ms, const char *topic, const char *text)
{
    write_time(v, now_ms);
    fprintf(v->out, "%s%-*s%s", ink(v, FAINT), TEXT_AT - TOPIC_AT, topic, ink(v, PLAIN));
    write_wrapped(v, TEXT_AT, "", text);
    fflush(v->out);
}

/* ---- an alert ------------------------------------------------------------------------ */

/* A line below the title, in pieces. */
typedef struct detail {
    char *text;
    size_t size;
    FILE *out;
} detail;

static void detail_begin(detail *d, const char *first, const char *then)
{
    d->out = open_memstream(&d->text, &d->size);
    fprintf(d->out, "%s%s", first, then);
}

static void detail_end(const voice *v, detail *d)
{
    fclose(d->out);
    fprintf(v->out, "%*s", TITLE_AT, "");
    write_wrapped(v, TITLE_AT, FAINT, d->text);
    free(d->text);
}

static bool says_little(const char *label)
{
    return strcmp(label, "rule") == 0 || strcmp(label, "severity") == 0 ||
           strcmp(label, "alertname") == 0;
}

/* The rule's key; what every alert carries says nothing here. */
static void add_labels(FILE *out, const tw_record *r)
{
    int count = 0;

    for (size_t i = 0; i < r->label_count; i++) {
        if (!says_little(r->labels[i].name))
            fprintf(out, "%s%s=%s", count++ ? " " : " (", r->labels[i].name,
                    r->labels[i].value);
    }
    fputs(count ? ")" : "", out);
}

/* Numbers only, and without how many samples there were. */
static void add_values(FILE *out, json_t *values)
{
    const char *name;
    json_t *value;

    json_object_foreach(values, name, value)
    {
        if (json_is_number(value) && strcmp(name, "count") != 0)
            fprintf(out, " %s %.*g", name, json_is_integer(value) ? 15 : 3,
                    json_number_value(value));
    }
}

static void tell_rule(const voice *v, const tw_record *r, const json_t *record)
{
    detail d;

    detail_begin(&d, "rule ", r->rule);
    add_labels(d.out, r);
    add_values(d.out, json_object_get(record, "values"));
    detail_end(v, &d);
}

/* The first label of a member that not all have in common. */
static const char *member_name(const json_t *member, const json_t *common)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(member, "labels"), name, value)
    {
        if (!json_object_get(common, name))
            return json_string_value(value);
    }
    return "?";
}

/* pod-9 before pod-10. */
static int compare_names(const void *pa, const void *pb)
{
    const char *a = *(const char *const *)pa, *b = *(const char *const *)pb;
    size_t na = strlen(a), nb = strlen(b);

    return na != nb ? (na > nb) - (na < nb) : strcmp(a, b);
}

static void tell_group(const voice *v, const json_t *record)
{
    const json_t *members = json_object_get(json_object_get(record, "group"), "firing");
    size_t count = json_array_size(members);
    const char *names[MAX_MEMBERS];
    char text[64];
    detail d;

    if (count < 2 || count > MAX_MEMBERS)
        return;
    for (size_t i = 0; i < count; i++)
        names[i] =
            member_name(json_array_get(members, i), json_object_get(record, "labels"));
    qsort(names, count, sizeof *names, compare_names);
    snprintf(text, sizeof text, "one page instead of %zu:", count);
    detail_begin(&d, text, "");
    for (size_t i = 0; i < count && i < SHOWN_MEMBERS; i++)
        fprintf(d.out, " %s", names[i]);
    fputs(count > SHOWN_MEMBERS ? " ..." : "", d.out);
    detail_end(v, &d);
}

static int64_t whole(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void add_place(FILE *out, const json_t *at)
{
    fprintf(out, " %d:%lld", (int)whole(at, "partition"), (long long)whole(at, "offset"));
}

/* What a rule emitted: the rule, when, and the record that led to it. */
static void add_emitted(FILE *out, const json_t *item)
{
    const json_t *origin = json_object_get(item, "origin");

    fprintf(out, " %s at ", text_of(item, "rule"));
    add_time(out, 1, whole(item, "time"));
    if (!origin)
        return;
    fprintf(out, " (%s", text_of(origin, "stream"));
    add_place(out, origin);
    fputc(')', out);
}

/* "stream partition:offset", the stream where it is another one than before. Returns that. */
static const char *add_record(FILE *out, const json_t *item, const char *before)
{
    const char *stream = text_of(item, "stream");
    bool emitted = *text_of(item, "rule");

    if (before && (emitted || strcmp(stream, before) != 0))
        fputc(',', out);
    if (emitted) {
        add_emitted(out, item);
        return "";
    }
    if (!before || strcmp(stream, before) != 0)
        fprintf(out, " %s", stream);
    add_place(out, item);
    return stream;
}

static void tell_evidence(const voice *v, const json_t *record)
{
    const json_t *evidence = json_object_get(record, "evidence");
    size_t count = json_array_size(evidence);
    const char *before = NULL;
    detail d;

    if (count == 0)
        return;
    detail_begin(&d, "evidence", "");
    for (size_t i = 0; i < count && i < SHOWN_RECORDS; i++)
        before = add_record(d.out, json_array_get(evidence, i), before);
    if (count > SHOWN_RECORDS)
        fprintf(d.out, " and %zu more", count - SHOWN_RECORDS);
    /* of a window the last record alone is named */
    int64_t samples = whole(json_object_get(record, "values"), "count");
    if (count == 1 && samples > 1)
        fprintf(d.out, ", the newest of %lld", (long long)samples);
    detail_end(v, &d);
}

/* ---- what changed before it ---------------------------------------------------------- */

static bool is_same_record(const json_t *a, const json_t *b)
{
    return strcmp(text_of(a, "stream"), text_of(b, "stream")) == 0 &&
           whole(a, "partition") == whole(b, "partition") &&
           whole(a, "offset") == whole(b, "offset");
}

/* What led to the alert is told as that. */
static bool is_evidence(const json_t *record, const json_t *change)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(record, "evidence"), i, item)
    {
        if (is_same_record(item, change))
            return true;
    }
    return false;
}

/* "scaling_events scale_out started 4 -> 10"; free */
static char *change_text(const json_t *change)
{
    static const char *const words[] = {"kind", "action", "result", "name", "version"};
    const json_t *from = json_object_get(change, "from"),
                 *to = json_object_get(change, "to");
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fputs(text_of(change, "stream"), out);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = text_of(change, words[i]);
        fprintf(out, "%s%s", *word ? " " : "", word);
    }
    if (json_is_integer(from) && json_is_integer(to))
        fprintf(out, " %lld -> %lld", (long long)json_integer_value(from),
                (long long)json_integer_value(to));
    fclose(out);
    return text;
}

/* Changes that read alike, and when the first of them was. */
typedef struct alike {
    char *text;
    int64_t first_ms;
    int count;
} alike;

static size_t list_changes(const json_t *record, alike list[MAX_CHANGES])
{
    const json_t *change;
    size_t i, count = 0, k;

    json_array_foreach(json_object_get(record, "changes"), i, change)
    {
        if (is_evidence(record, change))
            continue;
        char *text = change_text(change);
        for (k = 0; k < count && strcmp(list[k].text, text) != 0; k++)
            ;
        if (k < count || k == MAX_CHANGES)
            free(text);
        else
            list[count++] = (alike){.text = text, .first_ms = whole(change, "time")};
        if (k < count)
            list[k].count++;
    }
    return count;
}

/* The newest of them, oldest first. */
static void tell_changes(const voice *v, const json_t *record)
{
    alike list[MAX_CHANGES];
    size_t count = list_changes(record, list);
    size_t first = count > SHOWN_CHANGES ? count - SHOWN_CHANGES : 0;
    detail d;

    if (count == 0)
        return;
    detail_begin(&d, "changed", "");
    for (size_t i = first; i < count; i++) {
        fputs(i > first ? ", " : " ", d.out);
        add_time(d.out, 1, list[i].first_ms);
        fprintf(d.out, " %s", list[i].text);
        if (list[i].count > 1)
            fprintf(d.out, " (%d times)", list[i].count);
    }
    if (first)
        fprintf(d.out, "; %zu more before", first);
    detail_end(v, &d);
    for (size_t i = 0; i < count; i++)
        free(list[i].text);
}

static const char *colour_of(const char *level)
{
    return strcmp(level, "crit") == 0 ? RED : strcmp(level, "info") == 0 ? BLUE : YELLOW;
}

static void tell_firing(const voice *v, const tw_record *r)
{
    json_t *record = json_loadb(r->json, r->json_size, 0, NULL);
    detail d;

    fprintf(v->out, "%s-> FIRING  %-7s%s", ink(v, colour_of(r->level)), r->level,
            ink(v, PLAIN));
    write_wrapped(v, TITLE_AT, BOLD, r->title);
    if (*r->body) {
        detail_begin(&d, r->body, "");
        detail_end(v, &d);
    }
    tell_rule(v, r, record);
    tell_group(v, record);
    tell_evidence(v, record);
    tell_changes(v, record);
    json_decref(record);
}

static void tell_resolved(const voice *v, const tw_record *r)
{
    detail d;

    detail_begin(&d, "rule ", r->rule);
    add_labels(d.out, r);
    if (r->ends_at_ms > r->starts_at_ms)
        fprintf(d.out, " after %ds", (int)((r->ends_at_ms - r->starts_at_ms) / 1000));
    fclose(d.out);
    fprintf(v->out, "%s%-18s%s", ink(v, GREEN), "<- RESOLVED", ink(v, PLAIN));
    write_wrapped(v, TITLE_AT, "", d.text);
    free(d.text);
}

void voice_told(const voice *v, int64_t now_ms, const tw_record *r)
{
    write_time(v, now_ms);
    if (strcmp(r->status, "resolved") == 0)
        tell_resolved(v, r);
    else
        tell_firing(v, r);
    fflush(v->out);
}

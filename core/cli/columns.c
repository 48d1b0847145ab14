// SPDX-License-Identifier: Apache-2.0
/* See columns.h. Invariant: cells are stored row by row, so cell i stands in column i modulo their
 * number. */
#include "cli/columns.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

#define GAP "  "

struct tw_columns {
    const char *const *heads; /* static */
    size_t count;             /* columns */
    char **cells;
    size_t cell_count, cell_room;
};

tw_columns *tw_columns_new(const char *const *heads)
{
    tw_columns *c = tw_alloc(sizeof *c);

    c->heads = heads;
    while (heads[c->count])
        c->count++;
    return c;
}

void tw_columns_free(tw_columns *c)
{
    for (size_t i = 0; c && i < c->cell_count; i++)
        tw_free(c->cells[i]);
    if (c)
        tw_free(c->cells);
    tw_free(c);
}

/* Names come from events: what would move the cursor of the terminal, or begin a line, is shown as `?`. */
static char *shown(const char *text)
{
    char *copy = tw_strdup(text ? text : "");

    for (unsigned char *s = (unsigned char *)copy; *s; s++) {
        bool is_c1 = s[0] == 0xC2 && s[1] >= 0x80 && s[1] < 0xA0;
        if (is_c1)
            *s++ = '?';
        if (is_c1 || *s < 0x20 || *s == 0x7F)
            *s = '?';
    }
    return copy;
}

void tw_columns_text(tw_columns *c, const char *text)
{
    if (c->cell_count == c->cell_room) {
        c->cell_room = c->cell_room ? 2 * c->cell_room : 64;
        c->cells = tw_realloc(c->cells, c->cell_room * sizeof *c->cells);
    }
    c->cells[c->cell_count++] = shown(text);
}

void tw_columns_int(tw_columns *c, int64_t n)
{
    char text[40];
    tw_columns_text(c, tw_cli_count(n, text, sizeof text));
}

void tw_columns_span(tw_columns *c, int64_t ms)
{
    char text[40];
    tw_columns_text(c, tw_cli_span(ms, text, sizeof text));
}

/* Code points, which is what names are made of on a terminal. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static bool is_right(const tw_columns *c, size_t column)
{
    return c->heads[column][0] == '>';
}

static const char *head_of(const tw_columns *c, size_t column)
{
    return c->heads[column] + (is_right(c, column) ? 1 : 0);
}

static size_t column_width(const tw_columns *c, size_t column)
{
    size_t width = width_of(head_of(c, column));

    for (size_t i = column; i < c->cell_count; i += c->count) {
        size_t w = width_of(c->cells[i]);
        width = w > width ? w : width;
    }
    return width;
}

static void print_cell(const tw_columns *c, size_t column, size_t width, const char *text,
                       FILE *out)
{
    int pad = (int)(width - width_of(text));
    bool last = column + 1 == c->count;

    if (is_right(c, column))
        fprintf(out, "%*s%s%s", pad, "", text, last ? "" : GAP);
    else if (last)
        fputs(text, out);
    else
        fprintf(out, "%s%*s%s", text, pad, "", GAP);
}

void tw_columns_print(const tw_columns *c, FILE *out)
{
    size_t *widths = tw_calloc(c->count, sizeof *widths);

    for (size_t i = 0; i < c->count; i++) {
        widths[i] = column_width(c, i);
        print_cell(c, i, widths[i], head_of(c, i), out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < c->cell_count; i++) {
        size_t column = i % c->count;
        print_cell(c, column, widths[column], c->cells[i], out);
        if (column + 1 == c->count)
            fputc('\n', out);
    }
    tw_free(widths);
}

const char *tw_cli_span(int64_t ms, char *out, size_t size)
{
    const char *sign = ms < 0 ? "-" : "";
    uint64_t t = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms, s = t / 1000;

    if (s < 10)
        snprintf(out, size, "%s%" PRIu64 ".%" PRIu64 "s", sign, s, t % 1000 / 100);
    else if (s < 60)
        snprintf(out, size, "%s%" PRIu64 "s", sign, s);
    else if (s < 3600)
        snprintf(out, size, "%s%" PRIu64 "m%" PRIu64 "s", sign, s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, size, "%s%" PRIu64 "h%" PRIu64 "m", sign, s / 3600, s % 3600 / 60);
    else
        snprintf(out, size, "%s%" PRIu64 "d%" PRIu64 "h", sign, s / 86400,
                 s % 86400 / 3600);
    return out;
}

const char *tw_cli_count(int64_t n, char *out, size_t size)
{
    char digits[24];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64,
                                    n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    size_t used = 0;

    if (n < 0 && used + 1 < size)
        out[used++] = '-';
    for (size_t i = 0; i < count && used + 2 < size; i++) {
        if (i && (count - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

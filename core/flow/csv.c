// SPDX-License-Identifier: Apache-2.0
/* The reader of CSV rows. Invariant: `at` stands at the start of a row or at the end. */
#include "flow/csv.h"

#include <stdbool.h>
#include <string.h>

void tw_csv_init(tw_csv *c, const char *data, size_t n)
{
    *c = (tw_csv){.at = data, .end = data + n, .next_line = 1};
    tw_buf_init(&c->text, n + 1);
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        c->at += 3;
}

void tw_csv_done(tw_csv *c)
{
    tw_buf_done(&c->text);
}

const char *tw_csv_cell(const tw_csv *c, int i, size_t *out_len)
{
    *out_len = c->lens[i];
    return c->text.data + c->starts[i];
}

static bool at_line_end(const tw_csv *c)
{
    return c->at == c->end || *c->at == '\n' ||
           (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'));
}

static void skip_line_end(tw_csv *c)
{
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end && *c->at == '\n')
        c->at++;
    c->next_line++;
}

/* at stands behind the opening quote; afterwards behind the closing one. */
static int read_quoted(tw_csv *c, tw_err *err)
{
    int opened = c->next_line;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            c->at++;
            if (c->at == c->end || *c->at != '"')
                return TW_OK;
        } else if (*c->at == '\n') {
            c->next_line++;
        }
        tw_buf_add_char(&c->text, *c->at);
    }
    return tw_err_at(err, TW_EPARSE, NULL, opened, 0,
                     "a quoted cell is not closed before the end of the file");
}

static int read_cell(tw_csv *c, tw_err *err)
{
    if (c->at < c->end && *c->at == '"') {
        c->at++;
        int rc = read_quoted(c, err);
        if (rc < 0)
            return rc;
        if (!at_line_end(c) && *c->at != ',')
            return tw_err_at(err, TW_EPARSE, NULL, c->next_line, 0,
                             "text follows the closing quote of a cell");
        return TW_OK;
    }
    const char *start = c->at;
    while (!at_line_end(c) && *c->at != ',')
        c->at++;
    return tw_buf_add(&c->text, start, (size_t)(c->at - start));
}

int tw_csv_row(tw_csv *c, tw_err *err)
{
    while (c->at < c->end && at_line_end(c))
        skip_line_end(c);
    if (c->at == c->end)
        return 0;
    tw_buf_reset(&c->text);
    c->line = c->next_line;
    for (int i = 0; i < TW_CSV_MAX_CELLS; i++) {
        c->starts[i] = c->text.len;
        int rc = read_cell(c, err);
        if (rc < 0)
            return rc;
        c->lens[i] = c->text.len - c->starts[i];
        if (at_line_end(c)) {
            if (c->at < c->end)
                skip_line_end(c);
            return i + 1;
        }
        c->at++; /* the comma */
    }
    return tw_err_at(err, TW_ELIMIT, NULL, c->line, 0, "a row has more than %d cells",
                     TW_CSV_MAX_CELLS);
}

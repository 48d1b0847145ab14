// SPDX-License-Identifier: Apache-2.0
/* The list of findings: owned by the caller of tw_rules_load. */
#include "rule/findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rule/prelex.h"

static bool same(const tw_finding *a, const tw_err *err)
{
    return a->err.line == err->line && a->err.column == err->column &&
           strcmp(a->err.file, err->file) == 0 && strcmp(a->err.text, err->text) == 0;
}

/* What is shown on a terminal and put into JSON: names of files may hold any byte, and a text may have
 * been cut within a character. */
static void clean(char *text)
{
    unsigned char *s = (unsigned char *)text;
    size_t n;

    for (size_t room = strlen(text); room > 0; s += n, room -= n) {
        n = tw_utf8_length(s, room);
        if (n == 0 || *s < 0x20 || *s == 0x7F) {
            *s = '?';
            n = 1;
        }
    }
}

void tw_findings_add(tw_findings *f, const tw_err *err, bool warning)
{
    tw_finding one = {.err = *err, .warning = warning};

    if (!f)
        return;
    clean(one.err.file);
    clean(one.err.text);
    for (size_t i = 0; i < f->count; i++)
        if (same(&f->items[i], &one.err))
            return;
    f->items = tw_realloc(f->items, (f->count + 1) * sizeof *f->items);
    f->items[f->count++] = one;
}

static int by_place(const void *a, const void *b)
{
    const tw_err *x = &((const tw_finding *)a)->err, *y = &((const tw_finding *)b)->err;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(x->text, y->text);
}

void tw_findings_sort(tw_findings *f, size_t first)
{
    if (f && f->count > first + 1)
        qsort(f->items + first, f->count - first, sizeof *f->items, by_place);
}

size_t tw_findings_errors(const tw_findings *f, size_t first)
{
    size_t n = 0;
    for (size_t i = first; f && i < f->count; i++)
        n += !f->items[i].warning;
    return n;
}

/* A message may have been cut in the middle of a character. */
static json_t *text_json(const char *text)
{
    json_t *json = NULL;

    for (size_t n = strlen(text); !json; n--)
        json = json_stringn(text, n);
    return json;
}

json_t *tw_findings_json(const tw_findings *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->count; i++) {
        const tw_err *e = &f->items[i].err;
        json_array_append_new(
            list, json_pack("{s:o, s:i, s:i, s:o, s:b}", "file", text_json(e->file),
                            "line", e->line, "column", e->column, "text",
                            text_json(e->text), "warning", (int)f->items[i].warning));
    }
    return list;
}

void tw_findings_done(tw_findings *f)
{
    if (!f)
        return;
    tw_free(f->items);
    *f = (tw_findings){0};
}

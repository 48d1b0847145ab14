// SPDX-License-Identifier: Apache-2.0
/* What one function reads of one of its parameters, off its text. Only what is certain is told: a parameter whose name
 * is given to something else in the function, too, is not followed at all. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "rule/locate.h"

#define MAX_PATH 65536

typedef struct body {
    const tw_tokens *t;
    uint32_t first, end; /* its tokens */
    uint32_t param;      /* token of the parameter's name; TW_NO_TOKEN */
    tw_function_read *reads;
    uint32_t count;
} body;

static bool is_name(const tw_tokens *t, uint32_t i)
{
    return i < t->count && t->items[i].kind == TW_TOKEN_NAME;
}

static bool same_name(const tw_tokens *t, uint32_t a, uint32_t b)
{
    return is_name(t, a) && t->items[a].size == t->items[b].size &&
           memcmp(t->text + t->items[a].at, t->text + t->items[b].at, t->items[a].size) ==
               0;
}

/* The n-th name between the parentheses behind `function`. */
static uint32_t find_param(const tw_tokens *t, uint32_t function, uint32_t n)
{
    uint32_t i = function + 2;

    if (!tw_token_is_sign(t, function + 1, '('))
        return TW_NO_TOKEN;
    for (; n > 0 && is_name(t, i) && tw_token_is_sign(t, i + 1, ','); n--)
        i += 2;
    return n == 0 && is_name(t, i) ? i : TW_NO_TOKEN;
}

/* Whether the parameter is among names with commas between them, from i on. */
static bool is_listed(const body *b, uint32_t i)
{
    for (; is_name(b->t, i); i += 2) {
        if (same_name(b->t, i, b->param))
            return true;
        while (tw_token_is_sign(b->t, i + 1, '<')) /* local x <const> */
            i += 3;
        if (!tw_token_is_sign(b->t, i + 1, ','))
            return false;
    }
    return false;
}

static bool is_given_anew(const body *b, uint32_t i)
{
    const tw_tokens *t = b->t;

    if (tw_token_is_name(t, i, "local") || tw_token_is_name(t, i, "for"))
        return is_listed(b, i + (tw_token_is_name(t, i + 1, "function") ? 2 : 1));
    if (tw_token_is_name(t, i, "function") && i > b->first) {
        while (i < b->end && !tw_token_is_sign(t, i, '('))
            i++;
        return is_listed(b, i + 1);
    }
    return same_name(t, i, b->param) && tw_token_is_sign(t, i + 1, '=') &&
           !tw_token_is_sign(t, i + 2, '=');
}

static bool is_certain(const body *b)
{
    for (uint32_t i = b->first; i < b->end; i++)
        if (is_given_anew(b, i))
            return false;
    return true;
}

/* `x.e` and `x:e` are not `e`; `..e` is. */
static bool is_member(const tw_tokens *t, uint32_t i)
{
    return tw_token_is_sign(t, i - 1, ':') ||
           (tw_token_is_sign(t, i - 1, '.') && !tw_token_is_sign(t, i - 2, '.'));
}

/* `.name` or `["name"]` at i, put behind the path; returns the token behind it, or i. */
static uint32_t add_step(const tw_tokens *t, uint32_t i, tw_buf *path)
{
    const tw_token *name = i + 1 < t->count ? &t->items[i + 1] : NULL;
    bool is_plain = name && tw_token_is_sign(t, i, '.') && name->kind == TW_TOKEN_NAME;
    bool is_quoted = name && path->len == 0 && tw_token_is_sign(t, i, '[') &&
                     name->kind == TW_TOKEN_STRING && tw_token_is_sign(t, i + 2, ']') &&
                     !memchr(t->text + name->at, '\\', name->size);

    if (!is_plain && !is_quoted)
        return i;
    if (path->len > 0)
        tw_buf_add_char(path, '.');
    tw_buf_add(path, t->text + name->at + name->skip,
               name->size - (is_quoted ? 2 * (size_t)name->skip : 0));
    return i + (is_plain ? 2 : 3);
}

static void add_read(body *b, uint32_t i)
{
    tw_buf path;
    uint32_t token = i + 2, next = i + 1, at;

    tw_buf_init(&path, MAX_PATH);
    do {
        at = next;
        next = add_step(b->t, at, &path);
    } while (next != at);
    if (path.len > 0) {
        b->reads = tw_realloc(b->reads, (b->count + 1) * sizeof *b->reads);
        b->reads[b->count++] = (tw_function_read){tw_buf_take(&path, NULL), token};
    }
    tw_buf_done(&path);
}

tw_function_read *tw_locate_reads(const tw_tokens *t, uint32_t from, uint32_t behind,
                                  uint32_t param, uint32_t *out_count)
{
    body b = {.t = t};

    *out_count = 0;
    while (b.first < t->count && t->items[b.first].at < from)
        b.first++;
    for (b.end = b.first; b.end < t->count && t->items[b.end].at < behind;)
        b.end++;
    b.param = find_param(t, b.first, param);
    if (b.param == TW_NO_TOKEN || !is_certain(&b))
        return NULL;
    for (uint32_t i = b.param + 1; i < b.end; i++)
        if (same_name(t, i, b.param) && !is_member(t, i))
            add_read(&b, i);
    *out_count = b.count;
    return b.reads;
}

void tw_function_reads_free(tw_function_read *reads, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tw_free(reads[i].path);
    tw_free(reads);
}

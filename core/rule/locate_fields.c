// SPDX-License-Identifier: Apache-2.0
/* Reads off the text which fields the functions of a rule file take from their first parameter, so
 * that the decoder fills them in its one pass. A field that is missed here is still found when it
 * is read, only slower; one too many costs a little decoding. */
#include <string.h>

#include "base/mem.h"
#include "rule/locate.h"

#define MAX_BLOCKS 200
#define MAX_NAMES 256

typedef struct scan {
    const tw_tokens *t;
    uint32_t params[MAX_BLOCKS]; /* token of the first parameter of a function's block */
    uint32_t depth;
    char **names;
    uint32_t count;
} scan;

static void open_block(scan *s, uint32_t param)
{
    if (s->depth < MAX_BLOCKS)
        s->params[s->depth] = param;
    s->depth++;
}

/* `function name(e`, `function(e`: the token of `e`. */
static uint32_t first_param(const tw_tokens *t, uint32_t i)
{
    while (i < t->count && !tw_token_is_sign(t, i, '('))
        i++;
    return i + 1 < t->count && t->items[i + 1].kind == TW_TOKEN_NAME ? i + 1
                                                                     : TW_NO_TOKEN;
}

/* `when = function(v)` and `on_timer = function(name)` are not given an event. */
static bool takes_event(const tw_tokens *t, uint32_t i)
{
    return i < 2 || !tw_token_is_sign(t, i - 1, '=') ||
           !(tw_token_is_name(t, i - 2, "when") ||
             tw_token_is_name(t, i - 2, "on_timer"));
}

static bool same_name(const tw_tokens *t, uint32_t a, uint32_t b)
{
    return t->items[a].size == t->items[b].size &&
           memcmp(t->text + t->items[a].at, t->text + t->items[b].at, t->items[a].size) ==
               0;
}

static bool is_param(const scan *s, uint32_t i)
{
    for (uint32_t n = 0; n < s->depth && n < MAX_BLOCKS; n++)
        if (s->params[n] != TW_NO_TOKEN && same_name(s->t, s->params[n], i))
            return true;
    return false;
}

static void add_name(scan *s, const char *name, size_t size)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (strlen(s->names[i]) == size && memcmp(s->names[i], name, size) == 0)
            return;
    if (s->count == MAX_NAMES || size == 0 || memchr(name, '\\', size))
        return;
    s->names = tw_realloc(s->names, (s->count + 1) * sizeof *s->names);
    s->names[s->count++] = tw_strndup(name, size);
}

static void read_access(scan *s, uint32_t i)
{
    const tw_tokens *t = s->t;
    if (i > 0 && (tw_token_is_sign(t, i - 1, '.') || tw_token_is_sign(t, i - 1, ':')))
        return;
    if (i + 2 >= t->count || !is_param(s, i))
        return;
    const tw_token *field = &t->items[i + 2];
    if (tw_token_is_sign(t, i + 1, '.') && field->kind == TW_TOKEN_NAME)
        add_name(s, t->text + field->at, field->size);
    else if (tw_token_is_sign(t, i + 1, '[') && field->kind == TW_TOKEN_STRING)
        add_name(s, t->text + field->at + field->skip,
                 field->size - 2 * (size_t)field->skip);
}

static bool is_library(const tw_tokens *t, uint32_t i)
{
    static const char *const names[] = {"string", "table", "math", "utf8", "ctx"};

    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
        if (tw_token_is_name(t, i, names[n]))
            return true;
    return false;
}

/* `.name` or `["name"]` behind the token i. */
static void read_member(scan *s, uint32_t i)
{
    const tw_tokens *t = s->t;

    if (i + 2 >= t->count || is_library(t, i))
        return;
    const tw_token *field = &t->items[i + 2];
    if (tw_token_is_sign(t, i + 1, '.') && field->kind == TW_TOKEN_NAME)
        add_name(s, t->text + field->at, field->size);
    else if (tw_token_is_sign(t, i + 1, '[') && field->kind == TW_TOKEN_STRING)
        add_name(s, t->text + field->at + field->skip,
                 field->size - 2 * (size_t)field->skip);
}

/* Follows blocks: opens, closes, and says whether token i was one of their words. */
static bool is_block_word(scan *s, uint32_t i)
{
    const tw_tokens *t = s->t;

    if (tw_token_is_name(t, i, "function"))
        open_block(s, takes_event(t, i) ? first_param(t, i) : TW_NO_TOKEN);
    else if (tw_token_is_name(t, i, "if") || tw_token_is_name(t, i, "do") ||
             tw_token_is_name(t, i, "repeat"))
        open_block(s, TW_NO_TOKEN);
    else if (tw_token_is_name(t, i, "end") || tw_token_is_name(t, i, "until"))
        s->depth -= s->depth > 0;
    else
        return false;
    return true;
}

char **tw_locate_members(const tw_tokens *t, uint32_t *out_count)
{
    scan s = {.t = t};

    for (uint32_t i = 0; i < t->count; i++)
        if (t->items[i].kind == TW_TOKEN_NAME && !is_block_word(&s, i) && s.depth > 0)
            read_member(&s, i);
    *out_count = s.count;
    return s.names;
}

char **tw_locate_fields(const tw_tokens *t, uint32_t *out_count)
{
    scan s = {.t = t};

    for (uint32_t i = 0; i < t->count; i++)
        if (t->items[i].kind == TW_TOKEN_NAME && !is_block_word(&s, i))
            read_access(&s, i);
    *out_count = s.count;
    return s.names;
}

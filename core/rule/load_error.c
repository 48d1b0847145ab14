// SPDX-License-Identifier: Apache-2.0
/* See load_error.h. Nothing here decides whether a file is right: only where the message points and what it adds. */
#include "rule/load_error.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "rule/words.h"

/* The name between the first pair of quotes of Lua's message ("... (global 'cuont')"). */
static bool quoted_name(const tw_err *err, char *out, size_t size)
{
    const char *open = strchr(err->text, '\''),
               *close = open ? strchr(open + 1, '\'') : NULL;
    if (!close || close - open - 1 >= (long)size || close == open + 1)
        return false;
    snprintf(out, size, "%.*s", (int)(close - open - 1), open + 1);
    return true;
}

/* A misspelt word is an undefined global to Lua. */
static void add_word_hint(tw_err *err, const char *name)
{
    size_t count = 0, used = strlen(err->text);

    if (!strstr(err->text, "(global '"))
        return;
    while (tw_word_names[count])
        count++;
    const char *nearest = tw_nearest(name, tw_word_names, count);
    if (nearest)
        snprintf(err->text + used, sizeof err->text - used, " (did you mean '%s'?)",
                 nearest);
}

/* The token that Lua's parser stopped at ("... near 'inputs'"). */
static bool near_name(const tw_err *err, char *out, size_t size)
{
    const char *near = strstr(err->text, " near '"), *at = near, *close;

    while ((at = at ? strstr(at + 1, " near '") : NULL))
        near = at;
    close = near ? strrchr(near + 7, '\'') : NULL;
    if (!close || close == near + 7 || close - near - 7 >= (long)size)
        return false;
    snprintf(out, size, "%.*s", (int)(close - near - 7), near + 7);
    return true;
}

/* Whether what stands at i may be the last of a value. */
static bool ends_value(const tw_tokens *t, uint32_t i)
{
    return t->items[i].kind != TW_TOKEN_SIGN || tw_token_is_sign(t, i, '}') ||
           tw_token_is_sign(t, i, ')') || tw_token_is_sign(t, i, ']');
}

/* "'}' expected" where the next entry of a table begins: what is missing is the comma before it. */
static void add_comma_hint(tw_err *err, const tw_tokens *t, uint32_t i)
{
    size_t used = strlen(err->text);

    if (strncmp(err->text, "'}' expected", 12) != 0 || i == 0 || !ends_value(t, i - 1))
        return;
    if (t->items[i].kind == TW_TOKEN_SIGN && !tw_token_is_sign(t, i, '[') &&
        !tw_token_is_sign(t, i, '{'))
        return;
    if (t->items[i - 1].line < t->items[i].line)
        snprintf(err->text + used, sizeof err->text - used,
                 "; a comma may be missing after line %d", t->items[i - 1].line);
    else
        snprintf(err->text + used, sizeof err->text - used,
                 "; a comma may be missing before it");
}

/* `until = "5m"` in a table: Lua's words are no names. Errors stop at the word or at the sign behind it. */
static bool add_keyword_hint(tw_err *err, const tw_tokens *t)
{
    static const char *const words[] = {
        "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while"};
    size_t used = strlen(err->text);

    for (uint32_t i = tw_token_of_line(t, err->line);
         i + 1 < t->count && t->items[i].line == err->line; i++) {
        bool begins = tw_token_is_sign(t, i - 1, '{') ||
                      tw_token_is_sign(t, i - 1, ',') || tw_token_is_sign(t, i - 1, ';');
        if (!begins || !tw_token_is_sign(t, i + 1, '=') ||
            tw_token_is_sign(t, i + 2, '='))
            continue;
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            if (!tw_token_is_name(t, i, words[k]))
                continue;
            snprintf(
                err->text + used, sizeof err->text - used,
                strcmp(words[k], "until") == 0
                    ? "; '%s' is a word of Lua: the option is until_"
                    : "; '%s' is a word of Lua, and no option is called so; a field is "
                      "written [\"%s\"] = ...",
                words[k], words[k]);
            err->column = t->items[i].column;
            return true;
        }
    }
    return false;
}

/* What is missing is missing behind the last of the text. */
static bool is_at_end(tw_err *err, const tw_tokens *t)
{
    if (!strstr(err->text, " near <eof>") || t->count == 0)
        return false;
    const tw_token *last = &t->items[t->count - 1];
    err->line = last->line;
    err->column = last->column + (int)(last->kind == TW_TOKEN_STRING ? 1 : last->size);
    return true;
}

void tw_load_error_complete(tw_err *err, const tw_rule_text *source)
{
    char name[64];
    const tw_tokens *t = &source->tokens;

    if (err->line <= 0 || err->column > 0)
        return;
    if (strstr(err->text, " near ") && (add_keyword_hint(err, t) || is_at_end(err, t)))
        return;
    bool parser = near_name(err, name, sizeof name);
    if (!parser && !quoted_name(err, name, sizeof name))
        return;
    add_word_hint(err, name);
    size_t n = strlen(name);
    for (uint32_t i = tw_token_of_line(t, err->line);
         i < t->count && t->items[i].line == err->line; i++) {
        if (t->items[i].size == n && memcmp(t->text + t->items[i].at, name, n) == 0) {
            err->column = t->items[i].column;
            if (parser)
                add_comma_hint(err, t, i);
            return;
        }
    }
}

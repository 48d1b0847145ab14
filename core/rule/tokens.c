// SPDX-License-Identifier: Apache-2.0
/* A small lexer of Lua: names, strings in their three forms, numbers, comments, everything else as
 * single signs. It accepts any bytes and always ends; what it does not understand is a sign. */
#include "rule/tokens.h"

#include <string.h>

#include "base/mem.h"

typedef struct lexer {
    const char *text;
    size_t size, at;
    size_t line_start;
    int line;
    tw_tokens *out;
    uint32_t cap;
} lexer;

static char peek(const lexer *x, size_t ahead)
{
    return x->at + ahead < x->size ? x->text[x->at + ahead] : '\0';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void take(lexer *x)
{
    if (x->text[x->at++] == '\n') {
        x->line++;
        x->line_start = x->at;
    }
}

/* The number of `=` of a long bracket that opens here, or -1. */
static int long_bracket(const lexer *x)
{
    size_t n = 1;
    if (peek(x, 0) != '[')
        return -1;
    while (peek(x, n) == '=')
        n++;
    return peek(x, n) == '[' ? (int)n - 1 : -1;
}

static void take_long(lexer *x, int level)
{
    x->at += (size_t)level + 2;
    while (x->at < x->size) {
        if (peek(x, 0) == ']') {
            int n = 0;
            while (peek(x, (size_t)n + 1) == '=')
                n++;
            if (n == level && peek(x, (size_t)n + 1) == ']') {
                x->at += (size_t)level + 2;
                return;
            }
        }
        take(x);
    }
}

static void take_quoted(lexer *x)
{
    char quote = peek(x, 0);
    take(x);
    while (x->at < x->size && peek(x, 0) != quote && peek(x, 0) != '\n') {
        if (peek(x, 0) == '\\' && x->at + 1 < x->size)
            take(x);
        take(x);
    }
    if (peek(x, 0) == quote)
        take(x);
}

static void skip_comment(lexer *x)
{
    x->at += 2;
    int level = long_bracket(x);
    if (level >= 0) {
        take_long(x, level);
        return;
    }
    while (x->at < x->size && peek(x, 0) != '\n')
        x->at++;
}

static void take_number(lexer *x)
{
    while (is_letter(peek(x, 0)) || is_digit(peek(x, 0)) || peek(x, 0) == '.') {
        char c = peek(x, 0);
        x->at++;
        if ((c == 'e' || c == 'E' || c == 'p' || c == 'P') &&
            (peek(x, 0) == '-' || peek(x, 0) == '+'))
            x->at++;
    }
}

static void add(lexer *x, const tw_token *token)
{
    tw_tokens *t = x->out;
    if (t->count == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 256;
        t->items = tw_realloc(t->items, x->cap * sizeof *t->items);
    }
    t->items[t->count] = *token;
    t->items[t->count++].size = (uint32_t)(x->at - token->at);
}

static void read_token(lexer *x)
{
    tw_token token = {.kind = TW_TOKEN_SIGN,
                      .at = (uint32_t)x->at,
                      .line = x->line,
                      .column = (int)(x->at - x->line_start) + 1};
    char c = peek(x, 0);
    int level = long_bracket(x);

    if (is_letter(c)) {
        token.kind = TW_TOKEN_NAME;
        while (is_letter(peek(x, 0)) || is_digit(peek(x, 0)))
            x->at++;
    } else if (is_digit(c) || (c == '.' && is_digit(peek(x, 1)))) {
        token.kind = TW_TOKEN_NUMBER;
        take_number(x);
    } else if (c == '"' || c == '\'') {
        token.kind = TW_TOKEN_STRING;
        token.skip = 1;
        take_quoted(x);
    } else if (level >= 0) {
        token.kind = TW_TOKEN_STRING;
        token.skip = (uint32_t)level + 2;
        take_long(x, level);
    } else {
        take(x);
    }
    add(x, &token);
}

void tw_tokens_read(tw_tokens *t, const char *text, size_t size)
{
    *t = (tw_tokens){.text = text};
    lexer x = {.text = text, .size = size, .line = 1, .out = t};
    while (x.at < size) {
        char c = peek(&x, 0);
        if (c == '-' && peek(&x, 1) == '-')
            skip_comment(&x);
        else if (c == ' ' || (c >= '\t' && c <= '\r'))
            take(&x);
        else
            read_token(&x);
    }
}

void tw_tokens_done(tw_tokens *t)
{
    tw_free(t->items);
    *t = (tw_tokens){0};
}

bool tw_token_is_sign(const tw_tokens *t, uint32_t i, char sign)
{
    return i < t->count && t->items[i].kind == TW_TOKEN_SIGN &&
           t->text[t->items[i].at] == sign;
}

bool tw_token_is_name(const tw_tokens *t, uint32_t i, const char *name)
{
    return i < t->count && t->items[i].kind == TW_TOKEN_NAME &&
           t->items[i].size == strlen(name) &&
           memcmp(t->text + t->items[i].at, name, t->items[i].size) == 0;
}

bool tw_token_is_string(const tw_tokens *t, uint32_t i, const char *text, size_t size)
{
    if (i >= t->count || t->items[i].kind != TW_TOKEN_STRING)
        return false;
    const tw_token *token = &t->items[i];
    return token->size == size + 2 * (size_t)token->skip &&
           memcmp(t->text + token->at + token->skip, text, size) == 0;
}

static bool is_one_of(const tw_tokens *t, uint32_t i, const char *signs)
{
    return t->items[i].kind == TW_TOKEN_SIGN && strchr(signs, t->text[t->items[i].at]) &&
           t->text[t->items[i].at] != '\0';
}

uint32_t tw_token_behind(const tw_tokens *t, uint32_t i)
{
    uint32_t depth = 0;
    for (; i < t->count; i++) {
        if (is_one_of(t, i, "({["))
            depth++;
        else if (is_one_of(t, i, ")}]") && --depth == 0)
            return i + 1;
    }
    return t->count;
}

uint32_t tw_token_of_line(const tw_tokens *t, int line)
{
    uint32_t low = 0, high = t->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->items[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

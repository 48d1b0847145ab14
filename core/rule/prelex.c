// SPDX-License-Identifier: Apache-2.0
/* One pass that knows Lua's tokens but not its grammar. Invariant: `depth` counts what is
 * open, and suffixes[depth] the suffixes of the expression that stands there. */
#include "rule/prelex.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct lexer {
    const char *file;
    const char *at, *end;
    int line;
    int depth;
    int suffixes[TW_PRELEX_NESTING + 1];
    bool group[TW_PRELEX_NESTING + 1]; /* opened by a bracket that only groups */
    bool after_value; /* the token before can carry a suffix: name, string, closing
                         bracket */
    tw_err *err;
} lexer;

static int refuse(lexer *x, int code, const char *what)
{
    return tw_err_at(x->err, code, x->file, x->line, 0, "%s", what);
}

/* ---- bytes ---- */

size_t tw_utf8_length(const unsigned char *s, size_t room)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > room)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool too_long = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool outside = (s[0] == 0xED && s[1] >= 0xA0) || (s[0] == 0xF4 && s[1] >= 0x90);
    return too_long || outside ? 0 : n;
}

static int check_bytes(lexer *x)
{
    const unsigned char *s = (const unsigned char *)x->at;
    const unsigned char *end = (const unsigned char *)x->end;
    while (s < end) {
        if (*s == 0x1B || *s == 0)
            return refuse(x, TW_EPARSE,
                          *s == 0 ? "a NUL byte: rules are text"
                                  : "byte 0x1B: compiled Lua is not accepted");
        size_t n = tw_utf8_length(s, (size_t)(end - s));
        if (n == 0)
            return refuse(x, TW_EPARSE, "not UTF-8");
        if (*s == '\n')
            x->line++;
        s += n;
    }
    x->line = 1;
    return TW_OK;
}

/* ---- tokens ---- */

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The number of '=' of a long bracket that opens at s, or -1. */
static int long_bracket_level(const lexer *x, const char *s)
{
    int level = 0;
    for (s++; s < x->end && *s == '='; s++)
        level++;
    return s < x->end && *s == '[' ? level : -1;
}

static void skip_counting_lines(lexer *x, const char *to)
{
    for (; x->at < to; x->at++)
        if (*x->at == '\n')
            x->line++;
}

/* Behind the closing bracket of the level, or the end of the text. */
static const char *long_bracket_end(const lexer *x, int level)
{
    const char *s = x->at + level + 2;
    while (s < x->end) {
        s = memchr(s, ']', (size_t)(x->end - s));
        if (s == NULL)
            break;
        const char *t = s + 1;
        while (t < x->end && *t == '=')
            t++;
        if (t < x->end && *t == ']' && t - s - 1 == level)
            return t + 1;
        s++;
    }
    return x->end;
}

static const char *short_string_end(const lexer *x)
{
    char quote = *x->at;
    const char *s = x->at + 1;
    while (s < x->end && *s != quote && *s != '\n')
        s += *s == '\\' && s + 1 < x->end ? 2 : 1;
    return s < x->end ? s + 1 : x->end;
}

static void skip_comment(lexer *x)
{
    x->at += 2;
    int level = x->at < x->end && *x->at == '[' ? long_bracket_level(x, x->at) : -1;
    if (level >= 0) {
        skip_counting_lines(x, long_bracket_end(x, level));
        return;
    }
    const char *eol = memchr(x->at, '\n', (size_t)(x->end - x->at));
    x->at = eol != NULL ? eol : x->end;
}

/* ---- shape ---- */

static int open_level(lexer *x, bool group)
{
    if (x->depth == TW_PRELEX_NESTING)
        return refuse(x, TW_ELIMIT, "nested more than 100 deep");
    x->depth++;
    x->suffixes[x->depth] = 0;
    x->group[x->depth] = group;
    x->after_value = false;
    return TW_OK;
}

/* What stood in grouping brackets goes on as the same chain. */
static void close_level(lexer *x, bool gives_value)
{
    if (x->depth > 0) {
        int inner = x->suffixes[x->depth];
        bool group = x->group[x->depth];
        x->depth--;
        if (group)
            x->suffixes[x->depth] = inner;
    }
    x->after_value = gives_value;
}

static int count_suffix(lexer *x)
{
    if (++x->suffixes[x->depth] > TW_PRELEX_SUFFIXES)
        return refuse(x, TW_ELIMIT, "more than 64 fields, indices or calls in one chain");
    return TW_OK;
}

static int take_string(lexer *x, const char *end)
{
    if (end - x->at > TW_PRELEX_LITERAL_BYTES)
        return refuse(x, TW_ELIMIT, "a string literal longer than 64 KiB");
    int rc = x->after_value ? count_suffix(x) : TW_OK; /* f"text" is a call */
    skip_counting_lines(x, end);
    x->after_value = true;
    return rc;
}

static bool is_word(const char *s, size_t n, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == n && memcmp(*words, s, n) == 0)
            return true;
    return false;
}

static int take_name(lexer *x)
{
    static const char *const opening[] = {"function", "do", "then", "repeat", NULL};
    static const char *const closing[] = {"end", "until", "elseif", NULL};
    static const char *const other[] = {
        "and",   "break", "else", "false", "for",    "goto", "if",    "in",
        "local", "nil",   "not",  "or",    "return", "true", "while", NULL};
    const char *s = x->at;
    while (x->at < x->end && is_name_char(*x->at))
        x->at++;
    size_t n = (size_t)(x->at - s);
    if (is_word(s, n, opening))
        return open_level(x, false);
    if (is_word(s, n, closing)) {
        close_level(x, n == 3);
        x->suffixes[x->depth] = 0;
        return TW_OK;
    }
    if (is_word(s, n, other)) {
        x->after_value = false;
        x->suffixes[x->depth] = 0;
        return TW_OK;
    }
    if (x->after_value) /* a new statement, or a mistake */
        x->suffixes[x->depth] = 0;
    x->after_value = true;
    return TW_OK;
}

static void take_number(lexer *x)
{
    while (x->at < x->end &&
           (is_name_char(*x->at) || *x->at == '.' ||
            ((*x->at == '+' || *x->at == '-') && strchr("eEpP", x->at[-1]))))
        x->at++;
    x->after_value = false;
    x->suffixes[x->depth] = 0;
}

static int take_opening(lexer *x, char c)
{
    bool suffix = x->after_value;
    int rc = suffix ? count_suffix(x) : TW_OK;
    if (!suffix)
        x->suffixes[x->depth] = 0;
    x->at++;
    return rc != TW_OK ? rc : open_level(x, c == '(' && !suffix);
}

/* A field or method name; ".." and "..." are operators. */
static int take_dot(lexer *x)
{
    char c = *x->at;
    size_t n = 0;
    for (; x->at < x->end && *x->at == c; x->at++)
        n++;
    if (n == 1 && x->after_value) {
        x->after_value = false;
        return count_suffix(x);
    }
    x->after_value = c == '.' && n == 3;
    x->suffixes[x->depth] = 0;
    return TW_OK;
}

static int take_other(lexer *x)
{
    char c = *x->at;
    if (c == '\n')
        x->line++;
    x->at++;
    if (isspace((unsigned char)c))
        return TW_OK;
    if (strchr(")]}", c) != NULL) {
        close_level(x, true);
        return TW_OK;
    }
    x->after_value = false;
    x->suffixes[x->depth] = 0;
    return TW_OK;
}

static int take_token(lexer *x)
{
    char c = *x->at;
    if (c == '-' && x->at + 1 < x->end && x->at[1] == '-') {
        skip_comment(x);
        return TW_OK;
    }
    if (c == '"' || c == '\'')
        return take_string(x, short_string_end(x));
    int level = c == '[' ? long_bracket_level(x, x->at) : -1;
    if (level >= 0)
        return take_string(x, long_bracket_end(x, level));
    bool dotted_number =
        c == '.' && x->at + 1 < x->end && isdigit((unsigned char)x->at[1]);
    if (isdigit((unsigned char)c) || dotted_number) {
        x->at++;
        take_number(x);
        return TW_OK;
    }
    if (is_name_char(c))
        return take_name(x);
    if (strchr("([{", c) != NULL)
        return take_opening(x, c);
    return c == '.' || c == ':' ? take_dot(x) : take_other(x);
}

int tw_prelex(const char *file, const char *text, size_t n, size_t max_bytes, tw_err *err)
{
    lexer x = {.file = file, .at = text, .end = text + n, .line = 1, .err = err};
    if (n > max_bytes)
        return tw_err_at(err, TW_ELIMIT, file, 0, 0, "longer than %zu KiB",
                         max_bytes >> 10);
    int rc = check_bytes(&x);
    while (rc == TW_OK && x.at < x.end)
        rc = take_token(&x);
    return rc;
}

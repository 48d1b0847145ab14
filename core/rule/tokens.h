// SPDX-License-Identifier: Apache-2.0
/* The text of a rule file as Lua tokens with their places. Only for finding things in a file that Lua
 * itself has accepted: it never decides whether a file is right. Immutable once read; the text is
 * borrowed and must outlive it. */
#ifndef TW_RULE_TOKENS_H
#define TW_RULE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TW_NO_TOKEN UINT32_MAX

typedef enum tw_token_kind {
    TW_TOKEN_NAME, /* keywords too */
    TW_TOKEN_STRING,
    TW_TOKEN_NUMBER,
    TW_TOKEN_SIGN /* one character each; `..` is two */
} tw_token_kind;

typedef struct tw_token {
    uint8_t kind;     /* tw_token_kind */
    uint32_t at;      /* offset of its first character; of a string, the quote */
    uint32_t size;    /* with quotes */
    uint32_t skip;    /* offset from `at` to a string's content */
    int line, column; /* 1-based; the column counts bytes */
} tw_token;

typedef struct tw_tokens {
    const char *text;
    tw_token *items;
    uint32_t count;
} tw_tokens;

void tw_tokens_read(tw_tokens *t, const char *text, size_t size);
void tw_tokens_done(tw_tokens *t);

bool tw_token_is_sign(const tw_tokens *t, uint32_t i,
                      char sign); /* false beyond the end */
bool tw_token_is_name(const tw_tokens *t, uint32_t i, const char *name);
/* A string token whose content is exactly `text` (escapes are not resolved). */
bool tw_token_is_string(const tw_tokens *t, uint32_t i, const char *text, size_t size);
/* The token behind the bracket that closes the one at i; the end when it is not closed. */
uint32_t tw_token_behind(const tw_tokens *t, uint32_t i);
/* The first token on `line` or later. */
uint32_t tw_token_of_line(const tw_tokens *t, int line);

#endif

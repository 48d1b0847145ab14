// SPDX-License-Identifier: Apache-2.0
/* Listings for a terminal: cells are collected, then printed in columns as wide as they need to be. */
#ifndef TW_CLI_COLUMNS_H
#define TW_CLI_COLUMNS_H

#include <stdint.h>
#include <stdio.h>

typedef struct tw_columns tw_columns;

/* heads ends with NULL; one that begins with '>' is a column of numbers, set to the right. */
tw_columns *tw_columns_new(const char *const *heads);
void tw_columns_free(tw_columns *c);
/* The next cell, row by row; text is copied, NULL is an empty cell. */
void tw_columns_text(tw_columns *c, const char *text);
void tw_columns_int(tw_columns *c, int64_t n);   /* 1,234,567 */
void tw_columns_span(tw_columns *c, int64_t ms); /* as tw_cli_span */
void tw_columns_print(const tw_columns *c, FILE *out);

/* A length of time as people say it, two units at most: "0.2s", "34s", "5m12s", "2h13m", "3d4h".
 * Returns out. */
const char *tw_cli_span(int64_t ms, char *out, size_t size);
/* 1234567 -> "1,234,567". Returns out. */
const char *tw_cli_count(int64_t n, char *out, size_t size);

#endif

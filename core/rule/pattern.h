// SPDX-License-Identifier: Apache-2.0
/* Lua patterns that can be stopped: compiled into a short program first, so that a
 * malformed one is refused before it runs, then matched by backtracking that looks at the
 * watchdog's word. The meaning is that of the Lua 5.4 manual, section 6.4.1. No Lua state
 * in sight: nothing here raises or allocates. */
#ifndef TW_RULE_PATTERN_H
#define TW_RULE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/watchdog.h"

enum {
    TW_PATTERN_ITEMS = 250,
    TW_PATTERN_SETS = 64,
    TW_PATTERN_CAPTURES = 32,
    TW_PATTERN_POSITION = -1 /* length of a capture that is a position */
};

typedef struct tw_pattern_item {
    uint8_t op, quantifier;
    uint8_t a, b; /* character, set, capture: by op */
} tw_pattern_item;

typedef struct tw_pattern_set {
    uint64_t bits[4];
} tw_pattern_set;

typedef struct tw_pattern {
    int items, sets, captures;
    tw_pattern_item item[TW_PATTERN_ITEMS + 1];
    tw_pattern_set set[TW_PATTERN_SETS];
} tw_pattern;

typedef struct tw_match {
    const char *subject, *end;
    const tw_watchdog_guard *guard; /* NULL: is never stopped */
    bool stopped;                   /* gave up because the guard says so */
    struct {
        const char *start;
        ptrdiff_t len;
    } capture[TW_PATTERN_CAPTURES];
} tw_match;

/* A leading '^' is the caller's business and not passed in. NULL, or what is wrong with
 * the text (a sentence without a full stop, static). */
const char *tw_pattern_compile(tw_pattern *p, const char *text, size_t n);

/* Match exactly at s: end of the match, or NULL. m's subject, end and guard are set
 * before. */
const char *tw_pattern_match_at(const tw_pattern *p, tw_match *m, const char *s);
/* The first match at or behind s: its start (and *out_end), or NULL. */
const char *tw_pattern_search(const tw_pattern *p, tw_match *m, const char *s,
                              const char **out_end);

#endif

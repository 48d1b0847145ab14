// SPDX-License-Identifier: Apache-2.0
/* Finds where in the text of a rule file each part of a registered rule was written, so that a
 * finding can point at the offending key. Where a value was not written in place (a local, a helper
 * function) it is found by its word and line, and else points at the place it was used. */
#ifndef TW_RULE_LOCATE_H
#define TW_RULE_LOCATE_H

#include "rule/tokens.h"
#include "rule/tree.h"

/* Gives every node of a registered rule or test (the word `rule`, `test`) its spot. */
void tw_locate_rule(const tw_tokens *t, tw_tree *rule);
/* The token of a word that was called on `line`; the first of that line when there are several. With
 * line 0 the only one of the file. */
uint32_t tw_locate_word(const tw_tokens *t, const char *word, int line);

/* The fields that functions of the file read from their first parameter (`e.name`, `e["a.b"]`), each
 * once, in the order of the text. Names are copies; tw_free each and the array. */
char **tw_locate_fields(const tw_tokens *t, uint32_t *out_count);
/* Everything that is read by name anywhere in a function of the file (`x.name`, `x["a.b"]`, `x.y.name`),
 * but for what the libraries hold. */
char **tw_locate_members(const tw_tokens *t, uint32_t *out_count);

typedef struct tw_function_read {
    char *path;     /* "code", "labels.zone" */
    uint32_t token; /* of its first name */
} tw_function_read;

/* What the function whose text stands in [from, behind) reads by name of its parameter of that number, counted from 0:
 * every place. NULL when it takes none, or gives its name to something else, too. */
tw_function_read *tw_locate_reads(const tw_tokens *t, uint32_t from, uint32_t behind,
                                  uint32_t param, uint32_t *out_count);
void tw_function_reads_free(tw_function_read *reads, uint32_t count);

#endif

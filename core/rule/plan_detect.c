// SPDX-License-Identifier: Apache-2.0
/* `detect = word { ... }`: which detector, and what all of them say about what they find and read. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

typedef struct detect_word {
    const char *word;
    void (*compile)(tw_compiler *c, const tw_tree *detect);
} detect_word;

static const detect_word words[] = {
    {"level", tw_compile_level},       {"join", tw_compile_join},
    {"together", tw_compile_together}, {"handler", tw_compile_handler},
    {"change", tw_compile_change},     {"session", tw_compile_session},
    {"measure", tw_compile_measure},   {"seq", tw_compile_seq},
    {"missing", tw_compile_missing},   {"impact", tw_compile_impact},
};
enum { WORDS = sizeof words / sizeof words[0] };

/* "level { ... }, join { ... } or handler { ... }" */
static const char *list_words(tw_compiler *c)
{
    char list[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < WORDS; i++) {
        const char *before = i == 0 ? "" : i + 1 == WORDS ? " or " : ", ";
        int n = snprintf(list + used, sizeof list - used, "%s%s { ... }", before,
                         words[i].word);
        used += used + (size_t)n < sizeof list ? (size_t)n : 0;
    }
    return tw_arena_strndup(c->arena, list, used);
}

void tw_compile_detect(tw_compiler *c, const tw_tree *detect)
{
    if (!detect) {
        tw_compile_say(c, c->body, "a rule needs detect = %s", list_words(c));
        return;
    }
    for (size_t i = 0; i < WORDS; i++) {
        if (tw_tree_is_word(detect, words[i].word)) {
            words[i].compile(c, detect);
            return;
        }
    }
    tw_compile_say(c, detect, "detect is %s, not %s", list_words(c),
                   tw_tree_name(detect));
}

const tw_tree *tw_compile_word_table(tw_compiler *c, const tw_tree *word)
{
    const tw_tree *table = word->item_count == 1 ? word->items[0] : word;

    if (table->type == TW_TREE_TABLE)
        return table;
    tw_compile_say(c, word, "%s takes a table: %s { ... }", word->text, word->text);
    return NULL;
}

int tw_compile_role(tw_compiler *c, const tw_tree *at, const char *name, bool is_list,
                    uint64_t inputs)
{
    tw_rule *r = c->rule;

    if (r->role_count == TW_MAX_ROLES) {
        tw_compile_say(c, at, "more than %d steps or sides", TW_MAX_ROLES);
        return -1;
    }
    for (uint32_t i = 0; i < r->role_count; i++) {
        if (strcmp(r->roles[i].name, name) == 0) {
            tw_compile_say(c, at, "two events cannot both be called '%s'", name);
            return -1;
        }
    }
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (strcmp(r->key_names[i], name) == 0) {
            tw_compile_say(c, at, "'%s' is a field of the key; call the event otherwise",
                           name);
            return -1;
        }
    }
    r->roles = tw_realloc(r->roles, (r->role_count + 1) * sizeof *r->roles);
    r->roles[r->role_count] =
        (tw_role){.name = tw_strdup(name), .is_list = is_list, .inputs = inputs};
    return (int)r->role_count++;
}

uint32_t tw_compile_fact(tw_compiler *c, const char *name)
{
    tw_rule *r = c->rule;

    r->facts = tw_realloc(r->facts, (r->fact_count + 1) * sizeof *r->facts);
    r->facts[r->fact_count] = tw_strdup(name);
    return r->fact_count++;
}

void tw_compile_no_when(tw_compiler *c, const char *instead)
{
    const tw_tree *alert = tw_tree_get(c->body, "alert");
    const tw_tree *table = alert && alert->item_count == 1 ? alert->items[0] : NULL;
    const tw_tree *when = table ? tw_tree_get(table, "when") : NULL;

    if (when)
        tw_compile_say(c, when, "when has nothing to look at here: %s", instead);
}

static tw_reads *reads_of(tw_compiler *c, uint32_t input)
{
    tw_rule *r = c->rule;

    if (!r->reads)
        r->reads = tw_calloc(r->input_count + 1, sizeof *r->reads);
    return &r->reads[input];
}

void tw_compile_reads(tw_compiler *c, uint32_t input, uint32_t slot)
{
    tw_reads *reads = reads_of(c, input);

    reads->slots = tw_realloc(reads->slots, (reads->count + 1) * sizeof *reads->slots);
    reads->slots[reads->count++] = slot;
}

void tw_compile_reads_match(tw_compiler *c, uint32_t input, const tw_match_table *match)
{
    tw_reads *reads = reads_of(c, input);

    tw_match_table_slots(match, &reads->slots, &reads->count);
}

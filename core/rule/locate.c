// SPDX-License-Identifier: Apache-2.0
/* Walks the tree of a rule and the tokens of its file side by side. Where the two part (a value that
 * comes out of a variable) the walk goes on from the line that the word's call was noted with. The
 * outcome only decides what a message points at, so a wrong guess is harmless. */
#include "rule/locate.h"

#include <string.h>

static void locate_value(const tw_tokens *t, tw_tree *v, uint32_t at, uint32_t end);

static bool starts_call(const tw_tokens *t, uint32_t i)
{
    return tw_token_is_sign(t, i, '(') || tw_token_is_sign(t, i, '{') ||
           (i < t->count && t->items[i].kind == TW_TOKEN_STRING);
}

/* `word` called on `line` (0: any) between two tokens. Lua notes the line where the arguments
 * begin. */
static uint32_t find_word(const tw_tokens *t, const char *word, int line, uint32_t from,
                          uint32_t end)
{
    for (uint32_t i = from; i < end && i < t->count; i++) {
        if (line > 0 && t->items[i].line > line)
            break;
        if (tw_token_is_name(t, i, word) && starts_call(t, i + 1) &&
            (line == 0 || t->items[i + 1].line == line))
            return i;
    }
    return TW_NO_TOKEN;
}

/* Without a line, a word that is called only once in the file. */
static uint32_t find_only(const tw_tokens *t, const char *word)
{
    uint32_t found = find_word(t, word, 0, 0, t->count);
    if (found != TW_NO_TOKEN && find_word(t, word, 0, found + 1, t->count) != TW_NO_TOKEN)
        return TW_NO_TOKEN;
    return found;
}

uint32_t tw_locate_word(const tw_tokens *t, const char *word, int line)
{
    if (line <= 0)
        return find_only(t, word);
    /* The name may stand on an earlier line than its arguments. */
    uint32_t from = tw_token_of_line(t, line > 3 ? line - 3 : 1);
    return find_word(t, word, line, from, t->count);
}

/* The end of a table's entry or of an argument: the `,` or `;` of this depth, or the closing. */
static uint32_t skip_value(const tw_tokens *t, uint32_t i, uint32_t end)
{
    uint32_t blocks = 0; /* a function's body may hold commas */
    while (i < end) {
        const tw_token *token = &t->items[i];
        if (token->kind == TW_TOKEN_SIGN && strchr("({[", t->text[token->at])) {
            i = tw_token_behind(t, i);
            continue;
        }
        if (tw_token_is_name(t, i, "function") || tw_token_is_name(t, i, "do") ||
            tw_token_is_name(t, i, "if") || tw_token_is_name(t, i, "repeat"))
            blocks++;
        else if (blocks > 0 &&
                 (tw_token_is_name(t, i, "end") || tw_token_is_name(t, i, "until")))
            blocks--;
        else if (blocks == 0 && token->kind == TW_TOKEN_SIGN &&
                 strchr(",;)}]", t->text[token->at]))
            return i;
        i++;
    }
    return end;
}

/* The key of the entry that starts at i, when it has one: its value's first token, else 0. */
static uint32_t entry_value(const tw_tokens *t, uint32_t i, uint32_t *out_key)
{
    *out_key = i;
    if (tw_token_is_sign(t, i, '[')) {
        *out_key = i + 1;
        uint32_t behind = tw_token_behind(t, i);
        return tw_token_is_sign(t, behind, '=') ? behind + 1 : 0;
    }
    if (i < t->count && t->items[i].kind == TW_TOKEN_NAME &&
        tw_token_is_sign(t, i + 1, '=') && !tw_token_is_sign(t, i + 2, '='))
        return i + 2;
    return 0;
}

static bool key_is(const tw_tokens *t, uint32_t i, const char *key)
{
    return tw_token_is_name(t, i, key) || tw_token_is_string(t, i, key, strlen(key));
}

static void locate_keyed(const tw_tokens *t, tw_tree *table, uint32_t key, uint32_t value,
                         uint32_t end)
{
    for (uint32_t n = 0; n < table->entry_count; n++) {
        if (key_is(t, key, table->entries[n].key)) {
            locate_value(t, table->entries[n].value, value, end);
            table->entries[n].value->spot = key;
            return;
        }
    }
}

/* Entries and items of a table constructor; open is the token of its brace. */
static void locate_table(const tw_tokens *t, tw_tree *table, uint32_t open)
{
    uint32_t close = tw_token_behind(t, open), item = 0, key;
    for (uint32_t i = open + 1; i + 1 < close;) {
        uint32_t value = entry_value(t, i, &key);
        uint32_t end = skip_value(t, value ? value : i, close - 1);
        if (value)
            locate_keyed(t, table, key, value, end);
        else if (item < table->item_count)
            locate_value(t, table->items[item++], i, end);
        i = end + 1;
    }
}

/* What stands in one pair of parentheses, from the item-th argument on. */
static uint32_t locate_arguments(const tw_tokens *t, tw_tree *word, uint32_t open,
                                 uint32_t item)
{
    uint32_t close = tw_token_behind(t, open);
    for (uint32_t i = open + 1; i + 1 < close && item < word->item_count;) {
        uint32_t end = skip_value(t, i, close - 1);
        locate_value(t, word->items[item++], i, end);
        i = end + 1;
    }
    return item;
}

/* `word "a" { ... }`, `word("a", { ... })`, `word { ... }`. */
static void locate_call(const tw_tokens *t, tw_tree *word, uint32_t at)
{
    uint32_t i = at + 1, item = 0;
    word->spot = at;
    while (item < word->item_count && starts_call(t, i)) {
        if (tw_token_is_sign(t, i, '(')) {
            uint32_t before = item;
            item = locate_arguments(t, word, i, item);
            i = tw_token_behind(t, i);
            if (item == before)
                return;
        } else if (tw_token_is_sign(t, i, '{')) {
            locate_value(t, word->items[item++], i, i + 1);
            i = tw_token_behind(t, i);
        } else {
            locate_value(t, word->items[item++], i, i + 1);
            i++;
        }
    }
}

/* `a + b`: the operands in the order of the text. Returns where to go on. */
static uint32_t locate_operands(const tw_tokens *t, tw_tree *v, uint32_t at, uint32_t end)
{
    if (v->type != TW_TREE_WORD)
        return at;
    if (!tw_tree_is_operator(v)) {
        uint32_t found = find_word(t, v->text, v->line, at, end);
        if (found == TW_NO_TOKEN) {
            locate_value(t, v, at, at);
            return at;
        }
        locate_call(t, v, found);
        return found + 1;
    }
    for (uint32_t i = 0; i < v->item_count; i++)
        at = locate_operands(t, v->items[i], at, end);
    return at;
}

static void locate_word(const tw_tokens *t, tw_tree *v, uint32_t at, uint32_t end)
{
    if (tw_tree_is_operator(v)) {
        locate_operands(t, v, at, end);
        return;
    }
    uint32_t found = find_word(t, v->text, v->line, at, end);
    if (found == TW_NO_TOKEN)
        found = tw_locate_word(t, v->text, v->line);
    if (found != TW_NO_TOKEN)
        locate_call(t, v, found);
}

/* A function written in place: its text is that of its tokens. */
static void locate_function(const tw_tokens *t, tw_tree *v, uint32_t at, uint32_t end)
{
    if (end <= at || end > t->count || !tw_token_is_name(t, at, "function") ||
        t->items[at].line != v->first_line || t->items[end - 1].line != v->last_line)
        return;
    v->from = t->items[at].at;
    v->behind = t->items[end - 1].at + t->items[end - 1].size;
}

/* A value whose text stands in [at, end); end == at when it is not known where. */
static void locate_value(const tw_tokens *t, tw_tree *v, uint32_t at, uint32_t end)
{
    if (v->spot == TW_NO_TOKEN && at < t->count && end > at)
        v->spot = at;
    if (v->type == TW_TREE_WORD)
        locate_word(t, v, at, end);
    else if (v->type == TW_TREE_TABLE && tw_token_is_sign(t, at, '{'))
        locate_table(t, v, at);
    else if (v->type == TW_TREE_FUNCTION)
        locate_function(t, v, at, end);
}

/* What was not found points where the value around it does; words in it are looked for by line. */
static void inherit_spots(const tw_tokens *t, tw_tree *v, uint32_t spot)
{
    if (v->spot == TW_NO_TOKEN && v->type == TW_TREE_WORD)
        locate_word(t, v, 0, 0);
    if (v->spot == TW_NO_TOKEN)
        v->spot = spot;
    for (uint32_t i = 0; i < v->item_count; i++)
        inherit_spots(t, v->items[i], v->spot);
    for (uint32_t i = 0; i < v->entry_count; i++)
        inherit_spots(t, v->entries[i].value, v->spot);
}

/* The `rule` (or `test`) of that line with that name, else the first of the line. */
static uint32_t find_rule(const tw_tokens *t, const tw_tree *rule)
{
    uint32_t first = tw_locate_word(t, rule->text, rule->line);
    if (rule->item_count == 0 || rule->items[0]->type != TW_TREE_STRING)
        return first;
    for (uint32_t i = first; i != TW_NO_TOKEN;
         i = find_word(t, rule->text, rule->line, i + 1, t->count)) {
        uint32_t name = tw_token_is_sign(t, i + 1, '(') ? i + 2 : i + 1;
        if (tw_token_is_string(t, name, rule->items[0]->text, rule->items[0]->size))
            return i;
    }
    return first;
}

void tw_locate_rule(const tw_tokens *t, tw_tree *rule)
{
    uint32_t at = find_rule(t, rule);
    if (at != TW_NO_TOKEN)
        locate_call(t, rule, at);
    inherit_spots(t, rule, at);
}

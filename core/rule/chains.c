// SPDX-License-Identifier: Apache-2.0
/* Rules that read what rules emit: which names are emitted at all, and what can be wrong with the whole
 * (a stream that comes from nowhere, rules that go round in a circle). Shore only. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "flow/plan_emit.h"
#include "rule/rule_files.h"
#include "rule/tokens.h"

/* ---- names in the text ------------------------------------------------------------- */

typedef struct name_list {
    char **items;
    size_t count;
} name_list;

static void add_name(name_list *l, char *name)
{
    l->items = tw_realloc(l->items, (l->count + 2) * sizeof *l->items);
    l->items[l->count++] = name;
    l->items[l->count] = NULL;
}

/* `to "name"` and `to("name"`. */
static void scan_text(name_list *l, const char *text, size_t size)
{
    tw_tokens t = {0};

    tw_tokens_read(&t, text, size);
    for (uint32_t i = 0; i + 2 < t.count; i++) {
        if (!tw_token_is_name(&t, i, "to"))
            continue;
        const tw_token *name = &t.items[i + 1 + tw_token_is_sign(&t, i + 1, '(')];
        if (name->kind == TW_TOKEN_STRING && name->size > 2 * name->skip)
            add_name(l, tw_strndup(t.text + name->at + name->skip,
                                   name->size - 2 * name->skip));
    }
    tw_tokens_done(&t);
}

char **tw_rules_emitted(char *const *paths, size_t count)
{
    name_list l = {.items = tw_calloc(1, sizeof(char *))};
    tw_err err;

    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        char *text = tw_rule_text_read(paths[i], &size, &err);
        if (text)
            scan_text(&l, text, size);
        tw_free(text);
    }
    return l.items;
}

/* ---- the whole --------------------------------------------------------------------- */

static bool emits(const tw_rule *r, const tw_stream *stream)
{
    return r->emit && r->emit->stream == stream;
}

static bool comes_from_somewhere(const tw_rule_files *set, const tw_stream *stream)
{
    for (uint32_t i = 0; i < set->rule_count; i++)
        if (emits(set->rules[i], stream))
            return true;
    return !stream->on_demand;
}

static const char *nearest_stream(const tw_rule_files *set, const tw_stream *stream)
{
    uint32_t count = tw_streams_count(set->streams), known = 0;
    const char **names = tw_calloc(count + 1, sizeof *names);

    for (uint32_t i = 0; i < count; i++) {
        const tw_stream *other = tw_streams_at(set->streams, i);
        if (comes_from_somewhere(set, other))
            names[known++] = other->name;
    }
    const char *nearest = tw_nearest(stream->name, names, known);
    tw_free(names);
    return nearest;
}

static void check_sources(const tw_rule_files *set, tw_findings *findings)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const tw_rule *r = set->rules[i];
        for (uint32_t k = 0; k < r->input_count; k++) {
            const tw_input *in = &r->inputs[k];
            tw_err err;
            if (comes_from_somewhere(set, in->stream))
                continue;
            const char *nearest = nearest_stream(set, in->stream);
            tw_err_at(&err, TW_ENOTFOUND, r->file, in->line, in->column,
                      "there is no stream '%s'%s%s%s", in->stream->name,
                      nearest ? " (did you mean '" : "", nearest ? nearest : "",
                      nearest ? "'?)" : "");
            tw_findings_add(findings, &err, false);
        }
    }
}

static bool reads(const tw_rule *r, const tw_stream *stream)
{
    for (uint32_t i = 0; i < r->input_count; i++)
        if (r->inputs[i].stream == stream)
            return true;
    return false;
}

/* A walk along emit and from: white rules are new, grey ones on the way here, black ones done. */
typedef enum mark { WHITE, GREY, BLACK } mark;
typedef struct walk {
    const tw_rule_files *set;
    mark *marks;
    uint32_t *way, length;
    tw_findings *findings;
} walk;

static void say_circle(walk *w, uint32_t from)
{
    const tw_rule *first = w->set->rules[w->way[from]];
    const tw_rule *last = w->set->rules[w->way[w->length - 1]];
    const tw_input *in = first->inputs; /* that reads what comes back */
    char names[600] = "";
    size_t used = 0;
    tw_err err;

    for (uint32_t i = from; i <= w->length && used < sizeof names; i++) {
        const tw_rule *r = i < w->length ? w->set->rules[w->way[i]] : first;
        int n = snprintf(names + used, sizeof names - used, "%s%s",
                         i == from ? "" : " -> ", r->name);
        used += n > 0 ? (size_t)n : 0;
    }
    while (in->stream != last->emit->stream)
        in++;
    tw_err_at(&err, TW_EINVAL, first->file, in->line, in->column,
              "what '%s' emits comes back to it: %s; a rule cannot read what it causes",
              first->name, names);
    tw_findings_add(w->findings, &err, false);
}

/* Depth is bounded by the number of rules of one circle-free chain; a chain as long as that is a
 * mistake before it is a danger to the stack. */
static void follow(walk *w, uint32_t number)
{
    const tw_rule *r = w->set->rules[number];

    w->marks[number] = GREY;
    w->way[w->length++] = number;
    for (uint32_t i = 0; r->emit && i < w->set->rule_count; i++) {
        if (!reads(w->set->rules[i], r->emit->stream))
            continue;
        if (w->marks[i] == WHITE) {
            follow(w, i);
        } else if (w->marks[i] == GREY) {
            uint32_t from = 0;
            while (w->way[from] != i)
                from++;
            say_circle(w, from);
        }
    }
    w->length--;
    w->marks[number] = BLACK;
}

static void check_circles(const tw_rule_files *set, tw_findings *findings)
{
    walk w = {.set = set,
              .marks = tw_calloc(set->rule_count + 1, sizeof *w.marks),
              .way = tw_calloc(set->rule_count + 1, sizeof *w.way),
              .findings = findings};

    for (uint32_t i = 0; i < set->rule_count; i++)
        if (w.marks[i] == WHITE)
            follow(&w, i);
    tw_free(w.marks);
    tw_free(w.way);
}

static void check_uses(const tw_rule_files *set, tw_findings *findings)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const tw_rule *r = set->rules[i];
        bool used = !r->emit || r->emit->leaves;
        tw_err err;
        for (uint32_t k = 0; k < set->rule_count && !used; k++)
            used = reads(set->rules[k], r->emit->stream);
        if (used)
            continue;
        tw_err_at(
            &err, TW_EINVAL, r->file, r->line, 0,
            "what '%s' emits goes nowhere: no rule reads '%s', and there is no route "
            "\"stream:%s\" in the configuration",
            r->name, r->emit->stream->name, r->emit->stream->name);
        tw_findings_add(findings, &err, true);
    }
}

void tw_rules_check_chains(const tw_rule_files *set, const tw_rule_options *options,
                           tw_findings *findings)
{
    if (!options->any_stream)
        check_sources(set, findings);
    check_circles(set, findings);
    check_uses(set, findings);
}

// SPDX-License-Identifier: Apache-2.0
/* `detect = impact { ... }`, and the verdicts of its incident's `when`. */
#include <stddef.h>

#include "flow/plan_impact.h"
#include "rule/compile.h"

typedef struct impact_options {
    const tw_tree *event, *metric;
    int64_t before_ms, after_ms, settle_ms, min;
    tw_bound effect, confidence;
    int worse;
} impact_options;

static const char *const worse_names[] = {"higher", "lower", "either", NULL};

#define AT(field) offsetof(impact_options, field)
static const tw_option impact_table[] = {
    {"event", TW_OPTION_ANY, AT(event), 0, 0, NULL},
    {"metric", TW_OPTION_ANY, AT(metric), 0, 0, NULL},
    {"before", TW_OPTION_DURATION, AT(before_ms), 1, 0, NULL},
    {"after", TW_OPTION_DURATION, AT(after_ms), 1, 0, NULL},
    {"settle", TW_OPTION_DURATION, AT(settle_ms), 0, 0, NULL},
    {"worse", TW_OPTION_CHOICE, AT(worse), 0, 0, worse_names},
    {"effect", TW_OPTION_NUMBER, AT(effect), 0, 0, NULL},
    {"confidence", TW_OPTION_NUMBER, AT(confidence), 0, 0, NULL},
    {"min", TW_OPTION_WHOLE, AT(min), 2, 1000000, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void read_event(tw_compiler *c, const impact_options *o, tw_impact_plan *p)
{
    const tw_tree *v = tw_compile_value(c, o->event);
    int input = tw_compile_input_number(c, o->event, v);

    if (input < 0)
        return;
    p->event = (uint32_t)input;
    tw_compile_role(c, o->event, c->rule->inputs[input].name, false,
                    UINT64_C(1) << input);
}

static void read_metric(tw_compiler *c, const tw_tree *metric, tw_impact_plan *p)
{
    if (metric->type != TW_TREE_TABLE || metric->item_count != 2 ||
        metric->entry_count > 0) {
        tw_compile_say(
            c, metric,
            "metric is an input and a field of it: { \"latency\", \"value\" }");
        return;
    }
    const tw_tree *field = metric->items[1];
    int input = tw_compile_input_number(c, metric->items[0], metric->items[0]);
    if (input < 0)
        return;
    p->metric = (uint32_t)input;
    p->metric_id = tw_compile_identity(c, "metric", metric->items, 2, UINT32_MAX);
    tw_stream *stream = c->rule->inputs[input].stream;
    if (field->type == TW_TREE_FUNCTION)
        p->fn = field->fn;
    else if (field->type != TW_TREE_STRING)
        tw_compile_say(c, field,
                       "the field of a metric is a string or a function, not %s",
                       tw_tree_name(field));
    else if (stream && tw_compile_path(c, field, stream, field->text, &p->slot))
        tw_compile_reads(c, p->metric, p->slot);
}

static void read_numbers(tw_compiler *c, const tw_tree *table, const impact_options *o,
                         tw_impact_plan *p)
{
    p->before_ms = o->before_ms;
    p->after_ms = o->after_ms;
    p->settle_ms = o->settle_ms;
    p->worse = (tw_worse)o->worse;
    p->min = (uint32_t)o->min;
    p->effect = o->effect.set ? o->effect.value : p->effect;
    p->confidence = o->confidence.set ? o->confidence.value : p->confidence;
    if (p->effect < 0)
        tw_compile_say(c, tw_tree_get(table, "effect"),
                       "effect is a share of the mean before, 0.1 for a tenth; it is not "
                       "below zero");
    if (p->confidence <= 0 || p->confidence >= 1)
        tw_compile_say(c, tw_tree_get(table, "confidence"),
                       "confidence lies between 0 and 1: 0.95");
}

static void need(tw_compiler *c, const tw_tree *word, const tw_tree *table,
                 const char *name, const char *how)
{
    if (!tw_tree_get(table, name))
        tw_compile_say(c, word, "impact needs %s = %s", name, how);
}

void tw_compile_impact(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"event", "metric", NULL};
    const tw_tree *table = tw_compile_word_table(c, word);
    tw_impact_plan *p = tw_impact_plan_new();
    impact_options o = {.min = p->min};

    c->rule->detector = TW_DETECT_IMPACT;
    c->rule->detail = p;
    c->rule->detail_free = tw_impact_plan_free;
    c->keeps = true;
    c->shaping = shaping;
    for (int i = 0; i < TW_IMPACT_FACTS; i++)
        tw_compile_fact(c, tw_impact_facts[i]);
    if (!table || !c->rule->inputs)
        return;
    tw_options_no_items(c, table, "impact");
    if (tw_options_read(c, table, "impact", impact_table, &o)) {
        need(c, word, table, "event", "\"input\"");
        need(c, word, table, "metric", "{ \"input\", \"field\" }");
        need(c, word, table, "before", "\"5m\"");
        need(c, word, table, "after", "\"10m\"");
    }
    if (o.event)
        read_event(c, &o, p);
    if (o.metric)
        read_metric(c, o.metric, p);
    if (o.event && o.metric && c->rule->role_count > 0 && p->event == p->metric)
        tw_compile_say(c, o.metric, "the metric is another input than the event");
    read_numbers(c, table, &o, p);
    c->rule->span_ms = p->before_ms + p->settle_ms + p->after_ms;
}

void tw_compile_verdicts(tw_compiler *c, const tw_tree *at, const char *text)
{
    tw_impact_plan *p = c->rule->detail;
    tw_err err = {0};

    if (tw_verdicts_parse(text, &p->verdicts, &err) < 0)
        tw_compile_say(c, at, "when: %s", err.text);
}

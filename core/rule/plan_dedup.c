// SPDX-License-Identifier: Apache-2.0
/* `dedup = { by = "event_id", within = "10m" }`. */
#include <stddef.h>

#include "base/mem.h"
#include "rule/compile.h"

#define DEFAULT_MAX 1000000

typedef struct dedup_options {
    const tw_tree *by;
    int64_t within_ms, max;
} dedup_options;

static const tw_option dedup_table[] = {
    {"by", TW_OPTION_ANY, offsetof(dedup_options, by), 0, 0, NULL},
    {"within", TW_OPTION_DURATION, offsetof(dedup_options, within_ms), 1, 0, NULL},
    {"max", TW_OPTION_WHOLE, offsetof(dedup_options, max), 1, 100000000, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* The fields of `by`: a string or a list of them. */
static uint32_t read_by(tw_compiler *c, const tw_tree *by,
                        const tw_tree *out[TW_MAX_KEY_FIELDS])
{
    bool list = by->type == TW_TREE_TABLE && by->entry_count == 0;
    uint32_t count = list ? by->item_count : 1;

    if (count == 0 || count > TW_MAX_KEY_FIELDS) {
        tw_compile_say(c, by, "by names one to %d fields", TW_MAX_KEY_FIELDS);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i] = list ? tw_compile_value(c, by->items[i]) : by;
        if (out[i]->type != TW_TREE_STRING) {
            tw_compile_say(c, by,
                           "by is a field or a list of fields, as \"event_id\", not %s",
                           tw_tree_name(out[i]));
            return 0;
        }
    }
    return count;
}

static void find_slots(tw_compiler *c, tw_dedup_plan *plan, const tw_tree *const *names)
{
    const tw_rule *r = c->rule;

    plan->slots =
        tw_calloc((size_t)r->input_count * plan->by_count + 1, sizeof *plan->slots);
    for (uint32_t i = 0; i < r->input_count; i++) {
        for (uint32_t k = 0; k < plan->by_count && r->inputs[i].stream; k++) {
            uint32_t *slot = &plan->slots[i * plan->by_count + k];
            if (tw_compile_path(c, names[k], r->inputs[i].stream, names[k]->text, slot))
                tw_compile_reads(c, i, *slot);
        }
    }
}

void tw_compile_dedup(tw_compiler *c, const tw_tree *dedup)
{
    const tw_tree *names[TW_MAX_KEY_FIELDS];
    dedup_options o = {.max = DEFAULT_MAX};

    if (dedup->type != TW_TREE_TABLE) {
        tw_compile_say(c, dedup,
                       "dedup is a table: { by = \"event_id\", within = \"10m\" }");
        return;
    }
    tw_options_no_items(c, dedup, "dedup");
    if (!tw_options_read(c, dedup, "dedup", dedup_table, &o))
        return;
    if (!o.by || !o.within_ms) {
        if (!tw_tree_get(dedup, "by") || !tw_tree_get(dedup, "within"))
            tw_compile_say(c, dedup,
                           "dedup needs both: { by = \"event_id\", within = \"10m\" }");
        return;
    }
    tw_dedup_plan *plan = c->rule->dedup = tw_alloc(sizeof *plan);
    plan->by_count = read_by(c, tw_compile_value(c, o.by), names);
    plan->within_ms = o.within_ms;
    plan->max = (uint32_t)o.max;
    find_slots(c, plan, names);
}

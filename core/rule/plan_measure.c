// SPDX-License-Identifier: Apache-2.0
/* `measure { of = ..., every = "1m" }`: the values and windows of a level without its levels. */
#include <stddef.h>

#include "rule/compile.h"

typedef struct measure_options {
    const tw_tree *of, *at;
    tw_window_options window;
    int64_t min;
} measure_options;

static const char *const aligns[] = {"epoch", "first", NULL};

#define AT(field) offsetof(measure_options, field)
static const tw_option measure_table[] = {
    {"of", TW_OPTION_ANY, AT(of), 0, 0, NULL},
    {"over", TW_OPTION_DURATION, AT(window.over_ms), 1, 0, NULL},
    {"every", TW_OPTION_ANY, AT(window.every), 0, 0, NULL},
    {"last", TW_OPTION_WHOLE, AT(window.last), 1, 100000, NULL},
    {"exact", TW_OPTION_WHOLE, AT(window.exact), 1, 65536, NULL},
    {"full", TW_OPTION_FLAG, AT(window.full), 0, 0, NULL},
    {"align", TW_OPTION_CHOICE, AT(window.align), 0, 0, aligns},
    {"zone", TW_OPTION_ANY, AT(window.zone), 0, 0, NULL},
    {"gap", TW_OPTION_DURATION, AT(window.gap_ms), 1, 0, NULL},
    {"max", TW_OPTION_DURATION, AT(window.max_ms), 1, 0, NULL},
    {"at", TW_OPTION_ANY, AT(at), 0, 0, NULL},
    {"min", TW_OPTION_WHOLE, AT(min), 1, 1000000, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

void tw_compile_measure(tw_compiler *c, const tw_tree *word)
{
    static const char *const shaping[] = {"of",    "over", "every", "last", "exact",
                                          "align", "full", "at",    "zone", NULL};
    measure_options o = {.window = {.exact = 128}};
    const tw_tree *table = tw_compile_word_table(c, word);
    tw_level_plan *plan = &c->rule->level;

    if (!table)
        return;
    tw_options_no_items(c, table, "measure");
    bool all_known = tw_options_read(c, table, "measure", measure_table, &o);
    c->rule->detector = TW_DETECT_MEASURE;
    c->shaping = shaping;
    if (o.of)
        tw_compile_values(c, o.of);
    else if (all_known)
        tw_compile_say(c, word,
                       "measure needs `of`: what is measured, as of = count \"ev\"");
    o.window.incomplete = !all_known;
    tw_compile_window(c, table, &o.window);
    plan->min_samples = (uint32_t)o.min;
    if (plan->window.kind == TW_WINDOW_COUNT && plan->min_samples > plan->window.last)
        tw_compile_say(c, tw_tree_get(table, "min"),
                       "min is above last: the window never holds that many events");
    if (o.at)
        plan->at_input = tw_compile_input_number(c, o.at, o.at);
    if (tw_tree_get(c->body, "alert"))
        tw_compile_say(
            c, tw_tree_get(c->body, "alert"),
            "a measure never fires, so it takes emit = to \"stream\" { ... } and "
            "no alert");
}

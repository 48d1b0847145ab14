// SPDX-License-Identifier: Apache-2.0
/* The handler detector: functions that decide by themselves, within stated caps. */
#include <stddef.h>

#include "rule/compile.h"

#define DEFAULT_BYTES 4096
#define MAX_BYTES 65536
#define DEFAULT_TIMERS 8
#define MAX_TIMERS 64

typedef struct handler_options {
    int event_fn, timer_fn;
    int64_t max_bytes, max_timers;
} handler_options;

#define AT(field) offsetof(handler_options, field)
static const tw_option handler_table[] = {
    {"on_event", TW_OPTION_FUNCTION, AT(event_fn), 0, 0, NULL},
    {"on_timer", TW_OPTION_FUNCTION, AT(timer_fn), 0, 0, NULL},
    {"max_bytes", TW_OPTION_WHOLE, AT(max_bytes), 1, MAX_BYTES, NULL},
    {"max_timers", TW_OPTION_WHOLE, AT(max_timers), 1, MAX_TIMERS, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

void tw_compile_handler(tw_compiler *c, const tw_tree *word)
{
    handler_options o = {.event_fn = TW_NO_FN,
                         .timer_fn = TW_NO_FN,
                         .max_bytes = DEFAULT_BYTES,
                         .max_timers = DEFAULT_TIMERS};
    const tw_tree *table = tw_compile_word_table(c, word);

    if (!table)
        return;
    tw_options_no_items(c, table, "handler");
    tw_options_read(c, table, "handler", handler_table, &o);
    if (!tw_tree_get(table, "on_event"))
        tw_compile_say(c, word, "handler needs on_event = function(e, ctx) ... end");
    tw_compile_event_reads(c, tw_tree_get(table, "on_event"), 0, 0);
    c->rule->detector = TW_DETECT_HANDLER;
    c->rule->handler = (tw_handler_plan){.event_fn = o.event_fn,
                                         .timer_fn = o.timer_fn,
                                         .max_state_bytes = (uint32_t)o.max_bytes,
                                         .max_timers = (uint32_t)o.max_timers};
}

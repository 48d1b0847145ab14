// SPDX-License-Identifier: Apache-2.0
/* Rules that have more keys than max_keys: the key that has been quiet for longest goes for each new one, which is
 * counted. Whoever gets the rule's alerts is told of it once, and once more when it is over. Shore thread. */
#include <stdio.h>
#include <string.h>

#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"

#define OVER_AFTER_MS 600000 /* without another key that had to go */

typedef struct full {
    uint64_t
        evicted; /* so far; that of before a change of the rule is not looked at again */
    int64_t since_ms, newest_ms;
    bool told;
} full;

static void tell(tw_app *app, tw_rule *rule, const full *f, int64_t at_ms, bool over)
{
    tw_notice notice = {.kind = "max_keys",
                        .level = TW_LEVEL_WARN,
                        .opened_ms = f->since_ms,
                        .at_ms = at_ms,
                        .resolved = over};
    char *title =
        over ? tw_asprintf("%s has room for its keys again", rule->name)
             : tw_asprintf("%s has more than max_keys (%u) keys: the quietest go, "
                           "and what they had open resolves",
                           rule->name, rule->max_keys);

    notice.title = title;
    if (over)
        tw_log_info("rule", title, "rule", rule->name, NULL);
    else
        tw_log_warn("rule", title, "rule", rule->name, "owner",
                    rule->owner ? rule->owner : "", NULL);
    tw_incidents_notice(app->incidents, rule, &notice);
    tw_free(title);
}

static full *full_of(tw_app *app, const char *rule)
{
    full *f = tw_map_get(app->full, rule);

    if (!f) {
        f = tw_alloc(sizeof *f);
        tw_map_put(app->full, rule, f);
    }
    return f;
}

static void look_at(tw_app *app, uint32_t number, int64_t now_ms)
{
    tw_rule *rule = tw_engine_rules(app->engine)->rules[number];
    tw_rule_counts counts;

    tw_engine_rule_counts(app->engine, number, &counts);
    if (counts.evicted == 0)
        return;
    full *f = full_of(app, rule->name);
    if (counts.evicted > f->evicted) {
        f->newest_ms = now_ms;
        if (!f->told) {
            f->told = true;
            f->since_ms = now_ms;
            tell(app, rule, f, now_ms, false);
        }
    } else if (f->told && now_ms - f->newest_ms >= OVER_AFTER_MS) {
        f->told = false;
        tell(app, rule, f, now_ms, true);
    }
    f->evicted = counts.evicted;
}

void tw_app_look_for_full(tw_app *app)
{
    if (!app->full)
        app->full = tw_map_new(tw_free);
    for (uint32_t i = 0; i < tw_engine_rules(app->engine)->rule_count; i++)
        look_at(app, i, tw_clock_now_ms(&app->clock));
}

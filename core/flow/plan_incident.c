// SPDX-License-Identifier: Apache-2.0
/* The end of an incident's plan, and the names of levels. Accepts half-built plans, as
 * plan.c does. */
#include "flow/plan_incident.h"

#include <string.h>

#include "base/mem.h"

static void free_names(char **names, uint32_t count)
{
    for (uint32_t i = 0; names && i < count; i++)
        tw_free(names[i]);
    tw_free(names);
}

static void inhibitor_done(tw_inhibitor *inhibitor)
{
    tw_free(inhibitor->rule);
    for (uint32_t i = 0; i < inhibitor->match_count; i++) {
        tw_free(inhibitor->match[i].name);
        tw_free(inhibitor->match[i].value);
    }
    tw_free(inhibitor->match);
    free_names(inhibitor->equal, inhibitor->equal_count);
}

void tw_incident_plan_done(tw_incident_plan *p)
{
    tw_template_done(&p->id);
    tw_template_done(&p->route);
    tw_template_done(&p->title);
    tw_template_done(&p->body);
    for (uint32_t i = 0; p->labels && i < p->label_count; i++) {
        tw_free(p->labels[i].name);
        tw_template_done(&p->labels[i].value);
    }
    tw_free(p->labels);
    for (uint32_t i = 0; i < p->inhibitor_count; i++)
        inhibitor_done(&p->inhibitors[i]);
    tw_free(p->inhibitors);
    free_names(p->group.by, p->group.by_count);
    free_names(p->storm.by, p->storm.by_count);
    tw_zone_free(p->active.zone);
}

static const char *const names[] = {[TW_LEVEL_OK] = "ok",
                                    [TW_LEVEL_INFO] = "info",
                                    [TW_LEVEL_WARN] = "warn",
                                    [TW_LEVEL_CRIT] = "crit",
                                    [TW_LEVEL_UNKNOWN] = "unknown"};

const char *tw_level_name(tw_level level)
{
    return level <= TW_LEVEL_UNKNOWN ? names[level] : "unknown";
}

tw_level tw_level_of_name(const char *name, tw_level fallback)
{
    for (tw_level level = TW_LEVEL_OK; level <= TW_LEVEL_UNKNOWN; level++)
        if (strcmp(names[level], name) == 0)
            return level;
    return fallback;
}

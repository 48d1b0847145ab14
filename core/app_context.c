// SPDX-License-Identifier: Apache-2.0
/* What is remembered, as the incident stage sees it: that is made before the engine, which owns the memory. Shore
 * thread. */
#include "app_impl.h"

static json_t *read_context(void *self, const tw_context_query *query)
{
    const tw_app *app = self;
    return tw_context_read(tw_engine_context(app->engine), query);
}

static void note_alert(void *self, const tw_context_alert *alert)
{
    const tw_app *app = self;
    tw_context_note_alert(tw_engine_context(app->engine), alert);
}

tw_context_port tw_app_context_port(tw_app *app)
{
    return (tw_context_port){read_context, note_alert, app};
}

// SPDX-License-Identifier: Apache-2.0
/* Lines of the replay format with `do` that are what people did to incidents: silence, unsilence, ack.
 * Such lines are few, so they are read as a whole. */
#include <string.h>

#include "replay_impl.h"

static const char *text_of(const json_t *line, const char *name)
{
    return json_string_value(json_object_get(line, name));
}

static int do_silence(tw_replay *r, const json_t *line, tw_err *err)
{
    return tw_incidents_silence(r->incidents, line, tw_clock_now_ms(&r->clock), NULL,
                                err);
}

static int do_unsilence(tw_replay *r, const json_t *line, tw_err *err)
{
    const char *id = text_of(line, "id");

    if (!id)
        return tw_err_set(err, TW_EPARSE, "'unsilence' needs 'id': of the silence");
    return tw_incidents_unsilence(r->incidents, id, tw_clock_now_ms(&r->clock), err);
}

static int do_ack(tw_replay *r, const json_t *line, tw_err *err)
{
    const char *incident = text_of(line, "incident"), *by = text_of(line, "by");

    if (!incident)
        return tw_err_set(err, TW_EPARSE, "'ack' needs 'incident'");
    return tw_incidents_ack(r->incidents, incident, by ? by : "",
                            tw_clock_now_ms(&r->clock), err);
}

static const struct {
    const char *what;
    int (*act)(tw_replay *r, const json_t *line, tw_err *err);
} deeds[] = {{"silence", do_silence}, {"unsilence", do_unsilence}, {"ack", do_ack}};

bool tw_replay_is_deed(const char *what)
{
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(deeds[i].what, what) == 0)
            return true;
    }
    return false;
}

int tw_replay_deed(tw_replay *r, const char *what, const char *text, size_t n,
                   tw_err *err)
{
    json_t *line = json_loadb(text, n, 0, NULL);
    int rc = TW_EPARSE;

    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(deeds[i].what, what) == 0)
            rc = deeds[i].act(r, line, err);
    }
    json_decref(line);
    if (rc == TW_OK)
        tw_replay_settle(r);
    return rc;
}

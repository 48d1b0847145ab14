// SPDX-License-Identifier: Apache-2.0
/* What people do: silences and acknowledgements. The stage keeps silences until a while after their
 * end, as a rule's time may be behind. Shore thread only. */
#include <string.h>

#include "alert/silence.h"
#include "alert/state_impl.h"
#include "base/mem.h"

#define KEPT_MS (5 * 24 * 3600 * INT64_C(1000))

static const char *label_of(const void *incident, const char *name)
{
    return tw_incident_label(incident, name);
}

static bool covers(const tw_silence *s, int64_t at_ms)
{
    return s->from_ms <= at_ms && at_ms < s->until_ms; /* NONE is before every time */
}

const char *tw_quiet_silence_of(const tw_incident *inc, int64_t at_ms,
                                int64_t *io_until_ms)
{
    const char *found = NULL, *id;
    void *value;

    for (size_t i = 0; tw_map_next(inc->in->silences, &i, &id, &value);) {
        const tw_silence *s = value;
        if (s->until_ms <= at_ms || !tw_silence_matches(s, label_of, inc))
            continue;
        int64_t change_ms = covers(s, at_ms) ? s->until_ms : s->from_ms;
        *io_until_ms = change_ms < *io_until_ms ? change_ms : *io_until_ms;
        if (!found && covers(s, at_ms))
            found = s->id;
    }
    return found;
}

/* Open incidents that it concerns are looked at again when their time comes there. Returns how many. */
static size_t touch(tw_incidents *in, const tw_silence *s, int64_t at_ms)
{
    const char *id;
    void *value;
    size_t count = 0;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        tw_incident *inc = value;
        if (!tw_silence_matches(s, label_of, inc))
            continue;
        tw_wait_by(&inc->tell, at_ms);
        count++;
    }
    return count;
}

static void forget_old(tw_incidents *in, int64_t now_ms)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->silences, &i, &id, &value);) {
        if (((tw_silence *)value)->until_ms < now_ms - KEPT_MS)
            tw_map_remove(in->silences, id);
    }
}

static void name_silence(tw_incidents *in, tw_silence *s)
{
    while (!s->id[0] || tw_map_get(in->silences, s->id)) {
        tw_free(s->id);
        s->id = tw_asprintf("quiet-%llu", (unsigned long long)++in->silence_number);
    }
}

int tw_incidents_silence(tw_incidents *in, const json_t *order, int64_t now_ms,
                         json_t **out, tw_err *err)
{
    tw_silence *s = tw_silence_new(order, now_ms, err);

    if (!s)
        return TW_EINVAL;
    forget_old(in, now_ms);
    const tw_silence *before = s->id[0] ? tw_map_get(in->silences, s->id) : NULL;
    if (before)
        touch(in, before, now_ms);
    else
        name_silence(in, s);
    tw_map_put(in->silences, s->id, s);
    size_t covers_now = touch(in, s, s->from_ms > now_ms ? s->from_ms : now_ms);
    if (out) {
        *out = tw_silence_json(s, now_ms);
        json_object_set_new(*out, "covers", json_integer((json_int_t)covers_now));
    }
    return TW_OK;
}

int tw_incidents_unsilence(tw_incidents *in, const char *id, int64_t now_ms, tw_err *err)
{
    tw_silence *s = tw_map_get(in->silences, id);

    if (!s)
        return tw_err_set(err, TW_ENOTFOUND, "there is no silence '%s'", id);
    if (s->until_ms <= now_ms)
        return tw_err_set(err, TW_ESTATE, "the silence '%s' is over already", id);
    if (s->from_ms > now_ms)
        s->from_ms = TW_TIME_NONE;
    s->until_ms = now_ms;
    touch(in, s, now_ms);
    return TW_OK;
}

json_t *tw_incidents_silences_json(const tw_incidents *in, int64_t now_ms)
{
    json_t *list = json_array();
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->silences, &i, &id, &value);)
        json_array_insert_new(list, 0, tw_silence_json(value, now_ms));
    return list;
}

/* ---- acknowledgement --------------------------------------------------------------- */

static void acknowledge(tw_incident *inc, const char *by, int64_t now_ms)
{
    tw_free(inc->acked_by);
    inc->acked_by = tw_strdup(by);
    inc->marks |= TW_MARK_ACKNOWLEDGED;
    /* Whoever takes it knows of it: what held it back may end without a word. */
    inc->told = inc->level > inc->told ? inc->level : inc->told;
    inc->again = false;
    tw_aged_known(inc);
    tw_incident_report(inc, "acknowledged", by, now_ms);
}

int tw_incidents_ack(tw_incidents *in, const char *id, const char *by, int64_t now_ms,
                     tw_err *err)
{
    tw_incident *one = tw_map_get(in->by_id, id);
    bool found = one != NULL;
    const char *each;
    void *value;

    if (one)
        acknowledge(one, by, now_ms);
    for (size_t i = 0; !one && tw_map_next(in->by_id, &i, &each, &value);) {
        tw_incident *inc = value;
        if (!(inc->group && strcmp(tw_group_name(inc->group), id) == 0) &&
            !(inc->storm && strcmp(tw_storm_name(inc->storm), id) == 0))
            continue;
        acknowledge(inc, by, now_ms);
        found = true;
    }
    const char *near = found ? NULL : tw_incident_near(in, id);
    if (near)
        return tw_err_set(
            err, TW_ENOTFOUND,
            "no incident, group or summary '%s' is open (did you mean '%s'?)", id, near);
    if (!found)
        return tw_err_set(
            err, TW_ENOTFOUND,
            "no incident, group or summary '%s' is open; `tidewatch alerts` lists "
            "them",
            id);
    return TW_OK;
}

/* ---- state ------------------------------------------------------------------------- */

void tw_quiet_save(const tw_incidents *in, tw_buf *out)
{
    const char *id;
    void *value;

    tw_state_put_u64(out, in->silence_number);
    tw_state_put_u64(out, tw_map_count(in->silences));
    for (size_t i = 0; tw_map_next(in->silences, &i, &id, &value);) {
        json_t *order = tw_silence_json(value, 0);
        tw_stage_put_json(out, order);
        json_decref(order);
    }
}

bool tw_quiet_load(tw_stage_in *from)
{
    tw_incidents *in = from->incidents;
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &in->silence_number) &&
                tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        json_t *order;
        good = tw_stage_take_json(from, &order);
        tw_silence *s = good ? tw_silence_new(order, TW_TIME_NONE, NULL) : NULL;
        json_decref(order);
        good = s && s->id[0];
        if (good)
            tw_map_put(in->silences, s->id, s);
        else
            tw_silence_free(s);
    }
    return good;
}

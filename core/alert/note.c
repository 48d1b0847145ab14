// SPDX-License-Identifier: Apache-2.0
/* The notifications themselves, and their identity: the same message has the same id wherever
 * and however often it is made, since only names and event times go into it. Shore thread
 * only. */
#include <string.h>

#include "alert/incident_impl.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#define MAX_HASHED_BYTES (1 << 20)

static char *hashed(const char *const *parts, size_t count, int64_t episode_ms,
                    int64_t at_ms)
{
    tw_buf b;
    char hex[33];

    tw_buf_init(&b, MAX_HASHED_BYTES);
    for (size_t i = 0; i < count; i++) {
        tw_buf_add_str(&b, parts[i]);
        tw_buf_add_char(&b, '\n');
    }
    tw_buf_add_int(&b, episode_ms);
    if (at_ms != TW_TIME_NONE) {
        tw_buf_add_char(&b, '\n');
        tw_buf_add_int(&b, at_ms);
    }
    tw_hash_hex128(b.data, b.len, hex);
    tw_buf_done(&b);
    return tw_strdup(hex);
}

tw_notification *tw_note_new(tw_incidents *in, const tw_rule *rule, const char *name,
                             int64_t opened_ms, int64_t at_ms, bool resolved)
{
    tw_notification *n = tw_notification_new();
    const char *parts[] = {rule->name, name};

    n->at_ms = at_ms;
    n->seq = in->seq;
    n->resolved = resolved;
    n->rule = tw_strdup(rule->name);
    n->version = tw_strdup(rule->version);
    n->incident = tw_strdup(name);
    n->id = hashed(parts, 2, opened_ms, TW_TIME_NONE);
    n->starts_at_ms = opened_ms;
    n->ends_at_ms = resolved ? at_ms : TW_TIME_NONE;
    return n;
}

void tw_note_told_as(tw_notification *n, const char *rule)
{
    if (!rule)
        return;
    const char *parts[] = {rule, n->incident};
    tw_free(n->rule);
    tw_free(n->id);
    n->rule = tw_strdup(rule);
    n->id = hashed(parts, 2, n->starts_at_ms, TW_TIME_NONE);
}

void tw_note_identify(tw_notification *n, tw_level level, bool may_recur)
{
    const char *status = n->resolved ? "resolved" : "firing";
    const char *parts[] = {n->rule, n->incident, status, tw_level_name(level)};

    n->episode_id =
        hashed(parts, 4, n->starts_at_ms, may_recur ? n->at_ms : TW_TIME_NONE);
}

/* An opening and each rise above all before happen once an episode. */
static bool may_recur(const tw_incident *inc, tw_telling what)
{
    if (what == TW_TELL_NOTHING || what == TW_TELL_OPEN)
        return false;
    return what != TW_TELL_RISE || inc->level <= inc->peak;
}

tw_notification *tw_note_of(const tw_incident *inc, int64_t at_ms, bool resolved,
                            const char *reason, tw_telling what)
{
    tw_notification *n =
        tw_note_new(inc->in, inc->rule, inc->id, inc->opened_ms, at_ms, resolved);

    n->level = resolved ? inc->highest : inc->level;
    tw_note_told_as(n, inc->told_as);
    tw_note_identify(n, inc->highest, may_recur(inc, what));
    n->route = tw_strdup(inc->route ? inc->route : "");
    n->title = tw_strdup(inc->title);
    n->body = tw_strdup(inc->body);
    n->labels = json_incref(inc->labels);
    n->values = json_incref(inc->values);
    n->evidence = json_incref(inc->evidence);
    n->enrich = json_incref(inc->enrich);
    n->changes = tw_incident_changes(inc, at_ms);
    n->reason = tw_strdup(reason);
    n->flapping = !resolved && inc->marks & TW_MARK_FLAPPING;
    n->reminder = what == TW_TELL_REMIND;
    return n;
}

void tw_note_send(tw_incidents *in, tw_notification *n)
{
    tw_count(n->resolved ? in->resolved : in->firing, 1);
    in->options.notify.notify(in->options.notify.self, n);
    tw_notification_unref(n);
}

void tw_incidents_notice(tw_incidents *in, const tw_rule *rule, const tw_notice *notice)
{
    const tw_template *route = &rule->incident.route;
    bool is_name = rule->incident.has_route && route->count == 1 &&
                   route->parts[0].kind == TW_PART_LITERAL;
    char *name = tw_asprintf("%s/%s", rule->name, notice->kind);
    tw_notification *n =
        tw_note_new(in, rule, name, notice->opened_ms, notice->at_ms, notice->resolved);

    n->level = notice->level;
    tw_note_identify(n, notice->level, false);
    n->route = tw_strdup(is_name ? route->parts[0].text : "");
    n->title = tw_strdup(notice->title);
    n->body = tw_strdup("");
    n->labels = json_pack("{s:s*}", "owner", rule->owner);
    n->reason = tw_strdup(notice->kind);
    tw_note_send(in, n);
    tw_free(name);
}

/* ---- names of what stands for several ---------------------------------------------- */

json_t *tw_note_label_values(const json_t *labels, char *const *names, uint32_t count)
{
    json_t *values = json_object();

    for (uint32_t i = 0; i < count; i++) {
        json_t *value = json_object_get(labels, names[i]);
        if (value)
            json_object_set(values, names[i], value);
    }
    return values;
}

char *tw_note_name(const tw_rule *rule, const char *kind, const json_t *values,
                   char *const *names, uint32_t count)
{
    tw_buf b;

    tw_buf_init(&b, MAX_HASHED_BYTES);
    tw_buf_printf(&b, "%s/%s", rule->name, kind);
    for (uint32_t i = 0; i < count; i++) {
        const char *value = json_string_value(json_object_get(values, names[i]));
        tw_buf_printf(&b, "/%s", value ? value : "");
    }
    return tw_buf_take(&b, NULL);
}

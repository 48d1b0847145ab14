// SPDX-License-Identifier: Apache-2.0
/* The life of a notification and its form in the replay output. Shore thread only: the
 * count is a plain number and the trees inside are jansson's. */
#include "flow/notification.h"

#include "base/clock.h"
#include "base/mem.h"

tw_notification *tw_notification_new(void)
{
    tw_notification *n = tw_alloc(sizeof *n);
    n->refs = 1;
    n->stands_for = 1;
    n->starts_at_ms = TW_TIME_NONE;
    n->ends_at_ms = TW_TIME_NONE;
    return n;
}

tw_notification *tw_notification_ref(tw_notification *n)
{
    n->refs++;
    return n;
}

void tw_notification_unref(tw_notification *n)
{
    if (!n || --n->refs > 0)
        return;
    tw_free(n->rule);
    tw_free(n->version);
    tw_free(n->incident);
    tw_free(n->route);
    tw_free(n->title);
    tw_free(n->body);
    tw_free(n->id);
    tw_free(n->episode_id);
    tw_free(n->reason);
    json_decref(n->labels);
    json_decref(n->values);
    json_decref(n->evidence);
    json_decref(n->enrich);
    json_decref(n->changes);
    json_decref(n->group);
    tw_free(n);
}

/* Text that is no UTF-8 (a broken label) must not lose the whole notification. */
static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *v = text ? json_string(text) : json_null();
    json_object_set_new(object, key, v ? v : json_string("?"));
}

static void set_tree(json_t *object, const char *key, json_t *tree, json_t *fallback)
{
    json_object_set_new(object, key, tree ? json_incref(tree) : json_incref(fallback));
    json_decref(fallback);
}

json_t *tw_notification_json(const tw_notification *n)
{
    json_t *o = json_object();
    json_object_set_new(o, "at", json_integer(n->at_ms));
    set_text(o, "type", "notification");
    set_text(o, "status", n->resolved ? "resolved" : "firing");
    set_text(o, "level", tw_level_name(n->level));
    set_text(o, "rule", n->rule);
    set_text(o, "version", n->version);
    set_text(o, "incident", n->incident);
    set_text(o, "route", n->route);
    set_tree(o, "labels", n->labels, json_object());
    set_text(o, "title", n->title);
    set_tree(o, "values", n->values, json_object());
    set_tree(o, "group", n->group, json_null());
    json_object_set_new(o, "stands_for", json_integer((json_int_t)n->stands_for));
    set_tree(o, "evidence", n->evidence, json_array());
    if (n->changes)
        json_object_set(o, "changes", n->changes);
    if (n->body && n->body[0])
        set_text(o, "body", n->body);
    if (n->storm)
        json_object_set_new(o, "storm", json_true());
    if (n->flapping)
        json_object_set_new(o, "flapping", json_true());
    if (n->reminder)
        json_object_set_new(o, "reminder", json_true());
    if (n->reason)
        set_text(o, "reason", n->reason);
    return o;
}

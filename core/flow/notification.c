// SPDX-License-Identifier: Apache-2.0
/* The life of a notification and its form in the replay output. Shore thread only: the
 * count is a plain number and the trees inside are jansson's. */
#include "flow/notification.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
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

/* ---- its form ---------------------------------------------------------------------- */

static void write_text(tw_buf *out, const char *start, const char *text)
{
    tw_buf_add_str(out, start);
    if (text)
        tw_buf_add_json_string(out, text, strlen(text));
    else
        tw_buf_add_str(out, "null");
}

static void write_tree(tw_buf *out, const char *start, const json_t *tree,
                       const char *otherwise)
{
    tw_buf_add_str(out, start);
    if (tree)
        tw_json_write(tree, out);
    else
        tw_buf_add_str(out, otherwise);
}

static void write_time(tw_buf *out, const char *start, int64_t ms)
{
    tw_buf_add_str(out, start);
    if (ms == TW_TIME_NONE)
        tw_buf_add_str(out, "null");
    else
        tw_buf_add_int(out, ms);
}

static void write_marks(const tw_notification *n, tw_buf *out)
{
    if (n->storm)
        tw_buf_add_str(out, ",\"storm\":true");
    if (n->flapping)
        tw_buf_add_str(out, ",\"flapping\":true");
    if (n->reminder)
        tw_buf_add_str(out, ",\"reminder\":true");
}

/* Text that is no UTF-8 (a broken label) has U+FFFD in its place, and does not lose the whole. */
static void write_members(const tw_notification *n, tw_buf *out)
{
    write_time(out, "{\"at\":", n->at_ms);
    tw_buf_add_str(out, ",\"type\":\"notification\"");
    write_text(out, ",\"status\":", n->resolved ? "resolved" : "firing");
    write_text(out, ",\"level\":", tw_level_name(n->level));
    write_text(out, ",\"rule\":", n->rule);
    write_text(out, ",\"version\":", n->version);
    write_text(out, ",\"incident\":", n->incident);
    write_text(out, ",\"route\":", n->route);
    write_tree(out, ",\"labels\":", n->labels, "{}");
    write_text(out, ",\"title\":", n->title);
    write_tree(out, ",\"values\":", n->values, "{}");
    write_tree(out, ",\"group\":", n->group, "null");
    tw_buf_add_str(out, ",\"stands_for\":");
    tw_buf_add_int(out, (int64_t)n->stands_for);
    write_tree(out, ",\"evidence\":", n->evidence, "[]");
    if (n->changes)
        write_tree(out, ",\"changes\":", n->changes, "[]");
    if (n->body && n->body[0])
        write_text(out, ",\"body\":", n->body);
    write_marks(n, out);
    if (n->reason)
        write_text(out, ",\"reason\":", n->reason);
}

void tw_notification_write(const tw_notification *n, tw_buf *out)
{
    write_members(n, out);
    write_text(out, ",\"id\":", n->episode_id ? n->episode_id : "");
    write_time(out, ",\"starts_at\":", n->starts_at_ms);
    write_time(out, ",\"ends_at\":", n->resolved ? n->ends_at_ms : TW_TIME_NONE);
    tw_buf_add_char(out, '}');
}

json_t *tw_notification_json(const tw_notification *n)
{
    tw_buf text;

    tw_buf_init(&text, SIZE_MAX / 2);
    write_members(n, &text);
    tw_buf_add_char(&text, '}');
    json_t *object = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    tw_buf_done(&text);
    return object;
}

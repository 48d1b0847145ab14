// SPDX-License-Identifier: Apache-2.0
/* What a storm's summary says: of which rule and where, for how many it stands, who they are and how many of them are
 * open. Shore thread only.
 *
 *     9 more of shop/host_down (zone z1), 7 open: h3, h5, h6, ...
 */
#include "alert/storm_impl.h"
#include "base/buf.h"
#include "base/mem.h"

#define MOST_NAMED 3
#define MOST_LISTED 20
#define MAX_NAME_BYTES 100
#define MAX_TEXT_BYTES 16384
#define MAX_TITLE_BYTES 1024

/* What tells it apart from the others: the values of its key that they do not have in common. */
static char *name_of(const tw_storm *s, const tw_incident *inc)
{
    tw_buf b;

    tw_buf_init(&b, MAX_TEXT_BYTES);
    for (uint32_t i = 0; i < inc->rule->key_count; i++) {
        const char *label = inc->rule->key_names[i];
        const char *value = json_string_value(json_object_get(inc->labels, label));
        if (value && !json_object_get(s->labels, label))
            tw_buf_printf(&b, "%s%s", b.len > 0 ? "/" : "", value);
    }
    if (b.len == 0)
        tw_buf_add_str(&b, inc->id);
    return tw_buf_take_text(&b, MAX_NAME_BYTES);
}

void tw_storm_note_name(tw_storm *s, const tw_incident *inc)
{
    if (json_array_size(s->names) == MOST_NAMED)
        return;
    char *name = name_of(s, inc);
    json_array_append_new(s->names, json_string(name));
    tw_free(name);
}

static void add_to_list(tw_buf *out, const char *name)
{
    tw_buf_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
}

/* Those who are open, the first ones; NULL: nobody is. */
static char *open_names(const tw_storm *s, uint32_t most)
{
    uint32_t count = 0;
    tw_buf out;

    tw_buf_init(&out, MAX_TEXT_BYTES);
    for (const tw_incident *inc = s->oldest; inc && count < most;
         inc = inc->storm_next, count++) {
        char *name = name_of(s, inc);
        add_to_list(&out, name);
        tw_free(name);
    }
    if (count < s->open)
        tw_buf_add_str(&out, ", ...");
    return tw_buf_take(&out, NULL);
}

static char *first_names(const tw_storm *s)
{
    tw_buf out;
    size_t i;
    json_t *name;

    tw_buf_init(&out, MAX_TEXT_BYTES);
    json_array_foreach(s->names, i, name) add_to_list(&out, json_string_value(name));
    if (json_array_size(s->names) < s->all)
        tw_buf_add_str(&out, ", ...");
    return tw_buf_take(&out, NULL);
}

static void add_place(const tw_storm *s, tw_buf *out)
{
    const char *before = " (", *label;
    json_t *value;

    json_object_foreach(s->labels, label, value)
    {
        tw_buf_printf(out, "%s%s %s", before, label, json_string_value(value));
        before = ", ";
    }
    if (*before == ',')
        tw_buf_add_char(out, ')');
}

static char *title_of(const tw_storm *s)
{
    char *names = s->open > 0 ? open_names(s, MOST_NAMED) : first_names(s);
    const tw_storm_plan *plan = &s->rule->incident.storm;
    const char *more = plan->max > 0 || !plan->set ? " more" : "";
    tw_buf out;

    tw_buf_init(&out, 4 * MAX_TEXT_BYTES);
    tw_buf_printf(&out, "%llu%s of %s", (unsigned long long)s->all, more, s->rule->name);
    add_place(s, &out);
    if (s->open > 0 && s->open < s->all)
        tw_buf_printf(&out, ", %llu open", (unsigned long long)s->open);
    tw_buf_printf(&out, ": %s", names);
    tw_free(names);
    return tw_buf_take_text(&out, MAX_TITLE_BYTES);
}

tw_notification *tw_storm_note(const tw_storm *s, int64_t at_ms, bool resolved,
                               const char *reason)
{
    tw_notification *n =
        tw_note_new(s->in, s->rule, s->id, s->opened_ms, at_ms, resolved);

    tw_note_told_as(n, s->told_as);
    n->level = s->level;
    tw_note_identify(n, s->level, true);
    n->storm = true;
    n->stands_for = s->all;
    n->route = tw_strdup(s->route);
    n->title = title_of(s);
    n->body = s->open > MOST_NAMED ? open_names(s, MOST_LISTED) : tw_strdup("");
    n->labels = json_incref(s->labels);
    n->values = json_pack("{s:I}", "open", (json_int_t)s->open);
    n->reason = tw_strdup(reason);
    return n;
}

// SPDX-License-Identifier: Apache-2.0
/* See replay_text.h. */
#include "replay_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "flow/context.h"

#define MAX_TEXT (1u << 20)
#define MOST_CHANGES 3

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* C0, DEL and C1 (C2 80 to C2 9F in UTF-8) become spaces. */
static void add_clean(tw_buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        tw_buf_add_char(out, is_c1 || *p < 0x20 || *p == 0x7f ? ' ' : (char)*p);
        p += is_c1 ? 1 : 0;
    }
}

static void add_labels(tw_buf *out, const json_t *labels)
{
    const char *name, *space = "  ";
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)labels, name, value)
    {
        const char *text = json_string_value(value);
        const char *quote = text && *text && !strpbrk(text, " \t\n\"=") ? "" : "\"";
        tw_buf_printf(out, "%s", space);
        add_clean(out, name);
        tw_buf_printf(out, "=%s", quote);
        add_clean(out, text ? text : "");
        tw_buf_printf(out, "%s", quote);
        space = " ";
    }
}

static void add_notification(tw_buf *out, const json_t *line)
{
    bool resolved = strcmp(text_of(line, "status"), "resolved") == 0;

    tw_buf_printf(out, "%s %-4s ", resolved ? "RESOLVED" : "FIRING  ",
                  text_of(line, "level"));
    add_clean(out, text_of(line, "rule"));
    tw_buf_printf(out, "  ");
    add_clean(out, text_of(line, "title"));
    add_labels(out, json_object_get(line, "labels"));
}

/* What --all adds. */
static void add_other(tw_buf *out, const json_t *line)
{
    static const char *const keys[] = {"change", "level",    "rule",
                                       "stream", "incident", "reason"};

    tw_buf_printf(out, "%-8s", text_of(line, "type"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!*text_of(line, keys[i]))
            continue;
        tw_buf_printf(out, " ");
        add_clean(out, text_of(line, keys[i]));
    }
}

/* What had changed before, the newest first. */
static void add_changes(tw_buf *out, const json_t *line)
{
    const json_t *changes = json_object_get(line, "changes");
    int64_t at_ms = json_integer_value(json_object_get(line, "at"));
    size_t count = json_array_size(changes);

    for (size_t i = count; i > 0 && count - i < MOST_CHANGES; i--) {
        char *change = tw_change_line(json_array_get(changes, i - 1), at_ms);
        tw_buf_printf(out, "\n    ");
        add_clean(out, change);
        tw_free(change);
    }
}

char *tw_replay_text(const json_t *line)
{
    char when[40] = "?";
    tw_buf out;
    size_t size;

    tw_buf_init(&out, MAX_TEXT);
    tw_time_format_rfc3339(json_integer_value(json_object_get(line, "at")), when,
                           sizeof when);
    tw_buf_printf(&out, "%s  ", when);
    if (strcmp(text_of(line, "type"), "notification") == 0)
        add_notification(&out, line);
    else
        add_other(&out, line);
    add_changes(&out, line);
    return tw_buf_take(&out, &size);
}

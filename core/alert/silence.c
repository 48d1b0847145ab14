// SPDX-License-Identifier: Apache-2.0
/* Silences as data; see silence.h. */
#include "alert/silence.h"

#include <string.h>

#include "alert/wait.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"

void tw_silence_free(void *p)
{
    tw_silence *s = p;

    if (!s)
        return;
    tw_label_matchers_done(&s->match);
    tw_free(s->id);
    tw_free(s->by);
    tw_free(s->comment);
    tw_free(s);
}

/* ---- matchers ---------------------------------------------------------------------- */

/* One that holds for an incident without labels would mute everything. */
static int read_match(tw_silence *s, json_t *match, tw_err *err)
{
    if (!json_is_object(match) && !json_is_array(match))
        return tw_err_set(err, TW_EPARSE,
                          "a silence needs 'match': {\"label\": \"value\"} or "
                          "[\"label=value\"]");
    int rc = tw_label_matchers_read(&s->match, match, err);
    if (rc == TW_OK && !tw_label_matchers_need_a_label(&s->match))
        rc = tw_err_set(err, TW_EINVAL,
                        "the silence would mute everything: at least one matcher must "
                        "need a label");
    return rc;
}

bool tw_silence_matches(const tw_silence *s,
                        const char *(*label)(const void *of, const char *name),
                        const void *of)
{
    return tw_label_matchers_hold(&s->match, label, of);
}

/* ---- times ------------------------------------------------------------------------- */

static int read_time(const json_t *order, const char *name, int64_t *out_ms, tw_err *err)
{
    const json_t *value = json_object_get(order, name);
    const char *text = json_string_value(value);

    if (!value || json_is_null(value))
        return TW_OK;
    if (json_is_integer(value)) {
        *out_ms = json_integer_value(value);
        return TW_OK;
    }
    if (text && tw_time_parse_rfc3339(text, strlen(text), out_ms) == TW_OK)
        return TW_OK;
    return tw_err_set(err, TW_EPARSE, "'%s' is neither epoch milliseconds nor RFC 3339",
                      name);
}

static int read_times(tw_silence *s, const json_t *order, int64_t now_ms, tw_err *err)
{
    const char *length = json_string_value(json_object_get(order, "for"));
    int64_t length_ms;

    s->from_ms = s->until_ms = TW_TIME_NONE;
    if (read_time(order, "from", &s->from_ms, err) < 0 ||
        read_time(order, "until", &s->until_ms, err) < 0)
        return TW_EPARSE;
    if (length && tw_duration_parse(length, strlen(length), &length_ms) < 0)
        return tw_err_set(err, TW_EPARSE, "'for': \"%s\" is not a duration like \"2h\"",
                          length);
    if (length) {
        int64_t from_ms = s->from_ms == TW_TIME_NONE ? now_ms : s->from_ms;
        s->until_ms =
            from_ms > TW_WAIT_NEVER - length_ms ? TW_WAIT_NEVER : from_ms + length_ms;
    }
    if (s->until_ms == TW_TIME_NONE)
        return tw_err_set(err, TW_EINVAL, "a silence needs its end: 'until' or 'for'");
    if (s->until_ms <= s->from_ms || s->until_ms <= now_ms)
        return tw_err_set(err, TW_EINVAL, "the silence would be over before it begins");
    return TW_OK;
}

/* ---- life -------------------------------------------------------------------------- */

static char *text_of(const json_t *order, const char *name)
{
    const char *text = json_string_value(json_object_get(order, name));
    return tw_strdup(text ? text : "");
}

tw_silence *tw_silence_new(const json_t *order, int64_t now_ms, tw_err *err)
{
    tw_silence *s = tw_alloc(sizeof *s);

    s->id = text_of(order, "id");
    s->by = text_of(order, "by");
    s->comment = text_of(order, "comment");
    if (read_match(s, json_object_get(order, "match"), err) < 0 ||
        read_times(s, order, now_ms, err) < 0) {
        tw_silence_free(s);
        return NULL;
    }
    return s;
}

json_t *tw_silence_json(const tw_silence *s, int64_t now_ms)
{
    const char *state = now_ms >= s->until_ms ? "expired"
                        : now_ms < s->from_ms ? "pending"
                                              : "active";

    return json_pack(
        "{s:s, s:s, s:o, s:o, s:I, s:s, s:s}", "id", s->id, "state", state, "match",
        tw_label_matchers_json(&s->match), "from",
        s->from_ms == TW_TIME_NONE ? json_null() : json_integer((json_int_t)s->from_ms),
        "until", (json_int_t)s->until_ms, "by", s->by, "comment", s->comment);
}

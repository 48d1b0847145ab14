// SPDX-License-Identifier: Apache-2.0
/* Copies the members of a JSON object, run by run; see emit_members.h. The decoder has checked the
 * text; of one that is malformed all the same nothing beyond its end is read. Any thread. */
#include "flow/emit_members.h"

#include <string.h>

typedef struct scan {
    const char *at, *end;
} scan;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(scan *s)
{
    while (s->at < s->end && is_space(*s->at))
        s->at++;
}

/* At a quote: to behind the closing one. */
static void skip_string(scan *s)
{
    for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
        s->at += *s->at == '\\';
    s->at += s->at < s->end;
    s->at = s->at > s->end ? s->end : s->at;
}

/* To the comma or brace behind a value. */
static void skip_value(scan *s)
{
    int depth = 0;

    while (s->at < s->end) {
        char c = *s->at;
        if (c == '"') {
            skip_string(s);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}'))
            return;
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        s->at++;
    }
}

static bool is_replaced(const tw_emit_plan *plan, const char *name, size_t n)
{
    for (uint32_t i = 0; i < plan->member_count; i++) {
        if (strlen(plan->members[i]) == n && memcmp(plan->members[i], name, n) == 0)
            return true;
    }
    return false;
}

/* A name that stands nowhere in the text is no member: most events need no walk. */
static bool may_be_replaced(const tw_emit_plan *plan, const char *text, size_t n)
{
    for (uint32_t i = 0; i < plan->member_count; i++) {
        if (memmem(text, n, plan->members[i], strlen(plan->members[i])))
            return true;
    }
    return false;
}

/* Bytes of JSON with the line ends between them taken out. */
static void put_run(const char *from, const char *to, tw_buf *out)
{
    while (to > from && (is_space(to[-1]) || to[-1] == ','))
        to--;
    while (from < to && (is_space(*from) || *from == ','))
        from++;
    if (from == to)
        return;
    if (out->data[out->len - 1] != '{')
        tw_buf_add_char(out, ',');
    tw_value_write_json(
        (tw_value){.s = from, .len = (uint32_t)(to - from), .type = TW_JSON}, out);
}

void tw_emit_members(const tw_event *ev, const tw_emit_plan *plan, tw_buf *out)
{
    scan s = {ev->raw, ev->raw + ev->raw_len};

    skip_space(&s);
    if (s.at == s.end || *s.at != '{')
        return;
    while (s.end > s.at && s.end[-1] != '}')
        s.end--;
    s.end -= s.end > s.at;
    const char *run = ++s.at;
    bool walk = may_be_replaced(plan, s.at, (size_t)(s.end - s.at));
    while (walk && s.at < s.end) {
        skip_space(&s);
        const char *member = s.at;
        if (s.at == s.end || *s.at != '"')
            break;
        skip_string(&s);
        bool replaced = is_replaced(plan, member, (size_t)(s.at - member));
        skip_value(&s);
        s.at += s.at < s.end;
        if (replaced) {
            put_run(run, member, out);
            run = s.at;
        }
    }
    if (run < s.end)
        put_run(run, s.end, out);
}

// SPDX-License-Identifier: Apache-2.0
/* A copy is known again by its bytes: comparing them costs a tenth of indexing them, and
 * is right also when a block has been given back and used for another event. */
#include "decode/read.h"

#include <string.h>

#include "base/mem.h"
#include "decode/escape.h"
#include "decode/token.h"

bool tw_decode_reader_init(tw_decode_reader *r, const tw_decode_limits *limits)
{
    *r = (tw_decode_reader){.limits = *limits};
    r->structure = tw_structure_new();
    r->copy.limits = &r->limits;
    r->copy.shape = &r->shape;
    tw_shape_reset(&r->shape, 0);
    r->tops = tw_calloc((size_t)limits->fields + 1, sizeof(uint32_t));
    return r->structure != NULL;
}

void tw_decode_reader_done(tw_decode_reader *r)
{
    tw_structure_free(r->structure);
    tw_free(r->tops);
    tw_free(r->bytes);
    tw_free(r->scratch);
}

static void make_room(tw_decode_reader *r, uint32_t len)
{
    if (len <= r->room) {
        return;
    }
    r->room = len < 4096 ? 4096 : len + len / 2;
    r->bytes = tw_realloc(r->bytes, r->room);
    r->scratch = tw_realloc(r->scratch, r->room);
}

static bool index_copy(tw_decode_reader *r)
{
    uint32_t *at;
    uint32_t count;

    if (tw_structure_index(r->structure, r->bytes, r->len, &at, &count) !=
            TW_STRUCTURE_OK ||
        r->bytes[at[0]] != '{' || r->bytes[at[count - 1]] != '}') {
        return false;
    }
    at[count] = at[count + 1] = at[count + 2] = at[0];
    r->copy.scratch = r->scratch;
    r->indexed = NULL;
    tw_walk_begin(&r->copy, r->bytes, at, count);
    return tw_walk_event(&r->copy, at, &tw_decode_no_wishes) == at + count;
}

/* Makes r->copy the walk of these bytes; false when they are no event. */
static bool remember(tw_decode_reader *r, const char *raw, uint32_t len)
{
    if (len == 0 || (len == r->len && memcmp(raw, r->bytes, len) == 0)) {
        return len > 0 && r->is_readable;
    }
    make_room(r, len);
    memcpy(r->bytes, raw, len);
    r->len = len;
    r->is_readable = index_copy(r);
    return r->is_readable;
}

/* ---- values of text that has been walked, so it is known to be good ---------------- */

static tw_value plain_string(const char *bytes, char *scratch, const uint32_t *s)
{
    const char *text = bytes + *s + 1;
    size_t n = (size_t)(bytes + tw_token_close(bytes, s[1]) - text);

    if (n > 0 && memchr(text, '\\', n)) {
        char *plain = scratch + *s + 1;
        n = tw_unescape(text, n, plain);
        text = plain;
    }
    return tw_value_string(text, n);
}

/* What follows the value at s. */
static const uint32_t *pass_value(const char *bytes, const uint32_t *s)
{
    uint32_t open = 0;

    do {
        char c = bytes[*s++];
        open += c == '{' || c == '[';
        open -= c == '}' || c == ']';
    } while (open > 0);
    return s;
}

static tw_value container(const char *bytes, const uint32_t *s, const uint32_t **out_next)
{
    const char *start = bytes + *s;

    s = *out_next = pass_value(bytes, s);
    tw_value v = tw_value_string(start, (size_t)(bytes + s[-1] + 1 - start));
    v.type = TW_JSON;
    return v;
}

static tw_value read_value(const char *bytes, char *scratch, const uint32_t *s,
                           const uint32_t **out_next)
{
    const char *p = bytes + *s;
    tw_number number;
    tw_value v = tw_value_absent();

    *out_next = s + 1;
    switch (tw_token_kind(*p)) {
    case TW_TOKEN_STRING:
        return plain_string(bytes, scratch, s);
    case TW_TOKEN_NUMBER:
        return tw_number_scan(p, &number) ? tw_number_value(&number) : v;
    case TW_TOKEN_LITERAL:
        (void)tw_token_literal(p, s[1] - s[0], &v);
        return v;
    case TW_TOKEN_OBJECT:
    case TW_TOKEN_ARRAY:
        return container(bytes, s, out_next);
    case TW_TOKEN_BAD:
        break;
    }
    return v;
}

static bool is_key(const char *bytes, char *scratch, const uint32_t *s, const char *name,
                   size_t len)
{
    const char *key = bytes + *s + 1;
    size_t n = (size_t)(bytes + tw_token_close(bytes, s[1]) - key);

    if (n < len) {
        return false; /* an escape is longer than what it stands for */
    }
    if (n > 0 && memchr(key, '\\', n)) {
        n = tw_unescape(key, n, scratch + *s + 1);
        key = scratch + *s + 1;
    }
    return n == len && memcmp(key, name, len) == 0;
}

/* ---- paths ------------------------------------------------------------------------- */

/* What is being read: the walk, and the bytes that the values shall point into. */
typedef struct view {
    const tw_walk *walk;
    const char *bytes;
} view;

/* Most events are never read lazily, so their top-level keys are listed at the first read. */
static void index_tops(tw_decode_reader *r, const view *v)
{
    const uint32_t *s = v->walk->event;

    r->indexed = v->walk;
    r->top_count = 0;
    if (v->bytes[s[1]] == '}') {
        return;
    }
    do {
        s++;
        r->tops[r->top_count++] = (uint32_t)(s - v->walk->first);
        s = pass_value(v->bytes, s + 2);
    } while (v->bytes[*s] == ',');
}

static const uint32_t *find_top(tw_decode_reader *r, const view *v,
                                const tw_path_step *step)
{
    size_t len = step->name_len;

    if (r->indexed != v->walk) {
        index_tops(r, v);
    }
    for (uint32_t n = r->top_count; n-- > 0;) {
        const uint32_t *s = v->walk->first + r->tops[n];
        const char *key = v->bytes + *s + 1;
        if (!v->walk->has_escaped_keys) {
            if (s[1] - s[0] > len + 1 && key[len] == '"' &&
                memcmp(key, step->name, len) == 0) {
                return s + 2;
            }
        } else if (is_key(v->bytes, v->walk->scratch, s, step->name, step->name_len)) {
            return s + 2;
        }
    }
    return NULL;
}

/* The last member of that name, as everywhere. */
static const uint32_t *find_member(const view *v, const uint32_t *s,
                                   const tw_path_step *step)
{
    const uint32_t *found = NULL;

    if (v->bytes[*s] != '{' || v->bytes[s[1]] == '}') {
        return NULL;
    }
    do {
        s++;
        if (is_key(v->bytes, v->walk->scratch, s, step->name, step->name_len)) {
            found = s + 2;
        }
        s = pass_value(v->bytes, s + 2);
    } while (v->bytes[*s] == ',');
    return found;
}

static const uint32_t *find_element(const view *v, const uint32_t *s, uint32_t index)
{
    if (v->bytes[*s] != '[' || v->bytes[s[1]] == ']') {
        return NULL;
    }
    for (s++; index > 0; index--) {
        s = pass_value(v->bytes, s);
        if (v->bytes[*s++] != ',') {
            return NULL;
        }
    }
    return s;
}

static tw_value get(void *self, const tw_event *ev, const tw_path_step *steps,
                    uint32_t count)
{
    tw_decode_reader *r = self;
    view v = {.walk = r->now};
    const uint32_t *s;

    if (count == 0 || !steps[0].name) {
        return tw_value_absent();
    }
    if (r->now && ev->raw == r->now_raw && ev->raw_len == r->now_len) {
        v.bytes = r->now->bytes;
    } else if (remember(r, ev->raw, ev->raw_len)) {
        v = (view){.walk = &r->copy, .bytes = ev->raw};
    } else {
        return tw_value_absent();
    }
    s = find_top(r, &v, &steps[0]);
    for (uint32_t n = 1; s && n < count; n++) {
        s = steps[n].name ? find_member(&v, s, &steps[n])
                          : find_element(&v, s, steps[n].index);
    }
    return s ? read_value(v.bytes, v.walk->scratch, s, &s) : tw_value_absent();
}

const tw_event_reader tw_decode_event_reader = {.get = get};

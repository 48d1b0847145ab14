// SPDX-License-Identifier: Apache-2.0
/* One pass over the structurals. s always points at the structural to be looked at next; each
 * function returns the one behind what it read, or NULL after a fault.
 *
 * A string ends at the last quote before the next structural: only white space stands between. So
 * nobody looks at the bytes of a string that is not wanted. Its escapes are checked all the same,
 * by a cursor that jumps from backslash to backslash: whether a frame is bad must not depend
 * on what the rules of the day read. */
#include "decode/walk.h"

#include <string.h>

#include "base/same.h"
#include "decode/escape.h"
#include "decode/token.h"

static const uint32_t *skip_object(tw_walk *w, const uint32_t *s);
static const uint32_t *skip_array(tw_walk *w, const uint32_t *s);
static const uint32_t *take_object(tw_walk *w, const uint32_t *s,
                                   const tw_decode_node *node, tw_shape_key **guess);
static const uint32_t *take_array(tw_walk *w, const uint32_t *s,
                                  const tw_decode_node *node);

const uint32_t *tw_walk_fault(tw_walk *w, size_t at, const char *what)
{
    if (at == w->first[0]) {
        tw_err_set(w->err, TW_EPARSE, "not JSON: it ends too early");
    } else {
        tw_err_set(w->err, TW_EPARSE, "not JSON at byte %zu: %s", at, what);
    }
    return NULL;
}

static const uint32_t *limit_fault(tw_walk *w, const char *what, uint32_t limit)
{
    tw_err_set(w->err, TW_ELIMIT, "more than %u %s", limit, what);
    return NULL;
}

/* Escapes come in heaps, so the next one is often near. */
static inline const char *find_escape(const char *from, const char *end)
{
#if defined(__SSE2__)
    if (end - from >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        if (found) {
            return from + __builtin_ctz((uint32_t)found);
        }
        from += 16;
    }
#endif
    const char *p = from < end ? memchr(from, '\\', (size_t)(end - from)) : NULL;

    return p ? p : end;
}

/* Checks the escapes before `stop`. */
static bool check_escapes(tw_walk *w, const char *stop)
{
    const char *p = w->escape;

    while (p < stop) {
        size_t length = tw_escape_length(p);
        if (length == 0) {
            tw_walk_fault(w, (size_t)(p - w->bytes),
                          "not an escape, or half of a surrogate pair");
            return false;
        }
        p = find_escape(p + length, w->end);
    }
    w->escape = p;
    return true;
}

static const uint32_t *bad_value(tw_walk *w, uint32_t at)
{
    return tw_walk_fault(w, at, "a value is expected");
}

static inline bool enter(tw_walk *w)
{
    if (w->depth++ < w->limits->depth) {
        return true;
    }
    limit_fault(w, "levels of nesting", w->limits->depth);
    return false;
}

/* Leaves a container that had so many fields of its own. */
static inline const uint32_t *leave(tw_walk *w, const uint32_t *s, uint32_t fields)
{
    w->depth--;
    w->fields += fields;
    return w->fields <= w->limits->fields ? s
                                          : limit_fault(w, "fields", w->limits->fields);
}

/* The key at *s with its colon: where the value begins. */
static inline const uint32_t *pass_key(tw_walk *w, const uint32_t *s)
{
    if (w->bytes[s[0]] != '"') {
        return tw_walk_fault(w, s[0], "a key in quotes is expected");
    }
    if (w->bytes[s[1]] != ':') {
        return tw_walk_fault(w, s[1], "a colon is expected");
    }
    return s + 2;
}

/* ---- what is not wanted ------------------------------------------------------------ */

static const uint32_t *look_closer(tw_walk *w, const uint32_t *s)
{
    tw_number number;

    return tw_token_number(w->bytes + *s, &number) ? s + 1
                                                   : tw_walk_fault(w, *s, "not a number");
}

static inline const uint32_t *skip_number(tw_walk *w, const uint32_t *s)
{
    return tw_token_is_plain_number(w->bytes + *s, w->end) ? s + 1 : look_closer(w, s);
}

static const uint32_t *skip_literal(tw_walk *w, const uint32_t *s)
{
    tw_value v;

    return tw_token_literal(w->bytes + *s, s[1] - s[0], &v) ? s + 1 : bad_value(w, *s);
}

static const uint32_t *skip_other(tw_walk *w, const uint32_t *s)
{
    switch (tw_token_kind(w->bytes[*s])) {
    case TW_TOKEN_LITERAL:
        return skip_literal(w, s);
    case TW_TOKEN_OBJECT:
        return skip_object(w, s);
    case TW_TOKEN_ARRAY:
        return skip_array(w, s);
    case TW_TOKEN_STRING:
    case TW_TOKEN_NUMBER:
    case TW_TOKEN_BAD:
        break;
    }
    return bad_value(w, *s);
}

/* Most values are strings and numbers. */
static inline __attribute__((always_inline)) const uint32_t *skip_value(tw_walk *w,
                                                                        const uint32_t *s)
{
    char c = w->bytes[*s];

    if (c == '"') {
        return s + 1;
    }
    return tw_token_kind(c) == TW_TOKEN_NUMBER ? skip_number(w, s) : skip_other(w, s);
}

static const uint32_t *skip_object(tw_walk *w, const uint32_t *s)
{
    uint32_t fields = 0;
    char c = w->bytes[*++s];

    if (!enter(w)) {
        return NULL;
    }
    s += c == '}';
    while (c != '}') {
        s = pass_key(w, s);
        s = s ? skip_value(w, s) : NULL;
        if (!s) {
            return NULL;
        }
        fields++;
        c = w->bytes[*s++];
        if (c != ',' && c != '}') {
            return tw_walk_fault(w, s[-1], "a comma or } is expected");
        }
    }
    return leave(w, s, fields);
}

static const uint32_t *skip_array(tw_walk *w, const uint32_t *s)
{
    char c = w->bytes[*++s];

    if (!enter(w)) {
        return NULL;
    }
    s += c == ']';
    while (c != ']') {
        s = skip_value(w, s);
        if (!s) {
            return NULL;
        }
        c = w->bytes[*s++];
        if (c != ',' && c != ']') {
            return tw_walk_fault(w, s[-1], "a comma or ] is expected");
        }
    }
    return leave(w, s, 0);
}

/* ---- what is wanted ---------------------------------------------------------------- */

/* Text of a string that begins behind `open`; without its escapes if it has some. */
static bool take_string(tw_walk *w, uint32_t open, uint32_t close, tw_value *out)
{
    const char *text = w->bytes + open + 1;
    const char *end = w->bytes + close;
    size_t n = (size_t)(end - text);

    if (w->escape < end) {
        if (!check_escapes(w, text)) {
            return false;
        }
        if (w->escape < end) {
            char *plain = w->scratch + open + 1;
            if (!check_escapes(w, end)) {
                return false;
            }
            n = tw_unescape(text, n, plain);
            text = plain;
        }
    }
    *out = tw_value_string(text, n);
    return true;
}

/* A key with escapes can still be a wanted one. */
static bool take_key(tw_walk *w, uint32_t open, uint32_t close, const char **name,
                     size_t *len)
{
    tw_value v = tw_value_absent();

    if (!take_string(w, open, close, &v)) {
        return false;
    }
    w->has_escaped_keys |= v.s != w->bytes + open + 1;
    *name = v.s;
    *len = v.len;
    return true;
}

static inline const tw_decode_node *find_member(const tw_decode_node *node,
                                                const char *name, size_t len)
{
    uint32_t place = tw_decode_name_place(node, tw_decode_name_bits(name, len));

    for (const tw_decode_member *m = node->table[place]; m; m = m->same) {
        if (m->len == len && tw_same(m->name, name, len)) {
            return m->node;
        }
    }
    return NULL;
}

static const uint32_t *take_container(tw_walk *w, const uint32_t *s, tw_shape_key *key,
                                      tw_value *out)
{
    const tw_decode_node *node = key->node;
    const char *start = w->bytes + *s;

    if (*start == '{') {
        s = node->table ? take_object(w, s, node, &key->inside) : skip_object(w, s);
    } else {
        s = node->elements ? take_array(w, s, node) : skip_array(w, s);
    }
    if (s) {
        *out = tw_value_string(start, (size_t)(w->bytes + s[-1] + 1 - start));
        out->type = TW_JSON;
    }
    return s;
}

static const uint32_t *take_scalar(tw_walk *w, const uint32_t *s, tw_value *out)
{
    const char *p = w->bytes + *s;
    tw_number number;
    int64_t integer;

    switch (tw_token_kind(*p)) {
    case TW_TOKEN_STRING:
        return take_string(w, *s, tw_token_close(w->bytes, s[1]), out) ? s + 1 : NULL;
    case TW_TOKEN_NUMBER:
        if (tw_token_plain_integer(p, w->end, &integer)) {
            *out = tw_value_int(integer);
            return s + 1;
        }
        if (!tw_token_number(p, &number)) {
            return tw_walk_fault(w, *s, "not a number");
        }
        *out = tw_number_value(&number);
        return s + 1;
    case TW_TOKEN_LITERAL:
        return tw_token_literal(p, s[1] - s[0], out) ? s + 1 : bad_value(w, *s);
    case TW_TOKEN_BAD:
    case TW_TOKEN_OBJECT:
    case TW_TOKEN_ARRAY:
        break;
    }
    return bad_value(w, *s);
}

/* The value goes straight to its slot: built elsewhere and copied, it would be read in one piece right
 * after it was written in several, which a processor cannot forward. What an earlier member of the same
 * name left under the node is forgotten. */
static const uint32_t *take_value(tw_walk *w, const uint32_t *s, tw_shape_key *key)
{
    const tw_decode_node *node = key->node;
    tw_value *slot = node->slot == TW_NO_SLOT ? &w->nowhere : &w->slots[node->slot];
    char c = w->bytes[*s];

    for (uint32_t n = 0; n < node->below_count; n++) {
        w->slots[node->below[n]] = tw_value_absent();
    }
    return c == '{' || c == '[' ? take_container(w, s, key, slot)
                                : take_scalar(w, s, slot);
}

/* The key at *s, which is not the one that was guessed. Kept out of the loop that calls it, whose
 * registers it would take. */
static __attribute__((noinline)) const uint32_t *ask_plan(tw_walk *w, const uint32_t *s,
                                                          const tw_decode_node *parent,
                                                          tw_shape_key **out_key)
{
    uint32_t open = *s;

    s = pass_key(w, s);
    if (!s) {
        return NULL;
    }
    uint32_t close = tw_token_close(w->bytes, s[-1]);
    const char *name = w->bytes + open + 1;
    size_t len = close - open - 1;
    if (w->escape < w->bytes + close && !take_key(w, open, close, &name, &len)) {
        return NULL;
    }
    const tw_decode_node *node = find_member(parent, name, len);
    bool is_plain = name == w->bytes + open + 1;
    *out_key = is_plain ? tw_shape_learn(w->shape, w->bytes + open, len, parent, node)
                        : tw_shape_other(w->shape, node);
    return s;
}

static const uint32_t *take_object(tw_walk *w, const uint32_t *s,
                                   const tw_decode_node *parent, tw_shape_key **guess)
{
    const char *bytes = w->bytes, *end = w->end;
    uint32_t fields = 0;
    char c = bytes[*++s];

    if (!enter(w)) {
        return NULL;
    }
    s += c == '}';
    while (c != '}') {
        tw_shape_key *key = *guess;
        if (tw_shape_is(key, bytes + *s, end, parent)) {
            s += 2;
        } else {
            s = ask_plan(w, s, parent, guess);
            key = *guess;
        }
        if (s) {
            s = key->node ? take_value(w, s, key) : skip_value(w, s);
        }
        if (!s) {
            return NULL;
        }
        guess = &key->next;
        fields++;
        c = bytes[*s++];
        if (c != ',' && c != '}') {
            return tw_walk_fault(w, s[-1], "a comma or } is expected");
        }
    }
    return leave(w, s, fields);
}

static const tw_decode_node *find_element(const tw_decode_node *node, uint32_t index)
{
    for (const tw_decode_element *e = node->elements; e; e = e->next) {
        if (e->index == index) {
            return e->node;
        }
    }
    return NULL;
}

static const uint32_t *take_array(tw_walk *w, const uint32_t *s,
                                  const tw_decode_node *node)
{
    char c = w->bytes[*++s];

    if (!enter(w)) {
        return NULL;
    }
    s += c == ']';
    for (uint32_t index = 0; c != ']'; index++) {
        const tw_decode_node *wanted = find_element(node, index);
        s = wanted ? take_value(w, s, tw_shape_other(w->shape, wanted))
                   : skip_value(w, s);
        if (!s) {
            return NULL;
        }
        c = w->bytes[*s++];
        if (c != ',' && c != ']') {
            return tw_walk_fault(w, s[-1], "a comma or ] is expected");
        }
    }
    return leave(w, s, 0);
}

void tw_walk_begin(tw_walk *w, const char *bytes, const uint32_t *first, uint32_t count)
{
    w->bytes = bytes;
    w->end = bytes + first[count - 1] + 1;
    w->escape = find_escape(bytes, w->end);
    w->first = first;
}

const uint32_t *tw_walk_event(tw_walk *w, const uint32_t *s, const tw_decode_node *root)
{
    w->event = s;
    w->fields = 0;
    w->depth = 0;
    w->has_escaped_keys = false;
    s = take_object(w, s, root, &w->shape->start.inside);
    return s && check_escapes(w, w->bytes + s[-1]) ? s : NULL;
}

// SPDX-License-Identifier: Apache-2.0
/* One pass over the structurals. s always points at the structural to be looked at next;
 * each function returns the one behind what it read, or NULL after a fault.
 *
 * A string ends at the last quote before the next structural: only white space stands
 * between. So nobody looks at the bytes of a string that is not wanted. Its escapes are
 * checked all the same, by a cursor that jumps from backslash to backslash: whether a
 * frame is bad must not depend on what the rules of the day read. */
#include "decode/walk.h"

#include <string.h>

#include "decode/escape.h"
#include "decode/number.h"

typedef enum kind {
    KIND_BAD,
    KIND_STRING,
    KIND_NUMBER,
    KIND_LITERAL,
    KIND_OBJECT,
    KIND_ARRAY
} kind;

static const uint8_t kinds[256] = {
    ['"'] = KIND_STRING,  ['-'] = KIND_NUMBER,  ['0'] = KIND_NUMBER,  ['1'] = KIND_NUMBER,
    ['2'] = KIND_NUMBER,  ['3'] = KIND_NUMBER,  ['4'] = KIND_NUMBER,  ['5'] = KIND_NUMBER,
    ['6'] = KIND_NUMBER,  ['7'] = KIND_NUMBER,  ['8'] = KIND_NUMBER,  ['9'] = KIND_NUMBER,
    ['t'] = KIND_LITERAL, ['f'] = KIND_LITERAL, ['n'] = KIND_LITERAL, ['{'] = KIND_OBJECT,
    ['['] = KIND_ARRAY,
};

/* What may stand right behind a number or literal. */
static const bool ends_scalar[256] = {
    [','] = true, ['}'] = true,  [']'] = true,  [':'] = true,
    [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true,
};

static const uint32_t *walk_object(tw_walk *w, const uint32_t *s,
                                   const tw_decode_node *node);
static const uint32_t *walk_array(tw_walk *w, const uint32_t *s,
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

static const char *find_escape(const char *from, const char *end)
{
    const char *p = from < end ? memchr(from, '\\', (size_t)(end - from)) : NULL;

    return p ? p : end;
}

/* Checks the escapes before `stop`. */
static bool check_escapes(tw_walk *w, const char *stop)
{
    while (w->escape < stop) {
        size_t length = tw_escape_length(w->escape);
        if (length == 0) {
            tw_walk_fault(w, (size_t)(w->escape - w->bytes),
                          "not an escape, or half of a surrogate pair");
            return false;
        }
        w->escape = find_escape(w->escape + length, w->end);
    }
    return true;
}

/* The quote that ends the string before `next`. */
static inline uint32_t closing_quote(const char *bytes, uint32_t next)
{
    do {
        next--;
    } while (bytes[next] != '"');
    return next;
}

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
    *name = v.s;
    *len = v.len;
    return true;
}

static inline const tw_decode_node *find_member(const tw_decode_node *node,
                                                const char *name, size_t len)
{
    uint32_t place = tw_decode_name_place(node, tw_decode_name_bits(name, len));

    for (const tw_decode_member *m = node->table[place]; m; m = m->same) {
        if (m->len == len && memcmp(m->name, name, len) == 0) {
            return m->node;
        }
    }
    return NULL;
}

static bool read_literal(const char *p, size_t room, tw_value *out)
{
    if (room >= 4 && memcmp(p, "true", 4) == 0 && ends_scalar[(unsigned char)p[4]]) {
        *out = tw_value_bool(true);
    } else if (room >= 4 && memcmp(p, "null", 4) == 0 &&
               ends_scalar[(unsigned char)p[4]]) {
        *out = (tw_value){.type = TW_NULL};
    } else if (room >= 5 && memcmp(p, "false", 5) == 0 &&
               ends_scalar[(unsigned char)p[5]]) {
        *out = tw_value_bool(false);
    } else {
        return false;
    }
    return true;
}

static inline bool scan_number(const char *p, tw_number *number)
{
    const char *end = tw_number_scan(p, number);

    return end && ends_scalar[(unsigned char)*end];
}

static const uint32_t *bad_value(tw_walk *w, uint32_t at)
{
    return tw_walk_fault(w, at, "a value is expected");
}

static inline const uint32_t *skip_value(tw_walk *w, const uint32_t *s)
{
    const char *p = w->bytes + *s;
    tw_number number;
    tw_value literal;

    switch ((kind)kinds[(unsigned char)*p]) {
    case KIND_STRING:
        return s + 1;
    case KIND_NUMBER:
        return scan_number(p, &number) ? s + 1 : tw_walk_fault(w, *s, "not a number");
    case KIND_LITERAL:
        return read_literal(p, s[1] - s[0], &literal) ? s + 1 : bad_value(w, *s);
    case KIND_OBJECT:
        return walk_object(w, s, NULL);
    case KIND_ARRAY:
        return walk_array(w, s, NULL);
    case KIND_BAD:
        break;
    }
    return bad_value(w, *s);
}

static const uint32_t *take_container(tw_walk *w, const uint32_t *s,
                                      const tw_decode_node *node, tw_value *out)
{
    const char *start = w->bytes + *s;

    if (*start == '{') {
        s = walk_object(w, s, node->table ? node : NULL);
    } else {
        s = walk_array(w, s, node->elements ? node : NULL);
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

    switch ((kind)kinds[(unsigned char)*p]) {
    case KIND_STRING:
        return take_string(w, *s, closing_quote(w->bytes, s[1]), out) ? s + 1 : NULL;
    case KIND_NUMBER:
        if (!scan_number(p, &number)) {
            return tw_walk_fault(w, *s, "not a number");
        }
        *out = tw_number_value(&number);
        return s + 1;
    case KIND_LITERAL:
        return read_literal(p, s[1] - s[0], out) ? s + 1 : bad_value(w, *s);
    case KIND_BAD:
    case KIND_OBJECT:
    case KIND_ARRAY:
        break;
    }
    return bad_value(w, *s);
}

/* A wanted value. What an earlier member of the same name left under the node is
 * forgotten. */
static const uint32_t *take_value(tw_walk *w, const uint32_t *s,
                                  const tw_decode_node *node)
{
    tw_value v = tw_value_absent();
    char c = w->bytes[*s];

    for (uint32_t n = 0; n < node->below_count; n++) {
        w->slots[node->below[n]] = v;
    }
    s = c == '{' || c == '[' ? take_container(w, s, node, &v) : take_scalar(w, s, &v);
    if (node->slot != TW_NO_SLOT) {
        w->slots[node->slot] = v;
    }
    return s;
}

/* "key": value, up to what follows. */
static inline const uint32_t *walk_member(tw_walk *w, const uint32_t *s,
                                          const tw_decode_node *node)
{
    const char *bytes = w->bytes;
    uint32_t open = s[0];

    if (bytes[open] != '"') {
        return tw_walk_fault(w, open, "a key in quotes is expected");
    }
    uint32_t colon = s[1];
    if (bytes[colon] != ':') {
        return tw_walk_fault(w, colon, "a colon is expected");
    }
    if (w->fields++ >= w->limits->fields) {
        return limit_fault(w, "fields", w->limits->fields);
    }
    s += 2;
    if (!node) {
        return skip_value(w, s);
    }
    uint32_t close = closing_quote(bytes, colon);
    const char *name = bytes + open + 1;
    size_t len = close - open - 1;
    if (w->escape < bytes + close && !take_key(w, open, close, &name, &len)) {
        return NULL;
    }
    node = find_member(node, name, len);
    return node ? take_value(w, s, node) : skip_value(w, s);
}

static const uint32_t *walk_object(tw_walk *w, const uint32_t *s,
                                   const tw_decode_node *node)
{
    if (w->depth++ >= w->limits->depth) {
        return limit_fault(w, "levels of nesting", w->limits->depth);
    }
    s++;
    if (w->bytes[*s] == '}') {
        w->depth--;
        return s + 1;
    }
    for (;;) {
        s = walk_member(w, s, node);
        if (!s) {
            return NULL;
        }
        char c = w->bytes[*s++];
        if (c == '}') {
            w->depth--;
            return s;
        }
        if (c != ',') {
            return tw_walk_fault(w, s[-1], "a comma or } is expected");
        }
    }
}

static const tw_decode_node *find_element(const tw_decode_node *node, uint32_t index)
{
    for (const tw_decode_element *e = node ? node->elements : NULL; e; e = e->next) {
        if (e->index == index) {
            return e->node;
        }
    }
    return NULL;
}

static const uint32_t *walk_array(tw_walk *w, const uint32_t *s,
                                  const tw_decode_node *node)
{
    if (w->depth++ >= w->limits->depth) {
        return limit_fault(w, "levels of nesting", w->limits->depth);
    }
    s++;
    if (w->bytes[*s] == ']') {
        w->depth--;
        return s + 1;
    }
    for (uint32_t index = 0;; index++) {
        const tw_decode_node *wanted = find_element(node, index);
        s = wanted ? take_value(w, s, wanted) : skip_value(w, s);
        if (!s) {
            return NULL;
        }
        char c = w->bytes[*s++];
        if (c == ']') {
            w->depth--;
            return s;
        }
        if (c != ',') {
            return tw_walk_fault(w, s[-1], "a comma or ] is expected");
        }
    }
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
    const tw_decode_node *node = root->table ? root : NULL;

    w->fields = 0;
    w->depth = 1;
    w->top_count = 0;
    if (w->bytes[*++s] == '}') {
        return s + 1;
    }
    for (;;) {
        w->tops[w->top_count] = (uint32_t)(s - w->first);
        s = walk_member(w, s, node);
        if (!s) {
            return NULL;
        }
        w->top_count++; /* the limit of fields bounds it */
        char c = w->bytes[*s++];
        if (c == '}') {
            return check_escapes(w, w->bytes + s[-1]) ? s : NULL;
        }
        if (c != ',') {
            return tw_walk_fault(w, s[-1], "a comma or } is expected");
        }
    }
}

/* ---- text that has been walked ----------------------------------------------------- */

static tw_value plain_string(const char *bytes, char *scratch, const uint32_t *s)
{
    const char *text = bytes + *s + 1;
    size_t n = (size_t)(bytes + closing_quote(bytes, s[1]) - text);

    if (n > 0 && memchr(text, '\\', n)) {
        char *plain = scratch + *s + 1;
        n = tw_unescape(text, n, plain);
        text = plain;
    }
    return tw_value_string(text, n);
}

static tw_value container(const char *bytes, const uint32_t *s, const uint32_t **out_next)
{
    const char *start = bytes + *s;
    uint32_t open = 0;

    do {
        char c = bytes[*s++];
        open += c == '{' || c == '[';
        open -= c == '}' || c == ']';
    } while (open > 0);
    *out_next = s;
    tw_value v = tw_value_string(start, (size_t)(bytes + s[-1] + 1 - start));
    v.type = TW_JSON;
    return v;
}

tw_value tw_walk_value(const char *bytes, char *scratch, const uint32_t *s,
                       const uint32_t **out_next)
{
    const char *p = bytes + *s;
    tw_number number;
    tw_value v = tw_value_absent();

    *out_next = s + 1;
    switch ((kind)kinds[(unsigned char)*p]) {
    case KIND_STRING:
        return plain_string(bytes, scratch, s);
    case KIND_NUMBER:
        return tw_number_scan(p, &number) ? tw_number_value(&number) : v;
    case KIND_LITERAL:
        (void)read_literal(p, s[1] - s[0], &v);
        return v;
    case KIND_OBJECT:
    case KIND_ARRAY:
        return container(bytes, s, out_next);
    case KIND_BAD:
        break;
    }
    return v;
}

bool tw_walk_is_key(const char *bytes, char *scratch, const uint32_t *s, const char *name,
                    size_t len)
{
    const char *key = bytes + *s + 1;
    size_t n = (size_t)(bytes + closing_quote(bytes, s[1]) - key);

    if (n < len) {
        return false; /* an escape is longer than what it stands for */
    }
    if (n > 0 && memchr(key, '\\', n)) {
        n = tw_unescape(key, n, scratch + *s + 1);
        key = scratch + *s + 1;
    }
    return n == len && memcmp(key, name, len) == 0;
}

// SPDX-License-Identifier: Apache-2.0
/* The compiler walks the text once; the matcher recurses only at items that leave a
 * choice, and always to a later item, so its depth is bounded by the program's length. A
 * capture needs no undo: whoever tries another way passes its brackets again. */
#include "rule/pattern.h"

#include <ctype.h>
#include <string.h>

enum op {
    CHAR,
    ANY,
    SET,
    OPEN,
    OPEN_POSITION,
    CLOSE,
    BALANCE,
    FRONTIER,
    BACK,
    END,
    ACCEPT
};
enum quantifier { ONE, STAR, PLUS, LAZY, OPTIONAL };

typedef struct compiler {
    tw_pattern *p;
    const char *at, *end;
    const char *wrong;
    uint8_t open[TW_PATTERN_CAPTURES]; /* captures not yet closed, innermost last */
    int open_count;
    bool closed[TW_PATTERN_CAPTURES];
} compiler;

/* ---- compiling ---- */

/* The classes as bits of the 128 ASCII characters; none has another member. */
static const struct char_class {
    char letter;
    uint64_t low, high;
} classes[] = {
    {'a', 0, 0x07FFFFFE07FFFFFE},                  /* letters */
    {'c', 0x00000000FFFFFFFF, 0x8000000000000000}, /* control */
    {'d', 0x03FF000000000000, 0},                  /* digits */
    {'g', 0xFFFFFFFE00000000, 0x7FFFFFFFFFFFFFFF}, /* printable but space */
    {'l', 0, 0x07FFFFFE00000000},                  /* lower case */
    {'p', 0xFC00FFFE00000000, 0x78000001F8000001}, /* punctuation */
    {'s', 0x0000000100003E00, 0},                  /* space */
    {'u', 0, 0x0000000007FFFFFE},                  /* upper case */
    {'w', 0x03FF000000000000, 0x07FFFFFE07FFFFFE}, /* letters and digits */
    {'x', 0x03FF000000000000, 0x0000007E0000007E}, /* hexadecimal digits */
    {'z', 1, 0},                                   /* NUL; deprecated, still there */
};

static const struct char_class *class_of(char letter)
{
    char lower = (char)(letter | 0x20);
    bool is_letter = lower >= 'a' && lower <= 'z';
    for (size_t i = 0; is_letter && i < sizeof classes / sizeof *classes; i++)
        if (classes[i].letter == lower)
            return &classes[i];
    return NULL;
}

static bool set_has(const tw_pattern_set *set, unsigned char c)
{
    return set->bits[c >> 6] >> (c & 63) & 1;
}

static void set_add(tw_pattern_set *set, unsigned char c)
{
    set->bits[c >> 6] |= (uint64_t)1 << (c & 63);
}

/* What %letter stands for: a class, its complement for an upper-case letter, or itself. */
static void set_add_class(tw_pattern_set *set, char letter)
{
    const struct char_class *class = class_of(letter);
    if (class == NULL) {
        set_add(set, (unsigned char)letter);
        return;
    }
    uint64_t flip = class->letter == letter ? 0 : UINT64_MAX;
    set->bits[0] |= class->low ^ flip;
    set->bits[1] |= class->high ^ flip;
    set->bits[2] |= flip;
    set->bits[3] |= flip;
}

static void emit(compiler *c, enum op op, int a, int b)
{
    if (c->p->items == TW_PATTERN_ITEMS) {
        c->wrong = "pattern too complex";
        return;
    }
    c->p->item[c->p->items++] =
        (tw_pattern_item){.op = (uint8_t)op, .a = (uint8_t)a, .b = (uint8_t)b};
}

static tw_pattern_set *new_set(compiler *c)
{
    if (c->p->sets == TW_PATTERN_SETS) {
        c->wrong = "pattern too complex (too many sets)";
        return NULL;
    }
    tw_pattern_set *set = &c->p->set[c->p->sets++];
    *set = (tw_pattern_set){{0}};
    return set;
}

/* Where the bracket that opens at c->at closes; the first character inside is never the
 * end. */
static const char *set_end(compiler *c)
{
    const char *s = c->at + 1;
    if (s < c->end && *s == '^')
        s++;
    for (const char *first = s; s < c->end; s++) {
        if (*s == ']' && s > first)
            return s;
        if (*s == '%' && s + 1 < c->end)
            s++;
    }
    c->wrong = "malformed pattern (missing ']')";
    return NULL;
}

/* One element of a bracket set; returns where the next begins. */
static const char *add_element(tw_pattern_set *set, const char *s, const char *close)
{
    if (*s == '%' && s + 1 < close) {
        set_add_class(set, s[1]);
        return s + 2;
    }
    if (s + 2 < close && s[1] == '-') {
        for (int v = (unsigned char)s[0]; v <= (unsigned char)s[2]; v++)
            set_add(set, (unsigned char)v);
        return s + 3;
    }
    set_add(set, (unsigned char)*s);
    return s + 1;
}

static void compile_set(compiler *c, enum op op)
{
    const char *close = set_end(c);
    tw_pattern_set *set = close != NULL ? new_set(c) : NULL;
    if (set == NULL)
        return;
    const char *s = c->at + 1;
    bool negated = *s == '^';
    if (negated)
        s++;
    while (s < close)
        s = add_element(set, s, close);
    for (int i = 0; negated && i < 4; i++)
        set->bits[i] = ~set->bits[i];
    emit(c, op, c->p->sets - 1, 0);
    c->at = close + 1;
}

static void compile_quantifier(compiler *c)
{
    if (c->wrong != NULL || c->at == c->end)
        return;
    const char *found = memchr("?*+-", *c->at, 4);
    if (found == NULL)
        return;
    static const uint8_t quantifiers[] = {
        ['?'] = OPTIONAL, ['*'] = STAR, ['+'] = PLUS, ['-'] = LAZY};
    c->p->item[c->p->items - 1].quantifier = quantifiers[(unsigned char)*found];
    c->at++;
}

static void compile_open(compiler *c)
{
    int capture = c->p->captures;
    if (capture == TW_PATTERN_CAPTURES) {
        c->wrong = "too many captures";
        return;
    }
    c->p->captures++;
    if (c->at + 1 < c->end && c->at[1] == ')') {
        c->closed[capture] = true;
        emit(c, OPEN_POSITION, capture, 0);
        c->at += 2;
        return;
    }
    c->open[c->open_count++] = (uint8_t)capture;
    emit(c, OPEN, capture, 0);
    c->at++;
}

static void compile_close(compiler *c)
{
    if (c->open_count == 0) {
        c->wrong = "invalid pattern capture";
        return;
    }
    int capture = c->open[--c->open_count];
    c->closed[capture] = true;
    emit(c, CLOSE, capture, 0);
    c->at++;
}

static void compile_frontier(compiler *c)
{
    c->at += 2;
    if (c->at == c->end || *c->at != '[') {
        c->wrong = "missing '[' after '%f' in pattern";
        return;
    }
    compile_set(c, FRONTIER);
}

static void compile_back_reference(compiler *c)
{
    int capture = c->at[1] - '1';
    if (capture < 0 || capture >= c->p->captures || !c->closed[capture]) {
        c->wrong = "invalid capture index in pattern";
        return;
    }
    emit(c, BACK, capture, 0);
    c->at += 2;
}

static void compile_escape(compiler *c)
{
    if (c->at + 1 == c->end) {
        c->wrong = "malformed pattern (ends with '%')";
        return;
    }
    char letter = c->at[1];
    if (letter == 'b') {
        if (c->end - c->at < 4) {
            c->wrong = "malformed pattern (missing arguments to '%b')";
            return;
        }
        emit(c, BALANCE, (unsigned char)c->at[2], (unsigned char)c->at[3]);
        c->at += 4;
    } else if (letter == 'f') {
        compile_frontier(c);
    } else if (isdigit((unsigned char)letter)) {
        compile_back_reference(c);
    } else {
        if (class_of(letter) == NULL) {
            emit(c, CHAR, (unsigned char)letter, 0);
        } else {
            tw_pattern_set *set = new_set(c);
            if (set == NULL)
                return;
            set_add_class(set, letter);
            emit(c, SET, c->p->sets - 1, 0);
        }
        c->at += 2;
        compile_quantifier(c);
    }
}

static void compile_item(compiler *c)
{
    switch (*c->at) {
    case '(':
        compile_open(c);
        break;
    case ')':
        compile_close(c);
        break;
    case '%':
        compile_escape(c);
        break;
    case '[':
        compile_set(c, SET);
        compile_quantifier(c);
        break;
    default:
        if (*c->at == '$' && c->at + 1 == c->end)
            emit(c, END, 0, 0);
        else
            emit(c, *c->at == '.' ? ANY : CHAR, (unsigned char)*c->at, 0);
        c->at++;
        if (c->at < c->end)
            compile_quantifier(c);
        break;
    }
}

const char *tw_pattern_compile(tw_pattern *p, const char *text, size_t n)
{
    p->items = p->sets = p->captures = 0;
    compiler c = {.p = p, .at = text, .end = text + n};
    while (c.at < c.end && c.wrong == NULL)
        compile_item(&c);
    if (c.wrong == NULL && c.open_count > 0)
        c.wrong = "unfinished capture";
    p->item[p->items] = (tw_pattern_item){.op = ACCEPT};
    return c.wrong;
}

/* ---- matching ---- */

static const char *run(const tw_pattern *p, tw_match *m, const tw_pattern_item *it,
                       const char *s);

static bool fits(const tw_pattern *p, const tw_match *m, const tw_pattern_item *it,
                 const char *s)
{
    if (s == m->end)
        return false;
    if (it->op == CHAR)
        return (unsigned char)*s == it->a;
    return it->op == ANY || set_has(&p->set[it->a], (unsigned char)*s);
}

static bool must_stop(tw_match *m)
{
    if (m->guard != NULL && tw_watchdog_expired(m->guard))
        m->stopped = true;
    return m->stopped;
}

static const char *run_longest(const tw_pattern *p, tw_match *m,
                               const tw_pattern_item *it, const char *s)
{
    const char *low = s + (it->quantifier == PLUS);
    while (fits(p, m, it, s))
        s++;
    for (; s >= low; s--) {
        const char *e = run(p, m, it + 1, s);
        if (e != NULL || m->stopped)
            return e;
    }
    return NULL;
}

static const char *run_shortest(const tw_pattern *p, tw_match *m,
                                const tw_pattern_item *it, const char *s)
{
    for (;; s++) {
        const char *e = run(p, m, it + 1, s);
        if (e != NULL || m->stopped || !fits(p, m, it, s))
            return e;
    }
}

static const char *skip_balanced(const tw_match *m, const tw_pattern_item *it,
                                 const char *s)
{
    if (s == m->end || (unsigned char)*s != it->a)
        return NULL;
    size_t depth = 1;
    for (s++; s < m->end; s++) {
        if ((unsigned char)*s == it->b) {
            if (--depth == 0)
                return s + 1;
        } else if ((unsigned char)*s == it->a) {
            depth++;
        }
    }
    return NULL;
}

static const char *skip_back_reference(const tw_match *m, const tw_pattern_item *it,
                                       const char *s)
{
    ptrdiff_t len = m->capture[it->a].len;
    if (len == TW_PATTERN_POSITION || m->end - s < len ||
        memcmp(m->capture[it->a].start, s, (size_t)len) != 0)
        return NULL;
    return s + len;
}

static bool at_frontier(const tw_pattern *p, const tw_match *m, const tw_pattern_item *it,
                        const char *s)
{
    unsigned char before = s == m->subject ? 0 : (unsigned char)s[-1];
    unsigned char after = s == m->end ? 0 : (unsigned char)*s;
    return !set_has(&p->set[it->a], before) && set_has(&p->set[it->a], after);
}

/* The items that leave no choice: where the next begins to match, or NULL. */
static const char *step(const tw_pattern *p, tw_match *m, const tw_pattern_item *it,
                        const char *s)
{
    switch ((enum op)it->op) {
    case CHAR:
    case ANY:
    case SET:
        return fits(p, m, it, s) ? s + 1 : NULL;
    case OPEN:
    case OPEN_POSITION:
        m->capture[it->a].start = s;
        m->capture[it->a].len = TW_PATTERN_POSITION;
        return s;
    case CLOSE:
        m->capture[it->a].len = s - m->capture[it->a].start;
        return s;
    case BALANCE:
        return skip_balanced(m, it, s);
    case FRONTIER:
        return at_frontier(p, m, it, s) ? s : NULL;
    case BACK:
        return skip_back_reference(m, it, s);
    case END:
        return s == m->end ? s : NULL;
    case ACCEPT:
        break;
    }
    return s;
}

static const char *run(const tw_pattern *p, tw_match *m, const tw_pattern_item *it,
                       const char *s)
{
    if (must_stop(m))
        return NULL;
    for (; it->op != ACCEPT; it++) {
        switch ((enum quantifier)it->quantifier) {
        case STAR:
        case PLUS:
            return run_longest(p, m, it, s);
        case LAZY:
            return run_shortest(p, m, it, s);
        case OPTIONAL:
            if (fits(p, m, it, s)) {
                const char *e = run(p, m, it + 1, s + 1);
                if (e != NULL || m->stopped)
                    return e;
            }
            break;
        case ONE:
            s = step(p, m, it, s);
            if (s == NULL)
                return NULL;
            break;
        }
    }
    return s;
}

const char *tw_pattern_match_at(const tw_pattern *p, tw_match *m, const char *s)
{
    return run(p, m, p->item, s);
}

const char *tw_pattern_search(const tw_pattern *p, tw_match *m, const char *s,
                              const char **out_end)
{
    const tw_pattern_item *first = p->item;
    bool literal =
        first->op == CHAR && (first->quantifier == ONE || first->quantifier == PLUS);
    for (;; s++) {
        if (literal) {
            s = s < m->end ? memchr(s, first->a, (size_t)(m->end - s)) : NULL;
            if (s == NULL)
                return NULL;
        }
        const char *e = run(p, m, first, s);
        if (e != NULL) {
            *out_end = e;
            return s;
        }
        if (m->stopped || s == m->end)
            return NULL;
    }
}

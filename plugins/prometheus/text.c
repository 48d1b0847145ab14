// SPDX-License-Identifier: Apache-2.0
/* The reader; see text.h. A line is cut out first, so that nothing below looks further than its end;
 * each take_ function moves the cursor past one part or says what is wrong there. */
#include "prometheus/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "prometheus/number.h"

/* Stamps beyond are meant otherwise; also keeps seconds * 1000 in range. */
#define TIME_MAX_MS 253402300799999.0 /* the end of the year 9999 */

static int wrong(text_reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(text_reader *r, const char *at, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(r->error.text, sizeof r->error.text, format, ap);
    va_end(ap);
    r->error.line = r->line_number ? r->line_number : 1;
    r->error.column = (int)(at - r->line) + 1;
    return -1;
}

/* ---- characters -------------------------------------------------------------------- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes of the well-formed UTF-8 character at p, or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;

    if (n < 2)
        return n;
    if (n > left || *p > 0xF4)
        return 0;
    uint32_t c = *p & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    return n;
}

bool text_is_utf8(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;

    for (size_t i = 0; i < size;) {
        size_t n = utf8_length(p + i, size - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static bool same(text_slice a, text_slice b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

static bool is_word(text_slice s, const char *word)
{
    return s.size == strlen(word) && memcmp(s.at, word, s.size) == 0;
}

/* ---- parts of a line --------------------------------------------------------------- */

/* In the older format blanks may stand between any two parts; OpenMetrics has none of them. */
static void skip_blanks(const text_reader *r, char **p)
{
    while (r->format == TEXT_PROMETHEUS && *p < r->line_end && is_blank(**p))
        ++*p;
}

/* What parts values and stamps: blanks, or the one space of OpenMetrics. */
static int take_space(text_reader *r, char **p)
{
    char *first = *p;

    if (*p < r->line_end && **p == ' ')
        ++*p;
    skip_blanks(r, p);
    if (*p == first)
        return wrong(r, *p, "a space is missing");
    return 0;
}

static text_slice take_word(const text_reader *r, char **p)
{
    char *first = *p;

    while (*p < r->line_end && !is_blank(**p))
        ++*p;
    return (text_slice){first, (size_t)(*p - first)};
}

static int take_name(text_reader *r, char **p, bool colons, text_slice *out)
{
    char *first = *p;

    while (*p < r->line_end && (is_name(**p) || (colons && **p == ':')))
        ++*p;
    *out = (text_slice){first, (size_t)(*p - first)};
    if (out->size == 0)
        return wrong(r, first,
                     colons ? "a metric's name is missing" : "a label's name is missing");
    if (!is_name_start(*first) && *first != ':')
        return wrong(r, first, "a name begins with a digit");
    return 0;
}

static int take_number(text_reader *r, char **p, const char *what, double *out)
{
    char *first = *p;
    text_slice word = take_word(r, p);

    switch (number_read(word.at, word.size, out)) {
    case NUMBER_OK:
        return 0;
    case NUMBER_MALFORMED:
        return wrong(r, first, word.size ? "the %s is not a number" : "the %s is missing",
                     what);
    case NUMBER_OUT_OF_RANGE:
        return wrong(r, first, "the %s is out of range", what);
    }
    return -1;
}

/* Undoes the escape whose backslash is at *p. */
static int take_escape(text_reader *r, char **p, char **to)
{
    char c = *p + 1 < r->line_end ? (*p)[1] : '\0';

    if (c != 'n' && c != '"' && c != '\\') {
        /* OpenMetrics lets a backslash stand for itself before anything else. */
        if (r->format == TEXT_PROMETHEUS || *p + 1 >= r->line_end)
            return wrong(r, *p, "only \\\\, \\\" and \\n are escapes");
        *(*to)++ = *(*p)++;
        return 0;
    }
    *(*to)++ = c == 'n' ? '\n' : c;
    *p += 2;
    return 0;
}

/* From the opening quote past the closing one. */
static int take_quoted(text_reader *r, char **p, text_slice *out)
{
    if (*p == r->line_end || **p != '"')
        return wrong(r, *p, "a label's value must stand in double quotes");
    char *first = ++*p, *to = first;
    while (*p < r->line_end && **p != '"') {
        if (**p == '\\') {
            if (take_escape(r, p, &to) < 0)
                return -1;
        } else {
            *to++ = *(*p)++;
        }
    }
    if (*p == r->line_end)
        return wrong(r, first - 1, "a label's value does not end");
    ++*p;
    *out = (text_slice){first, (size_t)(to - first)};
    if (!text_is_utf8(out->at, out->size))
        return wrong(r, first, "a label's value is not UTF-8");
    return 0;
}

static int take_label(text_reader *r, char **p, uint32_t count)
{
    text_label *l = &r->labels[count];
    char *first = *p;

    if (take_name(r, p, false, &l->name) < 0)
        return -1;
    if (count == r->limits.labels)
        return wrong(r, first, "more than %u labels", r->limits.labels);
    if (is_word(l->name, "__name__"))
        return wrong(r, first, "__name__ is not a label");
    for (uint32_t i = 0; i < count; i++) {
        if (same(r->labels[i].name, l->name))
            return wrong(r, first, "the label '%.*s' occurs twice",
                         l->name.size > 64 ? 64 : (int)l->name.size, l->name.at);
    }
    skip_blanks(r, p);
    if (*p == r->line_end || **p != '=')
        return wrong(r, *p, "'=' is missing after a label's name");
    ++*p;
    skip_blanks(r, p);
    return take_quoted(r, p, &l->value);
}

/* From past the opening brace past the closing one. */
static int take_labels(text_reader *r, char **p, uint32_t *out_count)
{
    uint32_t count = 0;

    skip_blanks(r, p);
    while (*p < r->line_end && **p != '}') {
        if (take_label(r, p, count) < 0)
            return -1;
        count++;
        skip_blanks(r, p);
        if (*p < r->line_end && **p == ',') {
            ++*p;
            skip_blanks(r, p);
        } else if (*p < r->line_end && **p != '}') {
            return wrong(r, *p, "',' or '}' is missing after a label");
        }
    }
    if (*p == r->line_end)
        return wrong(r, *p, "'}' is missing");
    ++*p;
    *out_count = count;
    return 0;
}

/* Milliseconds as an integer, or seconds in OpenMetrics. */
static int take_time(text_reader *r, char **p, int64_t *out_ms)
{
    char *first = *p;
    double v;

    if (r->format == TEXT_PROMETHEUS) {
        text_slice word = take_word(r, p);
        for (size_t i = word.at[0] == '-' || word.at[0] == '+'; i < word.size; i++) {
            if (word.at[i] < '0' || word.at[i] > '9')
                return wrong(r, first, "the time stamp is not an integer");
        }
        *p = first;
    }
    if (take_number(r, p, "time stamp", &v) < 0)
        return -1;
    if (r->format == TEXT_OPENMETRICS)
        v *= 1000;
    if (!(fabs(v) <= TIME_MAX_MS))
        return wrong(r, first, "the time stamp is out of range");
    *out_ms = (int64_t)llround(v);
    return 0;
}

/* `# {labels} value [time]`; must be well formed, and is passed over. */
static int take_exemplar(text_reader *r, char **p)
{
    char *first = *p;
    int64_t time_ms;
    double value;

    if (r->line_end - *p < 3 || memcmp(*p, "# {", 3) != 0)
        return wrong(r, first, "something follows the sample");
    *p += 3;
    while (*p < r->line_end && **p != '}') {
        text_slice name, quoted;
        if (take_name(r, p, false, &name) < 0)
            return -1;
        if (*p == r->line_end || **p != '=')
            return wrong(r, *p, "'=' is missing after a label's name");
        ++*p;
        if (take_quoted(r, p, &quoted) < 0)
            return -1;
        if (*p < r->line_end && **p == ',')
            ++*p;
        else if (*p < r->line_end && **p != '}')
            return wrong(r, *p, "',' or '}' is missing after a label");
    }
    if (*p == r->line_end)
        return wrong(r, *p, "'}' is missing");
    ++*p;
    if (take_space(r, p) < 0 || take_number(r, p, "exemplar", &value) < 0)
        return -1;
    if (*p < r->line_end && (take_space(r, p) < 0 || take_time(r, p, &time_ms) < 0))
        return -1;
    return *p == r->line_end ? 0 : wrong(r, *p, "something follows the exemplar");
}

/* What may come after a value: a stamp, an exemplar, both or nothing. */
static int take_rest(text_reader *r, char **p, int64_t *out_ms)
{
    bool exemplars = r->format == TEXT_OPENMETRICS;

    if (exemplars && *p == r->line_end)
        return 0;
    if (exemplars && take_space(r, p) < 0)
        return -1;
    skip_blanks(r, p);
    if (*p == r->line_end)
        return exemplars ? wrong(r, *p, "a space ends the line") : 0;
    if (!exemplars || **p != '#') {
        if (take_time(r, p, out_ms) < 0)
            return -1;
        if (exemplars && *p < r->line_end && take_space(r, p) < 0)
            return -1;
        skip_blanks(r, p);
    }
    if (*p == r->line_end)
        return 0;
    return exemplars ? take_exemplar(r, p)
                     : wrong(r, *p, "something follows the time stamp");
}

/* ---- lines ------------------------------------------------------------------------- */

static int read_sample(text_reader *r, char *p, text_sample *out)
{
    text_sample s = {.labels = r->labels, .time_ms = TEXT_NO_TIME};

    if (r->limits.samples && r->samples == r->limits.samples)
        return wrong(r, p, "more than %u samples", r->limits.samples);
    if (take_name(r, &p, true, &s.name) < 0)
        return -1;
    char *after_name = p;
    skip_blanks(r, &p);
    bool braces = p < r->line_end && *p == '{';
    p = braces ? p + 1 : after_name;
    if (braces && take_labels(r, &p, &s.label_count) < 0)
        return -1;
    if (braces)
        skip_blanks(r, &p);
    if ((!braces || r->format == TEXT_OPENMETRICS) && take_space(r, &p) < 0)
        return -1;
    if (take_number(r, &p, "value", &s.value) < 0 || take_rest(r, &p, &s.time_ms) < 0)
        return -1;
    r->samples++;
    *out = s;
    return 1;
}

static bool is_type(const text_reader *r, text_slice word)
{
    static const char *const both[] = {"counter", "gauge", "histogram", "summary", NULL};
    static const char *const older[] = {"untyped", NULL};
    static const char *const newer[] = {"unknown", "stateset", "info", "gaugehistogram",
                                        NULL};
    const char *const *own = r->format == TEXT_OPENMETRICS ? newer : older;

    for (size_t i = 0; both[i]; i++) {
        if (is_word(word, both[i]))
            return true;
    }
    for (size_t i = 0; own[i]; i++) {
        if (is_word(word, own[i]))
            return true;
    }
    return false;
}

/* A line that begins with #. In the older format whatever is no HELP or TYPE is a comment. */
static int read_comment(text_reader *r, char *p)
{
    bool strict = r->format == TEXT_OPENMETRICS;
    text_slice name;

    p++;
    if (strict && r->line_end - r->line == 5 && memcmp(r->line, "# EOF", 5) == 0) {
        r->ended = true;
        return 0;
    }
    if (strict && take_space(r, &p) < 0)
        return -1;
    skip_blanks(r, &p);
    char *first = p;
    text_slice word = take_word(r, &p);
    bool type = is_word(word, "TYPE");
    if (!type && !is_word(word, "HELP") && !(strict && is_word(word, "UNIT")))
        return strict ? wrong(r, first, "a comment must be HELP, TYPE, UNIT or EOF") : 0;
    skip_blanks(r, &p);
    if (p == r->line_end && !strict)
        return 0;
    if (strict && take_space(r, &p) < 0)
        return -1;
    if (take_name(r, &p, true, &name) < 0)
        return -1;
    if (p == r->line_end && (!strict || !type))
        return 0;
    if (take_space(r, &p) < 0)
        return -1;
    if (!type || (p == r->line_end && !strict))
        return 0;
    first = p;
    if (!is_type(r, take_word(r, &p)))
        return wrong(r, first, "not a metric type");
    skip_blanks(r, &p);
    return p == r->line_end ? 0 : wrong(r, p, "something follows the type");
}

/* 1: there is another line; 0: there is none; -1. */
static int next_line(text_reader *r)
{
    if (r->at == r->end)
        return 0;
    r->line = r->at;
    r->line_number++;
    char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    if (!end && r->format == TEXT_OPENMETRICS &&
        (r->end - r->at != 5 || memcmp(r->at, "# EOF", 5) != 0))
        return wrong(r, r->at, "the last line does not end");
    r->line_end = end ? end : r->end;
    r->at = end ? end + 1 : r->end;
    if ((size_t)(r->line_end - r->line) > r->limits.line_bytes)
        return wrong(r, r->line, "a line of more than %zu bytes", r->limits.line_bytes);
    return r->ended ? wrong(r, r->line, "something follows # EOF") : 1;
}

void text_reader_init(text_reader *r, text_format format, char *text, size_t size,
                      const text_limits *limits)
{
    r->format = format;
    r->limits = limits ? *limits : (text_limits)TEXT_LIMITS_DEFAULT;
    if (r->limits.labels > TEXT_LABELS_MAX)
        r->limits.labels = TEXT_LABELS_MAX;
    r->at = r->line = r->line_end = text;
    r->end = text + size;
    r->line_number = 0;
    r->ended = false;
    r->samples = 0;
    r->error = (text_error){0};
}

int text_reader_next(text_reader *r, text_sample *out)
{
    int rc;

    while ((rc = next_line(r)) > 0) {
        char *p = r->line;
        skip_blanks(r, &p);
        if (p == r->line_end) {
            if (r->format == TEXT_OPENMETRICS)
                return wrong(r, p, "an empty line");
            continue;
        }
        if (*p != '#')
            return read_sample(r, p, out);
        if (read_comment(r, p) < 0)
            return -1;
    }
    if (rc == 0 && r->format == TEXT_OPENMETRICS && !r->ended)
        return wrong(r, r->line_end, "# EOF is missing: the text is not complete");
    return rc;
}

text_format text_format_of(const char *content_type)
{
    static const char openmetrics[] = "application/openmetrics-text";

    return content_type &&
                   strncasecmp(content_type, openmetrics, sizeof openmetrics - 1) == 0
               ? TEXT_OPENMETRICS
               : TEXT_PROMETHEUS;
}

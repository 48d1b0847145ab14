// SPDX-License-Identifier: Apache-2.0
/* The log. Any thread: a record is built aside and handed out in one fwrite under a lock,
 * so lines never mix. The FILE is borrowed. Invariant: one record is one line, whatever
 * its values hold; a record that grows too large loses its last fields, never its form.
 */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/err.h"

enum { RECORD_BYTES = 32 * 1024, VALUE_BYTES = 8 * 1024, USUAL_BYTES = 400 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* The one piece of state a process has here: where its log goes. */
static struct {
    pthread_mutex_t lock;
    FILE *out; /* NULL = stderr; guarded by lock */
    _Atomic int level;
    _Atomic int format;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = TW_LOG_INFO};

void tw_log_setup(FILE *out, tw_log_level level, tw_log_format format)
{
    pthread_mutex_lock(&sink.lock);
    sink.out = out;
    pthread_mutex_unlock(&sink.lock);
    atomic_store(&sink.level, (int)level);
    atomic_store(&sink.format, (int)format);
}

bool tw_log_enabled(tw_log_level level)
{
    return (int)level >= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

/* Only printable ASCII goes out unquoted; the quoted form mends what is no UTF-8. */
static bool is_bare(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] == 0x7f || s[i] == '"' || s[i] == '=' || s[i] == '\\')
            return false;
    return n > 0;
}

/* Bytes of s to print: a cut never falls inside a UTF-8 sequence. */
static size_t value_bytes(const char *s)
{
    size_t n = strnlen(s, VALUE_BYTES + 1);
    if (n <= VALUE_BYTES)
        return n;
    for (n = VALUE_BYTES; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

static void add_field(tw_buf *b, tw_log_format format, const char *key, const char *value)
{
    size_t mark = b->len;
    const char *text = value ? value : "";
    size_t n = value_bytes(text);
    if (format == TW_LOG_JSON) {
        tw_buf_add_char(b, mark ? ',' : '{');
        tw_buf_add_json_string(b, key, strlen(key));
        tw_buf_add_char(b, ':');
        tw_buf_add_json_string(b, text, n);
    } else {
        if (mark)
            tw_buf_add_char(b, ' ');
        tw_buf_add_str(b, key);
        tw_buf_add_char(b, '=');
        if (is_bare(text, n))
            tw_buf_add(b, text, n);
        else
            tw_buf_add_json_string(b, text, n);
    }
    if (b->failed)
        b->len = mark;
}

void tw_log(tw_log_level level, const char *component, const char *message, ...)
{
    if (!tw_log_enabled(level))
        return;
    tw_log_format format = (tw_log_format)atomic_load(&sink.format);
    tw_clock real;
    char ts[40];
    tw_clock_init_real(&real);
    tw_time_format_rfc3339(tw_clock_now_ms(&real), ts, sizeof ts);

    tw_buf line;
    tw_buf_init(&line, RECORD_BYTES);
    tw_buf_reserve(&line, USUAL_BYTES);
    add_field(&line, format, "ts", ts);
    add_field(&line, format, "level", level_names[level]);
    add_field(&line, format, "component", component);
    add_field(&line, format, "msg", message);
    va_list ap;
    va_start(ap, message);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;)
        add_field(&line, format, key, va_arg(ap, const char *));
    va_end(ap);

    line.failed = false;
    line.max += 2; /* room for the end of a record that was cut */
    tw_buf_add_str(&line, format == TW_LOG_JSON ? "}\n" : "\n");
    pthread_mutex_lock(&sink.lock);
    FILE *out = sink.out ? sink.out : stderr;
    fwrite(line.data, 1, line.len, out);
    fflush(out);
    pthread_mutex_unlock(&sink.lock);
    tw_buf_done(&line);
}

int tw_log_level_parse(const char *text, tw_log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *out = (tw_log_level)i;
            return TW_OK;
        }
    return TW_EINVAL;
}

int tw_log_format_parse(const char *text, tw_log_format *out)
{
    bool json = strcmp(text, "json") == 0;
    if (!json && strcmp(text, "logfmt") != 0)
        return TW_EINVAL;
    *out = json ? TW_LOG_JSON : TW_LOG_LOGFMT;
    return TW_OK;
}

const char *tw_log_int_text(tw_log_number *n, int64_t v)
{
    snprintf(n->text, sizeof n->text, "%" PRId64, v);
    return n->text;
}

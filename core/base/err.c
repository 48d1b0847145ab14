// SPDX-License-Identifier: Apache-2.0
/* Filling and printing tw_err. Any thread: an error lives in its caller's memory, nothing
 * is shared. Invariant: file and text are always terminated, cut when too long. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static void fill(tw_err *err, int code, const char *format, va_list ap)
{
    /* Formatted aside first: callers wrap an error as tw_err_set(err, ..., "%s",
     * err->text). */
    char text[sizeof err->text];
    vsnprintf(text, sizeof text, format, ap);
    err->code = code;
    snprintf(err->text, sizeof err->text, "%s", text);
}

int tw_err_set(tw_err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, format);
    fill(err, code, format, ap);
    va_end(ap);
    err->line = err->column = 0;
    err->file[0] = '\0';
    return code;
}

int tw_err_at(tw_err *err, int code, const char *file, int line, int column,
              const char *format, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, format);
    fill(err, code, format, ap);
    va_end(ap);
    err->line = line;
    err->column = column;
    if (file != err->file)
        snprintf(err->file, sizeof err->file, "%s", file ? file : "");
    return code;
}

const char *tw_err_format(const tw_err *err, char *out, unsigned long out_size)
{
    char at[sizeof err->file + 32] = "";
    if (err->file[0] && err->line > 0 && err->column > 0)
        snprintf(at, sizeof at, "%s:%d:%d: ", err->file, err->line, err->column);
    else if (err->file[0] && err->line > 0)
        snprintf(at, sizeof at, "%s:%d: ", err->file, err->line);
    else if (err->file[0])
        snprintf(at, sizeof at, "%s: ", err->file);
    else if (err->line > 0 && err->column > 0)
        snprintf(at, sizeof at, "%d:%d: ", err->line, err->column);
    else if (err->line > 0)
        snprintf(at, sizeof at, "%d: ", err->line);
    snprintf(out, out_size, "%s%s", at, err->text);
    return out;
}

const char *tw_status_name(int code)
{
    switch ((tw_status)code) {
    case TW_OK:
        return "ok";
    case TW_EINVAL:
        return "invalid";
    case TW_EPARSE:
        return "parse";
    case TW_EIO:
        return "io";
    case TW_EFULL:
        return "full";
    case TW_ELIMIT:
        return "limit";
    case TW_ENOTFOUND:
        return "not_found";
    case TW_EUNSUPPORTED:
        return "unsupported";
    case TW_ETIMEOUT:
        return "timeout";
    case TW_EAGAIN:
        return "again";
    case TW_ESTATE:
        return "state";
    case TW_ESCRIPT:
        return "script";
    case TW_EUNREACHABLE:
        return "unreachable";
    }
    return "unknown";
}

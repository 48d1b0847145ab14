// SPDX-License-Identifier: Apache-2.0
/* What went wrong, in the user's words. A tw_err is the caller's memory, filled by
 * whoever failed; the status code is also the function's return value (0 ok, negative
 * not). */
#ifndef TW_BASE_ERR_H
#define TW_BASE_ERR_H

typedef enum tw_status {
    TW_OK = 0,
    TW_EINVAL = -1, /* the caller or the user gave something that makes no sense */
    TW_EPARSE = -2, /* text or bytes that cannot be read */
    TW_EIO = -3,    /* the operating system or a peer failed */
    TW_EFULL = -4,  /* a bounded queue or buffer has no room; try again later */
    TW_ELIMIT = -5, /* a stated limit was passed */
    TW_ENOTFOUND = -6,
    TW_EUNSUPPORTED = -7, /* known, but not built yet */
    TW_ETIMEOUT = -8,
    TW_EAGAIN = -9,       /* nothing there now */
    TW_ESTATE = -10,      /* not allowed in this state */
    TW_ESCRIPT = -11,     /* a Lua function raised */
    TW_EUNREACHABLE = -12 /* a server cannot be reached */
} tw_status;

typedef struct tw_err {
    int code;       /* tw_status */
    int line;       /* 1-based, 0 = unknown */
    int column;     /* 1-based, 0 = unknown */
    char file[256]; /* "" = none */
    char text[768];
} tw_err;

/* Fill err (may be NULL) and return code, so that `return tw_err_set(...)` reads well. */
int tw_err_set(tw_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int tw_err_at(tw_err *err, int code, const char *file, int line, int column,
              const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Write "file:line:column: text" (parts that are unknown are left out) into out; returns
 * out. */
const char *tw_err_format(const tw_err *err, char *out, unsigned long out_size);

const char *tw_status_name(int code);

#endif

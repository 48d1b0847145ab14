// SPDX-License-Identifier: Apache-2.0
/* An HTTP receiver for tests, on a free port of 127.0.0.1 and a thread of its own. It is
 * strict: a request that is not a GET or a whole POST with a Content-Length that is right is
 * answered with 400 and kept as a fault. Answers are raw bytes, so they may be cut. */
#ifndef TW_TEST_HTTP_DOUBLE_H
#define TW_TEST_HTTP_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct http_double http_double;

#define HTTP_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define HTTP_HANG "hang"   /* takes the request and says nothing */
#define HTTP_CLOSE "close" /* takes the request and closes */

/* One answer a request, the last one again and again. Borrowed. */
http_double *http_double_new(const char *const *answers, size_t count);
void http_double_free(http_double *d);
const char *http_double_url(const http_double *d); /* http://127.0.0.1:PORT */

size_t http_double_count(http_double *d);
/* Of the i-th request; valid until free. */
const char *http_double_target(http_double *d, size_t i);                   /* "/path" */
const char *http_double_header(http_double *d, size_t i, const char *name); /* or NULL */
const char *http_double_body(http_double *d, size_t i);
const char *http_double_fault(http_double *d); /* NULL: every request was in order */

#endif

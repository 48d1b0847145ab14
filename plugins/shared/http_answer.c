// SPDX-License-Identifier: Apache-2.0
/* What an answer means to an outbox; declared in http_client.h. Any thread. */
#include <stdio.h>

#include "shared/http_client.h"

static void describe(const http_response *r, char *text, size_t size)
{
    size_t n;

    if (r->status == 0) {
        snprintf(text, size, "%s", r->error ? r->error : "no answer");
        return;
    }
    int w = snprintf(text, size, "%d%s", r->status, r->body_size ? ": " : "");
    n = w > 0 ? (size_t)w : 0;
    for (size_t i = 0; i < r->body_size && n + 1 < size; i++) {
        unsigned char ch = (unsigned char)r->body[i];
        text[n++] = ch < 0x20 || ch >= 0x7f ? ' ' : (char)ch;
    }
    text[n < size ? n : size - 1] = '\0';
}

static tw_answer_class class_of(const http_response *r)
{
    if (r->status == 0)
        return r->refused ? TW_ANSWER_DROP : TW_ANSWER_RETRY;
    if (r->status >= 200 && r->status < 300)
        return TW_ANSWER_DONE;
    if (r->status == 408 || r->status == 429 || r->status >= 500)
        return TW_ANSWER_RETRY;
    return r->status == 410 ? TW_ANSWER_DISABLE : TW_ANSWER_DROP;
}

tw_answer http_answer(const http_response *r, char *text, size_t size)
{
    describe(r, text, size);
    return (tw_answer){.size = sizeof(tw_answer),
                       .answer = class_of(r),
                       .retry_after_ms = r->retry_after_ms,
                       .text = text};
}

// SPDX-License-Identifier: Apache-2.0
#include "flow/text_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/mem.h"

#define MAX_PATTERN_BYTES 4096
#define MAX_TEXT_BYTES 8192
#define STEPS 100000
#define HEAP_KIB 1024

struct tw_text_pattern {
    pcre2_code *code;
    pcre2_match_data *block;
    pcre2_match_context *limits;
};

tw_text_pattern *tw_text_pattern_new(const char *pattern, tw_err *err)
{
    tw_text_pattern *p = tw_alloc(sizeof *p);
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    size_t size = strlen(pattern);
    PCRE2_SIZE at = 0;
    int code = 0;

    if (size > MAX_PATTERN_BYTES) {
        tw_err_set(err, TW_EPARSE, "the pattern is longer than %d bytes",
                   MAX_PATTERN_BYTES);
        goto fail;
    }
    p->code = pcre2_compile((PCRE2_SPTR)pattern, size, options, &code, &at, NULL);
    if (!p->code) {
        PCRE2_UCHAR why[160] = "";
        pcre2_get_error_message(code, why, sizeof why);
        tw_err_set(err, TW_EPARSE, "the pattern \"%s\" is broken at character %zu: %s",
                   pattern, (size_t)at + 1, (const char *)why);
        goto fail;
    }
    p->block = pcre2_match_data_create(1, NULL);
    p->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(p->limits, STEPS);
    pcre2_set_heap_limit(p->limits, HEAP_KIB);
    return p;

fail:
    tw_text_pattern_free(p);
    return NULL;
}

void tw_text_pattern_free(tw_text_pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->block);
    pcre2_code_free(p->code);
    tw_free(p);
}

bool tw_text_pattern_holds(const tw_text_pattern *p, const char *text)
{
    size_t size = strlen(text);

    return size <= MAX_TEXT_BYTES &&
           pcre2_match(p->code, (PCRE2_SPTR)text, size, 0, 0, p->block, p->limits) >= 0;
}

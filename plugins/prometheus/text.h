// SPDX-License-Identifier: Apache-2.0
/* Reads metrics as endpoints write them: the Prometheus text format 0.0.4 and OpenMetrics 1.0. One
 * call, one sample; nothing is allocated. The text is the caller's and writable: escapes in label
 * values are undone in place, and samples point into it until the reader is done with.
 *
 * Checked: names, UTF-8 of label values, labels that occur twice, numbers, the form of TYPE lines,
 * in OpenMetrics also the single spaces and the final `# EOF`. HELP, UNIT and exemplars are passed over
 * (exemplars must be well formed). Not checked: whether a family's samples stand together, whether one
 * TYPE contradicts another, whether buckets add up. A text 0.0.4 may lack its last line break. Any
 * thread, one at a time. */
#ifndef TW_PROMETHEUS_TEXT_H
#define TW_PROMETHEUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_NO_TIME INT64_MIN

typedef enum text_format { TEXT_PROMETHEUS, TEXT_OPENMETRICS } text_format;

enum { TEXT_LABELS_MAX = 64 };

typedef struct text_limits {
    size_t line_bytes;
    uint32_t labels;  /* of a sample, at most TEXT_LABELS_MAX */
    uint32_t samples; /* of a text; 0: any number */
} text_limits;
#define TEXT_LIMITS_DEFAULT                                                              \
    {                                                                                    \
        65536, TEXT_LABELS_MAX, 0                                                        \
    }

typedef struct text_slice {
    const char *at;
    size_t size;
} text_slice;

typedef struct text_label {
    text_slice name, value;
} text_label;

typedef struct text_sample {
    text_slice name;
    const text_label *labels;
    uint32_t label_count;
    double value;    /* NaN and Inf included */
    int64_t time_ms; /* the endpoint's stamp, or TEXT_NO_TIME */
} text_sample;

typedef struct text_error {
    int line, column; /* 1-based; columns are bytes */
    char text[160];
} text_error;

typedef struct text_reader {
    text_format format;
    text_limits limits;
    char *at, *end;
    char *line; /* the current one, and its end */
    char *line_end;
    int line_number;
    bool ended; /* `# EOF` was seen */
    uint32_t samples;
    text_label labels[TEXT_LABELS_MAX];
    text_error error;
} text_reader;

void text_reader_init(text_reader *r, text_format format, char *text, size_t size,
                      const text_limits *limits);

/* 1: a sample; 0: the end; -1: r->error says what is wrong and where. */
int text_reader_next(text_reader *r, text_sample *out);

/* What a Content-Type says; anything but OpenMetrics is taken for the older one. */
text_format text_format_of(const char *content_type);

/* Whether all bytes are UTF-8 (no surrogates, nothing longer than needed). */
bool text_is_utf8(const char *text, size_t size);

#endif

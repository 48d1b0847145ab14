// SPDX-License-Identifier: Apache-2.0
/* The structural index of a JSON text: the positions of { } [ ] : , and of the first byte
 * of every string, number and literal outside strings. The thin C face of simdjson's
 * first stage, which also checks UTF-8 and finds control characters in strings and
 * strings that do not end. One structure a thread. */
#ifndef TW_DECODE_STRUCTURE_H
#define TW_DECODE_STRUCTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tw_structure_status {
    TW_STRUCTURE_OK,
    TW_STRUCTURE_EMPTY,    /* nothing but white space */
    TW_STRUCTURE_UTF8,     /* broken UTF-8 */
    TW_STRUCTURE_UNCLOSED, /* a string does not end */
    TW_STRUCTURE_CONTROL,  /* a raw control character in a string */
    TW_STRUCTURE_NO_ROOM   /* out of memory, or beyond 4 GB */
} tw_structure_status;

typedef struct tw_structure tw_structure;

tw_structure *tw_structure_new(void);
void tw_structure_free(tw_structure *s);

/* Indexes data, reading nothing beyond size. *out_at (with three more entries of room
 * behind the last, the caller's to fill) is valid until the next call. */
tw_structure_status tw_structure_index(tw_structure *s, const char *data, size_t size,
                                       uint32_t **out_at, uint32_t *out_count);

bool tw_structure_is_utf8(const char *data, size_t size);

/* The double nearest to a number written as JSON does, whatever the locale. False when it
 * is beyond the range of a double on either side. */
bool tw_structure_double(const char *text, const char *end, double *out);

/* simdjson's version and the instruction set it uses here: "3.1.7 (haswell)". Returns out. */
const char *tw_structure_library(char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: Apache-2.0
/* Lazy reads: any path of the event that is being decoded, through the index that is
 * there anyway, or of a copy, whose bytes are indexed again at its first read and
 * remembered for the next ones. One reader a decoder. */
#ifndef TW_DECODE_READ_H
#define TW_DECODE_READ_H

#include <stdbool.h>

#include "decode/structure.h"
#include "decode/walk.h"

typedef struct tw_decode_reader {
    const tw_walk *now; /* of the event being delivered; NULL: none */
    const char *now_raw;
    uint32_t now_len;

    const tw_walk *indexed; /* the walk whose top-level keys these are; NULL: none */
    uint32_t *tops;         /* numbers of the structurals that begin them */
    uint32_t top_count;

    tw_walk copy;          /* of the bytes below */
    tw_shape shape;        /* its */
    char *bytes, *scratch; /* room each */
    uint32_t len, room;
    bool is_readable;
    tw_structure *structure;
    tw_decode_limits limits;
} tw_decode_reader;

bool tw_decode_reader_init(tw_decode_reader *r, const tw_decode_limits *limits);
void tw_decode_reader_done(tw_decode_reader *r);

extern const tw_event_reader tw_decode_event_reader; /* its self is a tw_decode_reader */

#endif

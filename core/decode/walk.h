// SPDX-License-Identifier: Apache-2.0
/* The walk over the structural index of one frame: fills the wanted slots and checks the
 * grammar of everything else on the way. Owns nothing: its memory is lent by the decoder.
 *
 * Why it cannot leave the frame: the caller has seen that the last structural closes the
 * first, and behind the last it puts the first again. So a key, a colon or a value always
 * has a structural behind it, and what follows a closing bracket is never an opening one.
 */
#ifndef TW_DECODE_WALK_H
#define TW_DECODE_WALK_H

#include "decode/decode.h"
#include "decode/plan.h"
#include "decode/shape.h"

typedef struct tw_walk {
    const char *bytes;  /* the frame */
    const char *end;    /* behind its last structural */
    const char *escape; /* the next backslash nobody checked yet, or end */
    char *scratch;      /* text without its escapes, at the place it has in the frame */
    tw_value *slots;    /* NULL: nothing is filled */
    tw_value nowhere;   /* where values go that are only passed through */
    const uint32_t *first; /* structurals */
    const uint32_t *event; /* the opening brace of the event that is walked */
    tw_shape *shape;
    bool has_escaped_keys; /* a top-level key has escapes */
    uint32_t fields;       /* seen in this event */
    uint32_t depth;
    const tw_decode_limits *limits;
    tw_err *err;
} tw_walk;

/* Starts on a frame whose structurals are first[0..count-1]. */
void tw_walk_begin(tw_walk *w, const char *bytes, const uint32_t *first, uint32_t count);
/* Reads the object whose opening brace is *s. Returns what follows it, or NULL with err
 * filled. */
const uint32_t *tw_walk_event(tw_walk *w, const uint32_t *s, const tw_decode_node *root);
/* NULL, with err filled: "not JSON at byte N: what". The first structural stands for the
 * end. */
const uint32_t *tw_walk_fault(tw_walk *w, size_t at, const char *what);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Memory of a table in blocks of some tens of kilobytes. A small table takes them from the
 * heap. From some size on they are cut from chunks of 2 MiB that ask the system for huge
 * pages: a table of a million keys is read at random, and with small pages most of the cost
 * of an update is the walk to the page. Where the system gives no huge pages, it is memory
 * like any other.
 *
 * Thread: its table's. Blocks begin on a cache line and are not zeroed. */
#ifndef TW_STATE_BLOCKS_H
#define TW_STATE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { TW_BLOCK_SIZES = 4 }; /* different sizes that a table asks for, at most */

typedef struct tw_blocks {
    struct tw_chunk *chunks;
    char *fresh; /* of the newest chunk, not handed out yet */
    size_t fresh_bytes, taken_bytes;
    struct {
        size_t bytes;
        void *first; /* given back, chained */
    } free[TW_BLOCK_SIZES];
} tw_blocks; /* zeroed: nothing taken */

void *tw_blocks_take(tw_blocks *b, size_t bytes);
void tw_blocks_give(tw_blocks *b, void *p, size_t bytes); /* NULL is fine */
/* Of every block, given back or not. */
void tw_blocks_done(tw_blocks *b);

#endif

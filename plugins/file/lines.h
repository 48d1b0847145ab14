// SPDX-License-Identifier: Apache-2.0
/* Lines of a descriptor, cut out of blocks that live as long as somebody holds a line of
 * theirs. One thread; never waits: the caller asks first whether there is something to
 * read. */
#ifndef TW_FILE_LINES_H
#define TW_FILE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct lines_block lines_block;

typedef struct lines {
    size_t max; /* longest line; what is beyond is cut */
    lines_block *block;
    size_t taken;   /* bytes of the block already given out as lines */
    bool cutting;   /* the rest of an overlong line is thrown away */
    int64_t number; /* of the last line, from 1 */
    uint64_t cut;   /* lines that were cut */
} lines;

typedef struct line {
    const char *data;
    size_t size;
    int64_t number;
    lines_block *block; /* give back with lines_release */
} line;

void lines_init(lines *l, size_t max);
void lines_done(lines *l);
/* The next whole line that is in memory; empty lines are counted and passed over. */
bool lines_next(lines *l, line *out);
/* Reads once: bytes read, 0 at the end, -1 with errno. */
ssize_t lines_read(lines *l, int fd);
/* What is left at the end of the file, without its newline. */
bool lines_last(lines *l, line *out);
void lines_release(lines_block *block);

#endif

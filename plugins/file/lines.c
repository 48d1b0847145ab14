// SPDX-License-Identifier: Apache-2.0
/* Blocks and the lines in them; see lines.h. A line that is not whole at the end of a
 * block moves to the next one, which grows when the line fills it; the reader itself holds
 * one reference to its current block. */
#include "file/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <stdlib.h>

#include "shared/settings.h"

#define BLOCK_BYTES (256u << 10)

struct lines_block {
    uint32_t refs;
    size_t size, filled;
    char data[];
};

static lines_block *block_new(size_t size)
{
    lines_block *b = malloc(sizeof *b + size);
    if (!b)
        abort();
    b->refs = 1;
    b->size = size;
    b->filled = 0;
    return b;
}

void lines_release(lines_block *block)
{
    if (block && --block->refs == 0)
        free(block);
}

void lines_init(lines *l, size_t max)
{
    *l = (lines){.max = max, .block = block_new(BLOCK_BYTES)};
}

void lines_done(lines *l)
{
    lines_release(l->block);
    l->block = NULL;
}

/* The bytes up to n after those taken, as a line; false when there is nothing in it. */
static bool give(lines *l, size_t n, line *out)
{
    const char *data = l->block->data + l->taken;
    bool cut = l->cutting;

    l->cutting = false;
    if (cut)
        return false;
    l->number++;
    if (n > l->max) {
        n = l->max;
        l->cut++;
    }
    if (n && data[n - 1] == '\r')
        n--;
    if (n == 0)
        return false;
    *out = (line){.data = data, .size = n, .number = l->number, .block = l->block};
    l->block->refs++;
    return true;
}

bool lines_next(lines *l, line *out)
{
    for (;;) {
        const char *data = l->block->data + l->taken;
        size_t left = l->block->filled - l->taken;
        const char *end = left ? memchr(data, '\n', left) : NULL;
        if (!end) {
            if (left <= l->max && !l->cutting)
                return false;
            bool given = !l->cutting && give(l, left, out);
            l->taken = l->block->filled;
            l->cutting = true;
            return given;
        }
        bool given = give(l, (size_t)(end - data), out);
        l->taken += (size_t)(end - data) + 1;
        if (given)
            return true;
    }
}

bool lines_last(lines *l, line *out)
{
    size_t left = l->block->filled - l->taken;
    bool given = left && give(l, left, out);

    l->taken = l->block->filled;
    l->cutting = false;
    return given;
}

/* Room behind what is in memory: the rest of the block, or a new block that begins with
 * the line that is not whole yet. */
static void make_room(lines *l)
{
    size_t left = l->block->filled - l->taken;

    if (left == 0 && l->block->refs == 1) {
        l->taken = l->block->filled = 0;
        return;
    }
    if (l->block->size - l->block->filled >= BLOCK_BYTES / 4)
        return;
    lines_block *b = block_new(left * 2 > BLOCK_BYTES ? left * 2 : BLOCK_BYTES);
    memcpy(b->data, l->block->data + l->taken, left);
    b->filled = left;
    lines_release(l->block);
    l->block = b;
    l->taken = 0;
}

ssize_t lines_read(lines *l, int fd)
{
    make_room(l);
    ssize_t n;
    do {
        n = read(fd, l->block->data + l->block->filled,
                 l->block->size - l->block->filled);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        l->block->filled += (size_t)n;
    return n;
}

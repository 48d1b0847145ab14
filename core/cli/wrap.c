// SPDX-License-Identifier: Apache-2.0
/* See wrap.h. */
#include "cli/wrap.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

enum { NARROWEST = 60, WIDEST = 120, UNKNOWN = 100 };

int tw_cli_width(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return UNKNOWN;
    return size.ws_col < NARROWEST ? NARROWEST
           : size.ws_col > WIDEST  ? WIDEST
                                   : size.ws_col;
}

/* Columns that text takes: bytes that do not go on a character. */
static int columns(const char *text, size_t n)
{
    int count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

void tw_cli_wrap(FILE *out, int width, int at, int indent, const char *text)
{
    bool is_first = true; /* word of its line */

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t n = strcspn(text, " ");
        int wide = columns(text, n);
        if (!is_first && at + 1 + wide > width) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
            is_first = true;
        }
        fprintf(out, "%s%.*s", is_first ? "" : " ", (int)n, text);
        at += wide + !is_first;
        is_first = false;
        text += n;
    }
    fputc('\n', out);
}

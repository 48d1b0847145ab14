// SPDX-License-Identifier: Apache-2.0
/* Where and why a call failed, written into the sandbox while the stack still stands.
 * Nothing here allocates in the Lua state or calls a metamethod: it also runs when there
 * is no memory left and when the budget is spent. */
#include <stdio.h>
#include <string.h>

#include "rule/sandbox_impl.h"

const char *tw_sandbox_reason_name(tw_sandbox_reason reason)
{
    switch (reason) {
    case TW_SANDBOX_FINE:
        return "fine";
    case TW_SANDBOX_ERROR:
        return "error";
    case TW_SANDBOX_CPU:
        return "cpu";
    case TW_SANDBOX_MEMORY:
        return "memory";
    case TW_SANDBOX_REJECTED:
        return "rejected";
    }
    return "unknown";
}

static void copy_text(char *out, size_t out_size, const char *text, size_t n)
{
    if (n >= out_size) {
        n = out_size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--; /* not in the middle of a character */
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        out[i] = c < 0x20 || c == 0x7F ? ' ' : text[i];
    }
    out[n] = '\0';
}

/* As Lua abbreviates "@file" in its messages: the end of a long name behind three dots.
 */
void tw_sandbox_set_chunk(tw_sandbox *s, const char *file)
{
    size_t n = strlen(file), room = sizeof s->short_src - 1;
    copy_text(s->chunk_file, sizeof s->chunk_file, file, n);
    if (n <= room)
        snprintf(s->short_src, sizeof s->short_src, "%s", file);
    else
        snprintf(s->short_src, sizeof s->short_src, "...%s", file + n - (room - 3));
}

static void set_place(tw_sandbox *s, const char *file, int line)
{
    copy_text(s->file, sizeof s->file, file, strlen(file));
    s->line = line;
}

/* The file of a Lua function at this level, or NULL for a C function. */
static const char *place_at(lua_State *L, lua_Debug *ar)
{
    lua_getinfo(L, "Sl", ar);
    return ar->source[0] == '@' && ar->currentline > 0 ? ar->source + 1 : NULL;
}

void tw_sandbox_note_place(tw_sandbox *s, int level)
{
    lua_Debug ar;
    s->noted = true;
    s->text[0] = '\0';
    set_place(s, s->chunk_file, 0);
    for (; lua_getstack(s->L, level, &ar); level++) {
        const char *file = place_at(s->L, &ar);
        if (file != NULL) {
            set_place(s, file, ar.currentline);
            return;
        }
    }
}

/* The length of "short_src:LINE: " in front of text, or 0. */
static size_t prefix_length(const char *text, const char *short_src, int *out_line)
{
    size_t n = strlen(short_src);
    if (n == 0 || strncmp(text, short_src, n) != 0 || text[n] != ':')
        return 0;
    size_t i = n + 1;
    int line = 0;
    for (; text[i] >= '0' && text[i] <= '9' && line < 100000000; i++)
        line = line * 10 + (text[i] - '0');
    if (i == n + 1 || text[i] != ':' || text[i + 1] != ' ')
        return 0;
    *out_line = line;
    return i + 2;
}

/* A message says where it comes from; that may be above the place where it was raised. */
static size_t take_place_from(tw_sandbox *s, const char *text)
{
    int line = 0;
    size_t skip = prefix_length(text, s->short_src, &line);
    if (skip > 0) {
        set_place(s, s->chunk_file, line);
        return skip;
    }
    lua_Debug ar;
    for (int level = 1; level < 32 && lua_getstack(s->L, level, &ar); level++) {
        const char *file = place_at(s->L, &ar);
        skip = file != NULL ? prefix_length(text, ar.short_src, &line) : 0;
        if (skip > 0) {
            set_place(s, file, line);
            return skip;
        }
    }
    return 0;
}

int tw_sandbox_on_error(lua_State *L)
{
    tw_sandbox *s = tw_sandbox_of(L);
    if (s->final != TW_SANDBOX_FINE)
        return 1;
    tw_sandbox_note_place(s, 1);
    if (lua_type(L, 1) == LUA_TSTRING) {
        size_t n;
        const char *text = lua_tolstring(L, 1, &n);
        size_t skip = take_place_from(s, text);
        copy_text(s->text, sizeof s->text, text + skip, n - skip);
    } else if (lua_isinteger(L, 1)) {
        snprintf(s->text, sizeof s->text, "%lld", (long long)lua_tointeger(L, 1));
    } else if (lua_type(L, 1) == LUA_TNUMBER) {
        snprintf(s->text, sizeof s->text, "%.14g", lua_tonumber(L, 1));
    } else {
        snprintf(s->text, sizeof s->text, "the error value is a %s", luaL_typename(L, 1));
    }
    return 1;
}

static int fill_cpu(const tw_sandbox *s, tw_err *err)
{
    int64_t ms = atomic_load(&s->guard->budget_ns) / 1000000;
    if (s->dead)
        return tw_err_at(
            err, TW_ELIMIT, s->chunk_file, 0, 0,
            "ran past its CPU budget of %lld ms inside one step and was given up",
            (long long)ms);
    return tw_err_at(err, TW_ELIMIT, s->file, s->line, 0,
                     "ran past its CPU budget of %lld ms", (long long)ms);
}

static int fill_memory(const tw_sandbox *s, tw_err *err)
{
    if (s->refused_deep)
        return tw_err_at(
            err, TW_ELIMIT, s->file, s->line, 0,
            "ran out of memory more than 5000 calls deep: a recursion without an end?");
    if (s->refused_size)
        return tw_err_at(err, TW_ELIMIT, s->file, s->line, 0,
                         "made a string longer than %zu KiB or a table too large",
                         s->limits.string_bytes >> 10);
    return tw_err_at(err, TW_ELIMIT, s->file, s->line, 0,
                     "needed more than its %zu MiB of memory",
                     s->limits.memory_bytes >> 20);
}

int tw_sandbox_fill_err(tw_sandbox *s, tw_err *err)
{
    if (!s->noted && !s->dead)
        set_place(s, s->chunk_file, 0);
    switch (s->last) {
    case TW_SANDBOX_FINE:
        return TW_OK;
    case TW_SANDBOX_CPU:
        return fill_cpu(s, err);
    case TW_SANDBOX_MEMORY:
        return fill_memory(s, err);
    case TW_SANDBOX_ERROR:
        return tw_err_at(err, TW_ESCRIPT, s->file, s->line, 0, "%s",
                         s->text[0] != '\0' ? s->text : "an error without a message");
    case TW_SANDBOX_REJECTED:
        return tw_err_at(err, TW_EPARSE, s->file, s->line, 0, "%s", s->text);
    }
    return TW_ESCRIPT;
}

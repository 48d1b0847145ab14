// SPDX-License-Identifier: Apache-2.0
/* The registry of field paths of one stream, and the projections cut from it. The
 * registry is changed on the shore; a field never moves once it has a slot, so lanes may
 * hold on to it. Invariant: two spellings of one path get one slot, because only the
 * canonical text is looked up. */
#include "flow/fields.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

#define MAX_PATH_BYTES 1024

struct tw_fields {
    tw_field *at[TW_MAX_FIELDS]; /* by slot; reserved ones NULL */
    uint32_t count;
    tw_map *by_path; /* canonical path to slot number */
};

static const char *const reserved_paths[TW_SLOT_FIRST_FIELD] = {
    [TW_SLOT_TIME] = "@time",
    [TW_SLOT_STREAM] = "@stream",
    [TW_SLOT_PARTITION] = "@partition",
    [TW_SLOT_OFFSET] = "@offset",
};

static int reserved_slot(const char *path)
{
    for (int slot = 0; slot < TW_SLOT_FIRST_FIELD; slot++) {
        if (strcmp(path, reserved_paths[slot]) == 0) {
            return slot;
        }
    }
    return -1;
}

static void free_field(tw_field *field)
{
    if (!field) {
        return;
    }
    for (uint32_t n = 0; n < field->step_count; n++) {
        tw_free((char *)(uintptr_t)field->steps[n].name);
    }
    tw_free(field->path);
    tw_free(field);
}

tw_fields *tw_fields_new(void)
{
    tw_fields *f = tw_alloc(sizeof *f);

    f->count = TW_SLOT_FIRST_FIELD;
    f->by_path = tw_map_new(NULL);
    return f;
}

void tw_fields_free(tw_fields *f)
{
    if (!f) {
        return;
    }
    for (uint32_t slot = 0; slot < f->count; slot++) {
        free_field(f->at[slot]);
    }
    tw_map_free(f->by_path);
    tw_free(f);
}

/* ---- reading a path ---------------------------------------------------------------- */

typedef struct path_reader {
    const char *text, *at;
    tw_field *field;
    tw_err *err;
} path_reader;

static int bad_path(path_reader *r, const char *what)
{
    return tw_err_set(r->err, TW_EPARSE, "field path \"%s\": %s at column %d", r->text,
                      what, (int)(r->at - r->text) + 1);
}

static int add_step(path_reader *r, tw_path_step step)
{
    if (r->field->step_count == TW_MAX_PATH_STEPS) {
        tw_free((char *)(uintptr_t)step.name);
        return tw_err_set(r->err, TW_ELIMIT, "field path \"%s\" has more than %d steps",
                          r->text, TW_MAX_PATH_STEPS);
    }
    r->field->steps[r->field->step_count++] = step;
    return TW_OK;
}

static int add_name(path_reader *r, const char *name, size_t n)
{
    return add_step(r,
                    (tw_path_step){.name = tw_strndup(name, n), .name_len = (uint32_t)n});
}

static bool ends_name(char c)
{
    return c == '\0' || c == '.' || c == '[' || c == ']' || c == '"' ||
           (unsigned char)c < 0x20;
}

static int read_name(path_reader *r)
{
    const char *start = r->at;

    while (!ends_name(*r->at)) {
        r->at++;
    }
    if (r->at == start) {
        return bad_path(r, "a name is missing");
    }
    return add_name(r, start, (size_t)(r->at - start));
}

/* Behind the opening quote; `\"` and `\\` stand for themselves. */
static int read_quoted(path_reader *r)
{
    char name[MAX_PATH_BYTES];
    size_t n = 0;

    while (*r->at != '"') {
        if (*r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\')) {
            r->at++;
        }
        if (*r->at == '\0') {
            return bad_path(r, "the quoted name does not end");
        }
        name[n++] = *r->at++; /* the path is shorter than the buffer */
    }
    r->at++;
    return add_name(r, name, n);
}

static int read_index(path_reader *r)
{
    const char *start = r->at;
    uint32_t index = 0;

    while (*r->at >= '0' && *r->at <= '9' && r->at - start < 9) {
        index = index * 10 + (uint32_t)(*r->at++ - '0');
    }
    if (r->at == start) {
        return bad_path(r, "a number or a quoted name is missing");
    }
    if (r->field->step_count == 0) {
        return bad_path(r,
                        "an event is an object: a path begins with a name, not an index");
    }
    return add_step(r, (tw_path_step){.name = NULL, .index = index});
}

static int read_bracket(path_reader *r)
{
    int rc;

    r->at++;
    if (*r->at == '"') {
        r->at++;
        rc = read_quoted(r);
    } else {
        rc = read_index(r);
    }
    if (rc < 0) {
        return rc;
    }
    if (*r->at != ']') {
        return bad_path(r, "a ] is missing");
    }
    r->at++;
    return TW_OK;
}

static int read_steps(path_reader *r)
{
    int rc = *r->at == '[' ? read_bracket(r) : read_name(r);

    while (rc == TW_OK && *r->at != '\0') {
        if (*r->at == '[') {
            rc = read_bracket(r);
        } else if (*r->at == '.') {
            r->at++;
            rc = read_name(r);
        } else {
            rc = bad_path(r, "a . or [ is missing");
        }
    }
    return rc;
}

/* ---- the canonical text ------------------------------------------------------------ */

static bool needs_quotes(const tw_field *field, const tw_path_step *step)
{
    if (step->name_len == 0 ||
        (field->step_count == 1 && reserved_slot(step->name) >= 0)) {
        return true;
    }
    for (uint32_t n = 0; n < step->name_len; n++) {
        if (ends_name(step->name[n])) {
            return true;
        }
    }
    return false;
}

static void write_quoted(const tw_path_step *step, tw_buf *out)
{
    (void)tw_buf_add_str(out, "[\"");
    for (uint32_t n = 0; n < step->name_len; n++) {
        if (step->name[n] == '"' || step->name[n] == '\\') {
            (void)tw_buf_add_char(out, '\\');
        }
        (void)tw_buf_add_char(out, step->name[n]);
    }
    (void)tw_buf_add_str(out, "\"]");
}

static char *canonical_path(const tw_field *field)
{
    tw_buf out;

    tw_buf_init(&out, 4 * MAX_PATH_BYTES);
    for (uint32_t n = 0; n < field->step_count; n++) {
        const tw_path_step *step = &field->steps[n];
        if (!step->name) {
            (void)tw_buf_printf(&out, "[%u]", step->index);
        } else if (needs_quotes(field, step)) {
            write_quoted(step, &out);
        } else {
            (void)tw_buf_add_str(&out, n ? "." : "");
            (void)tw_buf_add(&out, step->name, step->name_len);
        }
    }
    return tw_buf_take(&out, NULL);
}

/* ---- slots ------------------------------------------------------------------------- */

static int add_field(tw_fields *f, tw_field *field, tw_err *err)
{
    if (f->count == TW_MAX_FIELDS) {
        return tw_err_set(
            err, TW_ELIMIT,
            "field path \"%s\": no more room: a stream has %d fields, those of "
            "earlier rule sets included until the engine is started again",
            field->path, TW_MAX_FIELDS - TW_SLOT_FIRST_FIELD);
    }
    f->at[f->count] = field;
    tw_map_put(f->by_path, field->path, (void *)(uintptr_t)f->count);
    return (int)f->count++;
}

int tw_fields_slot(tw_fields *f, const char *path, tw_err *err)
{
    int slot = reserved_slot(path);
    if (slot >= 0) {
        return slot;
    }
    if (strlen(path) >= MAX_PATH_BYTES) {
        return tw_err_set(err, TW_ELIMIT,
                          "field path \"%.40s...\" is longer than %d bytes", path,
                          MAX_PATH_BYTES - 1);
    }

    tw_field *field = tw_alloc(sizeof *field);
    path_reader r = {.text = path, .at = path, .field = field, .err = err};
    slot = read_steps(&r);
    if (slot < 0) {
        goto drop;
    }
    field->path = canonical_path(field);
    slot = (int)(uintptr_t)tw_map_get(f->by_path, field->path);
    if (slot > 0) {
        goto drop;
    }
    slot = add_field(f, field, err);
    if (slot >= 0) {
        return slot;
    }

drop:
    free_field(field);
    return slot;
}

const tw_field *tw_fields_at(const tw_fields *f, uint32_t slot)
{
    return slot < TW_MAX_FIELDS ? f->at[slot] : NULL;
}

void tw_fields_forget(tw_fields *f, uint32_t count)
{
    while (f->count > count) {
        tw_field *field = f->at[--f->count];
        tw_map_remove(f->by_path, field->path);
        free_field(field);
        f->at[f->count] = NULL;
    }
}

uint32_t tw_fields_count(const tw_fields *f)
{
    return f->count;
}

/* ---- projections ------------------------------------------------------------------- */

tw_projection *tw_projection_new(const tw_fields *f, const uint32_t *wanted,
                                 uint32_t count)
{
    bool is_wanted[TW_MAX_FIELDS] = {false};
    tw_projection *p = tw_alloc(sizeof *p);

    p->fields = f;
    p->slot_count = f->count;
    for (uint32_t n = 0; n < count; n++) {
        if (wanted[n] >= TW_SLOT_FIRST_FIELD && wanted[n] < f->count) {
            p->count += !is_wanted[wanted[n]];
            is_wanted[wanted[n]] = true;
        }
    }
    p->slots = tw_calloc(p->count + 1, sizeof *p->slots);
    for (uint32_t slot = 0, n = 0; n < p->count; slot++) {
        if (is_wanted[slot]) {
            p->slots[n++] = slot;
        }
    }
    return p;
}

void tw_projection_free(tw_projection *p)
{
    if (!p) {
        return;
    }
    tw_free(p->slots);
    tw_free(p);
}

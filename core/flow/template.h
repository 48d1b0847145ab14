// SPDX-License-Identifier: Apache-2.0
/* Strings with `${path}` in an alert or an emitted event, compiled once per rule. A path is a
 * plain look-up, never an expression. What it means is decided when it is compiled:
 * detector result names first ("value", "count", named values, "level", "from", "start", ...),
 * then the rule's key fields, its enrich names, `first.` + field, else a field of the newest event.
 * Parameters are put in as text at compile time (`${params.fire}`). Behind a colon it says how a number is written
 * (number_format.h); what is no number is written as ever. */
#ifndef TW_FLOW_TEMPLATE_H
#define TW_FLOW_TEMPLATE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "flow/number_format.h"
#include "flow/value.h"

typedef enum tw_part_kind {
    TW_PART_LITERAL,
    TW_PART_RESULT, /* text: the result's name */
    TW_PART_KEY,    /* index: which key field */
    TW_PART_ENRICH, /* text: "owner.team" */
    TW_PART_FIELD,  /* index: place in the rule's `carried` slots (newest event) */
    TW_PART_FIRST,  /* index: place in the rule's `carried_first` slots (first event) */
    TW_PART_FACT,   /* index: place in the rule's facts */
    TW_PART_ROLE,   /* role and which; index: place in the rule's `kept` */
    TW_PART_ROLE_COUNT, /* role: how many events it stands for */
    TW_PART_ROLE_TIME   /* role and which: the event's time */
} tw_part_kind;

typedef struct tw_part {
    tw_part_kind kind;
    uint32_t index;
    uint32_t role;
    bool first; /* of a role's events the first; else the last */
    char *text; /* owned */
    tw_number_format format;
} tw_part;

typedef struct tw_template {
    char *source; /* as written */
    tw_part *parts;
    uint32_t count;
} tw_template;

/* Answers what each kind of path is while compiling. May register a field. */
typedef struct tw_template_names {
    int (*classify)(void *self, const char *path, tw_part *out, tw_err *err);
    void *self;
} tw_template_names;

/* Values while rendering: a new jansson reference, or NULL for "nothing there". */
typedef struct tw_template_values {
    json_t *(*get)(void *self, const tw_part *part);
    void *self;
} tw_template_values;

int tw_template_compile(tw_template *t, const char *source,
                        const tw_template_names *names,
                        tw_err *err); /* TW_EPARSE: unclosed ${, empty path, not a path */
void tw_template_done(tw_template *t);
/* As text; nothing there gives "". Objects and arrays as JSON. */
int tw_template_render(const tw_template *t, const tw_template_values *values,
                       tw_buf *out);
/* For people: the same, with fractions rounded to four digits. */
int tw_template_say(const tw_template *t, const tw_template_values *values, tw_buf *out);
/* Whether it is exactly one `${path}`, whose value keeps its type. */
bool tw_template_is_path(const tw_template *t);
/* A template that is exactly one `${path}` keeps the value's type; others give a string. New
 * reference; NULL when the one path has nothing. */
json_t *tw_template_value(const tw_template *t, const tw_template_values *values);

#endif

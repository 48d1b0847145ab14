// SPDX-License-Identifier: Apache-2.0
/* Configuration trees: YAML (1.2 core typing: only true/false/null, ints and floats are
 * not strings) or JSON read into one jansson tree that remembers where each value stood,
 * checked against a table-driven schema. `${env:NAME}` and `${file:PATH}` in strings are
 * put in while loading and mark the value as secret: it is never printed. PATH counts
 * from the folder of the configuration, one newline at the file's end is cut, `$${`
 * writes a plain `${`. */
#ifndef TW_BASE_CONF_H
#define TW_BASE_CONF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A loaded document: the tree, its positions, its secrets. */
typedef struct tw_conf tw_conf;

/* By extension (.json is JSON, the rest YAML). Limits: 1 MiB, depth 64, 100 aliases. */
tw_conf *tw_conf_load(const char *path, tw_err *err);
tw_conf *tw_conf_parse(const char *text, size_t n, const char *file, tw_err *err);
void tw_conf_free(tw_conf *c);
json_t *tw_conf_root(tw_conf *c); /* borrowed */
const char *tw_conf_file(const tw_conf *c);
/* Position of a value of this tree (by node identity) or of a key of an object; false
 * when unknown. */
bool tw_conf_where(const tw_conf *c, const json_t *node, int *out_line, int *out_column);
bool tw_conf_where_key(const tw_conf *c, const json_t *object, const char *key,
                       int *out_line, int *out_column);
bool tw_conf_is_secret(const tw_conf *c, const json_t *node);

typedef enum tw_conf_type {
    TW_CONF_STRING,
    TW_CONF_INT,
    TW_CONF_NUMBER,
    TW_CONF_BOOL,
    TW_CONF_DURATION, /* "5s"; default and filled value stay text */
    TW_CONF_SIZE,     /* "10MB", "64KiB" or a number of bytes */
    TW_CONF_ENUM,     /* one of `choices` */
    TW_CONF_LIST,     /* of `items` */
    TW_CONF_OBJECT,   /* with `fields` */
    TW_CONF_MAP,      /* any key to `items` */
    TW_CONF_ANY       /* checked by somebody else (plugin settings) */
} tw_conf_type;

typedef struct tw_conf_field {
    const char *name; /* NULL ends a table */
    tw_conf_type type;
    const char *doc;
    const char *fallback;               /* JSON text filled in when missing, or NULL */
    const char *const *choices;         /* ENUM, NULL-terminated */
    const struct tw_conf_field *fields; /* OBJECT */
    const struct tw_conf_field *items;  /* LIST, MAP: one unnamed field (name "") */
    double min, max;                    /* INT, NUMBER: checked when min < max */
    bool required, secret, string_ok;   /* string_ok: LIST also takes one plain item */
} tw_conf_field;

/* Check and fill `node` in place. A key without a value counts as missing; text from env
 * or file becomes the number or bool that the field wants. Unknown key (with nearest
 * name), wrong type, missing value: the first finding in err with file, line, column. */
int tw_conf_check(tw_conf *c, json_t *node, const tw_conf_field *fields, tw_err *err);

/* The same to the end: `found` gets each finding. Returns how many there were. */
size_t tw_conf_check_all(tw_conf *c, json_t *node, const tw_conf_field *fields,
                         void (*found)(void *self, const tw_err *err), void *self);

/* JSON Schema 2020-12. New reference. */
json_t *tw_conf_schema(const tw_conf_field *fields);
/* A deep copy in which secrets, by schema or by origin, read "<secret>". New reference.
 */
json_t *tw_conf_redacted(const tw_conf *c, const json_t *node,
                         const tw_conf_field *fields);

/* The tree as YAML, which reads back as the same tree. tw_free. */
char *tw_conf_yaml(const json_t *tree);

/* KB MB GB TB are 1000s, KiB MiB GiB TiB 1024s. TW_EPARSE. */
int tw_size_parse(const char *text, int64_t *out_bytes);

/* Reading a checked tree: the value is known to be there and of its type. */
const char *tw_conf_str(const json_t *object, const char *key); /* NULL when absent */
int64_t tw_conf_int(const json_t *object, const char *key);
double tw_conf_num(const json_t *object, const char *key);
bool tw_conf_bool(const json_t *object, const char *key);
int64_t tw_conf_ms(const json_t *object, const char *key);    /* a DURATION */
int64_t tw_conf_bytes(const json_t *object, const char *key); /* a SIZE */

#endif

// SPDX-License-Identifier: Apache-2.0
/* What the parts of base/conf share: the tree under construction. Included by conf_*.c
 * only. One thread at a time. Invariant: a node with a place is kept alive as long as the
 * tw_conf, so that its address never comes to mean another value. */
#ifndef TW_BASE_CONF_TREE_H
#define TW_BASE_CONF_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/map.h"

enum {
    TW_CONF_MAX_BYTES = 1024 * 1024,
    TW_CONF_MAX_DEPTH = 64,
    TW_CONF_MAX_ALIASES = 100,
    TW_CONF_MAX_COPIES = 100000 /* values that aliases may repeat, all together */
};

typedef struct tw_conf_place {
    int line, column;
    bool secret;
} tw_conf_place;

struct tw_conf {
    char *file;
    json_t *root;
    json_t *kept;  /* values that the check replaced */
    tw_map *nodes; /* address of a value -> tw_conf_place */
    tw_map *keys;  /* address of an object and a key -> tw_conf_place of the key */
};

/* Note where a value stood. true, false and null are single objects and have no place. */
void tw_conf_set_place(tw_conf *c, const json_t *node, tw_conf_place place);
void tw_conf_set_key_place(tw_conf *c, const json_t *object, const char *key,
                           tw_conf_place place);
const tw_conf_place *tw_conf_find_place(const tw_conf *c, const json_t *node);
const tw_conf_place *tw_conf_find_key_place(const tw_conf *c, const json_t *object,
                                            const char *key);

/* A string value, `${env:}` and `${file:}` put in, placed at `at`. NULL with err. */
json_t *tw_conf_new_text(tw_conf *c, const char *s, size_t n, tw_conf_place at,
                         tw_err *err);

/* Enter key and value (reference taken, also on failure) into object; a duplicate is an
 * error. */
int tw_conf_enter(tw_conf *c, json_t *object, const char *key, tw_conf_place at,
                  json_t *value, tw_err *err);

/* What YAML 1.2's core schema makes of an unquoted text: null, a bool, a number (new
 * reference), or NULL: it is a string, or *out_problem says why it cannot be held. */
json_t *tw_conf_core_value(const char *s, size_t n, const char **out_problem);

json_t *tw_conf_read_yaml(tw_conf *c, const char *text, size_t n, tw_err *err);
json_t *tw_conf_read_json(tw_conf *c, const char *text, size_t n, tw_err *err);

#endif

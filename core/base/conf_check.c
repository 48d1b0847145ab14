// SPDX-License-Identifier: Apache-2.0
/* Checking a configuration tree against a table of fields and filling in what is missing.
 * One thread at a time. Invariant: what is checked once passes again unchanged, and a
 * value that came from a secret never gets into a message. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/conf_tree.h"
#include "base/duration.h"
#include "base/nearest.h"

enum { MAX_NAMES = 128, SHOWN_BYTES = 40 };

typedef enum step { AT_ROOT, AT_FIELD, AT_ENTRY, AT_ITEM } step;

/* One step of the way from the checked node down to where we are; lives on the stack. */
typedef struct spot {
    const struct spot *outer;
    step step;
    json_t *parent;   /* holds the value under `name` or `index` */
    const char *name; /* AT_FIELD, AT_ENTRY */
    size_t index;     /* AT_ITEM */
} spot;

typedef struct checker {
    tw_conf *c;
    tw_err *err;
    void (*found)(void *self, const tw_err *err); /* NULL: the first one ends it */
    void *self;
    size_t count;
} checker;

static int check_value(checker *k, json_t *node, const tw_conf_field *field,
                       const spot *at);
static int check_object(checker *k, json_t *node, const tw_conf_field *fields,
                        const spot *at);
static int refuse_type(checker *k, const json_t *node, const char *wanted,
                       const spot *at);

int tw_conf_check(tw_conf *c, json_t *node, const tw_conf_field *fields, tw_err *err)
{
    checker k = {.c = c, .err = err};
    spot root = {.step = AT_ROOT};
    return check_object(&k, node, fields, &root);
}

size_t tw_conf_check_all(tw_conf *c, json_t *node, const tw_conf_field *fields,
                         void (*found)(void *self, const tw_err *err), void *self)
{
    tw_err err = {0};
    checker k = {.c = c, .err = &err, .found = found, .self = self};
    spot root = {.step = AT_ROOT};
    check_object(&k, node, fields, &root);
    return k.count;
}

/* ---- naming a place: "'format' in stream 'requests'" ---- */

/* What the user wrote, in quotes; cut between two characters, so that a message stays text. */
static void add_shown(tw_buf *out, const char *text)
{
    size_t n = strlen(text), shown = n > SHOWN_BYTES ? SHOWN_BYTES : n;

    while (shown < n && ((unsigned char)text[shown] & 0xC0) == 0x80)
        shown--;
    tw_buf_printf(out, "'%.*s%s'", (int)shown, text, shown < n ? "..." : "");
}

static void add_singular(tw_buf *out, const char *name)
{
    size_t n = strlen(name);
    if (n > 3 && strcmp(name + n - 3, "ies") == 0)
        tw_buf_printf(out, "%.*sy", (int)(n - 3), name);
    else if (n > 1 && name[n - 1] == 's')
        tw_buf_add(out, name, n - 1);
    else
        tw_buf_add(out, name, n);
}

static void add_spot(tw_buf *out, const spot *at)
{
    const spot *owner = at->outer; /* the list or map that an entry belongs to */
    switch (at->step) {
    case AT_ROOT:
        tw_buf_add_str(out, "the configuration");
        return;
    case AT_FIELD:
        tw_buf_printf(out, "'%s'", at->name);
        break;
    case AT_ENTRY:
        if (owner->name && owner->step == AT_FIELD)
            add_singular(out, owner->name);
        else
            tw_buf_add_str(out, "entry");
        tw_buf_add_char(out, ' ');
        add_shown(out, at->name);
        owner = owner->outer;
        break;
    case AT_ITEM:
        tw_buf_printf(out, "item %zu", at->index + 1);
        if (owner->name) {
            tw_buf_add_str(out, " of ");
            add_shown(out, owner->name);
        }
        owner = owner->outer;
        break;
    }
    if (!owner || owner->step == AT_ROOT)
        return;
    tw_buf_add_str(out, " in ");
    add_spot(out, owner);
}

static void add_inside(tw_buf *out, const spot *at)
{
    if (at->step == AT_ROOT)
        return;
    tw_buf_add_str(out, " in ");
    add_spot(out, at);
}

/* Whoever calls this is done with the value; what stands beside it is looked at if all is to be found. */
static int fail(checker *k, const tw_conf_place *place, const tw_buf *message)
{
    int rc = tw_err_at(k->err, TW_EINVAL, k->c->file, place ? place->line : 0,
                       place ? place->column : 0, "%s", message->data);

    if (!k->found)
        return rc;
    k->found(k->self, k->err);
    k->count++;
    return TW_OK;
}

static const tw_conf_place *place_of_key(checker *k, const spot *at)
{
    if (at->step == AT_FIELD || at->step == AT_ENTRY)
        return tw_conf_find_key_place(k->c, at->parent, at->name);
    return NULL;
}

static const tw_conf_place *place_of_value(checker *k, const json_t *node, const spot *at)
{
    const tw_conf_place *place = tw_conf_find_place(k->c, node);
    if (!place)
        place = place_of_key(k, at);
    return place ? place : tw_conf_find_place(k->c, at->parent);
}

/* ---- objects: unknown keys, missing values, defaults ---- */

static int refuse_key(checker *k, json_t *object, const char *key,
                      const tw_conf_field *fields, const spot *at)
{
    const char *names[MAX_NAMES];
    size_t count = 0;
    for (; fields[count].name && count < MAX_NAMES; count++)
        names[count] = fields[count].name;
    const char *nearest = tw_nearest(key, names, count);
    tw_buf m;
    tw_buf_init(&m, sizeof k->err->text);
    tw_buf_add_str(&m, "unknown key ");
    add_shown(&m, key);
    add_inside(&m, at);
    if (nearest)
        tw_buf_printf(&m, " (did you mean '%s'?)", nearest);
    int rc = fail(k, tw_conf_find_key_place(k->c, object, key), &m);
    tw_buf_done(&m);
    return rc;
}

static int refuse_missing(checker *k, json_t *object, const char *name, const spot *at)
{
    const tw_conf_place *place =
        tw_conf_find_key_place(k->c, object, name); /* `name:` alone */
    if (!place)
        place = place_of_key(k, at);
    if (!place)
        place = tw_conf_find_place(k->c, object);
    tw_buf m;
    tw_buf_init(&m, sizeof k->err->text);
    tw_buf_printf(&m, "'%s' is missing", name);
    add_inside(&m, at);
    int rc = fail(k, place, &m);
    tw_buf_done(&m);
    return rc;
}

static bool is_known(const tw_conf_field *fields, const char *key)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, key) == 0)
            return true;
    return false;
}

static int check_field(checker *k, json_t *object, const tw_conf_field *field,
                       const spot *at)
{
    spot inner = {.outer = at, .step = AT_FIELD, .parent = object, .name = field->name};
    json_t *value = json_object_get(object, field->name);
    /* A key with nothing behind it is a key not given: its lines may be commented out. */
    if (json_is_null(value) && field->type != TW_CONF_ANY)
        value = NULL;
    if (value)
        return check_value(k, value, field, &inner);
    if (field->required)
        return refuse_missing(k, object, field->name, at);
    json_object_del(object, field->name);
    if (!field->fallback)
        return TW_OK;
    json_error_t why;
    value = json_loads(field->fallback, JSON_DECODE_ANY, &why);
    if (!value)
        return tw_err_set(k->err, TW_EINVAL, "the default of '%s' is not JSON: %s",
                          field->name, why.text);
    json_object_set_new(object, field->name, value);
    return check_value(k, value, field, &inner);
}

static int check_object(checker *k, json_t *node, const tw_conf_field *fields,
                        const spot *at)
{
    const char *key;
    json_t *value;
    if (!json_is_object(node))
        return refuse_type(k, node, "a map of keys and values", at);
    json_object_foreach(node, key, value)
    {
        int rc = is_known(fields, key) ? TW_OK : refuse_key(k, node, key, fields, at);
        if (rc < 0)
            return rc;
    }
    for (; fields->name; fields++) {
        int rc = check_field(k, node, fields, at);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

/* ---- values ---- */

static void add_found(tw_buf *out, const json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        tw_buf_add_str(out, "a map");
        return;
    case JSON_ARRAY:
        tw_buf_add_str(out, "a list");
        return;
    case JSON_STRING:
        add_shown(out, json_string_value(node));
        return;
    case JSON_INTEGER:
        tw_buf_add_int(out, json_integer_value(node));
        return;
    case JSON_REAL:
        tw_buf_add_double(out, json_real_value(node));
        return;
    case JSON_TRUE:
        tw_buf_add_str(out, "true");
        return;
    case JSON_FALSE:
        tw_buf_add_str(out, "false");
        return;
    case JSON_NULL:
        tw_buf_add_str(out, "nothing");
        return;
    }
}

/* Secret by origin; true and false have no place of their own, so their key tells. */
static bool is_secret(checker *k, const json_t *node, const spot *at)
{
    const tw_conf_place *key = place_of_key(k, at);
    return tw_conf_is_secret(k->c, node) || (key && key->secret);
}

static int refuse_value(checker *k, const json_t *node, const char *wanted,
                        const char *hint, const spot *at)
{
    tw_buf m;
    tw_buf_init(&m, sizeof k->err->text);
    add_spot(&m, at);
    tw_buf_printf(&m, " must be %s", wanted);
    if (!is_secret(k, node, at)) {
        tw_buf_add_str(&m, ", not ");
        add_found(&m, node);
        tw_buf_add_str(&m, hint);
    }
    int rc = fail(k, place_of_value(k, node, at), &m);
    tw_buf_done(&m);
    return rc;
}

static int refuse_type(checker *k, const json_t *node, const char *wanted, const spot *at)
{
    return refuse_value(k, node, wanted, "", at);
}

/* Put `value` (taken) where `node` stood. The old one is kept: its place is its address.
 */
static void replace(checker *k, json_t *node, json_t *value, const spot *at)
{
    const tw_conf_place *place = tw_conf_find_place(k->c, node);
    const tw_conf_place *key = place_of_key(k, at);
    if (place && place->secret && key)
        tw_conf_set_key_place(k->c, at->parent, at->name,
                              (tw_conf_place){key->line, key->column, true});
    if (place)
        tw_conf_set_place(k->c, value, *place);
    json_array_append(k->c->kept, node);
    if (at->step == AT_ITEM)
        json_array_set_new(at->parent, at->index, value);
    else
        json_object_set_new(at->parent, at->name, value);
}

static int check_string(checker *k, const json_t *node, const char *wanted,
                        const spot *at)
{
    if (json_is_string(node))
        return TW_OK;
    bool quotable = json_is_number(node) || json_is_boolean(node);
    return refuse_value(k, node, wanted, quotable ? " (put it in quotes)" : "", at);
}

static int check_range(checker *k, const json_t *node, const tw_conf_field *field,
                       const spot *at)
{
    double v = json_number_value(node);
    if (field->min >= field->max || (v >= field->min && v <= field->max))
        return TW_OK;
    char min[32], max[32], wanted[96];
    tw_double_format(min, field->min);
    tw_double_format(max, field->max);
    if (field->max >= 1e15)
        snprintf(wanted, sizeof wanted, "at least %s", min);
    else
        snprintf(wanted, sizeof wanted, "between %s and %s", min, max);
    return refuse_value(k, node, wanted, "", at);
}

/* Numbers and bools out of the environment arrive as text; they get the type they look
 * like. */
static json_t *retyped(checker *k, json_t *node, const spot *at)
{
    const char *problem;
    if (!json_is_string(node) || !is_secret(k, node, at) || at->step == AT_ROOT)
        return node;
    json_t *value =
        tw_conf_core_value(json_string_value(node), json_string_length(node), &problem);
    if (!value)
        return node;
    replace(k, node, value, at);
    return value;
}

static int check_number(checker *k, json_t *node, const tw_conf_field *field,
                        const spot *at)
{
    node = retyped(k, node, at);
    if (field->type == TW_CONF_BOOL)
        return json_is_boolean(node) ? TW_OK : refuse_type(k, node, "true or false", at);
    if (field->type == TW_CONF_INT && !json_is_integer(node))
        return refuse_type(k, node, "a whole number", at);
    if (!json_is_number(node))
        return refuse_type(k, node, "a number", at);
    return check_range(k, node, field, at);
}

static int check_duration(checker *k, json_t *node, const spot *at)
{
    static const char wanted[] = "a duration such as 30s or 2h30m";
    int64_t ms;
    if (json_is_integer(node) && json_integer_value(node) == 0) {
        replace(k, node, json_string("0s"), at);
        return TW_OK;
    }
    if (json_is_string(node) && tw_duration_parse(json_string_value(node),
                                                  json_string_length(node), &ms) == TW_OK)
        return TW_OK;
    return refuse_type(k, node, wanted, at);
}

static int check_size(checker *k, const json_t *node, const spot *at)
{
    int64_t bytes;
    if (json_is_integer(node) && json_integer_value(node) >= 0)
        return TW_OK;
    if (json_is_string(node) && tw_size_parse(json_string_value(node), &bytes) == TW_OK)
        return TW_OK;
    return refuse_type(k, node, "a size such as 64KiB or 10MB", at);
}

static int check_choice(checker *k, const json_t *node, const tw_conf_field *field,
                        const spot *at)
{
    size_t count = 0;
    char hint[96] = "";
    tw_buf wanted;
    const char *text = json_string_value(node);
    tw_buf_init(&wanted, 512);
    tw_buf_add_str(&wanted, "one of ");
    for (; field->choices[count]; count++) {
        if (text && strcmp(text, field->choices[count]) == 0) {
            tw_buf_done(&wanted);
            return TW_OK;
        }
        tw_buf_printf(&wanted, "%s%s", count ? ", " : "", field->choices[count]);
    }
    const char *nearest = text ? tw_nearest(text, field->choices, count) : NULL;
    if (nearest)
        snprintf(hint, sizeof hint, " (did you mean '%s'?)", nearest);
    int rc = refuse_value(k, node, wanted.data, hint, at);
    tw_buf_done(&wanted);
    return rc;
}

static int check_list(checker *k, json_t *node, const tw_conf_field *field,
                      const spot *at)
{
    if (field->string_ok && !json_is_array(node) && at->step != AT_ROOT) {
        json_t *list = json_array();
        json_array_append(list, node);
        replace(k, node, list, at);
        node = list;
    }
    if (!json_is_array(node))
        return refuse_type(k, node, "a list", at);
    for (size_t i = 0; i < json_array_size(node); i++) {
        spot inner = {.outer = at, .step = AT_ITEM, .parent = node, .index = i};
        int rc = field->items
                     ? check_value(k, json_array_get(node, i), field->items, &inner)
                     : TW_OK;
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static int check_map(checker *k, json_t *node, const tw_conf_field *field, const spot *at)
{
    const char *key;
    json_t *value;
    if (!json_is_object(node))
        return refuse_type(k, node, "a map of names and values", at);
    json_object_foreach(node, key, value)
    {
        spot inner = {.outer = at, .step = AT_ENTRY, .parent = node, .name = key};
        int rc = field->items ? check_value(k, value, field->items, &inner) : TW_OK;
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static int check_value(checker *k, json_t *node, const tw_conf_field *field,
                       const spot *at)
{
    switch (field->type) {
    case TW_CONF_STRING:
        return check_string(k, node, "a string", at);
    case TW_CONF_INT:
    case TW_CONF_NUMBER:
    case TW_CONF_BOOL:
        return check_number(k, node, field, at);
    case TW_CONF_DURATION:
        return check_duration(k, node, at);
    case TW_CONF_SIZE:
        return check_size(k, node, at);
    case TW_CONF_ENUM:
        return check_choice(k, node, field, at);
    case TW_CONF_LIST:
        return check_list(k, node, field, at);
    case TW_CONF_OBJECT:
        return check_object(k, node, field->fields, at);
    case TW_CONF_MAP:
        return check_map(k, node, field, at);
    case TW_CONF_ANY:
        return TW_OK;
    }
    return TW_OK;
}

// SPDX-License-Identifier: Apache-2.0
/* See json.h. */
#include "base/json.h"

#include <string.h>

#include "base/err.h"

static void write_real(double v, tw_buf *out)
{
    size_t from = out->len;

    tw_buf_add_double(out, v);
    if (!strpbrk(out->data + from, ".e")) /* it stays a real when it is read back */
        tw_buf_add_str(out, ".0");
}

static void write_object(const json_t *v, tw_buf *out)
{
    /* jansson's iterator asks for one that may be changed. */
    json_t *object = (json_t *)(uintptr_t)v;
    char before = '{';

    if (json_object_size(v) == 0) {
        tw_buf_add_str(out, "{}");
        return;
    }
    for (void *at = json_object_iter(object); at;
         at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        tw_buf_add_char(out, before);
        tw_buf_add_json_string(out, key, strlen(key));
        tw_buf_add_char(out, ':');
        tw_json_write(json_object_iter_value(at), out);
        before = ',';
    }
    tw_buf_add_char(out, '}');
}

static void write_array(const json_t *v, tw_buf *out)
{
    tw_buf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i > 0)
            tw_buf_add_char(out, ',');
        tw_json_write(json_array_get(v, i), out);
    }
    tw_buf_add_char(out, ']');
}

int tw_json_write(const json_t *v, tw_buf *out)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        write_object(v, out);
        break;
    case JSON_ARRAY:
        write_array(v, out);
        break;
    case JSON_STRING:
        tw_buf_add_json_string(out, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        tw_buf_add_int(out, json_integer_value(v));
        break;
    case JSON_REAL:
        write_real(json_real_value(v), out);
        break;
    case JSON_TRUE:
        tw_buf_add_str(out, "true");
        break;
    case JSON_FALSE:
        tw_buf_add_str(out, "false");
        break;
    case JSON_NULL:
        tw_buf_add_str(out, "null");
        break;
    }
    return out->failed ? TW_ELIMIT : TW_OK;
}

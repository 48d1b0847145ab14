// SPDX-License-Identifier: Apache-2.0
/* A tree as YAML text for people. Any thread that may read the tree. Invariant: what is written reads
 * back as the same tree, here and with readers of YAML 1.1, for which `no` is a bool. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/conf_tree.h"
#include "base/mem.h"

#define MAX_TEXT_BYTES ((size_t)64 << 20)
#define LINE_WIDTH 100

static int on_text(void *self, unsigned char *text, size_t n)
{
    return tw_buf_add(self, text, n) == TW_OK;
}

static bool is_old_bool(const char *s)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(s, words[i]) == 0)
            return true;
    }
    return false;
}

/* Would be read back as something else than a string when it stood without quotes. */
static bool needs_quotes(const char *s)
{
    const char *problem = NULL;
    json_t *value = tw_conf_core_value(s, strlen(s), &problem);

    json_decref(value);
    return value || problem || is_old_bool(s);
}

static void write_scalar(yaml_emitter_t *out, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;

    yaml_scalar_event_initialize(&event, NULL, NULL, (yaml_char_t *)(uintptr_t)text,
                                 (int)strlen(text), 1, 1, style);
    yaml_emitter_emit(out, &event);
}

static void write_text(yaml_emitter_t *out, const char *s)
{
    write_scalar(out, s,
                 needs_quotes(s) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                 : YAML_ANY_SCALAR_STYLE);
}

/* Lists of plain values stand on one line. */
static bool is_flat(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_array(item) || json_is_object(item))
            return false;
    }
    return true;
}

static void write_node(yaml_emitter_t *out, const json_t *node);

static void write_list(yaml_emitter_t *out, const json_t *list)
{
    yaml_event_t event;

    yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                         is_flat(list) ? YAML_FLOW_SEQUENCE_STYLE
                                                       : YAML_BLOCK_SEQUENCE_STYLE);
    yaml_emitter_emit(out, &event);
    for (size_t i = 0; i < json_array_size(list); i++)
        write_node(out, json_array_get(list, i));
    yaml_sequence_end_event_initialize(&event);
    yaml_emitter_emit(out, &event);
}

static void write_map(yaml_emitter_t *out, const json_t *map)
{
    yaml_event_t event;
    const char *key;
    json_t *value;

    yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    yaml_emitter_emit(out, &event);
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        write_text(out, key);
        write_node(out, value);
    }
    yaml_mapping_end_event_initialize(&event);
    yaml_emitter_emit(out, &event);
}

static void write_node(yaml_emitter_t *out, const json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        write_map(out, node);
        return;
    case JSON_ARRAY:
        write_list(out, node);
        return;
    case JSON_STRING:
        write_text(out, json_string_value(node));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    char *text = json_dumps(node, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    write_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
    free(text);
}

char *tw_conf_yaml(const json_t *tree)
{
    yaml_emitter_t out;
    yaml_event_t event;
    tw_buf text;

    tw_buf_init(&text, MAX_TEXT_BYTES);
    yaml_emitter_initialize(&out);
    yaml_emitter_set_output(&out, on_text, &text);
    yaml_emitter_set_unicode(&out, 1);
    yaml_emitter_set_width(&out, LINE_WIDTH);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    yaml_emitter_emit(&out, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    yaml_emitter_emit(&out, &event);
    write_node(&out, tree);
    yaml_document_end_event_initialize(&event, 1);
    yaml_emitter_emit(&out, &event);
    yaml_stream_end_event_initialize(&event);
    yaml_emitter_emit(&out, &event);
    yaml_emitter_delete(&out);
    return tw_buf_take(&text, NULL);
}

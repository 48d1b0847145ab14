// SPDX-License-Identifier: Apache-2.0
/* The configuration. Whatever the text, as YAML and as JSON: it is a configuration or there is one
 * finding with a place in it; what was accepted can be printed, and what is printed is accepted and
 * prints the same again. The first byte chooses: J is JSON, the rest YAML. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "target.h"

#define insist(condition)                                                                \
    ((condition) ? (void)0                                                               \
                 : (fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort()))

static int lines_of(const char *text, size_t size)
{
    int lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines;
}

/* Line breaks that only YAML knows (NEL, LS, PS) count as lines, so the bound is the text's size. */
static void insist_on_finding(const tw_err *err, const char *name, const char *text,
                              size_t size)
{
    insist(err->code < 0 && err->text[0]);
    insist(strcmp(err->file, name) == 0);
    insist(err->line >= 0 && err->column >= 0);
    insist(err->line <= lines_of(text, size) || err->line <= (int)size + 1);
}

static char *printed(const tw_config *config)
{
    json_t *tree = tw_config_effective(config);
    char *text = tw_conf_yaml(tree);
    json_decref(tree);
    return text;
}

/* With a secret in it the print is another configuration: "<secret>" is no address and no list. */
static void print_and_read_again(const tw_config *config)
{
    char *once = printed(config), *twice = NULL;
    tw_err err = {0};
    tw_config *again = tw_config_parse(once, strlen(once), "again.yaml", &err);

    if (again)
        twice = printed(again);
    if (!strstr(once, "<secret>") && (!twice || strcmp(once, twice) != 0)) {
        fprintf(stderr, "%s\n%s\n%s\n", once, twice ? twice : "", err.text);
        abort();
    }
    tw_config_free(again);
    tw_free(once);
    tw_free(twice);
}

static void use(const tw_config *config)
{
    tw_streams *streams = tw_config_streams(config);
    tw_rule_options options;

    tw_config_rule_options_init(config, streams, &options);
    tw_config_rule_options_done(&options);
    for (uint32_t i = 0; i < config->route_count; i++)
        insist(tw_config_route_of(config, config->routes[i].pattern));
    json_decref(tw_config_as_written(config));
    tw_streams_free(streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_err err = {0};

    if (size == 0)
        return 0;
    const char *name = data[0] == 'J' ? "t.json" : "t.yaml";
    const char *text = (const char *)data + 1;
    tw_config *config = tw_config_parse(text, size - 1, name, &err);
    if (config) {
        print_and_read_again(config);
        use(config);
    } else {
        insist_on_finding(&err, name, text, size - 1);
    }
    tw_config_free(config);
    return 0;
}

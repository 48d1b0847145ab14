// SPDX-License-Identifier: Apache-2.0
/* `tidewatch config`: the configuration as the engine reads it, and the schema it is held against. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "cli/cli.h"

static const char help[] =
    "usage: tidewatch config print [--effective] [-o yaml|json] -c FILE\n"
    "       tidewatch config schema\n"
    "\n"
    "print shows the configuration as it was read, secrets hidden; with --effective "
    "every "
    "default\n"
    "is filled in, those of the connectors too. schema prints the JSON Schema (2020-12) "
    "of "
    "the file,\n"
    "with the settings of each kind, for editors and pipelines.\n"
    "\n"
    "  -c, --config FILE    the configuration; or TIDEWATCH_CONFIG in the environment\n"
    "  --effective          with defaults\n"
    "  -o, --output FORMAT  yaml (default), json\n"
    "\n"
    "example:\n"
    "  tidewatch config print --effective -c tidewatch.yaml\n"
    "  tidewatch config schema > tidewatch.schema.json\n";

typedef struct arguments {
    const char *config;
    bool effective, json;
} arguments;

static int parse_print(const tw_command *self, int argc, char **argv, arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"effective", no_argument, NULL, 'e'},
                                            {"output", required_argument, NULL, 'o'},
                                            {0}};
    int option;

    *a = (arguments){.config = getenv("TIDEWATCH_CONFIG")};
    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":c:o:", options)) != -1) {
        switch (option) {
        case 'c':
            a->config = optarg;
            break;
        case 'e':
            a->effective = true;
            break;
        case 'o':
            a->json = strcmp(optarg, "json") == 0;
            if (!a->json && strcmp(optarg, "yaml") != 0)
                return tw_cli_usage(self, "-o '%s' is neither yaml nor json", optarg);
            break;
        default:
            return TW_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    if (!a->config)
        return tw_cli_usage(self, "-c FILE is missing");
    return 0;
}

/* A folder that cannot be read only leaves out what its plugins would add. */
static tw_plugins *load_plugins(char *const *dirs, size_t count)
{
    tw_plugins *plugins = tw_plugins_new();

    for (size_t i = 0; i < count; i++) {
        tw_err err = {0};
        if (tw_plugins_load_dir(plugins, dirs[i], &err) < 0)
            fprintf(stderr, "tidewatch config: %s\n", err.text);
    }
    return plugins;
}

static json_t *effective(const tw_config *config)
{
    json_t *tree = tw_config_effective(config);
    tw_plugins *plugins = load_plugins(config->plugin_dirs, config->plugin_dir_count);

    tw_config_fill_settings(tree, plugins);
    tw_plugins_free(plugins);
    return tree;
}

static int print(const tw_command *self, int argc, char **argv)
{
    arguments a;
    int rc = parse_print(self, argc, argv, &a);
    if (rc)
        return rc;
    tw_config *config = tw_cli_config(a.config);
    if (!config)
        return TW_EXIT_CONFIG;
    json_t *tree = a.effective ? effective(config) : tw_config_as_written(config);
    tw_config_free(config);
    if (a.json) {
        tw_cli_print_json(tree);
        return TW_EXIT_OK;
    }
    char *text = tw_conf_yaml(tree);
    fputs(text, stdout);
    tw_free(text);
    json_decref(tree);
    return TW_EXIT_OK;
}

static int schema(const tw_command *self, int argc, char **argv)
{
    if (argc > 1)
        return tw_cli_usage(self, "'%s' is one word too many", argv[1]);
    char *dir = tw_plugins_default_dir();
    tw_plugins *plugins = load_plugins(&dir, 1);
    json_t *tree = tw_config_json_schema();

    tw_config_schema_add_plugins(tree, plugins);
    tw_plugins_free(plugins);
    tw_free(dir);
    tw_cli_print_json(tree);
    return TW_EXIT_OK;
}

static int run(const tw_command *self, int argc, char **argv)
{
    static const char *const words[] = {"print", "schema"};

    if (argc < 2)
        return tw_cli_usage(self, "'print' or 'schema' is missing");
    if (strcmp(argv[1], "print") == 0)
        return print(self, argc - 1, argv + 1);
    if (strcmp(argv[1], "schema") == 0)
        return schema(self, argc - 1, argv + 1);
    const char *nearest = tw_nearest(argv[1], words, 2);
    if (nearest)
        return tw_cli_usage(self, "'%s' is neither print nor schema (did you mean '%s'?)",
                            argv[1], nearest);
    return tw_cli_usage(self, "'%s' is neither print nor schema", argv[1]);
}

const tw_command tw_command_config = {
    .name = "config",
    .summary = "print the configuration, defaults filled in; print its schema",
    .help = help,
    .run = run,
};

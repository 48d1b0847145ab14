// SPDX-License-Identifier: Apache-2.0
/* `tidewatch version`: what a report of a fault should begin with. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "decode/structure.h"
#include "host/libraries.h"
#include "host/plugin.h"

#define MAX_LIBRARIES 32

static const char help[] =
    "usage: tidewatch version [-o table|json]\n"
    "\n"
    "The version of the program, of the plugin ABI it speaks, of its plugins, and of the "
    "libraries\n"
    "in use, as they state it themselves.\n"
    "\n"
    "  -o, --output FORMAT  table (default), json\n"
    "\n"
    "example:\n"
    "  tidewatch version\n";

static void load_plugins(tw_plugins *plugins)
{
    char *dir = tw_plugins_default_dir();
    tw_err err = {0};

    if (tw_plugins_load_dir(plugins, dir, &err) < 0)
        fprintf(stderr, "tidewatch version: %s\n", err.text);
    tw_free(dir);
}

static json_t *version_json(const tw_plugins *plugins, const tw_library *libraries,
                            size_t count)
{
    json_t *plugin_list = json_object(), *library_list = json_object();

    for (size_t i = 0; i < tw_plugins_count(plugins); i++) {
        const tw_plugin *p = tw_plugins_at(plugins, i, NULL);
        json_object_set_new(plugin_list, p->name, json_string(p->version));
    }
    for (size_t i = 0; i < count; i++)
        json_object_set_new(library_list, libraries[i].name,
                            json_string(libraries[i].version));
    return json_pack("{s:s, s:i, s:o, s:o}", "version", TW_VERSION, "abi", TW_PLUGIN_ABI,
                     "plugins", plugin_list, "libraries", library_list);
}

static void print_table(const tw_plugins *plugins, const tw_library *libraries,
                        size_t count)
{
    printf("tidewatch %s\nplugin ABI %d\n", TW_VERSION, TW_PLUGIN_ABI);
    puts("\nplugins");
    for (size_t i = 0; i < tw_plugins_count(plugins); i++) {
        const char *path;
        const tw_plugin *p = tw_plugins_at(plugins, i, &path);
        printf("  %-14s %-8s %s\n", p->name, p->version, path);
    }
    puts("\nlibraries");
    for (size_t i = 0; i < count; i++)
        printf("  %-14s %s\n", libraries[i].name, libraries[i].version);
}

static int run(const tw_command *self, int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {0}};
    tw_library libraries[MAX_LIBRARIES];
    bool json = false;
    int option;

    optind = 1;
    while ((option = tw_cli_option(self, argc, argv, ":o:", options)) != -1) {
        if (option == '?' || tw_cli_output_format(self, optarg, &json) < 0)
            return TW_EXIT_USAGE;
    }
    if (optind < argc)
        return tw_cli_usage(self, "'%s' is one word too many", argv[optind]);
    tw_plugins *plugins = tw_plugins_new();
    load_plugins(plugins);
    size_t count = tw_libraries_list(libraries, MAX_LIBRARIES - 1);
    libraries[count].name = "simdjson";
    tw_structure_library(libraries[count].version, sizeof libraries[count].version);
    count++;
    if (json)
        tw_cli_print_json(version_json(plugins, libraries, count));
    else
        print_table(plugins, libraries, count);
    tw_plugins_free(plugins);
    return TW_EXIT_OK;
}

const tw_command tw_command_version = {
    .name = "version",
    .summary = "version of the program, its plugins and libraries",
    .help = help,
    .run = run,
};

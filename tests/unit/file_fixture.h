// SPDX-License-Identifier: Apache-2.0
/* A folder of a test's own for plugins/file, and settings that name a file in it. */
#ifndef TW_TEST_FILE_FIXTURE_H
#define TW_TEST_FILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_host.h"

static char folder[64];
static char settings[512];

static inline const char *path_to(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *name, const char *text, const char *mode)
{
    FILE *file = fopen(path_to(name), mode);
    fputs(text, file);
    fclose(file);
}

static inline const char *settings_with(const char *name, const char *more)
{
    snprintf(settings, sizeof settings, "{\"path\": \"%s\"%s}", path_to(name), more);
    return settings;
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "file_plugin_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"out", "stop",  "full",  "fifo", "in",
                                        "log", "log.1", "moved", "later"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_to(names[i]));
    return rmdir(folder);
}

#endif

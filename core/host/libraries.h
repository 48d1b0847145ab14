// SPDX-License-Identifier: Apache-2.0
/* The libraries in use, as they state their own versions: those the process is linked with and those
 * that plugins brought. Shore thread. */
#ifndef TW_HOST_LIBRARIES_H
#define TW_HOST_LIBRARIES_H

#include <stddef.h>

typedef struct tw_library {
    const char *name; /* static */
    char version[64];
} tw_library;

/* Sorted by name; returns how many there are, at most max. */
size_t tw_libraries_list(tw_library *out, size_t max);

#endif

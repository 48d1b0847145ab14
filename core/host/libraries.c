// SPDX-License-Identifier: Apache-2.0
/* See libraries.h. Every library has a way of its own to say its version; they are looked up by name in
 * what is loaded, so nothing here needs their headers and one that is not there is left out. */
#include "host/libraries.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PCRE2_ASK_VERSION 11

/* How a library says it. */
typedef enum speech {
    SPEECH_FUNCTION, /* const char *f(void) */
    SPEECH_DATA,     /* a text */
    SPEECH_PCRE2     /* int f(uint32_t what, void *out) */
} speech;

typedef struct speaker {
    const char *name, *file, *symbol; /* file NULL: the process itself */
    speech speech;
} speaker;

static const speaker speakers[] = {
    {"jansson", NULL, "jansson_version_str", SPEECH_FUNCTION},
    {"libcurl", "libcurl.so.4", "curl_version", SPEECH_FUNCTION},
    {"libmicrohttpd", NULL, "MHD_get_version", SPEECH_FUNCTION},
    {"librdkafka", "librdkafka.so.1", "rd_kafka_version_str", SPEECH_FUNCTION},
    {"libuv", NULL, "uv_version_string", SPEECH_FUNCTION},
    {"libyaml", NULL, "yaml_get_version_string", SPEECH_FUNCTION},
    {"lua", NULL, "lua_ident", SPEECH_DATA},
    {"pcre2", NULL, "pcre2_config_8", SPEECH_PCRE2},
};

/* From the first digit to the blank behind it: "$LuaVersion: Lua 5.4.4  Copyright" says 5.4.4. */
static void take_number(const char *said, char *out, size_t size)
{
    while (*said && !isdigit((unsigned char)*said))
        said++;
    snprintf(out, size, "%.*s", (int)strcspn(said, " \t\n"), said);
}

/* A data pointer becomes a function pointer: POSIX allows it, ISO C has no cast for it. */
static void ask_function(void *symbol, char *out, size_t size)
{
    const char *(*function)(void);

    memcpy(&function, &symbol, sizeof function);
    take_number(function(), out, size);
}

static void ask_pcre2(void *symbol, char *out, size_t size)
{
    int (*config)(uint32_t what, void *where);
    char said[128] = "";

    memcpy(&config, &symbol, sizeof config);
    if (config(PCRE2_ASK_VERSION, NULL) <= (int)sizeof said)
        config(PCRE2_ASK_VERSION, said);
    take_number(said, out, size);
}

static void ask(const speaker *s, void *symbol, char *out, size_t size)
{
    switch (s->speech) {
    case SPEECH_FUNCTION:
        ask_function(symbol, out, size);
        return;
    case SPEECH_DATA:
        take_number(symbol, out, size);
        return;
    case SPEECH_PCRE2:
        ask_pcre2(symbol, out, size);
        return;
    }
}

size_t tw_libraries_list(tw_library *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof speakers / sizeof *speakers && count < max; i++) {
        const speaker *s = &speakers[i];
        void *handle =
            s->file ? dlopen(s->file, RTLD_LAZY | RTLD_NOLOAD) : dlopen(NULL, RTLD_LAZY);
        void *symbol = handle ? dlsym(handle, s->symbol) : NULL;
        if (symbol) {
            out[count].name = s->name;
            ask(s, symbol, out[count].version, sizeof out[count].version);
            count++;
        }
        if (handle)
            dlclose(handle); /* it was loaded before, and stays */
    }
    return count;
}

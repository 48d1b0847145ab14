// SPDX-License-Identifier: Apache-2.0
/* Filling in the demo's configuration; see demo_config.h. */
#include "cli/demo_config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"

#define MAX_CONFIG_BYTES 65536
#define STORY_MS 60000 /* of what the spans in the text are written for */
#define SPAN_MIN_MS 50

extern const char tw_yaml_demo[];

/* ---- the rules --------------------------------------------------------------------- */

static char *whole_path(const char *path)
{
    char *full = realpath(path, NULL), *text = tw_strdup(full ? full : path);

    free(full);
    return text;
}

/* PATH as seen from the working directory, when it lies in it. */
static char *short_path(const char *path)
{
    char here[PATH_MAX], *full = whole_path(path);

    size_t n = getcwd(here, sizeof here) ? strlen(here) : 0;
    bool inside = n && strncmp(full, here, n) == 0 && full[n] == '/';
    char *text = tw_strdup(inside ? full + n + 1 : full);
    tw_free(full);
    return text;
}

char *tw_demo_rules_dir(bool in_short)
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    program[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    char *dir = tw_asprintf("%s/rules", program);
    if (access(dir, R_OK) < 0) {
        tw_free(dir);
        dir = tw_asprintf("%s/../" TW_DATADIR "/tidewatch/rules", program);
    }
    char *text = in_short ? short_path(dir) : whole_path(dir);
    tw_free(dir);
    return text;
}

char *tw_demo_program(void)
{
    char *path = short_path("/proc/self/exe");

    if (*path != '/')
        return path;
    tw_free(path);
    return tw_strdup("tidewatch");
}

/* ---- the port ---------------------------------------------------------------------- */

/* Free a moment ago, which is all that can be known. Negative: errno says why. */
static int find_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = -1;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        port = ntohs(at.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

/* ---- the text ---------------------------------------------------------------------- */

/* A span of a story that takes a minute, as long as it is in this one. False: it is none. */
static bool add_span(tw_buf *out, const char *span, size_t n, int64_t for_ms)
{
    char text[64];
    int64_t ms;

    if (tw_duration_parse(span, n, &ms) < 0)
        return false;
    ms = ms * for_ms / STORY_MS;
    tw_duration_format(ms > SPAN_MIN_MS ? ms : SPAN_MIN_MS, text, sizeof text);
    tw_buf_add_str(out, text);
    return true;
}

static void fill_place(tw_buf *out, const char *name, size_t n, const tw_demo_places *p,
                       int port)
{
    if (add_span(out, name, n, p->for_ms))
        return;
    if (strncmp(name, "STATE_DIR", n) == 0)
        tw_buf_add_str(out, p->state_dir);
    else if (strncmp(name, "LOG_LEVEL", n) == 0)
        tw_buf_add_str(out, p->log_level);
    else if (strncmp(name, "RULES", n) == 0)
        tw_buf_add_str(out, p->rules);
    else if (strncmp(name, "PRELUDE", n) == 0)
        tw_buf_printf(out, "%dms", TW_DEMO_PRELUDE_MS);
    else if (strncmp(name, "PORT", n) == 0)
        tw_buf_add_int(out, port);
}

char *tw_demo_config(const tw_demo_places *places, tw_err *err)
{
    int port = find_port();
    tw_buf out;

    if (port < 0) {
        tw_err_set(err, TW_EIO, "no port on 127.0.0.1: %s", strerror(errno));
        return NULL;
    }
    tw_buf_init(&out, MAX_CONFIG_BYTES);
    for (const char *p = tw_yaml_demo; *p;) {
        size_t n = strcspn(p, "@");
        tw_buf_add(&out, p, n);
        p += n;
        if (!*p)
            break;
        n = strcspn(++p, "@");
        fill_place(&out, p, n, places, port);
        p += n + 1;
    }
    return tw_buf_take(&out, NULL);
}

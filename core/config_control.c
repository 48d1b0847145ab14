// SPDX-License-Identifier: Apache-2.0
/* Where the engine may be talked to: the address and its token. Shore thread. Invariant: what other
 * machines can reach asks for a token. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config_impl.h"

static bool is_loopback(const char *host)
{
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(host, "::1") == 0;
}

static bool is_address(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1;
}

/* "HOST:PORT" or "[HOST]:PORT"; NULL when it is neither. tw_free. */
static char *split_address(const char *listen, uint16_t *out_port)
{
    const char *colon = strrchr(listen, ':');
    char *end;

    if (!colon || !isdigit((unsigned char)colon[1]))
        return NULL;
    long port = strtol(colon + 1, &end, 10);
    if (*end || port > 65535)
        return NULL;
    size_t n = (size_t)(colon - listen);
    if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']')
        listen++, n -= 2;
    else if (memchr(listen, ':', n))
        return NULL; /* which colon is meant? */
    char *host = tw_strndup(listen, n);
    if (strcmp(host, "localhost") == 0) {
        tw_free(host);
        host = tw_strdup("127.0.0.1");
    }
    *out_port = (uint16_t)port;
    return host;
}

int tw_config_read_control(tw_config *config, tw_err *err)
{
    const json_t *control = json_object_get(tw_conf_root(config->document), "control");
    const json_t *node = json_object_get(control, "listen");
    const char *listen = json_string_value(node);

    config->control_host = split_address(listen, &config->control_port);
    if (!config->control_host || !is_address(config->control_host))
        return tw_config_fail(config, node, err,
                              "'listen' must be an address with a port such as "
                              "127.0.0.1:9464 or [::1]:9464, not '%s'",
                              listen);
    config->control_token = tw_strdup(tw_conf_str(control, "token"));
    if (config->control_token && !*config->control_token)
        return tw_config_fail_key(config, control, "token", err, "'token' is empty");
    if (!is_loopback(config->control_host) && !config->control_token)
        return tw_config_fail(config, node, err,
                              "'listen' on %s can be reached from other machines and "
                              "needs a 'token' (and TLS in front)",
                              config->control_host);
    return TW_OK;
}

// SPDX-License-Identifier: Apache-2.0
/* Which addresses a connector may talk to. Any thread. */
#ifndef TW_SHARED_HTTP_ADDRESS_H
#define TW_SHARED_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "shared/settings.h"

/* 169.254.0.0/16, fe80::/10 and the other places where clouds answer questions about the
 * machine; also when written as IPv6. */
bool http_address_is_link_local(const struct sockaddr *address);
/* Absolute, http or https, and no link-local address written out. */
bool http_address_check(const char *url, bool allow_link_local, tw_refusal *refusal);

#endif

// SPDX-License-Identifier: Apache-2.0
/* An HTTP server of one page on 127.0.0.1, for a poller to scrape: answers any GET, one request a
 * connection. Shore; nothing in it waits. */
#ifndef DEMO_ENDPOINT_H
#define DEMO_ENDPOINT_H

#include "tidewatch.h"

typedef struct endpoint endpoint;

/* Writes the page into out, at most room bytes, and returns its length. */
typedef size_t (*endpoint_page)(void *self, char *out, size_t room);

/* Listens on the port; 0 takes a free one. */
endpoint *endpoint_new(const tw_host *h, uint16_t port, endpoint_page page, void *self,
                       tw_refusal *refusal);
uint16_t endpoint_port(const endpoint *e);
/* Ends its watches and its connections. */
void endpoint_free(endpoint *e);

#endif

// SPDX-License-Identifier: Apache-2.0
/* One body to every Alertmanager of a cluster. It is taken when one of them takes it: they
 * tell each other, and what one of them missed comes again with the next resend. Shore
 * thread. */
#ifndef TW_ALERTMANAGER_POST_H
#define TW_ALERTMANAGER_POST_H

#include "shared/http_client.h"

typedef struct post_targets post_targets;

/* urls: a text or a list of texts, where the Alertmanagers are, without /api/v2. The
 * client is borrowed. NULL with a refusal. */
post_targets *post_targets_new(const tw_host *h, http_client *client, const json_t *urls,
                               tw_refusal *refusal);
/* After http_client_stop: nothing may be open. */
void post_targets_free(post_targets *p);

/* refused: it is the alerts that are refused, not the sender. */
typedef void (*post_settled)(void *arg, const tw_answer *answer, bool refused);

/* settled is called once, now or later: DONE with the first that takes it, or, when all
 * have answered, what counts most. count: alerts in the body. */
void post_send(post_targets *p, const char *body, size_t count, post_settled settled,
               void *arg);

#endif

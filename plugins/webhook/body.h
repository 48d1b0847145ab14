// SPDX-License-Identifier: Apache-2.0
/* What a webhook says. */
#ifndef TW_WEBHOOK_BODY_H
#define TW_WEBHOOK_BODY_H

#include "shared/settings.h"

typedef enum body_format { BODY_ALERTMANAGER, BODY_JSON, BODY_CLOUDEVENTS } body_format;

/* Who writes: the name of the sink, and where its links lead. */
typedef struct body_writer {
    body_format format;
    const char *receiver, *external_url;
} body_writer;

/* Text to free(); the same for the same record and `before`, which signatures and retries
 * need. A record that is no alert goes as JSON where Alertmanager's form was asked for.
 * before: the alert of this incident that fires at the receiver, as out_alert gave it, or
 * NULL. When its labels are others it is ended along. out_alert gets what is said
 * of the record, a new reference, or NULL in other forms. */
char *body_write(const body_writer *w, const tw_record *r, const json_t *before,
                 json_t **out_alert);
const char *body_content_type(body_format format);

#endif

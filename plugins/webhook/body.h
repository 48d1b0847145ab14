// SPDX-License-Identifier: Apache-2.0
/* What a webhook says. */
#ifndef TW_WEBHOOK_BODY_H
#define TW_WEBHOOK_BODY_H

#include "shared/settings.h"

typedef enum body_format { BODY_ALERTMANAGER, BODY_JSON, BODY_CLOUDEVENTS } body_format;

/* Text to free(); the same for the same record, which signatures and retries need. A
 * record that is no alert goes as JSON where Alertmanager's form was asked for. */
char *body_write(body_format format, const tw_record *r, const char *receiver,
                 const char *external_url);
const char *body_content_type(body_format format);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Signatures after the Standard Webhooks specification: HMAC-SHA256 over
 * "id.timestamp.body", with one or more secrets so that they can be rotated. */
#ifndef TW_WEBHOOK_SIGNATURE_H
#define TW_WEBHOOK_SIGNATURE_H

#include "shared/settings.h"

typedef struct signature_keys {
    struct {
        unsigned char bytes[64];
        int size;
    } keys[8];
    int count;
} signature_keys;

/* A text or a list of texts "whsec_<base64 of 24 to 64 bytes>"; NULL: no keys. */
bool signature_read_keys(signature_keys *k, const json_t *secrets, tw_refusal *refusal);
/* "webhook-signature: v1,... v1,..." into out. */
void signature_write(const signature_keys *k, const char *id, int64_t time_s,
                     const char *body, size_t body_size, char *out, size_t size);

#endif

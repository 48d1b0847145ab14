// SPDX-License-Identifier: Apache-2.0
/* Signatures; see signature.h. The digest is OpenSSL's. */
#include "webhook/signature.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "whsec_"
#define LEAST 24
#define MOST 64

/* EVP_DecodeBlock counts the padding in. -1: no base64, or too long. */
static int decode(const char *text, unsigned char out[MOST])
{
    unsigned char whole[MOST + 8];
    size_t n = strlen(text);

    if (n == 0 || n % 4 != 0 || n / 4 * 3 > sizeof whole)
        return -1;
    int size = EVP_DecodeBlock(whole, (const unsigned char *)text, (int)n);
    for (size_t i = n; i > n - 2 && text[i - 1] == '='; i--)
        size--;
    if (size < 0 || size > MOST)
        return -1;
    memcpy(out, whole, (size_t)size);
    return size;
}

static bool read_key(signature_keys *k, const char *text, tw_refusal *refusal)
{
    const size_t prefix = sizeof PREFIX - 1;

    if (k->count == (int)(sizeof k->keys / sizeof *k->keys)) {
        settings_refuse(refusal, "too many secrets; at most 8 are used at a time");
        return false;
    }
    int size = text && strncmp(text, PREFIX, prefix) == 0
                   ? decode(text + prefix, k->keys[k->count].bytes)
                   : -1;
    if (size < LEAST) {
        settings_refuse(refusal,
                        "a secret is " PREFIX " and then the base64 of 24 to 64 bytes");
        return false;
    }
    k->keys[k->count++].size = size;
    return true;
}

bool signature_read_keys(signature_keys *k, const json_t *secrets, tw_refusal *refusal)
{
    if (!json_is_array(secrets))
        return !secrets || read_key(k, json_string_value(secrets), refusal);
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        if (!read_key(k, json_string_value(json_array_get(secrets, i)), refusal))
            return false;
    }
    return true;
}

void signature_write(const signature_keys *k, const char *id, int64_t time_s,
                     const char *body, size_t body_size, char *out, size_t size)
{
    char *signed_text = NULL;
    size_t signed_size, n = 0;
    FILE *f = open_memstream(&signed_text, &signed_size);

    if (!f)
        abort();
    fprintf(f, "%s.%" PRId64 ".", id, time_s);
    fwrite(body, 1, body_size, f);
    fclose(f);
    n += (size_t)snprintf(out, size, "webhook-signature:");
    for (int i = 0; i < k->count && n < size; i++) {
        unsigned char digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
        unsigned digest_size = 0;
        HMAC(EVP_sha256(), k->keys[i].bytes, k->keys[i].size,
             (const unsigned char *)signed_text, signed_size, digest, &digest_size);
        EVP_EncodeBlock(text, digest, (int)digest_size);
        n += (size_t)snprintf(out + n, size - n, " v1,%s", (const char *)text);
    }
    free(signed_text);
}

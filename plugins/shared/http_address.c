// SPDX-License-Identifier: Apache-2.0
/* Addresses; see http_address.h. The check of names is done again for each connection,
 * with the address that the name has then. */
#include "shared/http_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

static bool is_link_local_4(const uint8_t a[4])
{
    const uint8_t other[4] = {100, 100, 100, 200};
    return (a[0] == 169 && a[1] == 254) || memcmp(a, other, 4) == 0;
}

static bool is_link_local_6(const uint8_t a[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t metadata[16] = {0xfd, 0, 0x0e, 0xc2, 0, 0, 0,    0,
                                         0,    0, 0,    0,    0, 0, 0x02, 0x54};

    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return is_link_local_4(a + 12);
    return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || memcmp(a, metadata, 16) == 0;
}

bool http_address_is_link_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_link_local_4((const uint8_t *)&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        return is_link_local_6(in.sin6_addr.s6_addr);
    }
    return false;
}

static bool host_is_link_local(const char *host)
{
    uint8_t a[16];
    char plain[64] = "";
    size_t n = strlen(host);

    if (n > 2 && host[0] == '[' && n - 2 < sizeof plain) {
        memcpy(plain, host + 1, n - 2);
        plain[strcspn(plain, "%")] = '\0';
        return inet_pton(AF_INET6, plain, a) == 1 && is_link_local_6(a);
    }
    return inet_pton(AF_INET, host, a) == 1 && is_link_local_4(a);
}

bool http_address_check(const char *url, bool allow_link_local, tw_refusal *refusal)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL;
    bool fine = false;

    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        settings_refuse(
            refusal, "'%s' is no URL%s", url,
            strstr(url, "://") ? "" : "; it has to begin with http:// or https://");
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        settings_refuse(refusal, "'%s': only http and https are spoken", url);
    else if (!allow_link_local && host_is_link_local(host))
        settings_refuse(refusal,
                        "'%s' is link-local; set allow_link_local if that is meant", url);
    else
        fine = true;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return fine;
}

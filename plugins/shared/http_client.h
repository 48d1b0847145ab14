// SPDX-License-Identifier: Apache-2.0
/* HTTP for connectors: libcurl's multi interface driven by the host's loop, so nothing
 * waits. Redirects are never followed; link-local addresses, where clouds keep their
 * metadata, are refused unless allowed. One client an instance; shore thread. */
#ifndef TW_SHARED_HTTP_CLIENT_H
#define TW_SHARED_HTTP_CLIENT_H

#include "shared/settings.h"

typedef struct http_client http_client;

/* The settings that http_client_new reads, for a connector's schema. */
#define HTTP_CLIENT_SETTINGS(timeout)                                                    \
    "\"timeout\": {\"type\": \"string\", \"format\": \"duration\", "                     \
    "\"default\": \"" timeout "\", \"description\": \"for a whole request\"},"           \
    "\"headers\": {\"type\": \"object\", "                                               \
    "\"additionalProperties\": {\"type\": \"string\"}},"                                 \
    "\"bearer_token\": {\"type\": \"string\"},"                                          \
    "\"bearer_token_file\": {\"type\": \"string\", "                                     \
    "\"description\": \"read again for each request\"},"                                 \
    "\"basic_auth\": {\"type\": \"object\", \"properties\": {"                           \
    "\"username\": {\"type\": \"string\"}, \"password\": {\"type\": \"string\"}}},"      \
    "\"tls\": {\"type\": \"object\", \"properties\": {"                                  \
    "\"ca\": {\"type\": \"string\"}, \"cert\": {\"type\": \"string\"}, "                 \
    "\"key\": {\"type\": \"string\"}, "                                                  \
    "\"insecure\": {\"type\": \"boolean\", \"default\": false}}},"                       \
    "\"allow_link_local\": {\"type\": \"boolean\", \"default\": false}"

typedef struct http_request {
    const char *method; /* NULL: POST with the body */
    const char *url;
    const char *body;
    size_t body_size;
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    bool compressed;            /* ask for gzip; the body comes unpacked */
} http_request;

typedef struct http_response {
    int status;        /* 0: there was no whole answer, `error` says why */
    const char *error; /* NULL with a status */
    bool refused;      /* the address may not be talked to: trying again is no use */
    const char *body;  /* its beginning, terminated */
    size_t body_size;
    bool cut;                 /* there was more of it than max_body */
    const char *content_type; /* NULL: not said */
    int64_t retry_after_ms;   /* 0: not said */
} http_response;

/* settings are those of HTTP_CLIENT_SETTINGS, checked. NULL with a refusal. */
http_client *http_client_new(const tw_host *h, const json_t *settings, size_t max_body,
                             tw_refusal *refusal);
/* Ends what is open, each call with an error. Nothing starts after that. */
void http_client_stop(http_client *c);
void http_client_free(http_client *c);
/* An absolute http or https address that may be talked to. */
bool http_client_takes(const http_client *c, const char *url, tw_refusal *refusal);

/* done is called once, now or later. The request is copied. */
void http_client_send(http_client *c, const http_request *request,
                      void (*done)(void *arg, const http_response *response), void *arg);

/* What a receiver's answer means, when it follows HTTP: 2xx done; 408, 429, 5xx and no
 * answer retry; 410 disable; everything else, redirects too, drop. text gets
 * "429: first words of the body". */
tw_answer http_answer(const http_response *r, char *text, size_t size);

#endif

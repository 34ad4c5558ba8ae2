/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The certificates of a listener, for the files that load and check them. Internal to
 * gateway/net/tls_server.c and tls_check.c. Thread: immutable once loaded. */
#include "gateway/base/map.h"
#include "gateway/net/tls_inside.h"

#define TLS_PROTOCOLS_MAX 64

struct tls_server {
    _Atomic unsigned refs;
    SSL_CTX **contexts;     /* one for each pair */
    struct tls_pair *pairs; /* their files; owned */
    size_t count;
    struct gw_map names; /* "www.example.com", ".example.com" for a wildcard → SSL_CTX */
    struct tls_tickets *tickets;
    unsigned char protocols[TLS_PROTOCOLS_MAX]; /* as on the wire */
    size_t protocols_len;
};

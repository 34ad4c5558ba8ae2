/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A certificate authority for one machine: makes itself and certificates for servers, as PEM texts.
 * Where they are kept and who trusts them is the caller's (gateway/trust.h).
 *
 * Everything is ECDSA over P-256, which every client of today takes. Certificates follow RFC 5280
 * strictly (openssl verify -x509_strict): key identifiers on both, basicConstraints and keyUsage
 * critical, the authority may sign servers but no further authority. A server's validity stays
 * below the 398 days that browsers allow (CA/Browser Forum, section 6.3.2).
 *
 * Pure but for random numbers: `now_s` is seconds since the epoch. Thread: any. */
#include "gateway/base/buf.h"

#define TLS_CA_DAYS        3650
#define TLS_CA_SERVER_DAYS 365
#define TLS_CA_NAMES_MAX   1000
#define TLS_CA_PEM_MAX     ((size_t)1 << 20) /* of a text that is read or written */

/* Appends a new authority's certificate and key. False only when OpenSSL fails. */
GW_MUST bool tls_ca_create(const char *name, uint64_t now_s, struct gw_buf *certificate,
                           struct gw_buf *key);

struct tls_ca_order {
    struct gw_str ca, ca_key;   /* PEM */
    const struct gw_str *names; /* hosts, "*.host", IP addresses; at least one, no commas in them */
    size_t count;
    uint64_t now_s;
};
/* Appends a server's certificate and key. False when the authority's texts or a name are none. */
GW_MUST bool tls_ca_issue(const struct tls_ca_order *order, struct gw_buf *certificate,
                          struct gw_buf *key);

/* What a certificate says of itself. */
struct tls_ca_facts {
    uint64_t not_after_s;
    char subject[128];   /* the common name */
    char sha256[3 * 32]; /* fingerprint, hex with colons */
};
/* The first certificate in a PEM text; false when there is none. */
GW_MUST bool tls_ca_read(struct gw_str certificate, struct tls_ca_facts *out);
/* True when the certificate in `order->ca`'s name is signed by it and is valid for exactly these
 * names, and `key` is its key: then it need not be made anew. */
bool tls_ca_fits(const struct tls_ca_order *order, struct gw_str certificate, struct gw_str key);

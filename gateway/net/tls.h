/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What TLS connections are made from: the certificates of a listener, the way an origin is checked,
 * the keys of session tickets. The connections themselves are conn_tls.h's (conn_tls_accept,
 * conn_tls_connect). OpenSSL 3 is visible in gateway/net/tls* only.
 *
 * TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only (RFC 9325), no
 * compression, no renegotiation, no early data (a replayed POST is the app's trouble, RFC 8446
 * appendix E.5).
 *
 * Thread: one builds, then any uses; reference counts are atomic. A connection holds what it was
 * made from. Owns: everything read from files: a changed file is seen by the next load. */
#include "gateway/base/diag.h"

#define TLS_PAIRS_MAX         64
#define TLS_EXPIRES_SOON_DAYS 14

/* Files in PEM: the certificate with its chain behind it, and its key. */
struct tls_pair {
    const char *certificate, *key;
};

struct tls_server;
struct tls_client;
struct tls_tickets;

/* The first pair answers who names no host or an unknown one; the others are chosen by SNI, an
 * exact name before a wildcard, the first pair that has it. `protocols` are offered by ALPN,
 * the best first, with commas: "h2,http/1.1". NULL after an error, which is in diags and names the
 * file. */
GW_MUST struct tls_server *tls_server_load(const struct tls_pair *pairs, size_t count,
                                           const char *protocols, struct gw_diags *diags);
struct tls_server *tls_server_ref(struct tls_server *s);
void tls_server_unref(struct tls_server *s); /* NULL is fine */
/* Session tickets are sealed with these keys; without them every connection has a full handshake.
 * Before the first connection; they outlive all of them. */
void tls_server_use_tickets(struct tls_server *s, struct tls_tickets *tickets);
/* Whether some pair's certificate is valid for this name. */
bool tls_server_covers(const struct tls_server *s, struct gw_str host);
/* Warns about each pair that has expired, will within TLS_EXPIRES_SOON_DAYS, is not valid yet, or
 * whose key other users of the machine may read. */
void tls_server_check(const struct tls_server *s, uint64_t wall_ms, struct gw_diags *diags);

/* What a listener shows to its peers, for those who watch it run out and those who ask it. */
#define TLS_HOST_MAX 256
struct tls_certificate {
    const char *file;        /* borrowed */
    char host[TLS_HOST_MAX]; /* the first name it is valid for; "" when it names nobody */
    uint64_t not_after_s;    /* since the epoch */
};
/* The same of the first certificate in a PEM file; false when there is none. */
GW_MUST bool tls_certificate_read(const char *file, struct tls_certificate *out);
/* The pair's certificate; false behind the last one. */
GW_MUST bool tls_server_certificate(const struct tls_server *s, size_t pair,
                                    struct tls_certificate *out);

struct tls_client_options {
    const char *ca;   /* PEM file with the authorities to trust; NULL: the system's */
    const char *name; /* whom the certificate must name, and SNI unless it is an address */
    bool verify;
    struct tls_pair own; /* shown to the origin; both NULL: none */
};
/* Sessions are resumed, one remembered for all connections. NULL after an error, as above. */
GW_MUST struct tls_client *tls_client_load(const struct tls_client_options *options,
                                           struct gw_diags *diags);
/* One that believes whoever proves to be `name`, by these authorities or the system's (NULL). */
GW_MUST struct tls_client *tls_client_for(struct gw_str name, const char *ca,
                                          struct gw_diags *diags);
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is fine */

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A connection's TLS (RFC 8446, 5246), for whoever begins it or asks what it settled; bytes go
 * through conn.h as before.
 *
 * Begun on a connection that stands and over which nothing has gone yet. on_connect says how the
 * handshake ended: GW_ETLS, GW_ECERT (the peer's certificate), GW_EPLAIN_HTTP, or GW_ECLOSED (a
 * client that came and went without a byte). After a failure the alert that tells the peer why is
 * on its way: conn_finish lets it get there. Everything in conn.h then holds for the plain text;
 * what is queued waits unencrypted, but for CONN_TLS_SEND_MAX bytes. An end without close_notify is
 * an end for a server, whose requests have a framing of their own, and GW_ETRUNCATED for a client
 * (RFC 9112 section 9.8). Thread: the loop's. Owns: nothing; tls.h says who owns what is lent. */
#include "gateway/net/conn.h"

#define CONN_TLS_SEND_MAX ((size_t)4 * (16384 + 256))
struct tls_server;
struct tls_client;
void conn_tls_accept(struct conn *c, struct tls_server *tls);
void conn_tls_connect(struct conn *c, struct tls_client *tls);
/* The handshake has begun and not ended. */
bool conn_tls_is_greeting(const struct conn *c);
/* After GW_EPLAIN_HTTP: the connection is a plain one again, for an answer in the peer's words. */
void conn_tls_drop(struct conn *c);
/* The protocol that both sides chose (ALPN, RFC 7301); empty without TLS or a choice. */
struct gw_str conn_alpn(const struct conn *c);

/* What the handshake settled; all NULL or false without TLS. Texts are static. */
struct conn_tls_facts {
    const char *version, *cipher; /* "TLSv1.3", "TLS_AES_128_GCM_SHA256" */
    bool resumed;
    const char *failure; /* why it failed, in OpenSSL's words */
};
struct conn_tls_facts conn_tls_facts(const struct conn *c);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small blocking HTTP/1.1 client for the admin listener: one request, one connection. For verbs
 * only: each call has a loop of its own.
 *
 * Thread: one. Owns: its connection during a call; replies are the caller's to release. Limits: the
 * whole call ends within timeout_ms; a body of ADMIN_ANSWER_MAX. */
#include "config/sections.h"
#include "gateway/base/buf.h"
#include "gateway/http/h1_parse.h"
#include "gateway/net/address.h"

struct tls_client;

struct admin_endpoint {
    struct net_address address;
    struct gw_str token;    /* empty: none is sent; borrowed */
    struct tls_client *tls; /* NULL: plain HTTP; borrowed */
    uint32_t timeout_ms;
};

struct admin_reply {
    unsigned status;
    struct gw_buf body;
    const char *why; /* a TLS handshake failed, in OpenSSL's words; else NULL; static */
};

/* Where a configuration listens; all addresses are reached through loopback. False with port 0,
 * which only the kernel knows. */
GW_MUST bool admin_address_of(const struct config_address *listen, struct net_address *out);

/* `target` is a path with its query; an empty body: none is sent. 0 when there was an answer of
 * whatever status, else a negative errno or GW_ETIMEOUT_CONNECT, GW_ETIMEOUT_WRITE,
 * GW_ETIMEOUT_READ, GW_EPARSE, GW_ETRUNCATED, GW_ELIMIT, GW_ETLS, GW_ECERT. The reply holds memory
 * in either case. */
GW_MUST int admin_client_call(const struct admin_endpoint *to, struct gw_str method,
                              struct gw_str target, struct gw_str body, struct admin_reply *reply);
void admin_reply_release(struct admin_reply *reply);

/* Appends `text` percent-encoded, so that it can stand as a value in a query. */
void admin_client_escape(struct gw_buf *out, struct gw_str text);

/* The answer as bytes come: feed pieces, then the end; for admin_client_call and its test. */
struct admin_answer;
struct admin_answer *admin_answer_new(struct admin_reply *reply);
void admin_answer_free(struct admin_answer *answer);
/* 1: complete; 0: more is needed; negative: an error as above. An empty piece is the peer's end. */
GW_MUST int admin_answer_feed(struct admin_answer *answer, struct gw_str piece);

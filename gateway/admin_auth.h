/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* May this request reach the admin listener (design/interface.md section 5)? Pure.
 *
 * Host: a web page anywhere can make a browser send requests to a loopback port, and with DNS
 * rebinding even read the answers; both show in Host or Origin. So Host must be a loopback name or
 * address or the address the listener is bound to (bound to all addresses: any address, since only
 * a name can be rebound; by TLS also a name of the listener's certificate, since a browser whose
 * page has rebound its own name would refuse that certificate), and a request with an Origin is
 * refused, unless it is the inspector's own page that speaks: no other is meant to talk to this
 * API. The port of Host is not compared, it changes on the way through a tunnel. A Unix socket is
 * out of a browser's reach.
 *
 * Credentials: a bearer token, or Cloudflare's older X-Auth-Email and X-Auth-Key; Authorization
 * wins when both are sent. Secrets are compared in constant time. Without a configured secret only
 * local peers are let in. Thread: any. */
#include "config/sections.h"
#include "gateway/http/h1_parse.h"

enum admin_verdict {
    ADMIN_AUTH_OK,
    ADMIN_AUTH_HOST,      /* a foreign Host */
    ADMIN_AUTH_ORIGIN,    /* an Origin */
    ADMIN_AUTH_REMOTE,    /* no secret configured and the peer is not local */
    ADMIN_AUTH_MISSING,   /* no credentials */
    ADMIN_AUTH_MALFORMED, /* Authorization is not "Bearer TOKEN" */
    ADMIN_AUTH_TOKEN,     /* not the token */
    ADMIN_AUTH_KEY,       /* not the e-mail address and key */
};

struct admin_auth {
    const struct h1_message *request;
    const struct config_admin *config; /* its address is where the listener is bound */
    const struct tls_server *tls;      /* NULL: the request came without */
    bool peer_is_local;
    bool open; /* the route needs no credentials */
};

enum admin_verdict admin_auth_check(const struct admin_auth *auth);

struct admin_call;
/* Answers in the words of Cloudflare's API; false: it has none for this. */
GW_MUST bool admin_auth_refuse_v4(struct admin_call *call, enum admin_verdict verdict);

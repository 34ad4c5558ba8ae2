/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What may cross a proxy (RFC 9110 sections 7.6.1 and 6.5).
 *
 * Dropped are the connection's own fields (Connection, Keep-Alive, Proxy-Connection, TE, Trailer,
 * Transfer-Encoding, Upgrade, HTTP2-Settings, Proxy-Authenticate, Proxy-Authorization) and every
 * field that Connection names; except that naming another field of header_names.h (Host, Cookie,
 * Authorization, Cache-Control, CF-*, X-Forwarded-*, ...) changes nothing: those are meant for all
 * recipients, and to have a proxy strip them is a known attack. Who forwards an upgrade writes
 * Connection and Upgrade anew; Content-Length and Transfer-Encoding are always written from the
 * framing. Thread: any. Owns: nothing. Limits: FORWARD_NAMES_MAX names; to look through more for
 * each field would cost the product of both (128 KiB of head, an eighth of a second). */
#include "gateway/http/headers.h"

#define FORWARD_NAMES_MAX 16

/* What Connection says, read once a message. */
struct forward {
    struct gw_str names[FORWARD_NAMES_MAX]; /* fields without an id; borrowed from the message */
    unsigned count;
    bool more; /* than there is room for: every field without an id is taken for named */
};

void forward_prepare(struct forward *f, const struct headers *headers);
bool forward_is_hop_by_hop(const struct forward *f, const struct header *field);

/* True when Connection has this option ("close", "upgrade"). */
bool forward_connection_has(const struct headers *headers, struct gw_str option);
/* False for fields that mean framing, routing, authentication, caching or content handling: they
 * may not come late. */
bool forward_trailer_allowed(const struct header *field);
/* True when TE accepts trailers: then they are worth forwarding. */
bool forward_te_trailers(const struct headers *headers);

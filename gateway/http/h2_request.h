/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A request's head from HTTP/2's decoded field list, as strict as h1_parse and with the same result
 * (RFC 9113 sections 8.2 and 8.3): what comes out cannot be told from a request that was parsed
 * from text, so nothing behind it knows the version.
 *
 * Refused (GW_EPARSE): pseudo-fields that are unknown, repeated, missing or behind others; names
 * that are not lower-case tokens; values with control bytes or white space at an end; fields that
 * belong to a connection; TE other than "trailers"; an authority and a Host that differ; a length
 * that the end of the stream contradicts. Cookie crumbs become one line (section 8.2.3). A missing
 * Host is written from :authority.
 *
 * Extended CONNECT (RFC 8441) becomes the GET with Upgrade that it stands for; the caller adds the
 * key. Thread: one. Owns: nothing; names and values are copied to the arena. Limits: h1_limits,
 * counted as if the fields were lines, so that both versions refuse the same request. */
#include "gateway/http/h1_parse.h"

/* Fields that speak of an HTTP/1 connection and mean nothing here (section 8.2.2). */
bool h2_is_of_a_connection(enum header_id id);

struct h2_crumb;

struct h2_request {
    struct gw_arena *arena;
    struct h1_message *message;
    const struct h1_limits *limits;
    struct gw_str method, scheme, authority, path, protocol; /* pseudo-fields; ptr NULL: absent */
    struct h2_crumb *cookies, **last_cookie;
    size_t bytes, cookie_bytes;
    bool fields_begun; /* no pseudo-field may follow */
    int error;         /* the first; what follows is ignored */
};

/* All are borrowed until h2_request_end; the message may be as it comes from the stack. */
void h2_request_begin(struct h2_request *r, struct gw_arena *arena, struct h1_message *m,
                      const struct h1_limits *limits);
/* In the order of the list. Errors are told at the end, since the list must be decoded whole. */
void h2_request_field(struct h2_request *r, struct gw_str name, struct gw_str value);
/* For a field that the decoder itself has refused. */
void h2_request_refuse(struct h2_request *r);
/* `ended`: no body follows. 0, GW_EPARSE, GW_EURI, GW_EHEADERS or GW_ENOTIMPL (a :protocol nobody
 * knows). */
GW_MUST int h2_request_end(struct h2_request *r, bool ended);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The border between an exchange and the session it belongs to: responses go down through a table
 * of functions, which HTTP/1.1 fills today and another version can fill tomorrow. What comes up are
 * the exchange_on_* calls of exchange.h. Nothing here knows a step, nothing a protocol.
 *
 * Thread: the worker's. Owns: nothing; slices and parts are valid during the call, unless `hold`
 * borrows them. */
#include "gateway/net/conn.h"

/* A response as a step hands it to the session. Framing, Connection and the empty line are the
 * session's. */
#define RESPONSE_LENGTH_UNKNOWN ((int64_t)-1) /* chunked, or until the connection closes */
#define RESPONSE_NO_LENGTH      ((int64_t)-2) /* nothing to add: no body, or the lines announce it */
struct response {
    unsigned status;
    struct gw_str reason;   /* empty: the standard one */
    struct gw_str head;     /* status line, maybe with header lines; empty: made from status */
    struct gw_str lines[3]; /* header lines in order, each whole; unused ones are empty */
    int64_t content_length;
    bool bodyless;            /* HEAD, 304: the length is announced, no body follows */
    bool tunnel;              /* 101: raw bytes both ways from here on */
    const struct iovec *body; /* what is at hand already */
    size_t body_parts;
    struct conn_hold hold; /* keeps `body` alive; release may be NULL when body is transient */
};

/* What a session offers to its exchange. `session` is the first argument of each. */
struct exchange_io {
    void (*informational)(void *session, unsigned status, struct gw_str lines);
    void (*respond)(void *session, const struct response *response);
    void (*send)(void *session, const struct iovec *parts, size_t count,
                 const struct conn_hold *hold);
    void (*end)(void *session); /* the response is complete */
    void (*cut)(void *session); /* it cannot be completed: end it so that the client sees that */
    void (*want_body)(void *session, bool want); /* request body: deliver, or hold back */
    bool (*congested)(void *session);            /* stop sending until exchange_on_sendable */
    void (*done)(void *session);                 /* the last call; the exchange is freed after it */
};

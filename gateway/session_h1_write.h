/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The response side of an HTTP/1.1 session: framing, Connection, and one write call for head and
 * body together. Thread: the worker's. */
#include "gateway/exchange.h"

struct session_h1_writer {
    struct conn *conn;
    uint8_t minor;   /* of the request: HTTP/1.0 knows no chunks and asks for keep-alive */
    bool keep_alive; /* the connection goes on after this response; settled by respond */
    bool chunked;
    bool until_close; /* the end of the body is the end of the connection */
    bool tunnel;
};

void session_h1_writer_begin(struct session_h1_writer *w, struct conn *c, uint8_t minor,
                             bool keep_alive);
void session_h1_informational(struct session_h1_writer *w, unsigned status, struct gw_str lines);
void session_h1_respond(struct session_h1_writer *w, const struct response *response);
void session_h1_send(struct session_h1_writer *w, const struct iovec *parts, size_t count,
                     const struct conn_hold *hold);
void session_h1_end(struct session_h1_writer *w);
/* The body cannot be completed: whatever the framing, the client sees that something is missing. */
void session_h1_cut(struct session_h1_writer *w);

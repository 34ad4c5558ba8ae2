/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client's HTTP/1.1 connection: cuts its bytes into requests, gives each to an exchange, and
 * writes the responses, one after the other (pipelined requests wait in the session, not in the
 * exchange).
 *
 *   IDLE ──first byte──► HEAD ──complete──► BUSY ──answered──► IDLE     any ──► closing
 *                          │ malformed        │ the body was not asked for
 *                          └──► BUSY (400)    └──► DISCARD ──body over──► IDLE
 *
 *   IDLE     no exchange; the idle timeout runs
 *   HEAD     an exchange collects the head; the header timeout runs, from the first byte
 *   BUSY     the exchange runs; body bytes go to it while it wants them
 *   DISCARD  the answer is out; the rest of a small body is read away, to keep the connection
 *
 * While nobody wants bytes they wait in the session (one read buffer at most) and reading is
 * paused: that is the backpressure.
 *
 * Thread: the worker's. Owns: itself; freed when its connection is closed. */
#include "gateway/exchange.h"

/* Where a session came in. Borrowed; it lives as long as the worker. The edge is kept by name: a
 * reload may number edges anew. */
struct session_door {
    struct worker *worker;
    char edge[4];  /* name and NUL; the snapshot it was read from may be gone */
    uint16_t port; /* public port it stands for */
    bool https;    /* visitors are taken to come by TLS */
    bool admin;
};

void session_h1_accept(struct worker *worker, const struct session_door *door, struct conn *c);
/* Draining: idle sessions get a second to send a request that may be on its way, which is answered
 * with Connection: close. */
void session_h1_drain(struct gw_list *link);
/* At once. */
void session_h1_kill(struct gw_list *link);

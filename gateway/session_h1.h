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
#include "gateway/session.h"

/* `seen` and `data` are what was read already; mostly nothing. A draining session that is idle gets
 * its second, and Connection: close with the answer. */
void session_h1_accept(const struct session_door *door, struct conn *c, struct gw_str seen,
                       struct gw_str data);

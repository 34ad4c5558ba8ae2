/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client's HTTP/2 connection (RFC 9113; nghttp2 does frames, HPACK and windows): each stream
 * becomes an exchange, many run at once, and what they say becomes frames.
 *
 *   stream: HEAD ──END_HEADERS──► exchange runs ──done──► drains ──► closed
 *                 │ malformed: an exchange that is answered 400, 414, 431; or a reset
 *
 * session_h2.c is the connection, session_h2_stream.c the exchanges' side, session_h2_out.c the
 * bytes, session_h2_fields.c header lines as fields, session_h2_guard.h what a hostile client may
 * cost.
 *
 * Writing: frames are made at the end of a read callback or of the turn and leave in one call. Held
 * bodies are not copied. Backpressure: a window is given back when the exchange has taken the
 * bytes; an exchange is congested while its stream has OUT_MAX bytes waiting or the connection
 * OUT_COPIED_MAX copied ones, and no frame is made while QUEUE_MAX bytes wait in the socket.
 *
 * Extended CONNECT (RFC 8441) is the way of a WebSocket: the exchange sees the GET with Upgrade
 * that it stands for, its 101 becomes 200. There is no server push, priorities are not looked at
 * (RFC 9218 replaces them), trailers are read and not forwarded, as in HTTP/1.
 *
 * Timeouts: idle (no stream; frames such as PING do not prolong it), head (a block that does not
 * end closes the connection, whose HPACK state would be lost), body (408), write (a stream whose
 * window stays shut, a socket that takes nothing). Drain: GOAWAY with the highest stream number,
 * then after SESSION_DRAIN_GRACE_MS the real one; streams under way end.
 *
 * Thread: the worker's. Owns: itself. Limits: H2_STREAMS_MAX streams; windows of H2_STREAM_WINDOW
 * and H2_CONNECTION_WINDOW bytes of request bodies; HPACK tables of 4 KiB each way; heads as
 * worker->request_limits; frames that wait for who reads nothing (OUTBOUND_MAX); an idle connection
 * holds some 21 KiB, nearly all of it nghttp2's. */
#include "gateway/session.h"

#define H2_STREAMS_MAX       128
#define H2_STREAM_WINDOW     ((size_t)64 << 10)
#define H2_CONNECTION_WINDOW ((size_t)1 << 20)

/* `seen` and `data` are what was read already. */
void session_h2_accept(const struct session_door *door, struct conn *c, struct gw_str seen,
                       struct gw_str data);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A visitor's connection until its TLS handshake is over, and the one place that then chooses the
 * version of HTTP: the one that both sides agreed on by ALPN (RFC 7301), HTTP/1 without.
 *
 *   accept ──► handshake ──► session_h1, session_h2      plain HTTP on a TLS door ──► 400, the end
 *
 * A handshake has timeouts.handshake_ms. It is a session like others: it counts against
 * limits.connections, so that a flood of them meets the ceiling, and a drain waits for it. What
 * fails is counted (nearedge_tls_handshakes_total) and logged, repeats summarised.
 *
 * Thread: the worker's. Owns: itself; freed when its connection is closed or handed on. */
#include "gateway/session.h"

/* Offered by ALPN, the best first: the rows of the table of versions. */
extern const char session_tls_protocols[];

/* For a door with certificates. */
void session_tls_accept(const struct session_door *door, struct conn *c);

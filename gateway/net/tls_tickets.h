/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The keys that session tickets are sealed with (RFC 5077 section 4, RFC 8446 section 4.6.1).
 *
 * One ring for all listeners and workers and across reloads, so that a visitor resumes wherever the
 * kernel sends him. Whoever learns a key reads every session it sealed: a key seals for
 * TLS_TICKETS_ROTATE_MS and opens for as long again, then it is gone with the next handshake. A
 * ticket resumes under the certificate that it was sealed under and no other (tls_server.c). Pure
 * but for the random bytes: `now_ms` is monotonic. Thread: any; one short mutex, taken at
 * handshakes only. */
#include "gateway/base/base.h"

#define TLS_TICKETS_ROTATE_MS ((uint64_t)6 * 3600 * 1000)
#define TLS_TICKETS_LIFE_S    (6 * 3600) /* of a ticket: its key opens at least this long */

struct tls_ticket_key {
    uint8_t name[16]; /* in the clear in front of the ticket */
    uint8_t aes[32], hmac[32];
};

struct tls_tickets;

struct tls_tickets *tls_tickets_new(uint64_t now_ms);
void tls_tickets_free(struct tls_tickets *t); /* NULL is fine */
/* The key to seal with. */
struct tls_ticket_key tls_tickets_seal(struct tls_tickets *t, uint64_t now_ms);
/* The key to open with. False: unknown or gone. *old: the visitor should get a new ticket. */
GW_MUST bool tls_tickets_open(struct tls_tickets *t, uint64_t now_ms, const uint8_t name[16],
                              struct tls_ticket_key *out, bool *old);

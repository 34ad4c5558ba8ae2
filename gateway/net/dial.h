/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connecting to the first of several addresses that answers (RFC 8305, "Happy Eyeballs"): families
 * take turns in the resolver's order (section 4), the next address is tried when one fails or after
 * DIAL_STAGGER_MS (section 5), and the first connection that stands wins; the others are dropped.
 * One dead family then costs a quarter of a second and not a connect timeout.
 *
 * Names are resolved by the system (resolver.h), whose own order of addresses (RFC 6724) is the one
 * to keep; asking for A and AAAA apart, section 3's other half, would need a resolver of our own.
 * Thread: the loop's. Owns: its connections and its answer until done. Embedded in its owner, who
 * cancels it before it dies. The deadline wheel rounds the stagger up to its next tick. */
#include "gateway/net/conn.h"
#include "gateway/net/resolver.h"

#define DIAL_STAGGER_MS 250

struct dial;

struct dial_attempt {
    struct dial *dial;
    struct conn *conn; /* NULL: not begun, or over */
};

struct dial {
    void (*done)(struct dial *d, struct conn *c, int err); /* c belongs to the callee */
    struct gw_loop *loop;
    struct resolver_answer *answer; /* a copy: the pool resolves anew while a dial hangs */
    struct gw_deadline stagger;
    struct dial_attempt attempts[RESOLVER_ADDRESSES_MAX];
    uint8_t order[RESOLVER_ADDRESSES_MAX]; /* of addresses */
    size_t count, next;
    int err; /* of the last failure */
};

/* `done` must be set. The answer has an address and is copied. done comes from a later turn, with a
 * connection or the last attempt's error. */
void dial_start(struct dial *d, struct gw_loop *loop, const struct resolver_answer *answer);
/* Nothing is told any more. A dial that was never started must be zeroed. */
void dial_cancel(struct dial *d);
/* The order in which addresses are tried, as indexes; pure. */
void dial_order(const struct resolver_answer *answer, uint8_t order[RESOLVER_ADDRESSES_MAX]);

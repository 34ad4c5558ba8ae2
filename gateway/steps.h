/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The way of a request, one step after the other:
 *
 *  accept → session ► NORMALISE ► ZONE ► RULES ► FAULT ► RATE ► LIMIT ► LOOKUP ─hit─► DELIVER ► LOG
 *                                  │               │      │       │      │├ miss ► FETCH►│       ▲
 *                                  │ no zone       │ deny │ deny  │ deny │└ not cached ► PASS ───┤
 *                                  └───────────────┴──────┴───────┴──────┴──► REPLY ─────────────┤
 *  admin  → session ► ADMIN ─────────────────────────────────────────────────────────────────────┘
 *
 * One step = one file step_<name>.c with one function step_x(exchange) → MORE | WAIT | DONE
 * (Varnish's request state machine is the model). A step that answers MORE has set x->step to the
 * next one; WAIT means that an event will call exchange_resume; event handlers only record what
 * happened. A session turns bytes into exchanges and exchanges into bytes; steps know no protocol.
 * On a cache hit or a local 429 all steps run in one go inside the read callback. Thread: the
 * worker's. */
#include "gateway/base/str.h"

struct exchange;

#define EXCHANGE_STEPS(X)                                                                          \
    X(NORMALISE, normalise) /* who asks, from where, for what: one normal form */                  \
    X(ZONE, zone)           /* which configuration answers for the host */                         \
    X(RULES, rules)         /* cache rules: the settings that hold for this request */             \
    X(FAULT, fault)         /* what a drill breaks at the edge itself */                           \
    X(RATE, rate)           /* rate limiting rules: count, and refuse what is over */              \
    X(LIMIT, limit)         /* the limiter of the route: admit, refuse, or wait for the backend */ \
    X(LOOKUP, lookup)       /* may it be cached; is it; who fetches */                             \
    X(FETCH, fetch)         /* waits for the head of a fill, its own or another's */               \
    X(PASS, pass)           /* streams between client and origin, nothing is kept */               \
    X(DELIVER, deliver)     /* sends from an object or a fill */                                   \
    X(REPLY, reply)         /* sends what the edge itself has to say */                            \
    X(ADMIN, admin)         /* answers a request of the admin listener */                          \
    X(LOG, log)             /* one line, counters, end */

#define X(id, name) STEP_##id,
enum step { EXCHANGE_STEPS(X) STEP_COUNT };
#undef X
enum step_result { STEP_MORE, STEP_WAIT, STEP_DONE };

#define X(id, name) enum step_result step_##name(struct exchange *x);
EXCHANGE_STEPS(X)
#undef X

/* A piece of an admin request's body. */
void step_admin_body(struct exchange *x, struct gw_str data);

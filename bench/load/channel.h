/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One client connection that carries one HTTP/1.1 request at a time.
 *
 * Life: channel_open → on_ready → (channel_send → on_answer)…; it ends with the on_answer of an
 * answer that is not `reusable`, with on_lost, or with channel_close: after that it is gone and
 * nobody may touch it. A peer that speaks out of turn is lost.
 *
 * Thread: the loop's. Owns: its connection, parser and the head of the answer. Limits: heads as in
 * H1_LIMITS_DEFAULT; of the body the first CHANNEL_PEEK bytes are kept, or all of it in `body` up
 * to that buffer's ceiling. */
#include "bench/load/sample.h"
#include "gateway/base/buf.h"
#include "gateway/http/method.h"
#include "gateway/net/conn.h"

#define CHANNEL_PEEK 96

struct channel_answer {
    uint16_t status; /* 0: none came, error says why */
    uint8_t cache, refusal, error;
    bool reusable;
    bool retry_after_broken; /* 429 whose Retry-After is missing or no whole number above 0 */
    uint32_t retry_after_s;
    uint64_t done_us; /* gw_loop_real_us */
};

struct channel;
struct tls_client;

struct channel_events {
    void (*on_ready)(void *ctx, struct channel *c);
    void (*on_answer)(void *ctx, struct channel *c, const struct channel_answer *answer);
    void (*on_lost)(void *ctx, struct channel *c, int err); /* no request was under way */
};

/* `timeout_ms` is for connecting (a handshake included) and for each answer. */
struct channel *channel_open(struct gw_loop *loop, const struct net_address *to,
                             uint64_t timeout_ms, const struct channel_events *events, void *ctx);
/* Only when ready and nothing is under way. `body` (may be NULL) gets the answer's body. A negative
 * error: the channel is gone, on_answer will not come. */
GW_MUST int channel_send(struct channel *c, struct gw_str request, enum http_method method,
                         struct gw_buf *body);
void channel_close(struct channel *c);
/* The same over TLS; the client is borrowed. NULL: without. */
struct channel *channel_open_tls(struct gw_loop *loop, const struct net_address *to,
                                 struct tls_client *tls, uint64_t timeout_ms,
                                 const struct channel_events *events, void *ctx);
/* In on_lost: why the handshake failed, in OpenSSL's words; NULL: it did not. Static. */
const char *channel_handshake_failure(const struct channel *c);
void *channel_ctx(const struct channel *c);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a client of Redis Cluster has to know by itself: in which of the 16384 slots a key lies,
 * which node serves a slot, and how a node says that another one does (redis.io, "Redis cluster
 * specification"). No sockets here; backend_redis_cluster has them.
 *
 * A key's slot is the CRC16 of its hash tag: what stands between the first "{" and the next "}", or
 * the whole key when there is no such pair or nothing in it. Storage keys (store.h) get their tag
 * here, around the logical key:
 *
 *     rl:<name>:<key>          ->  rl:<name>:{<key>}
 *     rl:<name>@FRA.0:<key>    ->  rl:<name>@FRA.0:{<key>}
 *
 * so that everything known about one visitor lies in one slot, and a client who writes braces into
 * its key chooses no more than a suffix of a tag that is ours.
 *
 * Thread: none, plain values. Limits: REDIS_NODES_MAX nodes. */
#include "gateway/base/str.h"

#define REDIS_SLOTS     16384u
#define REDIS_NODES_MAX 64u
#define REDIS_NO_NODE   UINT8_MAX

unsigned redis_slot_of(struct gw_str key);

/* The tagged form of a storage key, or of a glob pattern of such keys, in `out`, which has room for
 * key.len + 2 bytes. A text of another form is copied as it is. */
struct gw_str redis_tag(struct gw_str key, char *out);
/* Back from the tagged form, likewise. */
struct gw_str redis_untag(struct gw_str key, char *out);

/* Slot -> index of a node, or REDIS_NO_NODE. */
struct redis_slots {
    uint8_t owner[REDIS_SLOTS];
};

void redis_slots_clear(struct redis_slots *slots);
/* False, and nothing changed, when the range is none. */
GW_MUST bool redis_slots_give(struct redis_slots *slots, uint64_t first, uint64_t last,
                              uint8_t node);
bool redis_slots_has(const struct redis_slots *slots, uint8_t node);
/* All slots of a node lose it. */
void redis_slots_take(struct redis_slots *slots, uint8_t node);

/* "MOVED 3999 10.0.0.5:7001": the slot lives there from now on. "ASK 3999 10.0.0.5:7001": it is on
 * its way there, and this one key is there already. */
struct redis_redirect {
    bool ask;
    unsigned slot;
    struct gw_str host; /* into the text; empty: the host that answered */
    uint16_t port;
};

/* False: the error is no redirection, or not well-formed. */
GW_MUST bool redis_redirect_read(struct gw_str error, struct redis_redirect *out);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One server as one worker sees it: a connection for commands and one for reset messages, whether
 * it is there, and the flights that wait for it or are under way.
 *
 *     STARTING --first answers--> UP <--> DOWN
 *         '------ first failure ----------^
 *
 * The reset messages of a node's own keys come from that node itself: Redis Cluster passes them on
 * between nodes too, but a bus that stutters would lose some without a word.
 *
 * The seed is the only server, or in a cluster the door: it is asked for the map while no node can
 * be. Thread: the loop's. Owns: its links and the flights in its lists; freed in a later turn, for
 * late replies still name it. */
#include "limiter/backend_redis_link.h"

#define REDIS_HOST_MAX 256

struct redis_backend;

enum redis_phase {
    REDIS_STARTING, /* the first attempt runs: calls wait for it, until their deadline */
    REDIS_UP,
    REDIS_DOWN, /* the failure policy answers at once */
};

struct redis_node {
    struct redis_backend *backend;
    struct redis_target target;
    char host[REDIS_HOST_MAX]; /* of a node of the cluster: target.host */
    uint8_t index;             /* in backend->nodes */
    bool is_seed;
    enum redis_phase phase;
    struct redis_link *commands, *subscription; /* the latter NULL until it is of use */
    bool subscribed;
    char script_sha[41];
    int64_t offset_ms; /* its clock minus ours, smoothed */
    bool offset_known;
    uint64_t named_ms;      /* when a redirection last led here */
    uint64_t refuses_ms;    /* since when it says that the cluster is down; 0: it does not */
    struct gw_list pending; /* flights of this turn, or of STARTING */
    struct gw_list sent;    /* flights under way; both oldest first */
    struct gw_task gone;
};

/* Copies the target, whose texts live as long as the node. */
struct redis_node *redis_node_new(struct redis_backend *b, const struct redis_target *target,
                                  bool is_seed);
/* The failure policy answers its flights. NULL is fine. */
void redis_node_free(struct redis_node *node);
bool redis_node_is(const struct redis_node *node, struct gw_str host, uint16_t port);
/* Starts to listen for resets, once. */
void redis_node_subscribe(struct redis_node *node);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of a fill, for fill, reader, store and purge; nobody else includes it. Thread: any;
 * each member says which lock guards it. Owns: copies of the place's texts, references on its
 * objects. */
#include "cache/reader.h"
#include "cache/shard.h"

struct fill_call; /* a notification under way, on the notifier's stack */

struct cache_fill {
    struct cache_place place;   /* with copies of its own behind the struct */
    uint64_t generation;        /* of the space when it began */
    struct cache_object *stale; /* a reference, or NULL */
    _Atomic uint32_t refs;      /* the shard's table holds one */

    struct gw_list link; /* in the shard's table; guarded by the shard's lock */
    bool listed, doomed; /* likewise; doomed: purged meanwhile, not to be stored */

    pthread_mutex_t lock;  /* guards the rest */
    pthread_cond_t called; /* a notification has returned */
    struct fill_call *calls;
    struct gw_list waiters, readers;
    struct cache_waiter *resume; /* the leader's, or NULL */
    enum cache_fill_state state;
    uint32_t version; /* of state and received */
    int error;
    struct cache_object *object; /* head of the running fill, with the growing body */
    struct cache_object *whole;  /* what the look-ups to come get */
    uint64_t received, body_max;
    bool ended;           /* the last byte has come, although the state stays STREAMING */
    bool storing, broken; /* broken: more bytes than announced */
};

/* Two references: one for the leader, one for the list of the shard, on which the caller puts it.
 */
struct cache_fill *cache_fill_new(const struct cache_place *place, struct cache_object *stale);

/* The rest with the lock held. */
/* Offset of the slowest reader; `received` when there is none. */
uint64_t cache_fill_slowest(const struct cache_fill *fill);
/* What the leader may do now. */
enum cache_append cache_fill_window(const struct cache_fill *fill);
/* Counts a change, wakes everybody and unlocks. */
void cache_fill_changed(struct cache_fill *fill);
/* Wakes the leader that waits for its readers; unlocks in between. */
void cache_fill_resumed(struct cache_fill *fill);

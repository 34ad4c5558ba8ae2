/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the index and the eviction queues keep inside each object, so that neither allocates per
 * object. Guarded by the lock of the shard that the hash names. Thread: none, that lock guards it.
 * Owns: nothing. */
#include "gateway/base/hash.h"
#include "gateway/base/list.h"

enum cache_queue { CACHE_QUEUE_NONE, CACHE_QUEUE_SMALL, CACHE_QUEUE_MAIN };

struct cache_entry {
    struct gw_hash128 hash;
    struct gw_list link; /* in its queue */
    size_t bytes;        /* memory of the object with its body */
    uint8_t hits;        /* since it entered its queue, at most 3 */
    uint8_t queue;       /* enum cache_queue */
};

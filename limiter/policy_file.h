/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of a policy, for the two files that make it: policy_load fills it, policy answers from
 * it. Invariant once loaded: routes[i] has number i in the tree. Thread: immutable once loaded; the
 * reference count is atomic. Owns: its arena, map and tree. */
#include <stdatomic.h>

#include "gateway/base/arena.h"
#include "gateway/base/map.h"
#include "limiter/policy.h"
#include "limiter/route.h"

struct limiter_policy {
    atomic_uint refs;
    struct gw_arena arena; /* all texts and arrays */
    struct limiter *limiters;
    size_t limiter_count;
    struct limiter_route *routes;
    size_t route_count;
    struct gw_str *origins; /* "allowed_origins" */
    size_t origin_count;
    struct gw_map by_name; /* name -> struct limiter */
    struct route_tree *tree;
};

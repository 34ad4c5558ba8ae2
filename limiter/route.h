/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Finds the first of many path patterns, in file order, that fits a method and a path.
 *
 * A pattern is exact ("/api/tools"), has parameters ("/api/comments/:id": one segment, not empty),
 * or ends in `*` ("/api/" and any rest, also none). All patterns form one tree of segments; the
 * walk follows the literal child and the parameter child of each node and keeps the lowest number
 * found. A subtree that holds no lower number is not entered, so 225 routes cost a handful of
 * comparisons, and the answer is that of trying them one by one.
 *
 * Owns: the tree; pattern texts are borrowed and outlive it. Thread: one builds, then any reads.
 * Limits: LIMITER_SEGMENTS_MAX segments a pattern, which bounds the depth of the walk. */
#include "gateway/http/method.h"

#define LIMITER_SEGMENTS_MAX 32
#define LIMITER_NO_ROUTE     UINT32_MAX

struct route_tree;

struct route_tree *route_tree_new(void);
void route_tree_free(struct route_tree *tree);

/* NULL when the pattern is good, otherwise what is wrong with it; *at is the offending byte. */
const char *route_pattern_error(struct gw_str pattern, size_t *at);
/* The pattern is good; numbers rise from call to call. methods: 1 << enum http_method. */
void route_tree_add(struct route_tree *tree, struct gw_str pattern, uint32_t methods,
                    uint32_t number);
/* After the last add, before the first look-up. */
void route_tree_seal(struct route_tree *tree);
uint32_t route_tree_find(const struct route_tree *tree, enum http_method method,
                         struct gw_str path);

/* Does every path that fits `inner` also fit `outer`? Both are good patterns. */
bool route_covers(struct gw_str outer, struct gw_str inner);

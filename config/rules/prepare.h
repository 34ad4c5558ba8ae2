/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is decided about an expression before the first request: the shortest way to each value,
 * the order in which tests run, and which tests several rules share. Nothing here changes a result.
 * Thread: the builder's. */
#include "config/rules/node.h"

void prepare_access(struct access *a);
/* Sets the cost of a comparison; rewrites starts_with and ends_with calls as comparisons. */
void prepare_compare(struct logic *l);
/* Fills items and sorted from the chain that begins with `first`. */
void prepare_chain(struct logic *l, struct logic *first, size_t count, struct gw_arena *arena);
/* Gives costly tests that occur more than once a slot of the request's shared results. */
void prepare_shared(struct expr_share *share, struct expr *e);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The zone's cache response rules on an origin's answer (cache/response_rules.h). Thread: the
 * worker's. */
#include "gateway/exchange.h"

/* For every final answer, once, before anything is decided about it. *fields is replaced by what
 * the rules make of it. */
struct cache_ruled response_ruling(struct exchange *x, uint16_t status,
                                   const struct headers **fields);

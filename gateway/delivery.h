/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What of a stored (or just arriving) object answers the client's request: head and stretches of
 * the body. Policy is cache/conditional.h; this makes a response of it. Thread: the worker's. */
#include "gateway/exchange.h"

/* Decides whole, 304, 206 or 416 and fills status, header lines and length. The slices live in the
 * object and in worker->lines: until the next step. */
void delivery_head(struct exchange *x, struct response *response);

/* The current part of the body, in offsets of the object's body. */
uint64_t delivery_part_start(const struct exchange *x);
uint64_t delivery_part_end(const struct exchange *x); /* UINT64_MAX while the length is unknown */

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an unsafe request takes out of the cache (RFC 9111 section 4.4): a POST that succeeds has
 * probably changed what its URL stands for, so nothing stored under that URL may answer any more,
 * nor under those that the answer names in Location and Content-Location, if they are of the same
 * origin (of another one they would let a site empty its neighbour's cache).
 *
 * By key, at every edge: an API that is posted to all day must not walk the cache for it. Reached
 * are the plain variant and the one of the request's own headers; variants of other visitors (their
 * Origin, device, cookies in the key) live on to the end of their TTL. Thread: the worker's.
 * Limits: two keys per edge and URL. */
#include "gateway/exchange.h"

/* For every final answer of the origin that passes through; does nothing unless it is a 2xx or 3xx
 * to an unsafe method. */
void invalidate_after(struct exchange *x, const struct h1_message *answer);

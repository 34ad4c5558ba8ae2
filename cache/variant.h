/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Variants of one key: with a `vary` rule, a response that varies is stored under a second key made
 * of the first and of what the request says in the headers named (vary.h). Under the first key lies
 * a marker with those names, so that later requests find their variant; the last response's names
 * count for all. A variant lies in the shard of its key, and purging the key takes all along.
 *
 * Requests that joined the fetch of a response nobody knew to vary ask again once its head is
 * there: locate tells them their own place, which may be another one.
 *
 * Thread: any. Limits: those of vary.h; a key too long to be told apart answers false and nothing
 * may be stored. */
#include "cache/fill.h"
#include "cache/vary.h"

/* From the place of the key (or of any of its variants) to that of this request's variant; no
 * marker, or no `vary` setting: it stays. */
GW_MUST bool cache_variant_locate(const struct cache_policy *policy,
                                  const struct cache_request *request, struct cache_place *place);
/* For the leader, before cache_fill_head, about a response that is to be stored. */
GW_MUST bool cache_variant_settle(struct cache_fill *fill, const struct cache_policy *policy,
                                  const struct cache_request *request,
                                  const struct headers *response);

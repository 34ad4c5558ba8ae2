/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cache response rules: what they make of an origin's answer, cached or not, before anybody looks
 * at it (spec/cache-behaviour.md section 6). Rules run in order, so per directive the last one
 * wins.
 *
 * Two Cache-Controls come out, since a rule may speak to the edge alone (cloudflare_only): the one
 * that clients see stays a Cache-Control field, the edge's becomes Cloudflare-CDN-Cache-Control,
 * which outranks all others, is stored with the object and never leaves the edge.
 *
 * Pure. Thread: any. Owns: nothing; new fields lie in the arena. */
#include "config/rules/ruleset.h"
#include "gateway/http/headers.h"

/* What the store decision has to know beside the fields. */
struct cache_ruled {
    bool matched;       /* Origin Cache Control counts as on */
    bool sets_ttl;      /* a lifetime, or that there is none: beats the edge TTL of a cache rule */
    bool no_validators; /* ETag or Last-Modified was taken away: the edge makes none of its own */
};

/* `facts` describe the request; the answer is added to them. *fields is replaced when a rule
 * changes something. Without memory for that nothing is changed. */
struct cache_ruled cache_rule_response(const struct ruleset *rules, struct rules_request *facts,
                                       uint16_t status, const struct headers **fields);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values computed from the request view on first use, and key look-up in its maps without building
 * them (spec/rules-language.md section 5). Owns: nothing; results live in the request's scratch
 * arena or are slices of the request. Thread: the request's. */
#include "config/rules/request.h"
#include "gateway/http/headers.h"

/* The slow path of rules_derive. */
const struct rules_value *rules_derive_now(struct rules_request *r, enum rules_derived slot);
static inline const struct rules_value *rules_derive(struct rules_request *r,
                                                     enum rules_derived slot)
{
    return gw_likely(r->derived_known >> slot & 1) ? &r->derived[slot] : rules_derive_now(r, slot);
}

static inline struct gw_str rules_raw_path(const struct rules_request *r)
{
    return r->raw_path.ptr ? r->raw_path : r->path;
}
static inline struct gw_str rules_raw_query(const struct rules_request *r)
{
    return r->raw_query.ptr ? r->raw_query : r->query;
}

/* Whether a derived value is a map of names to lists, and so can be asked by key. */
bool rules_is_multimap(enum rules_derived slot);

/* A key, with what is known about it before any request. */
struct rules_key {
    struct gw_str text;
    enum header_id id; /* of a header name; HEADER_OTHER: compare the text */
    bool never;        /* header maps have lower-case keys only */
};
struct rules_key rules_key_prepare(enum rules_derived slot, struct gw_str text);

/* The nth value of a key; false when there are not that many. */
bool rules_key_nth(struct rules_request *r, enum rules_derived slot, const struct rules_key *key,
                   uint32_t nth, struct gw_str *value);
/* All values of a key as an array, in order; missing when there is none. */
struct rules_value rules_key_values(struct rules_request *r, enum rules_derived slot,
                                    const struct rules_key *key);

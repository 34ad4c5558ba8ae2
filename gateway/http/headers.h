/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An ordered list of header fields. Names that the gateway treats specially have a number, so that
 * all later code compares integers; the rest is HEADER_OTHER and found by text.
 *
 * Invariants: bit id of `present` is set iff an item has that id (HEADER_OTHER has no bit); order
 * is the order of arrival; names keep the case in which they came (the rules language shows it);
 * values have no white space at their ends. Owns: nothing; items lie in the arena, names and values
 * wherever the one who added them keeps them. Limits: `max` items. Thread: one. */
#include "gateway/base/arena.h"
#include "gateway/http/header_names.h"

#define X(id, name) HEADER_##id,
enum header_id { HEADER_OTHER, HEADER_NAMES(X) HEADER_COUNT };
#undef X

struct header {
    struct gw_str name, value;
    enum header_id id;
};

struct headers {
    struct header *items;
    size_t count, cap, max;
    uint64_t present[2];
    struct gw_arena *arena;
};

/* Case-insensitive; HEADER_OTHER for a name that is not in the list (or is no name at all). */
enum header_id header_id_of(struct gw_str name);
/* The name as listed above, static storage; empty for HEADER_OTHER. */
struct gw_str header_name(enum header_id id);
/* A non-empty token (RFC 9110 section 5.1). */
bool header_name_valid(struct gw_str name);
/* No CR, LF, NUL or other control byte but HTAB (RFC 9110 section 5.5). */
bool header_value_valid(struct gw_str value);

/* An empty list that may hold `max` items and grows in the arena. */
void headers_init(struct headers *h, struct gw_arena *arena, size_t max);
/* Room for `count` items at once, so that adding them does not move the list. */
GW_MUST bool headers_reserve(struct headers *h, size_t count);
/* Both borrow their slices; false past `max` or when the arena is full. */
GW_MUST bool headers_add(struct headers *h, struct gw_str name, struct gw_str value);
GW_MUST bool headers_add_id(struct headers *h, enum header_id id, struct gw_str value);

static inline bool headers_has(const struct headers *h, enum header_id id)
{
    return h->present[id >> 6] >> (id & 63) & 1;
}
/* The slow path of headers_get. */
const struct gw_str *headers_first(const struct headers *h, enum header_id id);
/* The first value, or NULL; an absent header costs one test. id is not HEADER_OTHER. */
static inline const struct gw_str *headers_get(const struct headers *h, enum header_id id)
{
    return headers_has(h, id) ? headers_first(h, id) : NULL;
}
/* The same by name, for names that are known at run time only. */
const struct gw_str *headers_find(const struct headers *h, struct gw_str name);
/* Walks all values of one field: start with *at = 0; NULL at the end. */
const struct gw_str *headers_next(const struct headers *h, enum header_id id, size_t *at);
const struct gw_str *headers_find_next(const struct headers *h, struct gw_str name, size_t *at);

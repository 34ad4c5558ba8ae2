/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The body of a 206: one range of an object, or several as multipart/byteranges (RFC 9110 section
 * 14.6), where each part is introduced by a few lines and a last line closes the whole:
 *
 *     [part head 0] range 0 [part head 1] range 1 … [end]
 *
 * Pure. Thread: any. */
#include "cache/object.h"
#include "gateway/http/range.h"

#define CACHE_BOUNDARY_LEN 20

struct cache_range_plan {
    const struct range *ranges; /* ascending, inside [0, size) */
    size_t count;               /* 1: a plain 206 */
    uint64_t size;              /* of the whole object */
    uint64_t body_len;          /* Content-Length of the 206 */
    struct gw_str content_type; /* of the object; may be empty */
    char boundary[CACHE_BOUNDARY_LEN];
};

/* ranges: as range_parse found them; borrowed. */
void cache_range_plan_init(struct cache_range_plan *plan, const struct cache_object *o,
                           const struct range *ranges, size_t count);
/* Appends the fields that describe the body: Content-Range and Content-Length, or the multipart
 * Content-Type and Content-Length. */
void cache_range_fields(const struct cache_range_plan *plan, struct gw_buf *out);
/* Of several ranges: appends what stands before range `index`, or, with index == count, the end. */
void cache_range_part(const struct cache_range_plan *plan, size_t index, struct gw_buf *out);

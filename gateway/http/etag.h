/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Entity tags and the preconditions that use them (RFC 9110 sections 8.8.3 and 13.1;
 * spec/cache-behaviour.md sections 2.10 and 2.11). Thread: any. */
#include "gateway/http/headers.h"

/* "x" or W/"x". Unquoted tags are malformed: Cloudflare removes them. */
bool etag_valid(struct gw_str etag);
bool etag_is_weak(struct gw_str etag);
/* Same opaque tag, W/ or not. Malformed tags equal nothing. */
bool etag_weak_eq(struct gw_str a, struct gw_str b);
/* Same opaque tag, and neither is weak. */
bool etag_strong_eq(struct gw_str a, struct gw_str b);

enum etag_comparison { ETAG_WEAK, ETAG_STRONG };
/* True when a list (over all lines of the field) names `etag`, or is "*". etag may be empty (the
 * object has none: only "*" matches). A malformed member ends the list it stands in. */
bool etag_listed(const struct headers *h, enum header_id id, struct gw_str etag,
                 enum etag_comparison how);

/* If-Range: exactly the strong tag, or exactly the text of Last-Modified. Either may be empty. */
bool etag_if_range(struct gw_str value, struct gw_str etag, struct gw_str last_modified);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The head of a stored response, as bytes that can be sent as they are. Its parts stand in an order
 * that lets every kind of answer be made of few slices:
 *
 *     HTTP/1.1 200 OK␍␊ | general fields | content fields | Cache-Control | Content-Length
 *     0                 fields_at        content_at       control_at      length_at       end
 *
 *   whole            [0, end)                               then the lines of this response, ␍␊
 *   browser TTL      [0, control_at) browser_control [length_at, end)
 *   206              own status line [fields_at, length_at) own Content-Range, Content-Length
 *   206, multipart   own status line [fields_at, content_at) [control_at, length_at) own fields
 *   304              own status line [fields_at, content_at) [control_at, length_at)
 *   still streaming  [0, length_at) Transfer-Encoding: chunked
 *
 * Left out: hop-by-hop fields and those Connection names, Age, Server, CF-*, Cache-Tag,
 * Cloudflare-CDN-Cache-Control, X-Accel-* (section 7.2), malformed ETags (2.10) and what the
 * decision says. Date stays as the origin sent it, or is the time of storing. A 200 without
 * validators gets the time of storing as Last-Modified (Smart Edge Revalidation, 2.9). Behind `end`
 * the text goes on with values that are needed but not sent.
 *
 * Pure. Thread: any. */
#include "cache/coding.h"
#include "cache/store_decision.h"
#include "gateway/base/buf.h"

struct cache_slice {
    uint32_t at, len;
};

struct cache_head {
    uint32_t fields_at, content_at, control_at, length_at, end;
    struct cache_slice etag, last_modified, content_type;
    struct cache_slice cache_control; /* all lines joined by ", " */
    struct cache_slice edge_control;  /* Cloudflare-CDN-Cache-Control likewise */
    struct cache_slice tags;          /* Cache-Tag likewise */
    struct cache_slice server;        /* the origin's, for a gateway that lets it pass */
    /* The Cache-Control line for browsers with these wishes, CRLF and all; empty: the origin's. */
    struct cache_slice browser_control;
    struct cache_browser browser;
    struct cache_content content;
    bool own_last_modified; /* made here: no validator towards the origin */
};

/* Room for any head the gateway accepts (128 KiB) and its extras. */
#define CACHE_TEXT_MAX ((size_t)512 * 1024)

/* Appends to the empty buffer `out`; false when it overflows (then the response is not stored). */
GW_MUST bool cache_head_write(const struct cache_response *response,
                              const struct cache_decision *decision, uint64_t now_ms,
                              struct gw_buf *out, struct cache_head *head);

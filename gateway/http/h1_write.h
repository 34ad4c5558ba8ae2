/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP/1.1 heads and chunk framing into a buffer. A byte that would end a line, or NUL, is refused
 * here and so cannot be smuggled from anywhere into a message (header injection). Functions return
 * false and write nothing then. A full buffer sets its overflow mark, as always. Thread: one. */
#include "gateway/base/buf.h"
#include "gateway/http/headers.h"

/* "Not Found"; "Unknown" for codes nobody knows. Covers the IANA registry and Cloudflare's 52x. */
struct gw_str h1_status_text(unsigned status);

/* "HTTP/1.1 200 OK\r\n"; an empty reason takes h1_status_text. */
GW_MUST bool h1_write_status(struct gw_buf *b, unsigned status, struct gw_str reason);
/* "GET /path HTTP/1.1\r\n"; method and target hold no space or control byte. */
GW_MUST bool h1_write_request(struct gw_buf *b, struct gw_str method, struct gw_str target);
/* "Name: value\r\n". */
GW_MUST bool h1_write_field(struct gw_buf *b, struct gw_str name, struct gw_str value);
GW_MUST bool h1_write_id(struct gw_buf *b, enum header_id id, struct gw_str value);
void h1_write_u64(struct gw_buf *b, enum header_id id, uint64_t value);
/* The empty line that ends a head. */
void h1_write_end(struct gw_buf *b);

#define H1_CHUNK_LINE_MAX 18
#define H1_CHUNK_END      GW_STR("\r\n")
#define H1_LAST_CHUNK     GW_STR("0\r\n\r\n") /* without trailers */
/* "1a2b\r\n" at out[H1_CHUNK_LINE_MAX]; returns its length. size is not 0. */
size_t h1_chunk_line(char *out, uint64_t size);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The line before a chunk (RFC 9112 section 7.1). Private to h1_parse, which does not leave chunks
 * to llhttp: 8.1 in its lenient build skips what stands behind the size, takes white space for an
 * extension and does not check the CRLF behind the data, and each of these was once a way to
 * smuggle a request. Thread: any. */
#include "gateway/base/str.h"

/* `line` without CRLF, free of control bytes but HTAB. False unless it is a size of at most 16 hex
 * digits (below 2^63) and well-formed extensions, which are ignored. */
GW_MUST bool h1_chunk_parse(struct gw_str line, uint64_t *size);

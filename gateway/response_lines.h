/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Header lines of responses to clients (spec/cache-behaviour.md section 7.2). Thread: the worker's.
 */
#include "gateway/exchange.h"

/* Room that the edge's own lines need at most, without a decision line. */
#define RESPONSE_EDGE_LINES_MAX ((size_t)512)

/* The origin's fields (x->answer_fields) of a response that passes through, without framing,
 * hop-by-hop fields and those that are for the edge alone; those of a recoded body are adapted. */
void response_lines_origin(struct exchange *x, struct gw_buf *out);
/* Hands a 1xx of the origin on to the client (spec section 7.6). */
void response_informational(struct exchange *x, const struct h1_message *answer);
/* What the edge says about every response: CF-Ray, CF-Cache-Status, Age for stored objects, Server,
 * X-Nearedge-Decision when debug_headers is on. */
void response_lines_edge(struct exchange *x, struct gw_buf *out);

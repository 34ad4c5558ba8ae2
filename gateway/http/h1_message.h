/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a head means: start line, then the rules over all fields together (framing, Host, the
 * connection's fate). Private to h1_parse. All return 0 or the error for message.error. Thread:
 * any. */
#include "gateway/http/h1_parse.h"

/* `line` without CRLF, free of CR, LF and control bytes but HTAB. */
GW_MUST int h1_read_request_line(struct h1_message *m, struct gw_str line, size_t target_max);
GW_MUST int h1_read_status_line(struct h1_message *m, struct gw_str line);

/* Once all fields are in m->headers: fills what struct h1_message derives from them. */
GW_MUST int h1_read_request_fields(struct h1_message *m, struct gw_arena *arena);
GW_MUST int h1_read_response_fields(struct h1_message *m, enum http_method asked);

/* True when the bytes behind this response's head are not HTTP any more. */
bool h1_opens_tunnel(const struct h1_message *response, enum http_method asked);

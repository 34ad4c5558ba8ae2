/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/request.h"

/* Only what is read before it is written is cleared: the slots are guarded by derived_known. */
void rules_request_init(struct rules_request *r, struct gw_arena *scratch)
{
    memset(r, 0, offsetof(struct rules_request, derived));
    r->version = GW_STR("HTTP/1.1");
    r->scratch = scratch;
}

void rules_request_response(struct rules_request *r, int code, const struct headers *headers)
{
    r->response_code = code;
    r->response_headers = headers;
    r->derived_known &= (1u << RULES_RESPONSE_HEADERS) - 1;
}

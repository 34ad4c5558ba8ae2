/* SPDX-License-Identifier: Apache-2.0 */
/* Refused credentials in the API's words (spec/api-v4.md section 1, "Credentials"), and the call
 * that asks whether a token is good. */
#include "gateway/admin_auth.h"
#include "gateway/api.h"

#define VERIFY_PATH "/client/v4/user/tokens/verify"

/* The part of the header that is wrong has a code of its own, in a chain (codes 6003 and 6111). */
static void refuse_malformed(struct admin_call *call)
{
    call->status = 400;
    gw_buf_add(&call->out, GW_STR("{\"result\":null,\"success\":false,\"errors\":[{\"code\":6003,"
                                  "\"message\":\"Invalid request headers\",\"error_chain\":[{"
                                  "\"code\":6111,\"message\":\"Invalid format for Authorization "
                                  "header\"}]}],\"messages\":[]}\n"));
}

bool admin_auth_refuse_v4(struct admin_call *call, enum admin_verdict verdict)
{
    switch (verdict) {
    case ADMIN_AUTH_MISSING:
        admin_v4_fail(call, 400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
        return true;
    case ADMIN_AUTH_MALFORMED:
        refuse_malformed(call);
        return true;
    case ADMIN_AUTH_TOKEN:
        if (gw_str_eq(call->path, GW_STR(VERIFY_PATH)))
            admin_v4_fail(call, 401, 1000, "Invalid API Token");
        else
            admin_v4_fail(call, 401, 10000, "Authentication error");
        return true;
    case ADMIN_AUTH_KEY:
        admin_v4_fail(call, 403, 9103, "Unknown X-Auth-Key or X-Auth-Email");
        return true;
    case ADMIN_AUTH_OK:
    case ADMIN_AUTH_HOST:
    case ADMIN_AUTH_ORIGIN:
    case ADMIN_AUTH_REMOTE:
        break;
    }
    return false;
}

/* Whoever gets here has passed admin_authorize. The id tells nothing about the token. */
enum admin_result api_token_verify(struct admin_call *call)
{
    char id[API_ID_LEN];
    api_derived_id(GW_STR("token"), GW_STR(API_ACCOUNT_ID), id);
    api_begin(&call->out);
    gw_buf_char(&call->out, '{');
    api_member(&call->out, "id", gw_str(id, sizeof(id)));
    api_member(&call->out, "status", GW_STR("active"));
    gw_buf_char(&call->out, '}');
    api_end_with(&call->out,
                 GW_STR("{\"code\":10000,\"message\":\"This API Token is valid and active\","
                        "\"type\":null}"),
                 GW_STR_EMPTY);
    return ADMIN_DONE;
}

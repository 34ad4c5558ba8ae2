/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that cache, limiter and rules see: shown, and moved when it is virtual. */
#include "gateway/admin_route.h"
#include "gateway/server.h"

#define ADVANCE_MAX                                                                                \
    ((int64_t)100 * 366 * 24 * 3600 * 1000) /* a century; more is a slip of the pen */

enum admin_result admin_clock_get(struct admin_call *call)
{
    const struct gw_clock *clock = &call->server->clock;
    gw_buf_printf(&call->out, "{\"mode\":\"%s\",\"now_ms\":%llu}\n",
                  clock->mode == GW_CLOCK_VIRTUAL ? "virtual" : "system",
                  (unsigned long long)gw_clock_now(clock).date_ms);
    return ADMIN_DONE;
}

enum admin_result admin_clock_advance(struct admin_call *call)
{
    struct json_doc *doc = admin_body(call);
    const struct json *ms = doc ? json_get(json_root(doc), "ms") : NULL;
    int64_t by = 0;
    bool valid = ms && json_type(ms) == JSON_NUMBER && json_int(ms, 0, ADVANCE_MAX, &by);
    json_doc_free(doc);
    if (call->server->clock.mode != GW_CLOCK_VIRTUAL)
        admin_fail(call, 409, "The clock is the system's: set \"clock\": \"virtual\" to move it");
    else if (!valid || !gw_clock_advance(&call->server->clock, (uint64_t)by))
        admin_fail(call, 400, "The body must be {\"ms\": N}, N from 0 to a century");
    else
        admin_clock_get(call);
    return ADMIN_DONE;
}

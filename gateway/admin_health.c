/* SPDX-License-Identifier: Apache-2.0 */
/* /livez: the process turns its loop. /readyz: it should get traffic. A counter backend that is
 * away makes the gateway unready only when the failure policy refuses requests without it; under
 * the other policies it serves, and the answer names what is missing. */
#include <stdatomic.h>

#include "gateway/admin_route.h"
#include "gateway/server.h"

enum admin_result admin_livez(struct admin_call *call)
{
    gw_buf_add(&call->out, GW_STR("{\"status\":\"live\"}\n"));
    return ADMIN_DONE;
}

static const char *serving_state(const struct server *s)
{
    if (atomic_load(&s->draining))
        return "draining";
    return atomic_load(&s->ready) ? "ready" : "loading";
}

static void add_backend(struct gw_buf *out, const struct limiter_health *health)
{
    gw_buf_printf(out, ",\"backend\":{\"kind\":\"%s\",\"state\":\"%s\"",
                  health->redis ? "redis" : "embedded", health->up ? "up" : "down");
    if (!health->up) {
        gw_buf_add(out, GW_STR(",\"error\":"));
        gw_buf_json(out, gw_str_z(health->error));
    }
    gw_buf_printf(out, ",\"keys\":%llu}", (unsigned long long)health->keys);
}

enum admin_result admin_readyz(struct admin_call *call)
{
    const char *state = serving_state(call->server);
    struct limiter_health health;
    limiter_world_health(call->server->limiter, &health);
    bool ready = strcmp(state, "ready") == 0;
    if (ready && !health.up && health.fails_closed) {
        ready = false;
        state = "backend_down";
    }
    call->status = ready ? 200 : 503;
    gw_buf_printf(&call->out, "{\"status\":\"%s\"", state);
    add_backend(&call->out, &health);
    gw_buf_add(&call->out, GW_STR("}\n"));
    return ADMIN_DONE;
}

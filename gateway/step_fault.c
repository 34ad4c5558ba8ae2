/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/step_fault.h"

#include "gateway/exchange_visit.h"
#include "gateway/faults.h"
#include "gateway/reply.h"

/* What breaks at the edge itself, before limiter and cache: in the arena, for the few that meet it.
 */
struct edge_fault {
    struct exchange *x;
    const struct config_fault *config;
    struct gw_deadline delay;
    bool delayed;
};

static void on_delay(struct gw_deadline *d)
{
    struct edge_fault *fault = gw_container_of(d, struct edge_fault, delay);
    fault->delayed = true;
    exchange_resume(fault->x);
}

void step_fault_cancel(struct exchange *x)
{
    if (x->fault)
        gw_deadline_cancel(&x->fault->delay);
}

static void go_on(struct exchange *x)
{
    x->step = exchange_after_rules(x);
}

/* Statuses of the edge itself come with its page, as when the origin had failed; others as some
 * origin's answer. */
static enum step_result act(struct exchange *x, const struct config_fault *fault)
{
    static const struct gw_str lines =
        GW_STR("Content-Type: text/plain\r\nCache-Control: no-store\r\n");
    if (fault->abort) {
        x->io->cut(x->session);
        x->step = STEP_LOG;
    } else if (fault->status >= 520) {
        reply_error(x, fault->status);
    } else if (fault->status) {
        x->reply = (struct exchange_reply){fault->status, lines, GW_STR("injected fault\n")};
        x->step = STEP_REPLY;
    } else {
        go_on(x);
    }
    return STEP_MORE;
}

enum step_result step_fault(struct exchange *x)
{
    if (x->fault)
        return x->fault->delayed ? act(x, x->fault->config) : STEP_WAIT;
    const struct config_fault *fault = fault_set_meet(
        x->ws->snapshot->faults, x->zone->config->name, CONFIG_FAULT_EDGE, &x->facts);
    if (!fault) {
        go_on(x);
        return STEP_MORE;
    }
    if (!fault->delay_ms)
        return act(x, fault);
    x->fault = gw_arena_zalloc(&x->arena, sizeof(*x->fault));
    if (!x->fault) /* a head that fills the arena: the fault comes without its delay */
        return act(x, fault);
    x->fault->x = x;
    x->fault->config = fault;
    gw_deadline_init(&x->fault->delay, on_delay);
    gw_deadline_set(x->worker->loop, &x->fault->delay, fault->delay_ms);
    return STEP_WAIT;
}

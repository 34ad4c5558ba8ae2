/* SPDX-License-Identifier: Apache-2.0 */
/* Between phases: what is under way ends, the admin listener is called, the next phase begins. */
#include "bench/load/run_private.h"

#define LATE_US       20000 /* later than this after its instant a request was taken up late */
#define BURST_EACH_US 200   /* what one request of a burst may cost: it opens a connection */

/* ---- calls ---- */

static void on_action(void *ctx, const struct load_admin_reply *reply)
{
    struct run_call *call = ctx;
    struct run *r = call->run;
    call->done->err = reply->err;
    call->done->status = reply->status;
    r->calling--;
    if (r->state == RUN_BOUNDARY)
        run_boundary_step(r);
}

static void start_action(struct run *r, const struct load_action *action)
{
    size_t at = r->result->action_count++;
    struct run_action *done = &r->result->actions[at];
    struct run_call *call = &r->calls[at];
    *done = (struct run_action){.action = action, .phase = r->phase, .err = GW_EUNAVAILABLE};
    if (!r->admin)
        return;
    *call = (struct run_call){r, done};
    r->calling++;
    load_admin_call(r->admin, action->method, action->path, action->body, on_action, call);
}

void run_actions(struct run *r, uint64_t now_us)
{
    const struct load_phase *phase = &r->plan->phases[r->phase];
    for (; r->next_action < phase->action_count; r->next_action++) {
        const struct load_action *action = &phase->actions[r->next_action];
        if (action->before)
            continue;
        if (r->phase_us + action->at_us > now_us)
            return;
        start_action(r, action);
    }
}

static void on_metrics(void *ctx, const struct load_admin_reply *reply)
{
    struct run *r = ctx;
    uint64_t count;
    if (!reply->err && reply->status == 200 && load_admin_origin_requests(reply->body, &count))
        r->result->origin_at[r->phase] = count;
    r->asking_origin = false;
    run_boundary_step(r);
}

/* ---- the boundary ---- */

/* True when a call was made, whose end comes back here. */
static bool call_next(struct run *r)
{
    bool is_phase = r->phase < r->plan->phase_count;
    const struct load_phase *phase = is_phase ? &r->plan->phases[r->phase] : NULL;
    while (phase && r->before < phase->action_count) {
        const struct load_action *action = &phase->actions[r->before++];
        if (!action->before)
            continue;
        start_action(r, action);
        if (r->admin)
            return true;
    }
    /* After the calls, right before the phase: what a call makes the gateway ask its origin is not
     * the phase's. */
    if (r->asked_origin || !r->admin || !load_plan_asks_origin(r->plan))
        return false;
    r->asked_origin = r->asking_origin = true;
    load_admin_call(r->admin, GW_STR("GET"), GW_STR("/metrics"), GW_STR_EMPTY, on_metrics, r);
    return true;
}

/* Called whenever something ends: a request, a call, a count. It goes on only when nothing of these
 * is left, so the order in which they end does not matter. */
void run_boundary_step(struct run *r)
{
    if (r->under_way || r->calling || r->asking_origin || call_next(r))
        return;
    if (r->phase < r->plan->phase_count)
        run_begin_phase(r, gw_loop_real_us(r->loop));
    else
        run_check(r);
}

void run_boundary(struct run *r)
{
    r->state = RUN_BOUNDARY;
    r->before = 0;
    r->asked_origin = false;
    run_boundary_step(r);
}

void run_begin_phase(struct run *r, uint64_t at_us)
{
    const struct load_phase *phase = &r->plan->phases[r->phase];
    if (!r->zero_us) {
        r->zero_us = at_us;
        lanes_set_zero(r->lanes, at_us);
    }
    r->state = RUN_SENDING;
    r->phase_us = at_us;
    r->phase_end_us = at_us + (uint64_t)(phase->schedule.duration_s * 1e6 + 0.5);
    r->tolerance_us = LATE_US + phase->schedule.burst * BURST_EACH_US;
    r->next_action = 0;
    r->phase_number = 0;
    r->result->phases_begun = r->phase + 1;
    memset(r->phase_request_numbers, 0, r->plan->request_count * sizeof(*r->phase_request_numbers));
    pick_begin(&r->pick, r->plan, phase);
    schedule_begin(&r->schedule, &phase->schedule, r->plan->seed + r->phase);
    r->has_next = schedule_next(&r->schedule, &r->next_us);
    gw_loop_defer(r->loop, &r->more);
}

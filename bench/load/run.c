/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/run.h"

#include "bench/load/render.h"
#include "bench/load/request.h"
#include "bench/load/run_private.h"

#define BATCH    256 /* requests taken up before answers are read again */
#define TICK_MS  100 /* for people: progress, and how soon an interruption is noticed */
#define BODY_MAX ((size_t)80 << 20)

/* ---- sending ---- */

/* Every instant counts from when the request was due, and its numbers are given before it is sent:
 * neither may depend on how the server does. A request that the full line drops has used its
 * numbers up. */
static void take_up(struct run *r, uint64_t due_us, uint64_t now_us)
{
    struct picked what = pick_next(&r->pick);
    struct load_flight f = {.group = what.group, .index = what.index, .round = what.round};
    struct load_sample *x = &f.sample;
    x->intended_us = due_us - r->zero_us;
    x->phase_us = due_us - r->phase_us;
    x->phase = r->phase;
    x->request = what.request;
    x->identity = r->plan->groups[what.group].first + what.index;
    x->number[LOAD_RUN] = ++r->number;
    x->number[LOAD_PHASE] = ++r->phase_number;
    x->number[LOAD_RUN_REQUEST] = ++r->request_numbers[what.request];
    x->number[LOAD_PHASE_REQUEST] = ++r->phase_request_numbers[what.request];
    stats_taken(r->stats, due_us, now_us, r->tolerance_us);
    r->under_way++;
    if (lanes_submit(r->lanes, &f))
        return;
    r->under_way--;
    r->stats->dropped++;
}

/* The next phase begins at the planned end of this one, not now: a late turn must not shift the
 * rest of the plan. */
static void end_phase(struct run *r)
{
    uint64_t end_us = r->phase_end_us;
    r->result->phase_seconds[r->phase] = (double)(end_us - r->phase_us) / 1e6;
    pick_end(&r->pick);
    r->phase++;
    if (r->phase == r->plan->phase_count || r->plan->phases[r->phase].drain)
        run_boundary(r);
    else
        run_begin_phase(r, end_us);
}

/* From the timer and from `more`, which may both come in one turn: the second finds nothing due, or
 * another state. */
void run_dispatch(struct run *r)
{
    uint64_t now_us = gw_loop_real_us(r->loop);
    unsigned taken = 0;
    if (r->state != RUN_SENDING)
        return;
    run_actions(r, now_us);
    for (; r->has_next && r->phase_us + r->next_us <= now_us && taken < BATCH; taken++) {
        take_up(r, r->phase_us + r->next_us, now_us);
        r->has_next = schedule_next(&r->schedule, &r->next_us);
        now_us = gw_loop_real_us(r->loop);
    }
    uint64_t wake_us = r->has_next ? r->phase_us + r->next_us : r->phase_end_us;
    if (taken == BATCH || (r->has_next && wake_us <= now_us)) {
        gw_loop_defer(r->loop, &r->more);
        return;
    }
    if (!r->has_next && now_us >= r->phase_end_us) {
        end_phase(r);
        return;
    }
    const struct load_phase *phase = &r->plan->phases[r->phase];
    if (r->next_action < phase->action_count)
        wake_us = gw_min_u64(wake_us, r->phase_us + phase->actions[r->next_action].at_us);
    precise_timer_set(r->timer, wake_us);
}

static void on_timer(void *ctx)
{
    run_dispatch(ctx);
}

static void on_more(struct gw_task *task)
{
    run_dispatch(gw_container_of(task, struct run, more));
}

/* ---- answers ---- */

static enum http_method on_render(void *ctx, const struct load_flight *flight, struct gw_buf *out)
{
    struct run *r = ctx;
    return load_render(r->plan, flight, out, &r->scratch);
}

/* The books are closed for this request before the boundary may move on: its step can begin a phase
 * or end the run. */
static void on_done(void *ctx, struct load_flight *flight, const struct channel_answer *a)
{
    struct run *r = ctx;
    struct load_sample *x = &flight->sample;
    x->done_us = a->done_us - r->zero_us;
    x->status = a->status;
    x->cache = a->cache;
    x->error = a->error;
    x->refusal = a->refusal;
    x->retry_after_s = a->retry_after_s;
    r->under_way--;
    r->result->duration_us = gw_max_u64(r->result->duration_us, x->done_us);
    stats_answer(r->stats, x, a->retry_after_broken);
    for (size_t i = 0; i < r->plan->expectation_count; i++)
        expect_take(&r->plan->expectations[i], x);
    if (a->status == 429 && !r->refused[x->request].sample.status)
        r->refused[x->request] = *flight;
    if (r->state == RUN_BOUNDARY && !r->under_way)
        run_boundary_step(r);
}

/* ---- the run ---- */

static void tell_progress(const struct run *r)
{
    const struct run_progress progress = {
        .plan = r->plan,
        .stats = r->stats,
        .phase = r->phase,
        .elapsed_us = r->zero_us ? gw_loop_real_us(r->loop) - r->zero_us : 0,
        .under_way = r->under_way,
        .doing = r->state == RUN_CHECKING ? "checking Retry-After" : NULL,
    };
    if (r->options->progress)
        r->options->progress(r->options->ctx, &progress);
}

static void on_tick(struct gw_deadline *d)
{
    struct run *r = gw_container_of(d, struct run, tick);
    if (r->options->stop && *r->options->stop) {
        r->result->interrupted = true;
        r->result->left_under_way = r->under_way;
        run_finish(r);
        return;
    }
    tell_progress(r);
    gw_deadline_set(r->loop, &r->tick, TICK_MS);
}

/* When the checks are over or somebody interrupts, in whatever state. `pick` is held in RUN_SENDING
 * only; end_phase has given it back otherwise. Twice can happen (a verdict in the turn of an
 * interruption) and does nothing more. */
void run_finish(struct run *r)
{
    if (r->state == RUN_SENDING && r->phase < r->plan->phase_count) {
        uint64_t now_us = gw_loop_real_us(r->loop);
        r->result->phase_seconds[r->phase] =
            (double)(gw_min_u64(now_us, r->phase_end_us) - r->phase_us) / 1e6;
        pick_end(&r->pick);
    }
    r->state = RUN_OVER;
    gw_loop_stop(r->loop);
}

static void prepare(struct run *r)
{
    struct load_plan *plan = r->plan;
    struct run_result *result = r->result;
    size_t actions = 0;
    for (size_t i = 0; i < plan->phase_count; i++)
        actions += plan->phases[i].action_count;
    result->phase_seconds = gw_zalloc(plan->phase_count * sizeof(*result->phase_seconds));
    result->origin_at = gw_alloc((plan->phase_count + 1) * sizeof(*result->origin_at));
    for (size_t i = 0; i <= plan->phase_count; i++)
        result->origin_at[i] = UINT64_MAX;
    result->actions = gw_zalloc((actions + 1) * sizeof(*result->actions));
    r->calls = gw_zalloc((actions + 1) * sizeof(*r->calls));
    stats_init(&result->stats, plan);
    r->request_numbers = gw_zalloc(plan->request_count * sizeof(*r->request_numbers));
    r->phase_request_numbers = gw_zalloc(plan->request_count * sizeof(*r->request_numbers));
    r->refused = gw_zalloc(plan->request_count * sizeof(*r->refused));
    for (size_t i = 0; i < plan->request_count; i++)
        if (!plan->requests[i].heads)
            load_request_compile(plan, &plan->requests[i]);
    for (size_t i = 0; i < plan->expectation_count; i++)
        expect_begin(&plan->expectations[i], plan->identities);
    gw_buf_init(&r->scratch, BODY_MAX);
    gw_task_init(&r->more, on_more);
    gw_deadline_init(&r->tick, on_tick);
}

/* Calls that the admin listener has not answered hold pointers to the run and the probe: they go
 * first. */
static void release(struct run *r)
{
    load_admin_free(r->admin);
    probe_free(r->probe);
    gw_task_cancel(&r->more);
    gw_deadline_cancel(&r->tick);
    precise_timer_free(r->timer);
    lanes_free(r->lanes);
    gw_buf_release(&r->scratch);
    free(r->request_numbers);
    free(r->phase_request_numbers);
    free(r->refused);
    free(r->calls);
    gw_loop_free(r->loop);
}

int load_run(struct load_plan *plan, const struct run_options *options, struct run_result *result)
{
    static const struct lanes_events events = {on_render, on_done};
    struct gw_clock clock;
    *result = (struct run_result){0};
    struct run r = {.plan = plan, .options = options, .result = result, .stats = &result->stats};
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    r.loop = gw_loop_new(&clock);
    prepare(&r);
    r.timer = precise_timer_new(r.loop, on_timer, &r);
    r.lanes =
        lanes_new(r.loop, &options->to, plan->connections, plan->timeout_us / 1000, &events, &r);
    lanes_use_tls(r.lanes, options->tls);
    if (options->admin)
        r.admin = load_admin_new(r.loop, options->admin);
    if (r.timer) {
        gw_deadline_set(r.loop, &r.tick, TICK_MS);
        run_boundary(&r);
        gw_loop_run(r.loop);
        result->lanes = lanes_counts(r.lanes);
        stats_end(r.stats);
    }
    release(&r);
    return r.timer ? 0 : GW_ELIMIT;
}

void run_result_release(struct run_result *r)
{
    stats_release(&r->stats);
    free(r->phase_seconds);
    free(r->origin_at);
    free(r->actions);
    *r = (struct run_result){0};
}

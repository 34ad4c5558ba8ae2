/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/stats.h"

#include <inttypes.h>
#include <math.h>

#define INTERVALS_WANTED 120
#define LATE_MIN         10   /* a hiccup that hits fewer requests proves nothing */
#define LATE_SHARE       0.01 /* of all: beyond it percentiles above p99 are the generator's own */

static void group_init(struct stats_group *g)
{
    histogram_init(&g->response);
    histogram_init(&g->service);
}

static void group_release(struct stats_group *g)
{
    histogram_release(&g->response);
    histogram_release(&g->service);
}

/* A round length that cuts the plan into about as many pieces as a chart can show. */
static uint64_t interval_for(uint64_t duration_us)
{
    static const uint64_t lengths_ms[] = {100,  200,   500,   1000,  2000,
                                          5000, 10000, 30000, 60000, 300000};
    size_t i = 0;
    while (i + 1 < GW_COUNT(lengths_ms) && duration_us / 1000 / lengths_ms[i] > INTERVALS_WANTED)
        i++;
    return lengths_ms[i] * 1000;
}

void stats_init(struct stats *s, const struct load_plan *plan)
{
    *s = (struct stats){.plan = plan};
    group_init(&s->whole);
    s->phases = gw_zalloc(plan->phase_count * sizeof(*s->phases));
    s->requests = gw_zalloc(plan->request_count * sizeof(*s->requests));
    for (size_t i = 0; i < plan->phase_count; i++)
        group_init(&s->phases[i]);
    for (size_t i = 0; i < plan->request_count; i++)
        group_init(&s->requests[i]);
    s->intervals = gw_zalloc(STATS_INTERVALS_MAX * sizeof(*s->intervals));
    s->interval_count = 1;
    s->interval_us = interval_for(load_plan_duration_us(plan));
    s->identities = gw_zalloc(plan->identities * sizeof(*s->identities));
    histogram_init(&s->interval);
    histogram_init(&s->lag);
}

void stats_release(struct stats *s)
{
    group_release(&s->whole);
    for (size_t i = 0; s->phases && i < s->plan->phase_count; i++)
        group_release(&s->phases[i]);
    for (size_t i = 0; s->requests && i < s->plan->request_count; i++)
        group_release(&s->requests[i]);
    free(s->phases);
    free(s->requests);
    free(s->intervals);
    free(s->identities);
    histogram_release(&s->interval);
    histogram_release(&s->lag);
}

void stats_taken(struct stats *s, uint64_t due_us, uint64_t now_us, uint64_t tolerance_us)
{
    uint64_t lag_us = now_us > due_us ? now_us - due_us : 0;
    if (!s->taken++) {
        s->first_due_us = due_us;
        s->first_taken_us = now_us;
    }
    s->last_due_us = due_us;
    s->last_taken_us = now_us;
    s->late += lag_us > tolerance_us;
    histogram_add(&s->lag, lag_us, 1);
}

/* ---- answers ---- */

static void group_add(struct stats_group *g, const struct load_sample *x, bool broken,
                      uint64_t number)
{
    g->requests++;
    g->answers += x->status != 0;
    g->errors[x->error]++;
    if (!x->status)
        return;
    histogram_add(&g->response, x->done_us - x->intended_us, 1);
    histogram_add(&g->service, x->done_us - x->sent_us, 1);
    if (x->status >= STATS_STATUS_MIN && x->status <= STATS_STATUS_MAX)
        g->status[x->status - STATS_STATUS_MIN]++;
    g->cache[x->cache]++;
    g->refusals[x->refusal]++;
    g->broken_retry_after += broken;
    if (x->status == 429 && (!g->first_429 || number < g->first_429))
        g->first_429 = number;
}

static void close_interval(struct stats *s)
{
    struct stats_interval *i = &s->intervals[s->interval_count - 1];
    i->start_s = (double)(s->interval_count - 1) * (double)s->interval_us / 1e6;
    i->p50_us = histogram_at(&s->interval, 50);
    i->p90_us = histogram_at(&s->interval, 90);
    i->p99_us = histogram_at(&s->interval, 99);
    i->max_us = s->interval.max_us;
}

/* By when the answer came; answers come in that order, so one histogram serves the interval under
 * way, and of those before only percentiles are kept. */
static void interval_add(struct stats *s, const struct load_sample *x)
{
    while (x->done_us >= s->interval_count * s->interval_us &&
           s->interval_count < STATS_INTERVALS_MAX) {
        close_interval(s);
        histogram_clear(&s->interval);
        s->interval_count++;
    }
    struct stats_interval *i = &s->intervals[s->interval_count - 1];
    uint64_t *count = !x->status         ? &i->errors
                      : x->status == 429 ? &i->limited
                      : x->status >= 500 ? &i->server
                      : x->status >= 400 ? &i->client
                                         : &i->ok;
    ++*count;
    i->cache_hits += x->cache == LOAD_CACHE_HIT;
    i->cache_answers += x->cache != LOAD_CACHE_NONE;
    if (x->status)
        histogram_add(&s->interval, x->done_us - x->intended_us, 1);
}

static void identity_add(struct stats_identity *i, const struct load_sample *x)
{
    i->requests++;
    i->ok += x->status && x->status < 400;
    i->limited += x->status == 429;
    i->other += !x->status || (x->status >= 400 && x->status != 429);
}

void stats_answer(struct stats *s, const struct load_sample *x, bool broken)
{
    group_add(&s->whole, x, broken, x->number[LOAD_RUN]);
    group_add(&s->phases[x->phase], x, broken, x->number[LOAD_PHASE]);
    group_add(&s->requests[x->request], x, broken, x->number[LOAD_RUN_REQUEST]);
    interval_add(s, x);
    identity_add(&s->identities[x->identity], x);
}

void stats_end(struct stats *s)
{
    close_interval(s);
}

/* ---- questions ---- */

uint64_t stats_status(const struct stats_group *g, unsigned from, unsigned to)
{
    uint64_t sum = 0;
    for (unsigned i = from; i <= to && i <= STATS_STATUS_MAX; i++)
        sum += g->status[i - STATS_STATUS_MIN];
    return sum;
}

double stats_schedule_error(const struct stats *s)
{
    double due = (double)(s->last_due_us - s->first_due_us);
    double taken = (double)(s->last_taken_us - s->first_taken_us);
    return due > 0 ? fabs(taken - due) / due * 100 : 0;
}

bool stats_inconclusive(const struct stats *s, struct gw_buf *why)
{
    if (s->dropped) {
        gw_buf_printf(why, "%" PRIu64 " requests were dropped: the line was full", s->dropped);
        return true;
    }
    if (s->late < LATE_MIN || (double)s->late <= LATE_SHARE * (double)s->taken)
        return false;
    gw_buf_printf(why, "the generator took up %" PRIu64 " of %" PRIu64 " requests late", s->late,
                  s->taken);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/schedule.h"

#include <math.h>

#define EDGE 1e-9 /* of a request: 50/s for 10 s is 500 of them, whatever rounding says */

static double segment_count(const struct schedule_segment *g)
{
    return (g->from + g->to) / 2 * g->duration_s;
}

void schedule_begin(struct schedule *s, const struct schedule_plan *plan, uint64_t seed)
{
    *s = (struct schedule){.plan = plan, .rng = {seed}};
    /* Exponential gaps by inversion: 53 random bits are a number in [0, 1), so the logarithm is
     * never that of 0. */
    if (plan->poisson)
        s->due = -log1p(-(double)(gw_rng_next(&s->rng) >> 11) * 0x1p-53);
}

static bool next_burst(struct schedule *s, uint64_t *at_us)
{
    if (!s->left) {
        double next_s = (double)s->bursts * s->plan->every_s;
        if (s->bursts && (s->plan->every_s <= 0 || next_s >= s->plan->duration_s - EDGE))
            return false;
        s->bursts++;
        s->left = s->plan->burst;
    }
    s->left--;
    *at_us = (uint64_t)((double)(s->bursts - 1) * s->plan->every_s * 1e6 + 0.5);
    return true;
}

/* Solves from·t + (to − from)/(2·duration)·t² = count for t in the form that does not cancel. */
static double inverse(const struct schedule_segment *g, double count)
{
    if (count <= 0)
        return 0;
    double slope = (g->to - g->from) / g->duration_s;
    double root = sqrt(fmax(0, g->from * g->from + 2 * slope * count));
    return fmin(g->duration_s, 2 * count / (g->from + root));
}

bool schedule_next(struct schedule *s, uint64_t *at_us)
{
    const struct schedule_plan *plan = s->plan;
    if (plan->burst)
        return next_burst(s, at_us);
    for (; s->segment < plan->segment_count; s->segment++) {
        const struct schedule_segment *g = &plan->segments[s->segment];
        double inside = s->due - s->passed_count, holds = segment_count(g);
        if (inside < holds - EDGE) {
            *at_us = (uint64_t)((s->passed_s + inverse(g, inside)) * 1e6 + 0.5);
            s->due += plan->poisson ? -log1p(-(double)(gw_rng_next(&s->rng) >> 11) * 0x1p-53) : 1;
            return true;
        }
        s->passed_s += g->duration_s;
        s->passed_count += holds;
    }
    return false;
}

double schedule_expected(const struct schedule_plan *plan)
{
    double count = 0;
    if (plan->burst && plan->every_s > 0)
        return (double)plan->burst * ceil(plan->duration_s / plan->every_s - EDGE);
    if (plan->burst)
        return (double)plan->burst;
    for (size_t i = 0; i < plan->segment_count; i++)
        count += segment_count(&plan->segments[i]);
    /* The k-th is due at k counted from 0, so what has begun counts whole. */
    return plan->poisson ? count : ceil(count - EDGE);
}

double schedule_peak(const struct schedule_plan *plan)
{
    double peak = 0;
    for (size_t i = 0; i < plan->segment_count && !plan->burst; i++)
        peak = fmax(peak, fmax(plan->segments[i].from, plan->segments[i].to));
    return peak;
}

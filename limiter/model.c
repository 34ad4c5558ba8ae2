/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/model.h"

#include <math.h>

#include "limiter/binding.h"

#define SUM_MAX 20000 /* terms of a binomial sum; above, chance hardly matters any more */
#define FAR     12    /* deviations, and calls: nothing happens beyond, and the sum is long */
#define HALF    0.5   /* of a call: whole numbers are compared with real ones */

/* What all places together admit, with its variance. */
struct estimate {
    double mean, variance;
};

/* ---- calls spread over places, each with a budget ---- */

/* ln(n!). lgamma itself writes a global of the C library, and several threads get here. */
static double log_factorial(double n)
{
    int sign;
    return lgamma_r(n + 1, &sign);
}

static double chance_of(double n, double p, double x)
{
    return exp(log_factorial(n) - log_factorial(x) - log_factorial(n - x) + x * log(p) +
               (n - x) * log1p(-p));
}

/* n calls at random over the places: E[min(budget, X)] for binomial X, times the places. Places
 * share the calls, so their variances do not add up: when few are full, what varies is the excess
 * of those, and when most are, what the others are short of. The smaller of the two bounds it. */
static struct estimate spread_at_random(double n, double places, double budget)
{
    double p = 1 / places, short_sum = 0, short_squares = 0,
           reach = FAR * sqrt(n * p * (1 - p)) + FAR;
    for (double x = fmax(0, floor(n * p - reach)); x < fmin(budget, n * p + reach) && x <= n; x++) {
        double chance = chance_of(n, p, x);
        short_sum += chance * (budget - x);
        short_squares += chance * (budget - x) * (budget - x);
    }
    double mean = n * p, over_sum = short_sum + mean - budget;
    double all_squares = n * p * (1 - p) + (mean - budget) * (mean - budget);
    double over_squares = all_squares - short_squares;
    double varies = fmin(short_squares - short_sum * short_sum, over_squares - over_sum * over_sum);
    return (struct estimate){places * (budget - short_sum), fmax(0, places * varies)};
}

static struct estimate spread(const struct model_traffic *t, double n, double places, double budget)
{
    if (n <= budget || places <= 1)
        return (struct estimate){fmin(n, budget), 0};
    if (!t->in_turn && budget < SUM_MAX)
        return spread_at_random(n, places, budget);
    double each = floor(n / places), more = n - each * places; /* places with one call more */
    return (struct estimate){(places - more) * fmin(each, budget) + more * fmin(each + 1, budget),
                             0};
}

/* How many of n calls fall into a time: all, when they came at once. */
static double within(const struct model_traffic *t, double n, double seconds)
{
    return t->span_s <= seconds ? (seconds > 0 ? n : 0) : n * seconds / t->span_s;
}

static struct model_prediction predict(unsigned row, struct estimate e, double doubt,
                                       const char *says)
{
    return (struct model_prediction){.row = row,
                                     .expected = e.mean,
                                     .deviation = sqrt(e.variance + doubt * doubt),
                                     .chance = sqrt(e.variance),
                                     .says = says};
}

/* ---- rows ---- */

static struct model_prediction object(const struct model_traffic *t, const struct model_store *s,
                                      double n)
{
    if (s->requests_per_second)
        return (struct model_prediction){.says = "an overloaded object has no row"};
    return predict(1, (struct estimate){fmin(n, t->rule.limit), 0}, 0, "min(L, n)");
}

static struct model_prediction memory(const struct model_traffic *t, double n)
{
    return predict(2, spread(t, n, t->places, t->rule.limit), 0, "K * E[min(L, n/K)]");
}

/* An edge's other machines do not know yet what one has let pass in the last moments; but none
 * passes more than the limit itself. */
static struct model_prediction binding(const struct model_traffic *t, double n)
{
    double machines = (double)t->places / t->edges, limit = t->rule.limit;
    double untold = within(t, n / t->edges, BINDING_LAG_MS / 1000.0) * (machines - 1) / machines;
    double budget = fmin(limit + untold, limit * machines);
    struct estimate e = spread(t, n, t->edges, budget);
    struct estimate alone = spread(t, n, t->places, limit);
    if (alone.mean <= e.mean)
        return predict(7, alone, 0, "K * E[min(L, n/K)]: nothing was told in time");
    e.variance += t->edges * untold;
    return predict(7, e, 0, "N * (L + r*d*(M-1)/M)");
}

struct range {
    double low, high, variance, doubt;
    unsigned row;
    const char *says;
};

/* One edge, or several that see the central value in time. */
static struct range kv_central(const struct model_traffic *t, const struct kv_settings *kv,
                               double n, double race_s)
{
    double limit = t->rule.limit, edges = t->edges, race = within(t, n, race_s);
    double late =
        fmin(edges - 1, within(t, n, (double)kv->propagation_ms / 1000) * (edges - 1) / edges);
    double high = fmin(n, limit * (1 + race + late));
    struct range r = {high, high, high < n ? limit * race : 0, 0, 3, "min(n, L*(1 + R*s))"};
    if (late > 0) {
        r.doubt = 0.2 * high; /* the spec: "good to 20 %" */
        r.row = 5;
        r.says = "min(n, L*(1 + R*s + R*D*(N-1)/N))";
    }
    return r;
}

/* What edges take over: the first read of each finds in the central store what others have counted
 * by then, at most all of it. In turn, that is one call of each edge before it; at random, as many
 * as it takes until yet another edge is asked. */
static double adopted(const struct model_traffic *t)
{
    double calls = 0, sum = 0;
    for (uint32_t others = 1; others < t->edges; others++) {
        calls += t->in_turn ? 1 : (double)t->edges / (t->edges - others);
        sum += fmin(calls, t->rule.limit);
    }
    return sum;
}

/* Edges that live on their copies: each has the limit to itself, less what it has taken over. */
static struct range kv_copies(const struct model_traffic *t, double n, double race_s)
{
    double limit = t->rule.limit, edges = t->edges, race = within(t, n / edges, race_s);
    struct estimate most = spread(t, n, edges, limit * (1 + race));
    bool at_once = race >= n / edges; /* all have read before anything was written */
    double low = at_once ? most.mean : fmax(fmin(n, limit), edges * limit - adopted(t));
    double raced = most.mean < n ? edges * limit * race : 0;
    return (struct range){fmin(low, most.mean),         most.mean, most.variance + raced, 0, 4,
                          "between L and N*L*(1 + r*s)"};
}

/* The write limit is the whole world's: a call whose write is refused is a 500. */
static void kv_write_limit(const struct model_traffic *t, const struct kv_settings *kv,
                           struct range *r)
{
    double rate = kv->writes_per_second;
    if (kv->write_limit == CONFIG_KV_OFF)
        return;
    double burst = kv->write_limit == CONFIG_KV_STRICT ? rate : rate * KV_BURST_S;
    double writes = burst + rate * t->span_s;
    if (writes >= r->high)
        return;
    *r = (struct range){.low = fmin(r->low, writes),
                        .high = writes,
                        .variance = t->span_s > 0 ? rate * rate / 3 : 0, /* a second begun */
                        .doubt = 0.1 * rate * t->span_s,
                        .row = 6,
                        .says = "accepted writes: 1/s and key"};
}

static struct model_prediction kv(const struct model_traffic *t, const struct kv_settings *kv,
                                  double n)
{
    double race_s = (double)(kv->read_ms + kv->write_ms) / 1000;
    double calls_a_copy = within(t, n / t->edges, (double)kv->cache_ttl_ms / 1000);
    bool is_central = t->edges <= 1 || calls_a_copy < 0.2; /* copies end before they are used */
    struct range r = is_central ? kv_central(t, kv, n, race_s) : kv_copies(t, n, race_s);
    kv_write_limit(t, kv, &r);
    double width = r.high - r.low;
    if (width > 0) /* any whole number in between */
        r.doubt = hypot(r.doubt, (width + 1) / sqrt(12));
    return predict(r.row, (struct estimate){(r.low + r.high) / 2, r.variance}, r.doubt, r.says);
}

struct model_prediction model_predict(const struct model_traffic *t, const struct model_store *s,
                                      uint32_t calls)
{
    struct model_traffic seen = *t;
    seen.edges = t->edges ? t->edges : 1;
    seen.places = t->places > seen.edges ? t->places : seen.edges;
    switch (s->store) {
    case LIMITER_MEMORY:
        return memory(&seen, calls);
    case LIMITER_KV:
        return kv(&seen, &s->kv, calls);
    case LIMITER_BINDING:
        return binding(&seen, calls);
    case LIMITER_DURABLE_OBJECT:
        break;
    }
    return object(&seen, s, calls);
}

/* ---- all windows ---- */

/* Windows that reached a step and not the next ended in it. The differences may be negative, when
 * the tally was cleared in the middle of a window: then the terms are what was to come of it. */
struct model_prediction model_predict_windows(const struct model_traffic *t,
                                              const struct model_store *s,
                                              const uint64_t reached[STEPS])
{
    struct model_prediction sum = {0};
    struct estimate all = {0, 0};
    double doubt = 0;
    for (uint32_t i = 1; i < STEPS; i++) {
        double ended = (double)reached[i] - (i + 1 < STEPS ? (double)reached[i + 1] : 0);
        if (ended == 0)
            continue;
        uint32_t width = i + 1 < STEPS ? step_floor(i + 1) - step_floor(i) : 1;
        sum = model_predict(t, s, step_floor(i) + (width - 1) / 2);
        all.mean += ended * sum.expected;
        all.variance += ended * sum.chance * sum.chance;
        doubt += ended * sqrt(fmax(0, sum.deviation * sum.deviation - sum.chance * sum.chance));
    }
    all.variance = fmax(0, all.variance);
    return predict(sum.row, all, doubt, sum.says);
}

bool model_z(double seen, double expected, double deviation, double *z)
{
    double off = seen - expected;
    *z = 0;
    if (fabs(off) < HALF)
        return true;
    if (deviation <= 0)
        return false;
    *z = off / deviation;
    return true;
}

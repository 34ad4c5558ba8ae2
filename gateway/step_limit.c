/* SPDX-License-Identifier: Apache-2.0 */
/* The limiter of the route, which in production runs inside the app (spec/limiter.md a1), and the
 * app's own checks around it (a3), where the zone mirrors them. Before the cache: the app's limiter
 * counts what the cache could have answered. */
#include "gateway/base/hash.h"
#include "gateway/exchange_visit.h"
#include "gateway/faults.h"
#include "gateway/reply.h"

/* Records and nothing else: the step judges and counts in one place, however the verdict came. */
static void on_decided(struct limiter_call *call, const struct limiter_verdict *verdict)
{
    struct exchange *x = gw_container_of(call, struct exchange, limit.call);
    x->limit.verdict = *verdict;
    x->limit.decided = true;
    exchange_resume(x);
}

/* Without counters the failure policy answers, as when the backend is away (limiter.h); here it is
 * only counted whom that concerns. */
static void count_fault(struct exchange *x)
{
    struct fault_set *faults = x->ws->snapshot->faults;
    if (faults)
        (void)fault_set_meet(faults, x->zone->config->name, CONFIG_FAULT_COUNTERS, &x->facts);
}

static void ask(struct exchange *x, const struct limiter *limiter)
{
    const struct visit visit = exchange_visit(x);
    const struct limiter_subject who = visit_subject(&visit);
    char space[LIMITER_KEY_MAX];
    const struct limiter_ask question = {
        .limiter = limiter,
        .key = limiter_key_render(limiter->key, &who, space),
        .place = {exchange_edge_name(x), x->isolate},
        .now_ms = x->now.wall_ms,
        .settings = &x->ws->snapshot->config->limiter,
    };
    count_fault(x);
    /* One instant, taken when the request came in, judges the old window and opens the new one, as
     * the app reads its clock once at entry (a1): a slow backend moves no reset. */
    x->limit.asked = true;
    x->limit.key_hash = gw_hash(question.key);
    x->limit.call.done = on_decided;
    enum limiter_outcome outcome =
        limiter_decide(x->worker->limiter, &question, &x->limit.call, &x->limit.verdict);
    x->limit.decided = outcome != LIMITER_WAIT;
}

static void count_kv(struct worker *worker, const struct limiter_kv_facts *kv)
{
    const uint8_t times[KV_OPERATION_COUNT] = {kv->copies, kv->reads, kv->writes, kv->refused};
    for (size_t i = 0; i < KV_OPERATION_COUNT; i++)
        if (times[i])
            metrics_add(worker->metrics, METRIC_KV_OPERATIONS, worker->kv_labels[i], times[i]);
}

static void count(const struct exchange *x, const struct limiter *limiter)
{
    const struct limiter_verdict *v = &x->limit.verdict;
    enum worker_decision decision = v->outcome == LIMITER_DENY          ? DECISION_DENY
                                    : v->outcome == LIMITER_UNAVAILABLE ? DECISION_UNAVAILABLE
                                    : v->outcome == LIMITER_ERROR       ? DECISION_ERROR
                                    : v->would_deny                     ? DECISION_SHADOW_DENY
                                                                        : DECISION_ADMIT;
    metrics_inc(x->worker->metrics, METRIC_LIMITER_DECISIONS,
                snapshot_limiter_label(x->zone, limiter), x->worker->store_labels[limiter->store],
                x->worker->decision_labels[decision]);
    /* A refusal that was remembered asked no object, and costs nothing. */
    if (limiter->store == LIMITER_DURABLE_OBJECT && !v->local)
        metrics_inc(x->worker->metrics, METRIC_DO_REQUESTS);
    if (limiter->store == LIMITER_KV)
        count_kv(x->worker, &v->kv);
}

/* ---- the app's own checks ---- */

/* True: the request was refused. Twice on the way, since the app's wrappers differ (a3): before the
 * limiter, where a 403 spends no budget, or behind it, where it has spent one already. */
static bool check_as_app(struct exchange *x, const struct limiter_route *route, bool is_decided)
{
    if (!x->zone->config->mirror_checks)
        return false;
    const struct visit visit = exchange_visit(x);
    enum app_check check = visit_app_check(&visit, route, is_decided, &x->arena);
    if (check == APP_CHECK_PASSES)
        return false;
    if (!is_decided)
        x->limit.route = NULL; /* it never got to the limiter */
    reply_app_check(x, check);
    return true;
}

/* ---- the step ---- */

enum step_result step_limit(struct exchange *x)
{
    if (!x->zone->limiters) {
        x->step = STEP_LOOKUP;
        return STEP_MORE;
    }
    if (!x->limit.asked) {
        x->limit.route = limiter_policy_match(x->zone->limiters, x->request.method_id, x->path);
        if (x->limit.route && check_as_app(x, x->limit.route, false))
            return STEP_MORE;
        if (!x->limit.route || !x->limit.route->limiter) {
            x->limit.route = NULL;
            x->step = STEP_LOOKUP;
            return STEP_MORE;
        }
        ask(x, x->limit.route->limiter);
    }
    /* The step is entered again when the verdict has come; it was asked for the first time only. */
    if (!x->limit.decided)
        return STEP_WAIT;
    count(x, x->limit.route->limiter);
    x->step = STEP_LOOKUP;
    if (x->limit.verdict.outcome != LIMITER_ADMIT)
        reply_limited(x);
    else
        check_as_app(x, x->limit.route, true);
    return STEP_MORE;
}

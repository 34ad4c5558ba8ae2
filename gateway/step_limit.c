/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/hash.h"
#include "gateway/exchange.h"
#include "gateway/http/cookie.h"
#include "gateway/reply.h"

/* Who `${user}` is: what the zone's user_from says, else nobody ("anonymous"). */
static struct gw_str find_user(const struct exchange *x)
{
    const struct config_user_from *from = &exchange_zone(x)->user_from;
    struct gw_str user = GW_STR_EMPTY;
    switch (from->kind) {
    case CONFIG_USER_NONE:
        break;
    case CONFIG_USER_COOKIE:
        if (!cookie_find(&x->request.headers, from->name, &user))
            user = GW_STR_EMPTY;
        break;
    case CONFIG_USER_HEADER: {
        const struct gw_str *value = headers_find(&x->request.headers, from->name);
        if (value)
            user = *value;
        break;
    }
    }
    return user;
}

static void on_decided(struct limiter_call *call, const struct limiter_verdict *verdict)
{
    struct exchange *x = gw_container_of(call, struct exchange, limit.call);
    x->limit.verdict = *verdict;
    x->limit.decided = true;
    exchange_resume(x);
}

static void ask(struct exchange *x, const struct limiter *limiter)
{
    const struct limiter_subject who = {
        .ip = x->client.ip,
        .ip_text = gw_str(x->client.ip_text, x->client.ip_text_len),
        .user = find_user(x),
        .host = x->request.host.name,
        .path = x->path,
        .headers = &x->request.headers,
    };
    char space[LIMITER_KEY_MAX];
    const struct limiter_ask question = {
        .limiter = limiter,
        .key = limiter_key_render(limiter->key, &who, space),
        .place = {exchange_edge_name(x), x->isolate},
        .now_ms = x->now.wall_ms,
    };
    x->limit.asked = true;
    x->limit.key_hash = gw_hash(question.key);
    x->limit.call.done = on_decided;
    enum limiter_outcome outcome =
        limiter_decide(x->worker->limiter, &question, &x->limit.call, &x->limit.verdict);
    x->limit.decided = outcome != LIMITER_WAIT;
}

static void count(const struct exchange *x, const struct limiter *limiter)
{
    const struct limiter_verdict *v = &x->limit.verdict;
    enum worker_decision decision = v->outcome == LIMITER_DENY          ? DECISION_DENY
                                    : v->outcome == LIMITER_UNAVAILABLE ? DECISION_UNAVAILABLE
                                    : v->would_deny                     ? DECISION_SHADOW_DENY
                                                                        : DECISION_ADMIT;
    metrics_inc(x->worker->metrics, METRIC_LIMITER_DECISIONS,
                snapshot_limiter_label(x->zone, limiter), x->worker->store_labels[limiter->store],
                x->worker->decision_labels[decision]);
    if (limiter->store == LIMITER_DURABLE_OBJECT && !v->local)
        metrics_inc(x->worker->metrics, METRIC_DO_REQUESTS);
}

enum step_result step_limit(struct exchange *x)
{
    if (!x->zone->limiters) {
        x->step = STEP_LOOKUP;
        return STEP_MORE;
    }
    if (!x->limit.asked) {
        x->limit.route = limiter_policy_match(x->zone->limiters, x->request.method_id, x->path);
        if (!x->limit.route || !x->limit.route->limiter) {
            x->limit.route = NULL;
            x->step = STEP_LOOKUP;
            return STEP_MORE;
        }
        ask(x, x->limit.route->limiter);
    }
    if (!x->limit.decided)
        return STEP_WAIT;
    count(x, x->limit.route->limiter);
    x->step = STEP_LOOKUP;
    if (x->limit.verdict.outcome != LIMITER_ADMIT)
        reply_limited(x);
    return STEP_MORE;
}

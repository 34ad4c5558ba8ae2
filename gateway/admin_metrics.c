/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics in Prometheus text format. Counters are the workers'; gauges are read at the moment of
 * the scrape, so that nobody has to keep them up to date. */
#include <stdatomic.h>

#include "gateway/admin_route.h"
#include "gateway/admin_upstreams.h"
#include "gateway/server.h"

static void set_gauges(struct server *s)
{
    struct cache_stats cache;
    struct limiter_health health;
    cache_store_stats(s->cache, &cache);
    limiter_world_health(s->limiter, &health);
    metrics_set(s->metrics, METRIC_CACHE_BYTES, (int64_t)cache.bytes);
    metrics_set(s->metrics, METRIC_CACHE_OBJECTS, (int64_t)cache.objects);
    metrics_set(s->metrics, METRIC_BACKEND_UP, health.up);
}

enum admin_result admin_metrics(struct admin_call *call)
{
    set_gauges(call->server);
    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(call->server->metrics, &call->out);
    admin_upstream_metrics(admin_snapshot(call), gw_loop_now(call->worker->loop).mono_ms,
                           &call->out);
    admin_certificate_metrics(admin_snapshot(call), &call->out);
    admin_fault_metrics(admin_snapshot(call), &call->out);
    admin_compare_metrics(call);
    return ADMIN_DONE;
}

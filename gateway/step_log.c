/* SPDX-License-Identifier: Apache-2.0 */
/* Where every way ends: counters, one access log line, and the inspector's record while somebody
 * looks. */
#include "gateway/access_log.h"
#include "gateway/access_log_line.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

/* Edge errors before a zone was found count under an empty zone. */
static void count(const struct exchange *x)
{
    struct metrics_worker *metrics = x->worker->metrics;
    uint16_t code = (uint16_t)access_line_status(x);
    metrics_inc(metrics, METRIC_REQUESTS, x->zone ? x->zone->label : x->worker->no_zone_label,
                x->ws->snapshot->edges[x->edge].label,
                x->worker->method_labels[x->request.method_id], code);
    metrics_observe_us(metrics, METRIC_REQUEST_DURATION,
                       gw_loop_real_us(x->worker->loop) - x->start_us);
    if (x->cache.status != CACHE_STATUS_NONE)
        metrics_inc(metrics, METRIC_CACHE_REQUESTS, x->worker->status_labels[x->cache.status]);
}

static void record(const struct exchange *x)
{
    struct gw_loop *loop = x->worker->loop;
    recorder_add(&x->worker->server->recorder, record_new(x, gw_loop_real_us(loop) - x->start_us),
                 gw_loop_real_ms(loop));
}

enum step_result step_log(struct exchange *x)
{
    /* Who scrapes metrics every second would otherwise be most of what they show. */
    if (!x->admin) {
        count(x);
        access_log_write(x->worker->log, x);
        if (gw_unlikely(recorder_is_on(&x->worker->server->recorder)))
            record(x);
    }
    return STEP_DONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/probes.h"

#include "gateway/upstream/prober.h"
#include "gateway/visit.h"

struct probes {
    struct clock_timers *timers;
    size_t count;
    struct prober *probers[]; /* as snapshot.origins; NULL: has none */
};

static bool any_wants_probes(const struct snapshot *s)
{
    for (size_t i = 0; i < s->origin_count; i++)
        if (s->origins[i].config->health.enabled)
            return true;
    return false;
}

/* As most requests come: by TLS where some listener speaks it. A server that is spoken to in both
 * ways has one verdict. */
static bool any_visitor_has_tls(const struct config *config)
{
    for (size_t i = 0; i < config->listen_count; i++)
        if (config->listen[i].visitor_https)
            return true;
    return false;
}

/* The zone's own origin and those of its rules stand in a row. */
static void probe_zone(struct probes *p, const struct worker_snapshot *ws, size_t zone)
{
    const struct snapshot *s = ws->snapshot;
    bool https = visit_origin_https(s->zones[zone].config, any_visitor_has_tls(s->config));
    size_t end = zone + 1 < s->zone_count ? s->zones[zone + 1].first_origin : s->origin_count;
    for (size_t i = s->zones[zone].first_origin; i < end; i++)
        p->probers[i] = prober_new(ws->origins[i], p->timers, https);
}

struct probes *probes_start(struct gw_loop *loop, const struct worker_snapshot *ws)
{
    const struct snapshot *s = ws->snapshot;
    if (!any_wants_probes(s))
        return NULL;
    struct probes *p = gw_zalloc(sizeof(*p) + s->origin_count * sizeof(p->probers[0]));
    p->timers = clock_timers_new(loop, s->config->clock);
    p->count = s->origin_count;
    for (size_t i = 0; i < s->zone_count; i++)
        probe_zone(p, ws, i);
    return p;
}

void probes_stop(struct probes *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        prober_free(p->probers[i]);
    clock_timers_free(p->timers);
    free(p);
}

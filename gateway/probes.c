/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/probes.h"

#include "gateway/destination.h"
#include "gateway/upstream/prober.h"

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

struct probes *probes_start(struct gw_loop *loop, const struct worker_snapshot *ws)
{
    const struct snapshot *s = ws->snapshot;
    if (!any_wants_probes(s))
        return NULL;
    struct probes *p = gw_zalloc(sizeof(*p) + s->origin_count * sizeof(p->probers[0]));
    p->timers = clock_timers_new(loop, s->config->clock);
    p->count = s->origin_count;
    for (size_t i = 0; i < p->count; i++)
        p->probers[i] = prober_new(ws->origins[i], p->timers);
    probes_follow(p, s);
    return p;
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

void probes_follow(struct probes *p, const struct snapshot *s)
{
    bool https = any_visitor_has_tls(s->config);
    for (size_t z = 0; p && z < s->zone_count; z++) {
        enum servers_speech speech = destination_speech(s->zones[z].config, https);
        /* The zone's own origin and those of its rules stand in a row. */
        size_t end = z + 1 < s->zone_count ? s->zones[z + 1].first_origin : p->count;
        for (size_t i = s->zones[z].first_origin; i < end; i++)
            prober_speak(p->probers[i], speech);
    }
}

/* Probers before their timers. Probes under way are forgotten: what they would have found is about
 * servers that are not asked any more. */
void probes_stop(struct probes *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        prober_free(p->probers[i]);
    clock_timers_free(p->timers);
    free(p);
}
